//! The `acpi` crate's table layouts, copied out of checked bytes.

use core::mem::MaybeUninit;

use acpi::sdt::{ExtendedField, fadt, hpet, madt, mcfg};

/// A table layout that any bytes are a valid value of.
///
/// # Safety
/// The type is `repr(C, packed)` and made of integers and arrays of them only (`ExtendedField` is
/// an integer that may be uninitialised), without references and without padding.
pub(crate) unsafe trait Plain: Copy {
    /// Fewer bytes than this cannot be one. Layouts grow at the end from one ACPI version to the
    /// next, so this is the oldest version that has what is read here.
    const MIN: usize;
}

macro_rules! plain {
    ($($layout:ty: $min:expr;)*) => {$(
        // SAFETY: read in the `acpi` crate's source at the version that is pinned: packed, integers
        // only. An update must look again, which is why the version is pinned exactly.
        unsafe impl Plain for $layout {
            const MIN: usize = $min;
        }
    )*};
}

plain! {
    madt::LocalApicEntry: 8;
    madt::LocalX2ApicEntry: 16;
    madt::IoApicEntry: 12;
    madt::InterruptSourceOverrideEntry: 10;
    madt::LocalApicNmiEntry: 6;
    madt::X2ApicNmiEntry: 12;
    madt::LocalApicAddressOverrideEntry: 12;
    madt::GiccEntry: 76;
    madt::GicdEntry: 20;
    madt::GicRedistributorEntry: 16;
    mcfg::McfgEntry: 16;
    hpet::HpetTable: 56;
    fadt::Fadt: 116;
}

/// Copies a layout out of `bytes`; what `bytes` are too short for is 0.
pub(crate) fn read<T: Plain>(bytes: &[u8]) -> Option<T> {
    if bytes.len() < T::MIN {
        return None;
    }
    let mut value = MaybeUninit::<T>::zeroed();
    let len = bytes.len().min(size_of::<T>());
    // SAFETY: `len` bytes are readable in `bytes` and writable in `value`, which is ours; both are
    // byte pointers. By the contract of `Plain` every pattern of bytes is a value, and none is
    // uninitialised since the rest was zeroed.
    unsafe {
        value
            .as_mut_ptr()
            .cast::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), len);
        Some(value.assume_init())
    }
}

/// The value of a field that only newer revisions have.
pub(crate) fn extended<T: Copy, const REVISION: u8>(
    field: ExtendedField<T, REVISION>,
    revision: u8,
) -> Option<T> {
    // SAFETY: fields come from `read` alone, which leaves no byte uninitialised, whatever the
    // revision claims.
    unsafe { field.access(revision) }
}
