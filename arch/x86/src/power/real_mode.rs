//! The way back to real mode: its page below 1 MiB, and the code in it (`boot/real_mode.s`).
//!
//! Getting there is a kernel's own: from its paging mode, on the root table that maps low memory to itself, to
//! [`Entry::leave`]. What comes then is the BIOS's code at F000:FFF0, where every x86 CPU starts.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};

use boot_info::memblock::Direction;
use kernel::arch::Arch;
use kernel::mm::{self, EarlyRam, InPhysmap};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::handover;

/// The first bytes of the code.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
struct Header {
    /// Two unused bytes, then what LIDT reads.
    vectors: u64,
    gdt: Gdt,
}

/// Null, flat 32-bit code, 16-bit code that begins with the page, 16-bit data.
type Gdt = [u64; 4];
const CODE16: usize = 2;

/// The page's physical address; 0 if there is none.
static PAGE: AtomicU32 = AtomicU32::new(0);
const PAGE_BYTES: usize = 4096;
/// Real mode's addresses, less the page with the interrupt vectors.
const REACH: core::ops::Range<u64> = 0x1000..0xa_0000;

/// Takes the page.
pub(crate) fn reserve(ram: &mut EarlyRam<'_>) {
    // Without it there is one way less to reset the machine, and the others come first.
    if let Ok(page) = ram.alloc(PAGE_BYTES, PAGE_BYTES as u64, REACH, Direction::BottomUp) {
        PAGE.store(page.start() as u32, Ordering::Relaxed);
    }
}

/// The code, installed; physical addresses, which the shadow root maps to themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its GDT.
    pub gdt: u32,
    /// Bytes of that less one, as LGDT wants to know.
    pub gdt_limit: u16,
    /// Where to jump with selector [`Entry::CODE`].
    pub leave: u32,
}

impl Entry {
    /// Flat 32-bit code.
    pub const CODE: u16 = 0x08;
}

/// Whether there is a BIOS to go to, and a page for the code.
pub fn is_there() -> bool {
    PAGE.load(Ordering::Relaxed) != 0 && !handover::is_efi()
}

/// Puts the code in its page.
///
/// # Errors
/// A sentence: there is no page that it fits in.
pub fn install<A: Arch>() -> Result<Entry, &'static str> {
    let at = PAGE.load(Ordering::Relaxed);
    if at == 0 {
        return Err("no page below 640 KiB");
    }
    let page = InPhysmap::find::<A>(at.into(), PAGE_BYTES).ok_or("its page is not mapped")?;
    // SAFETY: `reserve` took the page for this alone, and the physmap shows it.
    let page = unsafe { core::slice::from_raw_parts_mut(mm::phys_to_virt::<A>(page), PAGE_BYTES) };
    place(code(), page, at).ok_or("the code does not fit its page")
}

/// The code as the kernel is linked with it.
#[cfg(target_os = "none")]
fn code() -> &'static [u8] {
    unsafe extern "C" {
        static real_mode_start: u8;
        static real_mode_end: u8;
    }
    let start = &raw const real_mode_start;
    let bytes = (&raw const real_mode_end).addr() - start.addr();
    // SAFETY: the assembler lays these bytes out between the two labels, in read-only data.
    unsafe { core::slice::from_raw_parts(start, bytes) }
}

/// The host's test program is linked with none.
#[cfg(not(target_os = "none"))]
fn code() -> &'static [u8] {
    &[]
}

/// Copies `code` to `page`, which is at physical address `at`, below 1 MiB, and makes its one address right.
fn place(code: &[u8], page: &mut [u8], at: u32) -> Option<Entry> {
    let (mut header, rest) = Header::read_from_prefix(code).ok()?;
    // Bits 23..0 of the base are the descriptor's bits 39..16.
    header.gdt[CODE16] |= u64::from(at) << 16;
    let (head, body) = page.get_mut(..code.len())?.split_at_mut(size_of::<Header>());
    head.copy_from_slice(header.as_bytes());
    body.copy_from_slice(rest);
    Some(Entry {
        gdt: at + offset_of!(Header, gdt) as u32,
        gdt_limit: size_of::<Gdt>() as u16 - 1,
        leave: at + size_of::<Header>() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> [u8; 64] {
        let header = Header {
            vectors: 0x3ff_0000,
            gdt: [
                0,
                0x00cf_9b00_0000_ffff,
                0x0000_9b00_0000_ffff,
                0x0000_9300_0000_ffff,
            ],
        };
        let mut code = [0xcc; 64];
        code[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        code
    }

    #[test]
    fn addresses_are_those_of_the_page() {
        let mut page = [0; PAGE_BYTES];
        let entry = Entry {
            gdt: 0x9_d008,
            gdt_limit: 31,
            leave: 0x9_d028,
        };
        assert_eq!(place(&code(), &mut page, 0x9_d000), Some(entry));
        let (header, rest) = Header::read_from_prefix(&page).unwrap();
        assert_eq!(header.gdt[CODE16], 0x0000_9b09_d000_ffff);
        assert_eq!((rest[0], header.vectors), (0xcc, 0x3ff_0000));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(place(&code(), &mut [0; 63], 0x1000), None);
        assert_eq!(place(&code()[..39], &mut [0; PAGE_BYTES], 0x1000), None);
    }
}
