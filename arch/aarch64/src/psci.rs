//! PSCI (Arm DEN0022), through the conduit the device tree names.

use smccc::psci::{self, Error};
use smccc::{Hvc, Smc};

use boot_info::fdt::Conduit;
use core::sync::atomic::Ordering;

use crate::boot::BOOT_EL;
use crate::devicetree;

/// Calls `$f` through the conduit: the two instructions are two types to `smccc`.
macro_rules! call {
    ($conduit:expr, $f:ident ( $($arg:expr),* )) => {
        match $conduit {
            Conduit::Hvc => psci::$f::<Hvc>($($arg),*),
            Conduit::Smc => psci::$f::<Smc>($($arg),*),
        }
    };
}

/// The conduit; `None` on machines without PSCI 0.2 or later. PSCI 0.1 left the function numbers to the device tree
/// and had neither power-off nor reset; nothing that runs this kernel is so old.
#[inline(always)]
pub fn conduit() -> Option<Conduit> {
    let psci = devicetree::info().psci?;
    (psci.version >= (0, 2)).then_some(psci.conduit)
}

/// As in the log: `PSCI hvc`.
pub fn name() -> &'static str {
    match conduit() {
        Some(Conduit::Hvc) => "PSCI hvc",
        Some(Conduit::Smc) => "PSCI smc",
        None => "none",
    }
}

/// `PSCI_VERSION` (DEN0022 5.1.1): major, minor.
pub fn version() -> Option<(u16, u16)> {
    let version = call!(conduit()?, version()).ok()?;
    Some((version.major, version.minor))
}

/// The conduit for a machine whose device tree could not be read: what the exception level of entry suggests. Wrong,
/// the call is undefined, which a boot that has failed can afford.
fn conduit_or_guess() -> Option<Conduit> {
    match (devicetree::is_read(), BOOT_EL.load(Ordering::Relaxed)) {
        (true, _) => conduit(),
        (false, 2) => Some(Conduit::Smc),
        (false, _) => Some(Conduit::Hvc),
    }
}

/// Whether it is worth a call.
pub fn is_there() -> bool {
    conduit_or_guess().is_some()
}

/// `SYSTEM_OFF` (5.1.9). Returns only if it failed.
pub fn system_off() -> Error {
    match conduit_or_guess() {
        Some(conduit) => call!(conduit, system_off())
            .err()
            .unwrap_or(Error::InternalFailure),
        None => Error::NotSupported,
    }
}

/// `SYSTEM_RESET` (5.1.11). Returns only if it failed.
pub fn system_reset() -> Error {
    match conduit_or_guess() {
        Some(conduit) => call!(conduit, system_reset())
            .err()
            .unwrap_or(Error::InternalFailure),
        None => Error::NotSupported,
    }
}
