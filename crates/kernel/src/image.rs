//! The linker script's symbols: where the image's parts lie, in addresses of the image window.

use core::ops::Range;

/// Bytes of the boot CPU's first stack.
pub const INIT_STACK_BYTES: usize = 16 << 10;

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident = $symbol:ident;)*) => {
        $($(#[$doc])*
        pub(crate) fn $name() -> usize {
            // A host test has no image.
            #[cfg(not(target_os = "none"))]
            return 0;
            #[cfg(target_os = "none")]
            {
                unsafe extern "C" {
                    static $symbol: u8;
                }
                (&raw const $symbol).expose_provenance()
            }
        })*
    };
}

symbols! {
    /// First byte of code.
    text = _text;
    /// One past the last byte of code.
    etext = _etext;
    /// First byte of constants.
    rodata = _rodata;
    /// One past the last byte of constants.
    erodata = _erodata;
    /// First byte of variables.
    data = _data;
    /// One past the last byte of the image.
    end = _end;
    /// The page below the first stack that is never mapped.
    init_stack_guard = init_stack_guard;
    /// Lowest address of the first stack.
    init_stack = init_stack;
    /// The linker's build id note.
    build_id_start = __build_id_start;
    /// One past it.
    build_id_stop = __build_id_stop;
}

/// The whole image.
pub(crate) fn range() -> Range<usize> {
    text()..end()
}

/// The id the linker computed over the image, from its ELF note; empty if the linker made none.
pub fn build_id() -> &'static [u8] {
    /// Name size, descriptor size, type, and `GNU\0`.
    const HEADER: usize = 16;
    let (start, stop) = (build_id_start(), build_id_stop());
    if stop <= start + HEADER {
        return &[];
    }
    let first = core::ptr::with_exposed_provenance::<u8>(start + HEADER);
    // SAFETY: both symbols bound a section of constants in the image.
    unsafe { core::slice::from_raw_parts(first, stop - start - HEADER) }
}
