//! How often this machine has come up since it was turned on, and by which way it was reset last.
//!
//! A page of RAM remembers: firmware leaves most of it alone over a reset. It is found where it was left, in the middle of
//! RAM, because the loader gives the same memory map again. Where RAM does not outlive a reset, or the map changes, every
//! boot is the first.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use boot_info::Memblock;
use boot_info::memblock::Direction;
use paging::PAGE_SIZE;

use crate::arch::Arch;
use crate::{info, mm, println};

/// Bytes of a way's name that are kept.
const NAME: usize = 8;

/// What is in the page.
#[derive(Clone, Copy)]
#[repr(C)]
struct Kept {
    magic: [u8; 8],
    boots: u32,
    check: u32,
    by: [u8; NAME],
}

const MAGIC: [u8; 8] = *b"standst1";

/// Physical address of the page; 0 if there is none.
static PAGE: AtomicU64 = AtomicU64::new(0);
/// Which boot this is, from 1.
static BOOTS: AtomicU32 = AtomicU32::new(1);

impl Kept {
    const fn new(boots: u32, by: [u8; NAME]) -> Self {
        let (magic, check) = (MAGIC, Self::sum(boots, by));
        Self {
            magic,
            boots,
            check,
            by,
        }
    }

    const fn sum(boots: u32, by: [u8; NAME]) -> u32 {
        let by = u64::from_le_bytes(by);
        !boots ^ by as u32 ^ ((by >> 32) as u32).rotate_left(7)
    }

    /// The name, if all of this was written by [`note`].
    fn by(&self) -> Option<&str> {
        let good = self.magic == MAGIC && self.check == Self::sum(self.boots, self.by);
        let name = core::str::from_utf8(&self.by).ok()?;
        good.then(|| name.trim_end_matches('\0'))
    }
}

/// Reserves the page, the last free one below the middle of RAM: firmware and loaders use the ends first.
pub(crate) fn reserve(memblock: &mut Memblock) {
    let ram = memblock.memory().iter();
    let (start, end) = ram.fold((u64::MAX, 0), |(start, end), r| {
        (start.min(r.start), end.max(r.end))
    });
    let middle = start / 2 + end / 2;
    // Without the page every boot is the first.
    if let Ok(at) = memblock.alloc(PAGE_SIZE, PAGE_SIZE, 0..middle, Direction::TopDown) {
        PAGE.store(at, Ordering::Relaxed);
    }
}

fn page<A: Arch>() -> Option<*mut Kept> {
    let at = PAGE.load(Ordering::Relaxed);
    let mapped = at != 0 && mm::kernel_root() != 0;
    mapped.then(|| mm::phys_to_virt::<A>(at).cast())
}

/// Looks what the last boot left. The final page tables are on.
pub(crate) fn count<A: Arch>() {
    let Some(page) = page::<A>() else { return };
    // SAFETY: the page is RAM in the physmap, reserved for this, and any bytes are a value of the type.
    let kept = unsafe { page.read_volatile() };
    let Some(by) = kept.by() else { return };
    let boots = kept.boots.saturating_add(1);
    BOOTS.store(boots, Ordering::Relaxed);
    info!("boot: number {boots} since this machine was turned on; reset by {by}");
    println!("@boot n={boots} by={by}");
    // SAFETY: as above. Only a reset that is announced counts.
    unsafe { page.cast::<u8>().write_bytes(0, size_of::<Kept>()) };
}

/// Whether the machine has not been reset since it was turned on.
pub(crate) fn is_first() -> bool {
    BOOTS.load(Ordering::Relaxed) == 1
}

/// Leaves word for the next boot that the machine is about to be reset in the way of this name.
pub(super) fn note<A: Arch>(way: &str) {
    let Some(page) = page::<A>() else { return };
    let mut by = [0; NAME];
    by.iter_mut().zip(way.bytes()).for_each(|(to, from)| *to = from);
    // SAFETY: as in `count`; whoever resets the machine is alone with it.
    unsafe { page.write_volatile(Kept::new(BOOTS.load(Ordering::Relaxed), by)) };
    A::write_back(page.addr(), size_of::<Kept>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_known_again() {
        let kept = Kept::new(3, *b"kbd\0\0\0\0\0");
        assert_eq!(kept.by(), Some("kbd"));
    }

    #[test]
    fn what_anybody_else_left_is_not() {
        let kept = Kept::new(1, *b"acpi\0\0\0\0");
        let boots = Kept { boots: 2, ..kept };
        let by = Kept {
            by: *b"bcpi\0\0\0\0",
            ..kept
        };
        let magic = Kept {
            magic: [0; 8],
            ..kept
        };
        let text = Kept::new(1, [0xff; NAME]);
        assert!([boots, by, magic, text].iter().all(|kept| kept.by().is_none()));
    }

    #[test]
    fn the_page_lies_below_the_middle() {
        let mut memblock = Memblock::new();
        memblock.add(0x10_0000, 0x100_0000).unwrap();
        reserve(&mut memblock);
        assert_eq!(PAGE.swap(0, Ordering::Relaxed), 0x8f_f000);
        assert!(memblock.is_reserved(0x8f_f000, 0x1000));
    }
}
