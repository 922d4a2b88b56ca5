//! The memory of a stop: one static, which is also its report.
//!
//! Fixed layout, `repr(C)`, little words only: a header of 128 bytes and 512 bytes for each CPU. All zeros is a valid area
//! in which nothing has happened. What lies where is said once, in [`crate::report::layout`], for those who read it from
//! outside.

use cpumask::CpuId;

use crate::latch::{Hold, Latch};
use crate::message;
use crate::regs::Registers;
use crate::report::{RawRow, WHOLE, layout};
use crate::sync::{AtomicU32, Info, Info64, Ordering, RELAXED, Shared, const_fn};
use crate::word::CpuWord;

/// Most CPUs an area can have.
pub const MAX_CPUS: usize = 0x7fff;

/// The memory of a stop on a machine of up to `N` CPUs: a `static`, one per kernel, best made with [`stop_area!`].
///
/// [`stop_area!`]: crate::stop_area
#[repr(C, align(64))]
#[derive(Debug)]
pub struct StopArea<const N: usize> {
    header: Header,
    slots: [Slot; N],
}

/// What there is once.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) magic: [Info; 2],
    pub(crate) version: Info,
    pub(crate) total_len: Info,
    pub(crate) header_len: Info,
    pub(crate) slot_len: Info,
    pub(crate) capacity: Info,
    pub(crate) cpus: Info,
    pub(crate) latch: Latch,
    pub(crate) verdict: AtomicU32,
    pub(crate) reentries: Info,
    pub(crate) rungs_begun: AtomicU32,
    pub(crate) began_at: Info64,
    pub(crate) took: Info64,
    pub(crate) former_owner: Info,
    reserved: [Info; 15],
}

/// What there is for each CPU.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) word: CpuWord,
    pub(crate) via: Info,
    pub(crate) note: AtomicU32,
    pub(crate) progress: Info,
    pub(crate) saved: AtomicU32,
    reserved: Info,
    pub(crate) answered_at: Info64,
    pub(crate) hw_id: Info64,
    pub(crate) message: message::Place,
    more_reserved: Info,
    pub(crate) registers: Shared<Registers>,
    pub(crate) text: message::Text,
}

// SAFETY: `registers` and `text` are the only parts that are not atomic. Each is written by the CPU the slot belongs to, once,
// between setting `saved`, or `message.state`, from NONE to WRITING and to WHOLE (with release), and read only by those who
// saw WHOLE (with acquire).
unsafe impl Sync for Slot {}

/// Values of [`Slot::saved`] and of a message's state, beside [`WHOLE`].
pub(crate) mod saved {
    pub(crate) const NONE: u32 = 0;
    pub(crate) const WRITING: u32 = 1;
}

/// Bits of [`Slot::progress`].
pub(crate) mod progress {
    /// The quiesce hook has been entered.
    pub(crate) const QUIESCING: u32 = 1;
    /// This CPU stood by for the owner's death.
    pub(crate) const STOOD_BY: u32 = 2;
}

impl Slot {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                word: CpuWord::new(),
                via: Info::new(0),
                note: AtomicU32::new(0),
                progress: Info::new(0),
                saved: AtomicU32::new(saved::NONE),
                reserved: Info::new(0),
                answered_at: Info64::new(),
                hw_id: Info64::new(),
                message: message::Place::new(),
                more_reserved: Info::new(0),
                registers: Shared::new(Registers::EMPTY),
                text: Shared::new([0; message::MESSAGE_LEN]),
            }
        }
    }

    /// The registers, if they were saved and are whole.
    pub(crate) fn registers(&self) -> Option<Registers> {
        (self.saved.load(Ordering::Acquire) == WHOLE).then(|| {
            // SAFETY: WHOLE was seen with acquire, and nobody writes them after that (I4).
            unsafe { self.registers.with(|registers| *registers) }
        })
    }

    /// What is stored about the slot's CPU. In this order: a CPU may park, and its note be withdrawn, while it is read.
    pub(crate) fn raw_row(&self) -> RawRow {
        RawRow {
            note: self.note.load(Ordering::Acquire),
            word: self.word.raw(),
            via: self.via.load(RELAXED),
            saved: self.saved.load(Ordering::Acquire),
            answered_at: self.answered_at.get(),
            hw_id: self.hw_id.get(),
        }
    }
}

impl Header {
    const_fn! {
        fn new() -> Self {
            Self {
                magic: zeros(),
                version: Info::new(0),
                total_len: Info::new(0),
                header_len: Info::new(0),
                slot_len: Info::new(0),
                capacity: Info::new(0),
                cpus: Info::new(0),
                latch: Latch::new(),
                verdict: AtomicU32::new(0),
                reentries: Info::new(0),
                rungs_begun: AtomicU32::new(0),
                began_at: Info64::new(),
                took: Info64::new(),
                former_owner: Info::new(0),
                reserved: zeros(),
            }
        }
    }

    /// Writes what makes the area recognisable from outside. The same values each time.
    fn sign(&self, capacity: usize) {
        let put = |word: &Info, value: usize| word.store(value as u32, RELAXED);
        put(&self.version, layout::VERSION as usize);
        put(&self.total_len, layout::HEADER_LEN + layout::SLOT_LEN * capacity);
        put(&self.header_len, layout::HEADER_LEN);
        put(&self.slot_len, layout::SLOT_LEN);
        put(&self.capacity, capacity);
        for (word, magic) in self.magic.iter().zip(layout::MAGIC) {
            word.store(magic, RELAXED);
        }
    }
}

const fn zeros<const N: usize>() -> [Info; N] {
    [const { Info::new(0) }; N]
}

impl<const N: usize> StopArea<N> {
    const FITS: () = assert!(N >= 1 && N <= MAX_CPUS, "an area is for 1 to 32767 CPUs");

    const_fn! {
        /// An area in which nothing has happened.
        pub fn new() -> Self {
            let () = Self::FITS;
            Self {
                header: Header::new(),
                #[cfg(not(feature = "loom"))]
                slots: [const { Slot::new() }; N],
                #[cfg(feature = "loom")]
                slots: core::array::from_fn(|_| Slot::new()),
            }
        }
    }

    /// The area as the engine takes it.
    pub const fn area(&self) -> Area<'_> {
        Area {
            header: &self.header,
            slots: &self.slots,
        }
    }

    /// As [`Area::set_cpus`].
    pub fn set_cpus(&self, cpus: usize) {
        self.area().set_cpus(cpus);
    }

    /// As [`Area::set_hw_id`].
    pub fn set_hw_id(&self, cpu: CpuId, hw_id: u64) {
        self.area().set_hw_id(cpu, hw_id);
    }

    /// As [`Area::word`].
    pub fn word(&self, cpu: CpuId) -> Option<&CpuWord> {
        self.area().word(cpu)
    }
}

impl<const N: usize> Default for StopArea<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, const N: usize> From<&'a StopArea<N>> for Area<'a> {
    fn from(area: &'a StopArea<N>) -> Self {
        area.area()
    }
}

/// A [`StopArea`] of any size.
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    pub(crate) header: &'a Header,
    slots: &'a [Slot],
}

impl<'a> Area<'a> {
    /// Says how many CPUs there may be: ids `0..cpus`. Until it is called, all the area has room for are asked in a stop,
    /// which is right but takes longer. A number larger than the area is cut to it.
    pub fn set_cpus(self, cpus: usize) {
        self.sign();
        let cpus = cpus.clamp(1, self.slots.len());
        self.header.cpus.store(cpus as u32, RELAXED);
    }

    pub(crate) fn sign(self) {
        self.header.sign(self.slots.len());
    }

    /// Notes what the hardware calls `cpu`, for those who read the report: its column there has no other source.
    /// ([`StopOps::hw_id`](crate::StopOps::hw_id) names a CPU that the kernel knows no number for, and is not written down.)
    pub fn set_hw_id(self, cpu: CpuId, hw_id: u64) {
        if let Some(slot) = self.slot(cpu) {
            slot.hw_id.set(hw_id);
        }
    }

    /// The state word of `cpu`; `None` for an id the area has no room for.
    pub fn word(self, cpu: CpuId) -> Option<&'a CpuWord> {
        self.slot(cpu).map(|slot| &slot.word)
    }

    /// Who stops the machine, and why; `None` while nobody does.
    pub fn hold(self) -> Option<Hold> {
        self.header.latch.hold()
    }

    pub(crate) fn capacity(self) -> usize {
        self.slots.len()
    }

    pub(crate) fn slot(self, cpu: CpuId) -> Option<&'a Slot> {
        self.slots.get(cpu.as_usize())
    }

    /// The slots of CPUs there may be.
    pub(crate) fn slots(self) -> &'a [Slot] {
        match self.header.cpus.load(RELAXED) as usize {
            0 => self.slots,
            cpus => self.slots.get(..cpus).unwrap_or(self.slots),
        }
    }

    /// All slots but `me`'s, with their numbers.
    pub(crate) fn others(self, me: Option<CpuId>) -> impl Iterator<Item = (CpuId, &'a Slot)> + Clone {
        let me = me.map_or(usize::MAX, CpuId::as_usize);
        let all = self.slots().iter().enumerate();
        all.filter(move |(n, _)| *n != me)
            .map(|(n, slot)| (CpuId::new(n as u32), slot))
    }
}

// What readers from outside rely on.
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Header>() == layout::HEADER_LEN && size_of::<Slot>() == layout::SLOT_LEN);
    assert!(size_of::<StopArea<3>>() == layout::HEADER_LEN + 3 * layout::SLOT_LEN);
    assert!(offset_of!(Header, latch) == layout::LATCH && offset_of!(Header, cpus) == layout::CPUS);
    assert!(offset_of!(Header, began_at) == layout::BEGAN_AT && offset_of!(Header, took) == layout::TOOK);
    assert!(
        offset_of!(Header, verdict) == layout::VERDICT && offset_of!(Header, reentries) == layout::REENTRIES
    );
    assert!(offset_of!(Header, former_owner) == layout::FORMER_OWNER);
    assert!(offset_of!(Slot, word) == layout::WORD && offset_of!(Slot, via) == layout::VIA);
    assert!(offset_of!(Slot, note) == layout::NOTE && offset_of!(Slot, saved) == layout::SAVED);
    assert!(offset_of!(Slot, answered_at) == layout::ANSWERED_AT && offset_of!(Slot, hw_id) == layout::HW_ID);
    assert!(offset_of!(Slot, registers) == layout::REGISTERS);
    assert!(size_of::<Registers>() == layout::TEXT - layout::REGISTERS);
    assert!(offset_of!(Slot, message) == layout::MESSAGE && offset_of!(message::Place, len) == 4);
    assert!(offset_of!(message::Place, static_at) == 8 && offset_of!(message::Place, static_len) == 16);
    assert!(
        offset_of!(Slot, text) == layout::TEXT && layout::TEXT + message::MESSAGE_LEN == layout::SLOT_LEN
    );
};

/// Declares a [`StopArea`] for as many CPUs as said, in the section `.stop_report` of a kernel's image, where a debugger, a
/// host tool and a next kernel find it. The kernel's linker script gives the section a place of its own that is kept, not
/// loaded, and within what the kernel takes for its own memory; its entry code zeroes it. As the section's name does not
/// begin with `.bss`, it is one with contents to a linker, and would make any other that it is put into one, too:
///
/// ```text
/// .stop_report (NOLOAD) : ALIGN(64) { KEEP(*(.stop_report)) }
/// _end = .;
/// ```
///
/// Attributes are passed on: with `no_mangle` a debugger knows the area by that name, without it by its path
/// (`'kernel::stop::STOP'` in gdb).
///
/// ```
/// smp_stop::stop_area! {
///     /// The memory of a stop.
///     #[unsafe(no_mangle)]
///     pub static STOP: 8;
/// }
/// STOP.set_cpus(4);
/// ```
#[macro_export]
macro_rules! stop_area {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $cpus:expr;) => {
        $(#[$meta])*
        #[cfg_attr(target_os = "none", unsafe(link_section = ".stop_report"))]
        $vis static $name: $crate::StopArea<{ $cpus }> = $crate::StopArea::new();
    };
}
