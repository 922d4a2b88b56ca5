//! Keeping what is empty out of the image.

/// A field that makes the `None` of an `Option` around its structure a zero.
///
/// The compiler stores `None` in the field that has the most values to spare, and takes 0 if that is
/// among them. A `bool` or a nested `Option` has 0 in use, so an empty static would have a few
/// bytes that are not 0, and 10 to 40 KiB of zeros would go into the image for their sake. Of all
/// fields this one has the most values to spare. The layout is not promised by the language: a test
/// looks where the statics end up, and all that is at stake is size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u64)]
pub(crate) enum Present {
    /// The only value.
    #[default]
    Yes = 1,
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use core::cell::UnsafeCell;

    use crate::{BootInfo, Memblock, fdt::FdtInfo};

    struct Static<T>(UnsafeCell<T>);
    // SAFETY: the tests take addresses only.
    unsafe impl<T> Sync for Static<T> {}

    static BOOT: Static<BootInfo> = Static(UnsafeCell::new(BootInfo::EMPTY));
    static FDT: Static<FdtInfo> = Static(UnsafeCell::new(FdtInfo::EMPTY));
    static MEMBLOCK: Static<Memblock> = Static(UnsafeCell::new(Memblock::new()));

    unsafe extern "C" {
        safe static __bss_start: u8;
        safe static _end: u8;
    }

    #[test]
    fn empty_statics_take_no_room_in_the_image() {
        let bss = (&raw const __bss_start).addr()..(&raw const _end).addr();
        assert!(bss.contains(&BOOT.0.get().addr()), "BootInfo");
        assert!(bss.contains(&FDT.0.get().addr()), "FdtInfo");
        assert!(bss.contains(&MEMBLOCK.0.get().addr()), "Memblock");
    }
}
