//! One ring.

use crate::event::{Event, Raw};
use crate::sync::{AtomicU32, Ordering, fence};

/// Events a kernel's ring holds.
pub const EVENTS: usize = 128;

/// A ring as kernels use it. All zeros is an empty one.
pub type Ring = Slots<EVENTS>;

/// A ring of any size that is a power of two.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Slots<const N: usize> {
    /// Events ever reserved; wraps.
    head: AtomicU32,
    /// The owner's own: when something began that may be worth an event once it ends.
    mark: [AtomicU32; 2],
    reserved: [AtomicU32; 13],
    slots: [Slot; N],
}

/// One event.
#[repr(C)]
#[derive(Debug)]
struct Slot {
    time: [AtomicU32; 2],
    /// Bits 0-7 the kind, 8-15 the lap, 16-31 the small number. Written last.
    what: AtomicU32,
    large: AtomicU32,
}

/// An event that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in its ring.
    pub number: u32,
    /// The cycle counter.
    pub cycles: u64,
    /// What happened.
    pub event: Event,
}

macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        #[cfg(not(feature = "loom"))]
        $(#[$meta])* $vis const fn $($rest)*
        #[cfg(feature = "loom")]
        $(#[$meta])* $vis fn $($rest)*
    };
}

/// Which lap of a ring of `events` the event of this number belongs to, as far as it is stored.
pub(crate) const fn lap(number: u32, events: usize) -> u8 {
    (number >> events.trailing_zeros()) as u8
}

/// How many of `head` events a ring of `events` may still hold.
pub(crate) fn held(head: u32, events: usize) -> u32 {
    // The count wraps after four thousand million; until then it says how many there were.
    head.min(events as u32)
}

impl<const N: usize> Slots<N> {
    const FITS: () = assert!(
        N.is_power_of_two() && N <= 1 << 16,
        "a power of two, at most 65536"
    );

    const_fn! {
        /// An empty ring.
        pub fn new() -> Self {
            let () = Self::FITS;
            Self {
                head: AtomicU32::new(0),
                #[cfg(not(feature = "loom"))]
                mark: [const { AtomicU32::new(0) }; 2],
                #[cfg(feature = "loom")]
                mark: core::array::from_fn(|_| AtomicU32::new(0)),
                #[cfg(not(feature = "loom"))]
                reserved: [const { AtomicU32::new(0) }; 13],
                #[cfg(feature = "loom")]
                reserved: core::array::from_fn(|_| AtomicU32::new(0)),
                #[cfg(not(feature = "loom"))]
                slots: [const { Slot::new() }; N],
                #[cfg(feature = "loom")]
                slots: core::array::from_fn(|_| Slot::new()),
            }
        }
    }

    /// Records an event at a time of the cycle counter. From any context, several CPUs at once. An event that is not stored
    /// by the time the others have gone round the whole ring is lost, or costs another its place; it is never mixed with it.
    #[inline(always)]
    pub fn record(&self, cycles: u64, event: Event) {
        let Raw { kind, small, large } = event.pack();
        let number = self.head.fetch_add(1, Ordering::Relaxed);
        // Whoever reads a word stored below sees that the event there before is gone.
        fence(Ordering::Release);
        let slot = &self.slots[number as usize % N];
        slot.time[0].store(cycles as u32, Ordering::Relaxed);
        slot.time[1].store((cycles >> 32) as u32, Ordering::Relaxed);
        slot.large.store(large, Ordering::Relaxed);
        let what = u32::from(kind) | u32::from(lap(number, N)) << 8 | u32::from(small) << 16;
        slot.what.store(what, Ordering::Release);
    }

    /// Events ever recorded, as far as 32 bits count.
    pub fn recorded(&self) -> u32 {
        self.head.load(Ordering::Acquire)
    }

    /// The events the ring holds, oldest first; those that are overwritten while it is read are left out.
    pub fn events(&self) -> impl Iterator<Item = Entry> + '_ {
        let head = self.recorded();
        let held = held(head, N);
        (0..held).filter_map(move |n| self.read(head.wrapping_sub(held).wrapping_add(n)))
    }

    /// The event of this number, if it is whole and still there.
    fn read(&self, number: u32) -> Option<Entry> {
        let slot = &self.slots[number as usize % N];
        let what = slot.what.load(Ordering::Acquire);
        let [low, high] = [0, 1].map(|n: usize| slot.time[n].load(Ordering::Relaxed));
        let large = slot.large.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let after = self.head.load(Ordering::Relaxed);
        let gone = after.wrapping_sub(number) > N as u32;
        (!gone)
            .then(|| entry(number, N, [low, high, what, large]))
            .flatten()
    }

    /// Keeps a time for later, when it turns out whether it was the beginning of something.
    pub fn set_mark(&self, cycles: u64) {
        self.mark[0].store(cycles as u32, Ordering::Relaxed);
        self.mark[1].store((cycles >> 32) as u32, Ordering::Relaxed);
    }

    /// The time kept last. For the CPU that kept it.
    pub fn mark(&self) -> u64 {
        let [low, high] = [0, 1].map(|n: usize| self.mark[n].load(Ordering::Relaxed));
        u64::from(high) << 32 | u64::from(low)
    }
}

impl<const N: usize> Default for Slots<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl Slot {
    const_fn! {
        fn new() -> Self {
            Self {
                #[cfg(not(feature = "loom"))]
                time: [const { AtomicU32::new(0) }; 2],
                #[cfg(feature = "loom")]
                time: core::array::from_fn(|_| AtomicU32::new(0)),
                what: AtomicU32::new(0),
                large: AtomicU32::new(0),
            }
        }
    }
}

/// Reads the four words of a slot of a ring of `events`, in which the event of this number should lie.
pub(crate) fn entry(number: u32, events: usize, [low, high, what, large]: [u32; 4]) -> Option<Entry> {
    let raw = Raw {
        kind: what as u8,
        small: (what >> 16) as u16,
        large,
    };
    if (what >> 8) as u8 != lap(number, events) {
        return None;
    }
    Some(Entry {
        number,
        cycles: u64::from(high) << 32 | u64::from(low),
        event: Event::unpack(raw)?,
    })
}

// What readers from outside rely on.
#[cfg(not(feature = "loom"))]
const _: () = {
    use crate::layout;
    use core::mem::offset_of;
    assert!(size_of::<Slot>() == layout::EVENT_LEN && size_of::<Ring>() == layout::RING_LEN);
    assert!(offset_of!(Ring, slots) == layout::RING_HEADER_LEN && offset_of!(Ring, head) == 0);
};
