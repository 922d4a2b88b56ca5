//! The set shared between CPUs.

use core::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{CpuId, CpuMask, OutOfRange, mask::locate};

/// A set of CPUs that all CPUs may read and change without a lock.
///
/// # Ordering
/// Each change of one CPU's membership is one atomic operation on one word. Changes *release*: what the
/// changing CPU wrote before is seen by whoever sees the bit. Looks *acquire*. The two `test_and_` calls do
/// both. Nothing is sequentially consistent across masks: a protocol that needs "I set mine, then I look at
/// yours" needs a fence of its own.
///
/// Words are independent. A [`snapshot`](Self::snapshot) is atomic for each word, not for the whole.
#[repr(transparent)]
pub struct AtomicCpuMask<const W: usize>([AtomicUsize; W]);

impl<const W: usize> AtomicCpuMask<W> {
    /// The set with these members to begin with.
    pub const fn new(mask: CpuMask<W>) -> Self {
        let mut words = [const { AtomicUsize::new(0) }; W];
        let mut i = 0;
        while i < W {
            words[i] = AtomicUsize::new(mask.0[i]);
            i += 1;
        }
        Self(words)
    }

    /// Adds a CPU (release).
    ///
    /// # Errors
    /// [`OutOfRange`], with nothing changed, if there is no room for it.
    pub fn set(&self, cpu: CpuId) -> Result<(), OutOfRange> {
        let (word, bit) = locate(cpu, W)?;
        self.0[word].fetch_or(bit, Ordering::Release);
        Ok(())
    }

    /// Removes a CPU (release). One that is not in the set, or does not fit it, changes nothing.
    pub fn clear(&self, cpu: CpuId) {
        if let Ok((word, bit)) = locate(cpu, W) {
            self.0[word].fetch_and(!bit, Ordering::Release);
        }
    }

    /// Whether the CPU is in the set (acquire); `false` for one that does not fit it.
    pub fn test(&self, cpu: CpuId) -> bool {
        locate(cpu, W).is_ok_and(|(word, bit)| self.0[word].load(Ordering::Acquire) & bit != 0)
    }

    /// Adds a CPU and says whether it was there before (acquire and release). Of several CPUs that add the
    /// same one, exactly one gets `false`.
    ///
    /// # Errors
    /// [`OutOfRange`], with nothing changed, if there is no room for it.
    pub fn test_and_set(&self, cpu: CpuId) -> Result<bool, OutOfRange> {
        let (word, bit) = locate(cpu, W)?;
        Ok(self.0[word].fetch_or(bit, Ordering::AcqRel) & bit != 0)
    }

    /// Removes a CPU and says whether it was there (acquire and release); `false` for one that does not
    /// fit. Of several CPUs that remove the same one, exactly one gets `true`.
    pub fn test_and_clear(&self, cpu: CpuId) -> bool {
        locate(cpu, W).is_ok_and(|(word, bit)| self.0[word].fetch_and(!bit, Ordering::AcqRel) & bit != 0)
    }

    /// The members now, word by word (acquire). Changes made meanwhile may show in part.
    pub fn snapshot(&self) -> CpuMask<W> {
        CpuMask(core::array::from_fn(|i| self.0[i].load(Ordering::Acquire)))
    }

    /// Makes these the members, word by word (release). Changes others make meanwhile may be lost: this is
    /// for set-up, before the mask is shared.
    pub fn store(&self, mask: &CpuMask<W>) {
        for (word, &new) in self.0.iter().zip(&mask.0) {
            word.store(new, Ordering::Release);
        }
    }
}

impl<const W: usize> Default for AtomicCpuMask<W> {
    fn default() -> Self {
        Self::new(CpuMask::EMPTY)
    }
}

impl<const W: usize> fmt::Debug for AtomicCpuMask<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AtomicCpuMask({})", self.snapshot())
    }
}
