//! Randomness handed over by the loader.

/// Seed bytes from the loader (`SETUP_RNG_SEED`, `/chosen/rng-seed`, `/chosen/kaslr-seed`), folded
/// to a fixed size. They feed the stack canary, so they are never printed.
#[derive(Clone)]
pub struct Seed {
    bytes: [u8; Self::CAPACITY],
    fed: usize,
}

impl Seed {
    /// Size of the pool in bytes.
    pub const CAPACITY: usize = 64;

    /// No seed yet.
    pub const EMPTY: Self = Self {
        bytes: [0; Self::CAPACITY],
        fed: 0,
    };

    /// Folds `data` in. More than the capacity wraps around by XOR: no byte is thrown away.
    pub fn feed(&mut self, data: &[u8]) {
        for &byte in data {
            self.bytes[self.fed % Self::CAPACITY] ^= byte;
            self.fed = self.fed.wrapping_add(1);
        }
    }

    /// The bytes fed so far, at most [`Self::CAPACITY`]; empty when the loader gave none.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.fed.min(Self::CAPACITY)]
    }

    /// The pool folded into one word; 0 when the loader gave nothing.
    ///
    /// A fold, not a hash: callers mix it with a cycle counter before they use it.
    #[must_use]
    pub fn word(&self) -> u64 {
        self.bytes.chunks_exact(8).fold(0, |acc, chunk| {
            let word = chunk.iter().fold(0u64, |w, &b| w << 8 | u64::from(b));
            acc.rotate_left(13) ^ word
        })
    }
}

impl core::fmt::Debug for Seed {
    /// The count only: a seed in a log is no seed.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Seed({} bytes)", self.fed)
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn folds_more_than_it_holds_without_losing_bytes() {
        let mut a = Seed::EMPTY;
        a.feed(&[7; 64]);
        let before = a.word();
        a.feed(&[1]);
        assert_ne!(a.word(), before);
        assert_eq!(a.bytes().len(), 64);
        assert_eq!(a.bytes()[0], 6);
    }

    #[test]
    fn empty_is_visible_and_never_printed() {
        let mut a = Seed::EMPTY;
        assert!(a.bytes().is_empty());
        assert_eq!(a.word(), 0);
        a.feed(b"secret");
        assert_eq!(std::format!("{a:?}"), "Seed(6 bytes)");
    }
}
