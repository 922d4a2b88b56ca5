//! How often this machine has come up since it was turned on, and by which way it was reset last.
//!
//! A page of RAM remembers: firmware leaves most of it alone over a reset. It is found where it was left, in the middle of
//! RAM, because the loader gives the same memory map again. Where RAM does not outlive a reset, or the map changes, a variable
//! of EFI's has the same. Where there is neither, every boot is the first.

use core::sync::atomic::{AtomicU32, Ordering};

use boot_info::memblock::Direction;
use paging::PAGE_SIZE;
use spin::Once;

use crate::arch::Arch;
use crate::mm::{self, EarlyRam, InPhysmap};
use crate::{efi, info, println};

/// Bytes of a way's name that are kept.
const NAME: usize = 8;

/// What is kept.
#[derive(Clone, Copy)]
struct Kept {
    magic: [u8; 8],
    boots: u32,
    check: u32,
    by: [u8; NAME],
}

const BYTES: usize = 24;
const MAGIC: [u8; 8] = *b"standst1";

/// The page.
static PAGE: Once<InPhysmap> = Once::new();
/// Which boot this is, from 1.
static BOOTS: AtomicU32 = AtomicU32::new(1);
/// What the last boot left, if this is not the first.
static RESET_BY: Once<Kept> = Once::new();

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

    /// As it lies in memory, and in EFI's variable.
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let fields: [&[u8]; 4] = [
            &self.magic,
            &self.boots.to_le_bytes(),
            &self.check.to_le_bytes(),
            &self.by,
        ];
        bytes
            .iter_mut()
            .zip(fields.into_iter().flatten())
            .for_each(|(to, from)| *to = *from);
        bytes
    }

    fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let [magic, numbers, by] = [0, 8, 16].map(|at| core::array::from_fn(|n| bytes[at + n]));
        let numbers = u64::from_le_bytes(numbers);
        Self {
            magic,
            boots: numbers as u32,
            check: (numbers >> 32) as u32,
            by,
        }
    }

    /// The name, if all of this was written by [`note`].
    fn by(&self) -> Option<&str> {
        let good = self.magic == MAGIC && self.check == Self::sum(self.boots, self.by);
        let name = core::str::from_utf8(&self.by).ok()?;
        good.then(|| name.trim_end_matches('\0'))
    }
}

/// Reserves the page. Without it every boot is the first.
pub(crate) fn reserve(ram: &mut EarlyRam<'_>) {
    if let Some(page) = take(ram) {
        PAGE.call_once(|| page);
    }
}

/// The last free page below the middle of the RAM in reach: firmware and loaders use the ends first.
fn take(ram: &mut EarlyRam<'_>) -> Option<InPhysmap> {
    let span = ram.span();
    let middle = span.start / 2 + span.end / 2;
    ram.alloc(BYTES, PAGE_SIZE, 0..middle, Direction::TopDown).ok()
}

fn page<A: Arch>() -> Option<*mut [u8; BYTES]> {
    PAGE.get().map(|page| mm::phys_to_virt::<A>(*page).cast())
}

/// Looks what the last boot left in RAM. The final page tables are on.
pub(crate) fn count<A: Arch>() {
    let Some(page) = page::<A>() else { return };
    // SAFETY: the page is RAM in the physmap, reserved for this, and holds so many bytes.
    let kept = unsafe { page.read_volatile() };
    if come_up(&Kept::from_bytes(&kept)) {
        // SAFETY: as above. Only a reset that is announced counts.
        unsafe { page.write_volatile([0; BYTES]) };
    }
}

/// Looks what the last boot left with firmware, which is what counts where RAM does not outlive a reset. Runtime services are
/// in use, if there are any.
pub(crate) fn ask_firmware<A: Arch>() {
    // Taken in any case: found later it would be out of date.
    let kept = efi::take::<A, BYTES>();
    if let Some(kept) = kept.filter(|_| is_first()) {
        come_up(&Kept::from_bytes(&kept));
    }
    tell();
}

/// The record of it. Not where RAM is looked at: a machine that ACPI alone describes has no console by then, and the ring holds
/// messages, not records.
fn tell() {
    let by = RESET_BY.get().and_then(Kept::by);
    if let Some(by) = by {
        let n = BOOTS.load(Ordering::Relaxed);
        println!("{}", records::Boot { n, by });
    }
}

/// Whether the last boot left word; if so, this is one more.
fn come_up(kept: &Kept) -> bool {
    let Some(by) = kept.by() else { return false };
    let boots = kept.boots.saturating_add(1);
    BOOTS.store(boots, Ordering::Relaxed);
    RESET_BY.call_once(|| *kept);
    info!("boot: number {boots} since this machine was turned on; reset by {by}");
    true
}

/// Whether the machine has not been reset since it was turned on.
pub(crate) fn is_first() -> bool {
    BOOTS.load(Ordering::Relaxed) == 1
}

/// Leaves word for the next boot that the machine is about to be reset in the way of this name: in RAM.
pub(super) fn note<A: Arch>(way: &str) {
    let Some(page) = page::<A>() else { return };
    // SAFETY: as in `count`; whoever resets the machine is alone with it.
    unsafe { page.write_volatile(word(way).to_bytes()) };
    A::write_back(page.addr(), BYTES);
}

/// The same, with firmware, if there is one that keeps it. Not for a kernel that failed: firmware may be why.
pub(super) fn tell_firmware<A: Arch>(way: &str) {
    efi::leave::<A>(&word(way).to_bytes());
}

fn word(way: &str) -> Kept {
    let mut by = [0; NAME];
    by.iter_mut().zip(way.bytes()).for_each(|(to, from)| *to = from);
    Kept::new(BOOTS.load(Ordering::Relaxed), by)
}

#[cfg(test)]
mod tests {
    use boot_info::Memblock;

    use super::*;

    #[test]
    fn what_is_kept_is_known_again() {
        let kept = Kept::new(3, *b"kbd\0\0\0\0\0");
        assert_eq!(kept.by(), Some("kbd"));
        let again = Kept::from_bytes(&kept.to_bytes());
        assert_eq!((again.by(), again.boots), (Some("kbd"), 3));
    }

    #[test]
    fn no_byte_of_it_may_change() {
        let good = Kept::new(3, *b"kbd\0\0\0\0\0").to_bytes();
        for at in 0..BYTES {
            let mut bytes = good;
            bytes[at] ^= 1;
            assert_eq!(Kept::from_bytes(&bytes).by(), None, "byte {at}");
        }
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
        let mut take = |reach| take(&mut EarlyRam::within(&mut memblock, reach)).unwrap().start();
        assert_eq!(take(0..u64::MAX), 0x8f_f000);
        // Of what is in reach, not of what there is.
        assert_eq!(take(0..0x90_0000), 0x4f_f000);
        assert!(memblock.is_reserved(0x8f_f000, 0x1000) && memblock.is_reserved(0x4f_f000, 0x1000));
    }
}
