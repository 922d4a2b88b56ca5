//! Calls of firmware that is an EFI.

use core::ops::Range;

use super::InStep;

/// What firmware that is an EFI needs of the CPU that calls it.
pub trait EfiOps {
    /// Sees to it that [`Self::on_identity`] will find `regions`, whole pages of physical memory, mapped to themselves,
    /// writable and executable. Boot CPU, once; the shadow roots are brought in step afterwards.
    ///
    /// # Errors
    /// A sentence: they cannot be.
    fn map_identity(regions: &[Range<u64>]) -> Result<(), &'static str>;

    /// Calls `call` with these regions mapped to themselves beside all that the kernel maps: in physical mode, as firmware
    /// calls it.
    ///
    /// # Safety
    /// Interrupts are off. `call` may be firmware, which must be done with its regions when it returns.
    unsafe fn on_identity<R>(tables: &InStep, call: impl FnOnce() -> R) -> R;

    /// Calls `call`, which may be firmware, with the registers for floating point and vectors as firmware expects to find
    /// them (UEFI 2.10, 2.3). Interrupts are off.
    fn with_fpu<R>(call: impl FnOnce() -> R) -> R;
}
