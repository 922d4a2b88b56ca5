//! The interrupt controller: a GICv2 or a GICv3, whichever the device tree describes.

#[cfg(feature = "smp")]
pub mod smp;
mod v2;
mod v3;

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use arm_gic::IntId;
use boot_info::fdt::GicVersion;

use crate::devicetree;

/// Priorities; lower is more urgent. Seen from the non-secure side of a GIC with two security states they become
/// `0x80 | priority >> 1`, which keeps their order.
pub mod priority {
    /// Everything that waits for interrupts to be on.
    pub const NORMAL: u8 = 0xa0;
    /// What shall get through when the priority mask holds [`NORMAL`] back: the stop signal of last resort.
    pub const URGENT: u8 = 0x20;
    /// The priority mask that lets both through.
    pub const MASK_OPEN: u8 = 0xf0;
    /// The one that holds back [`NORMAL`] and lets [`URGENT`] through, on both kinds of GIC: the mask itself is never
    /// translated for CPUs that are alone with their priorities, and as seen from the non-secure side they are 0xd0, 0x90.
    #[cfg(feature = "smp")]
    pub const MASK_HELD: u8 = 0xa0;
}

/// Software generated interrupts, 0 to 15: what the CPUs use among themselves.
pub mod sgi {
    /// Look at your run queue.
    pub const RESCHED: u32 = 0;
    /// Stop, once interrupts are on.
    pub const STOP: u32 = 1;
    /// Stop at once.
    pub const STOP_NOW: u32 = 2;
    /// Those above.
    pub const ALL: [u32; 3] = [RESCHED, STOP, STOP_NOW];
    /// Interrupt numbers below this are software generated.
    pub const COUNT: u32 = 16;

    /// The priority of each.
    pub const fn priority(sgi: u32) -> u8 {
        match sgi {
            STOP_NOW => super::priority::URGENT,
            _ => super::priority::NORMAL,
        }
    }
}

/// An interrupt that was acknowledged and not yet ended: the value read, which has to be written back as it is.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged(u32);

impl Acknowledged {
    /// The interrupt's number. A GICv2 puts an SGI's sender above it.
    pub const fn intid(self) -> u32 {
        self.0
            & 0xff_ffff
            & if self.0 & 0x3ff < sgi::COUNT {
                0x3ff
            } else {
                u32::MAX
            }
    }
}

/// 0 until [`init`], then 2 or 3.
static VERSION: AtomicU8 = AtomicU8::new(0);

/// Whether all of the boot CPU's part has been used, and nothing came of it but what should: a CPU that stops leaves a
/// controller alone that is not what firmware says.
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// Sets up the distributor and the executing CPU's part. Boot CPU, once, with a heap.
///
/// # Errors
/// A sentence; without a controller there is nothing to wait for.
pub fn init() -> Result<(), &'static str> {
    let gic = devicetree::info()
        .gic
        .as_ref()
        .ok_or("the device tree describes no GIC")?;
    let version = match gic.version {
        GicVersion::V2 => v2::init(gic).map(|()| 2),
        GicVersion::V3 => v3::init(gic).map(|()| 3),
    }?;
    VERSION.store(version, Ordering::Release);
    // A CPU without an interface to it has no controller: the panic that follows must not touch one.
    init_cpu().inspect_err(|_| VERSION.store(0, Ordering::Release))?;
    ANSWERS.store(true, Ordering::Release);
    Ok(())
}

/// Sets up the executing CPU's part: nothing pending, its SGIs on, its priority mask open.
///
/// # Errors
/// A sentence.
pub fn init_cpu() -> Result<(), &'static str> {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::init_cpu(),
        3 => v3::init_cpu(),
        _ => Err("there is no interrupt controller"),
    }
}

/// Silences the executing CPU's part, for a CPU that stops for good. In any state, also before [`init_cpu`].
pub fn quiesce_cpu() {
    match VERSION.load(Ordering::Acquire) {
        _ if !ANSWERS.load(Ordering::Acquire) => {}
        2 => v2::quiesce_cpu(),
        3 => v3::quiesce_cpu(),
        _ => {}
    }
}

/// Whether there is a controller, and it is set up.
#[cfg(feature = "smp")]
pub fn is_ready() -> bool {
    VERSION.load(Ordering::Acquire) != 0
}

/// Turns on an interrupt of the executing CPU (16 to 31).
pub fn enable_private(intid: u32) {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::enable(intid, false),
        3 => v3::enable_private(intid),
        _ => {}
    }
}

/// Turns on a shared interrupt (32 and up), to be delivered to the executing CPU.
///
/// # Errors
/// A sentence, when the controller has no such interrupt.
pub fn enable_shared(intid: u32, edge: bool) -> Result<(), &'static str> {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::enable_shared(intid, edge),
        3 => v3::enable_shared(intid, edge),
        _ => Err("there is no interrupt controller"),
    }
}

/// From here to 1023 a number means no interrupt, or none that this register gives.
const SPECIAL: u32 = 1020;

/// Whether `raw`, as it was read, is an interrupt.
fn is_one(raw: u32) -> bool {
    !(SPECIAL..1024).contains(&(raw & 0xff_ffff))
}

/// Takes the most urgent pending interrupt.
pub fn acknowledge() -> Option<Acknowledged> {
    let raw = match VERSION.load(Ordering::Acquire) {
        2 => v2::acknowledge(),
        3 => v3::acknowledge(),
        _ => return None,
    };
    match is_one(raw) {
        true => Some(Acknowledged(raw)),
        false => acknowledge_nmi(raw),
    }
}

/// The interrupt, if `raw` says that it is one with superpriority.
#[cold]
fn acknowledge_nmi(raw: u32) -> Option<Acknowledged> {
    if VERSION.load(Ordering::Acquire) != 3 || raw != IntId::SPECIAL_NMI.raw_value() {
        return None;
    }
    let raw = v3::acknowledge_nmi();
    is_one(raw).then_some(Acknowledged(raw))
}

/// Ends it: the same interrupt can come again.
pub fn end(irq: Acknowledged) {
    match VERSION.load(Ordering::Acquire) {
        2 => v2::end(irq.0),
        3 => v3::end(irq.0),
        _ => {}
    }
}
