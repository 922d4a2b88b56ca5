//! From cycles to nanoseconds.

/// How a counter runs: `ns = (cycles - entry) * mult >> shift`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The counter at the kernel's first instruction.
    pub entry: u64,
    /// 0 while the frequency is not known.
    pub mult: u32,
    /// At most 32.
    pub shift: u32,
}

impl Clock {
    /// Nanoseconds from the kernel's first instruction until the counter stood at `cycles`, 0 for earlier ones; `None`
    /// while the frequency is not known.
    pub fn ns(&self, cycles: u64) -> Option<u64> {
        if self.mult == 0 {
            return None;
        }
        let product = u128::from(cycles.saturating_sub(self.entry)) * u128::from(self.mult);
        Some(u64::try_from(product >> self.shift.min(32)).unwrap_or(u64::MAX))
    }
}
