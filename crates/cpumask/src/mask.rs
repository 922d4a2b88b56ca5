//! The plain set.

use crate::{CpuId, Iter, OutOfRange};

const _: () = assert!(usize::BITS >= u32::BITS, "a CpuId must fit an index");

/// Bits in one word of a mask.
pub(crate) const WORD_BITS: u32 = usize::BITS;

/// The words a mask for `nr_cpus` CPUs needs; at least one, so that the boot CPU always fits.
///
/// ```
/// assert_eq!(cpumask::words(usize::BITS), 1);
/// assert_eq!(cpumask::words(usize::BITS + 1), 2);
/// ```
pub const fn words(nr_cpus: u32) -> usize {
    let words = nr_cpus.div_ceil(WORD_BITS);
    if words == 0 { 1 } else { words as usize }
}

/// Where a CPU's bit lies in a mask of `w` words: word index and bit, or the error that it lies outside.
pub(crate) const fn locate(cpu: CpuId, w: usize) -> Result<(usize, usize), OutOfRange> {
    let word = (cpu.as_u32() / WORD_BITS) as usize;
    if word >= w {
        return Err(OutOfRange {
            cpu,
            capacity: capacity(w),
        });
    }
    Ok((word, 1 << (cpu.as_u32() % WORD_BITS)))
}

/// CPUs that fit `w` words. Saturates: a mask for more CPUs than there are ids holds all ids.
const fn capacity(w: usize) -> u32 {
    let bits = w.saturating_mul(WORD_BITS as usize);
    if bits > u32::MAX as usize {
        u32::MAX
    } else {
        bits as u32
    }
}

/// A set of CPUs in `W` words; see [`words`] for the size.
///
/// A CPU is bit `id % usize::BITS` of word `id / usize::BITS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct CpuMask<const W: usize>(pub(crate) [usize; W]);

impl<const W: usize> CpuMask<W> {
    /// No CPU.
    pub const EMPTY: Self = Self([0; W]);

    /// How many CPUs the mask has room for: ids `0..CAPACITY`.
    pub const CAPACITY: u32 = capacity(W);

    /// The set of this CPU alone.
    ///
    /// # Errors
    /// [`OutOfRange`] if the mask has no room for it.
    pub const fn from_cpu(cpu: CpuId) -> Result<Self, OutOfRange> {
        let mut mask = Self::EMPTY;
        match mask.set(cpu) {
            Ok(()) => Ok(mask),
            Err(error) => Err(error),
        }
    }

    /// The CPUs `0..n`. Above [`CAPACITY`](Self::CAPACITY) it is all the mask has room for, for the CPUs
    /// of a machine larger than the kernel stay off anyhow; compare with `CAPACITY` to name them.
    pub const fn first_n(n: u32) -> Self {
        let mut mask = Self::EMPTY;
        let mut word = 0;
        while word < W {
            // Cannot overflow for words that matter: `word * WORD_BITS` stays below `n` or saturates.
            let below = (word as u32).saturating_mul(WORD_BITS);
            mask.0[word] = low_bits(n.saturating_sub(below));
            word += 1;
        }
        mask
    }

    /// Adds a CPU.
    ///
    /// # Errors
    /// [`OutOfRange`], with the mask unchanged, if there is no room for it.
    pub const fn set(&mut self, cpu: CpuId) -> Result<(), OutOfRange> {
        match locate(cpu, W) {
            Ok((word, bit)) => {
                self.0[word] |= bit;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a CPU. One that is not in the set, or that no such mask can hold, changes nothing.
    pub const fn clear(&mut self, cpu: CpuId) {
        if let Ok((word, bit)) = locate(cpu, W) {
            self.0[word] &= !bit;
        }
    }

    /// Whether the CPU is in the set; `false` for one that no such mask can hold.
    pub const fn test(&self, cpu: CpuId) -> bool {
        match locate(cpu, W) {
            Ok((word, bit)) => self.0[word] & bit != 0,
            Err(_) => false,
        }
    }

    /// The CPUs in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    /// The CPUs in either set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// The CPUs in this set and not in the other.
    #[must_use]
    pub fn and_not(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    /// The CPUs of `0..limit` that are not in the set. The limit keeps CPUs that do not exist out of it.
    #[must_use]
    pub fn not_within(&self, limit: u32) -> Self {
        Self::first_n(limit).and_not(self)
    }

    /// How many CPUs are in the set.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether no CPU is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Whether every CPU of this set is in the other.
    pub fn is_subset(&self, of: &Self) -> bool {
        self.and_not(of).is_empty()
    }

    /// The CPU with the lowest number.
    pub fn first(&self) -> Option<CpuId> {
        self.iter().next()
    }

    /// The lowest CPU above `cpu`, which itself need not be in the set, nor fit it.
    ///
    /// ```
    /// # use cpumask::{CpuId, CpuMask};
    /// let mask: CpuMask<2> = "1,40".parse().unwrap();
    /// assert_eq!(mask.next_after(CpuId::new(1)), Some(CpuId::new(40)));
    /// // Round robin: go on at the front when there is none.
    /// let next = mask.next_after(CpuId::new(40)).or_else(|| mask.first());
    /// assert_eq!(next, Some(CpuId::new(1)));
    /// ```
    pub fn next_after(&self, cpu: CpuId) -> Option<CpuId> {
        let from = cpu.as_u32().checked_add(1)?;
        self.and_not(&Self::first_n(from)).first()
    }

    /// The CPUs in rising order.
    pub fn iter(&self) -> Iter<W> {
        Iter::new(*self)
    }
}

/// A word whose lowest `n` bits are set; all of them from a word's length on.
const fn low_bits(n: u32) -> usize {
    if n >= WORD_BITS { usize::MAX } else { (1 << n) - 1 }
}

impl<const W: usize> Default for CpuMask<W> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const W: usize> IntoIterator for &CpuMask<W> {
    type Item = CpuId;
    type IntoIter = Iter<W>;

    fn into_iter(self) -> Iter<W> {
        self.iter()
    }
}
