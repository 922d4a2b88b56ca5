//! The local APIC's timer as a one-shot, in TSC deadlines where the CPU has them (SDM Vol. 3A, 11.5.4).

use core::sync::atomic::{AtomicU32, Ordering};

use super::regs::Reg;
use super::{Access, LocalApic};
use crate::cpu::{self, Features};
use crate::ratio::Ratio;
use crate::regs::{msr, rdtsc, wrmsr};
use crate::vectors;

/// Timer mode bits of the LVT entry.
const MODE_TSC_DEADLINE: u32 = 0b10 << 17;
const MASKED: u32 = 1 << 16;
/// Divide by 16: the longest one-shot is then some seconds with any bus clock, and a tick still below a microsecond.
const DIVIDE_BY_16: u32 = 0b0011;

/// TSC ticks to timer ticks, a [`Ratio`]; written once, by calibration.
static RATIO: AtomicU32 = AtomicU32::new(0);

/// Notes the timer's clock, from the same stretch of time measured by both counters.
pub fn set_ratio(timer_ticks: u64, tsc_ticks: u64) {
    RATIO.store(Ratio::of(timer_ticks, tsc_ticks).0, Ordering::Relaxed);
}

impl LocalApic {
    /// Prepares this CPU's timer: one-shot, stopped, vector [`vectors::TIMER`].
    pub fn init_timer(self) {
        let mode = if cpu::has(Features::TSC_DEADLINE) {
            MODE_TSC_DEADLINE
        } else {
            0
        };
        // SAFETY: the vector is installed and nothing runs until `set_timer`.
        unsafe {
            self.access.write(Reg::DivideConfiguration, DIVIDE_BY_16);
            self.access.write(Reg::InitialCount, 0);
            self.access.write(Reg::LvtTimer, mode | u32::from(vectors::TIMER));
        }
        if mode != 0 && self.access != Access::Msr {
            // The store to the xAPIC page comes before later writes of the deadline MSR (SDM, same section).
            cpu::fence_before_wrmsr();
        }
    }

    /// One interrupt when the TSC has reached `at`, at once if it has; replaces an earlier call. Without TSC deadlines
    /// it may come up to two timer ticks early, or after the 32 bits of the counter when `at` is further away.
    pub fn set_timer(self, at: u64) {
        if cpu::has(Features::TSC_DEADLINE) {
            // SAFETY: the CPU has the register. 0 would disarm it, and 1 lies in the past just as well.
            unsafe { wrmsr(msr::TSC_DEADLINE, at.max(1)) };
        } else {
            let ratio = Ratio(RATIO.load(Ordering::Relaxed));
            let count = ratio.apply(at.saturating_sub(rdtsc())).clamp(1, u32::MAX.into());
            // SAFETY: starts the timer, whose vector is installed.
            unsafe { self.access.write(Reg::InitialCount, count as u32) };
        }
    }

    /// Lets the timer count down from the top, masked, for a measurement against another clock.
    pub(crate) fn start_counting(self) {
        // SAFETY: masked, so no interrupt comes of it.
        unsafe {
            self.access.write(Reg::DivideConfiguration, DIVIDE_BY_16);
            self.access
                .write(Reg::LvtTimer, MASKED | u32::from(vectors::TIMER));
            self.access.write(Reg::InitialCount, u32::MAX);
        }
    }

    /// Timer ticks since [`Self::start_counting`].
    pub(crate) fn counted(self) -> u32 {
        u32::MAX - self.access.read(Reg::CurrentCount)
    }

    /// Ends the measurement.
    pub(crate) fn stop_counting(self) {
        // SAFETY: stops the timer.
        unsafe { self.access.write(Reg::InitialCount, 0) };
    }
}
