//! The static of a kernel: header, and the ring of its first moments.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::clock::Clock;
use crate::event::{Event, Groups};
use crate::layout;
use crate::ring::{EVENTS, Ring};

/// A kernel's trace: one static, best in a section of its own that the entry code zeroes and the linker keeps.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct TraceArea {
    magic: [AtomicU32; 2],
    version: AtomicU32,
    area_len: AtomicU32,
    ring_len: AtomicU32,
    events: AtomicU32,
    groups: AtomicU32,
    count: AtomicU32,
    rings: AtomicPtr<Ring>,
    #[cfg(target_pointer_width = "32")]
    rings_high: AtomicU32,
    entry: [AtomicU32; 2],
    mult: AtomicU32,
    shift: AtomicU32,
    reserved: [AtomicU32; 18],
    first: Ring,
}

const fn zeros<const N: usize>() -> [AtomicU32; N] {
    [const { AtomicU32::new(0) }; N]
}

impl TraceArea {
    /// An area in which nothing has happened, and nothing is recorded until [`Self::sign`].
    pub const fn new() -> Self {
        Self {
            magic: zeros(),
            version: AtomicU32::new(0),
            area_len: AtomicU32::new(0),
            ring_len: AtomicU32::new(0),
            events: AtomicU32::new(0),
            groups: AtomicU32::new(0),
            count: AtomicU32::new(0),
            rings: AtomicPtr::new(ptr::null_mut()),
            #[cfg(target_pointer_width = "32")]
            rings_high: AtomicU32::new(0),
            entry: zeros(),
            mult: AtomicU32::new(0),
            shift: AtomicU32::new(0),
            reserved: zeros(),
            first: Ring::new(),
        }
    }

    /// Makes the area recognisable, and begins to record CPUs' lives.
    pub fn sign(&self) {
        let put = |word: &AtomicU32, value: usize| word.store(value as u32, Ordering::Relaxed);
        put(&self.version, layout::VERSION as usize);
        put(&self.area_len, layout::AREA_LEN);
        put(&self.ring_len, layout::RING_LEN);
        put(&self.events, EVENTS);
        for (word, magic) in self.magic.iter().zip(layout::MAGIC) {
            word.store(magic, Ordering::Relaxed);
        }
        self.set_groups(Groups::LIFE);
    }

    /// Which groups of events are recorded from now on.
    pub fn set_groups(&self, groups: Groups) {
        self.groups.store(groups.bits(), Ordering::Relaxed);
    }

    /// Which are.
    #[inline(always)]
    pub fn groups(&self) -> Groups {
        Groups::from_bits(self.groups.load(Ordering::Relaxed))
    }

    /// Says how the cycle counter runs.
    pub fn set_clock(&self, clock: Clock) {
        self.entry[0].store(clock.entry as u32, Ordering::Relaxed);
        self.entry[1].store((clock.entry >> 32) as u32, Ordering::Relaxed);
        self.shift.store(clock.shift, Ordering::Relaxed);
        self.mult.store(clock.mult, Ordering::Relaxed);
    }

    /// From now on CPU `n` has ring `n` of `rings`. What was recorded before stays in the first ring.
    pub fn publish(&self, rings: &'static [Ring]) {
        self.count
            .store(rings.len().min(layout::MAX_CPUS) as u32, Ordering::Relaxed);
        self.rings.store(rings.as_ptr().cast_mut(), Ordering::Release);
    }

    /// The CPUs' rings; empty before [`Self::publish`].
    #[inline(always)]
    pub fn rings(&self) -> &'static [Ring] {
        let first = self.rings.load(Ordering::Acquire);
        if first.is_null() {
            return &[];
        }
        // SAFETY: pointer and length are those of a slice that lives for ever; the length was stored before the pointer.
        unsafe { core::slice::from_raw_parts(first, self.count.load(Ordering::Relaxed) as usize) }
    }

    /// The ring of the time before that.
    pub const fn first_ring(&self) -> &Ring {
        &self.first
    }

    /// The ring of this CPU; the first one for a CPU that has none, or is not known.
    #[inline(always)]
    pub fn ring(&self, cpu: Option<usize>) -> &Ring {
        cpu.and_then(|cpu| self.rings().get(cpu)).unwrap_or(&self.first)
    }

    /// Records an event in the ring of `cpu`, if its group is recorded.
    #[inline(always)]
    pub fn record(&self, cpu: Option<usize>, cycles: u64, event: Event) {
        if self.groups().has(event.group()) {
            self.ring(cpu).record(cycles, event);
        }
    }
}

impl Default for TraceArea {
    fn default() -> Self {
        Self::new()
    }
}

// What readers from outside rely on.
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<TraceArea>() == layout::AREA_LEN && offset_of!(TraceArea, first) == layout::HEADER_LEN);
    assert!(offset_of!(TraceArea, version) == layout::VERSION_AT);
    assert!(offset_of!(TraceArea, area_len) == layout::AREA_LEN_AT);
    assert!(offset_of!(TraceArea, ring_len) == layout::RING_LEN_AT);
    assert!(
        offset_of!(TraceArea, events) == layout::EVENTS_AT && offset_of!(TraceArea, groups) == layout::GROUPS
    );
    assert!(offset_of!(TraceArea, count) == layout::COUNT && offset_of!(TraceArea, rings) == layout::RINGS);
    assert!(offset_of!(TraceArea, entry) == layout::ENTRY && offset_of!(TraceArea, mult) == layout::MULT);
    assert!(offset_of!(TraceArea, shift) == layout::SHIFT);
};
