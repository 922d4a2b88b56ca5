//! Numbers from a seed.

use std::env;

/// The seed unless the environment has another.
pub const SEED: u64 = 0x57a2_d511;

/// The seed of this run: `TABLES_SEED`, a hexadecimal number, or [`SEED`].
#[must_use]
pub fn seed() -> u64 {
    let set = env::var("TABLES_SEED").ok();
    let set = set.and_then(|set| u64::from_str_radix(set.trim_start_matches("0x"), 16).ok());
    set.unwrap_or(SEED)
}

/// A small generator (Marsaglia's xorshift): the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Of a seed, and of the name of what it is for: kinds do not depend on each other's order.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mixed = name
            .bytes()
            .fold(seed, |sum, b| (sum ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Self(mixed | 1)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.any() % (high - low + 1)
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.any() as u8).collect()
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.within(0, at as u64) as usize);
        }
    }
}
