//! A fixed-point ratio between two clocks, cheap on 32-bit CPUs too.

/// A ratio below one, in units of 2^-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio(pub u32);

impl Ratio {
    /// `slow / fast` from what two counters counted in the same stretch of time. Saturates just below one.
    pub fn of(slow: u64, fast: u64) -> Self {
        let scaled = (u128::from(slow) << 32) / u128::from(fast.max(1));
        Self(u32::try_from(scaled).unwrap_or(u32::MAX))
    }

    /// `ticks` of the fast clock in ticks of the slow one, rounded down.
    pub const fn apply(self, ticks: u64) -> u64 {
        let (high, low) = (ticks >> 32, ticks & 0xffff_ffff);
        // Each product has at most 64 bits and the sum is below `ticks`: nothing overflows.
        high * self.0 as u64 + ((low * self.0 as u64) >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ratios() {
        assert_eq!(Ratio::of(1, 16), Ratio(1 << 28));
        assert_eq!(Ratio::of(62_500, 1_000_000), Ratio(1 << 28));
        assert_eq!(Ratio::of(5, 0), Ratio(u32::MAX));
        assert_eq!(Ratio::of(u64::MAX, u64::MAX), Ratio(u32::MAX));
    }

    #[test]
    fn apply_agrees_with_wide_arithmetic() {
        for ratio in [0, 1, 1 << 28, 0x1234_5678, u32::MAX] {
            for ticks in [0, 1, 999, 1 << 32, 0x0123_4567_89ab_cdef, u64::MAX] {
                let (high, low) = (ticks >> 32, ticks & 0xffff_ffff);
                let exact =
                    u128::from(high) * u128::from(ratio) + ((u128::from(low) * u128::from(ratio)) >> 32);
                assert_eq!(u128::from(Ratio(ratio).apply(ticks)), exact);
                assert!(Ratio(ratio).apply(ticks) <= ticks);
            }
        }
    }
}
