//! What the tests of every reader share: a piece of RAM and a seeded source of damage.

/// RAM from `base` on.
pub struct Ram {
    base: u64,
    bytes: Vec<u8>,
}

impl Ram {
    pub fn new(base: u64, len: usize) -> Self {
        Self {
            base,
            bytes: vec![0; len],
        }
    }

    pub fn get(&self, at: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.base)?).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    pub fn at_mut(&mut self, at: u64, len: usize) -> &mut [u8] {
        let start = (at - self.base) as usize;
        &mut self.bytes[start..start + len]
    }

    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        self.at_mut(at, bytes.len()).copy_from_slice(bytes);
    }
}

/// A small generator: the same mutants on every run and every machine.
pub struct XorShift(pub u64);

impl XorShift {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next() as u8);
    }

    /// Damages up to `max` places: a flipped bit, an edge value, a random byte or an edge word.
    pub fn damage(&mut self, bytes: &mut [u8], max: usize) {
        if bytes.is_empty() {
            return;
        }
        for _ in 0..=self.below(max) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes[at] = self.next() as u8,
                _ => {
                    let word =
                        [0u32, 1, 3, 4, 0x7fff_ffff, 0x8000_0000, u32::MAX, u32::MAX - 3][self.below(8)];
                    let word = if self.below(2) == 0 {
                        word.to_be_bytes()
                    } else {
                        word.to_le_bytes()
                    };
                    let end = (at + 4).min(bytes.len());
                    bytes[at..end].copy_from_slice(&word[..end - at]);
                }
            }
        }
    }
}
