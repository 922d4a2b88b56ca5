//! The monotonic clock: nanoseconds since the kernel's first instruction, the same on every CPU, never stepping back.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::arch::Arch;
use crate::hooks;

/// Nanoseconds in a millisecond.
pub const MS: u64 = 1_000_000;

/// The counter at the kernel's first instruction, low half first. Written once, while there is one CPU: two words are read
/// in a fraction of the time that 64 bits at once take where they are no word.
static ENTRY: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
static HZ: AtomicU64 = AtomicU64::new(0);
/// ns = cycles * MULT >> SHIFT. MULT is 0 until the frequency is known, and the clock stands at 0.
static MULT: AtomicU32 = AtomicU32::new(0);
static SHIFT: AtomicU32 = AtomicU32::new(0);
/// The latest time anybody was told.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// The best (mult, shift) with a 32-bit `mult` for a counter of `hz`: error below 2^-31 of the time shown.
fn scale_of(hz: u64) -> (u32, u32) {
    const NS: u64 = 1_000_000_000;
    (0..=32)
        .rev()
        .find_map(|shift| {
            Some((
                u32::try_from((u128::from(NS) << shift) / u128::from(hz.max(1))).ok()?,
                shift,
            ))
        })
        .unwrap_or((u32::MAX, 0))
}

/// `cycles * mult >> shift` without 128-bit arithmetic, which 32-bit CPUs lack; wraps after 584 years.
fn scaled(cycles: u64, mult: u32, shift: u32) -> u64 {
    let low = (cycles & u64::from(u32::MAX)) * u64::from(mult);
    let high = (cycles >> 32) * u64::from(mult);
    (low >> shift).wrapping_add(high.wrapping_shl(32 - shift))
}

/// Starts the clock at the kernel's first instruction, and lets it run if the counter's frequency is known.
pub(crate) fn init<A: Arch>() {
    let entry = A::entry_cycles();
    ENTRY[0].store(entry as u32, Ordering::Relaxed);
    ENTRY[1].store((entry >> 32) as u32, Ordering::Relaxed);
    if let Some(hz) = A::known_hz() {
        set_hz(hz);
    }
}

/// Measures the counter if its frequency is not known.
pub(crate) fn calibrate<A: Arch>() -> Result<(), &'static str> {
    if HZ.load(Ordering::Relaxed) == 0 {
        set_hz(A::calibrate()?);
    }
    Ok(())
}

fn entry() -> u64 {
    let [low, high] = ENTRY.each_ref().map(|half| half.load(Ordering::Relaxed));
    u64::from(high) << 32 | u64::from(low)
}

fn set_hz(hz: u64) {
    let (mult, shift) = scale_of(hz);
    SHIFT.store(shift, Ordering::Relaxed);
    HZ.store(hz, Ordering::Relaxed);
    MULT.store(mult, Ordering::Release);
}

/// The counter at the kernel's first instruction, and the factor and shift that make nanoseconds of cycles: `ns = cycles * mult
/// >> shift`. The factor is 0 while the frequency is not known.
pub(crate) fn scale() -> (u64, u32, u32) {
    let (mult, shift) = (MULT.load(Ordering::Acquire), SHIFT.load(Ordering::Relaxed));
    (entry(), mult, shift)
}

/// Counter frequency in Hz; 0 while it is not known.
pub fn hz() -> u64 {
    HZ.load(Ordering::Relaxed)
}

/// The counter.
pub fn cycles() -> u64 {
    hooks::get().map_or(0, |h| (h.cycles)())
}

/// Nanoseconds since entry at which the counter stood at `cycles`; 0 for earlier ones and while the clock does not run.
pub fn ns_at(cycles: u64) -> u64 {
    let mult = MULT.load(Ordering::Acquire);
    let since = cycles.saturating_sub(entry());
    scaled(since, mult, SHIFT.load(Ordering::Relaxed))
}

/// The counter's value at `ns` since entry, rounded up; for timers.
pub fn cycles_at(ns: u64) -> u64 {
    let (mult, shift) = (
        u64::from(MULT.load(Ordering::Acquire)).max(1),
        SHIFT.load(Ordering::Relaxed),
    );
    let (whole, rest) = (ns / mult, ns % mult);
    let since = whole
        .saturating_mul(1 << shift)
        .saturating_add((rest << shift) / mult + 1);
    entry().saturating_add(since)
}

/// Nanoseconds since the kernel's first instruction. Never less than anybody, on any CPU, was told before: the counters
/// of two CPUs may differ by a few cycles, and a message that travels faster than that must not arrive before it left.
pub fn now_ns() -> u64 {
    let now = ns_at(cycles());
    LATEST.fetch_max(now, Ordering::AcqRel).max(now)
}

/// Polls that take at least a second on any machine: the bound behind a wait by the clock, should the clock stand still.
pub(crate) const POLLS_PER_SECOND: u64 = 1 << 32;

/// Polls until `done` or for so long: by the counter, and by polls while its frequency is not known.
#[cfg(any(feature = "fault-injection", test))]
pub(crate) fn spin_until(ns: u64, mut done: impl FnMut() -> bool) {
    let (start, hz) = (cycles(), hz());
    let length = u64::try_from(u128::from(hz) * u128::from(ns) / 1_000_000_000).unwrap_or(u64::MAX);
    let polls = POLLS_PER_SECOND / 64 * (ns / 1_000_000_000 + 1);
    let is_over = |poll: u64| match hz {
        0 => poll >= polls,
        _ => cycles().wrapping_sub(start) >= length,
    };
    let mut poll = 0;
    while !done() && !is_over(poll) {
        poll += 1;
        core::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_exact_enough_for_a_year() {
        let year_s = 365 * 24 * 3600u64;
        for hz in [
            1_000_000,
            3_579_545,
            24_000_000,
            62_500_000,
            1_000_000_000,
            3_999_999_999,
            12_345_678_901,
        ] {
            let (mult, shift) = scale_of(hz);
            let ns = scaled(hz * year_s, mult, shift);
            let off = ns.abs_diff(year_s * 1_000_000_000);
            assert!(
                off < year_s,
                "{hz} Hz is off by {off} ns in a year, more than a ns a second"
            );
        }
    }

    #[test]
    fn a_frequency_of_nonsense_does_no_harm() {
        assert_eq!(scale_of(0), scale_of(1));
        assert!(scale_of(u64::MAX).0 < 2);
    }

    #[test]
    fn timers_are_never_early_by_more_than_a_cycle() {
        set_hz(3_000_000_000);
        for ns in [0, 1, 999, 1_000_000, 86_400_000_000_000] {
            let there = ns_at(cycles_at(ns));
            assert!(there >= ns && there <= ns + 2, "{ns} became {there}");
        }
    }
}
