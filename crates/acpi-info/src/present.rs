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

    use crate::AcpiInfo;

    struct Static(UnsafeCell<AcpiInfo>);
    // SAFETY: the test takes the address only.
    unsafe impl Sync for Static {}

    static ACPI: Static = Static(UnsafeCell::new(AcpiInfo::EMPTY));

    unsafe extern "C" {
        safe static __bss_start: u8;
        safe static _end: u8;
    }

    #[test]
    fn an_empty_static_takes_no_room_in_the_image() {
        let bss = (&raw const __bss_start).addr()..(&raw const _end).addr();
        assert!(bss.contains(&ACPI.0.get().addr()));
    }
}
