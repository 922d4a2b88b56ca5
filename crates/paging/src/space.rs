//! Address spaces whose format is chosen when the kernel runs.

use core::ops::Range;

use crate::{Cache, Difference, Flush, Format, MapError, Mapper, Mapping, Prot, TableMemory, Translation};

/// What a [`Mapper`] does, whatever its format. The methods are the mapper's of the same names, and so are errors
/// and promises.
pub trait Space {
    /// What tables of the format are called.
    fn name(&self) -> &'static str;

    /// See [`Format::enforces_no_exec`].
    fn enforces_no_exec(&self) -> bool;

    /// Bytes that one entry of the root covers.
    fn top_entry_bytes(&self) -> u64;

    /// See [`Mapper::top_generation`].
    fn top_generation(&self) -> u64;

    /// See [`Mapper::map`].
    #[expect(clippy::missing_errors_doc, reason = "the mapper's")]
    fn map(&mut self, va: u64, pa: u64, len: u64, prot: Prot, cache: Cache) -> Result<(), MapError>;

    /// See [`Mapper::protect`].
    #[expect(clippy::missing_errors_doc, reason = "the mapper's")]
    fn protect(&mut self, va: u64, len: u64, prot: Prot) -> Result<Flush, MapError>;

    /// See [`Mapper::translate`].
    fn translate(&self, va: u64) -> Option<Translation>;

    /// See [`Mapper::audit_wx`].
    fn audit_wx(&self) -> Option<Mapping>;

    /// See [`Mapper::copy_top_entries`].
    ///
    /// # Safety
    /// As there.
    unsafe fn copy_top_entries(&self, other: u64, slots: Range<usize>, first: usize) -> Copied;

    /// See [`Mapper::first_difference`].
    ///
    /// # Safety
    /// As there.
    unsafe fn first_difference(&self, other: u64, slots: Range<usize>, first: usize) -> Compared;
}

type Copied = Result<Flush, MapError>;
type Compared = Result<Option<Difference>, MapError>;

impl<F: Format, M: TableMemory> Space for Mapper<F, M> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn enforces_no_exec(&self) -> bool {
        self.format().enforces_no_exec()
    }

    fn top_entry_bytes(&self) -> u64 {
        1 << F::shift(F::LEVELS - 1)
    }

    fn top_generation(&self) -> u64 {
        Self::top_generation(self)
    }

    fn map(&mut self, va: u64, pa: u64, len: u64, prot: Prot, cache: Cache) -> Result<(), MapError> {
        Self::map(self, va, pa, len, prot, cache)
    }

    fn protect(&mut self, va: u64, len: u64, prot: Prot) -> Result<Flush, MapError> {
        Self::protect(self, va, len, prot)
    }

    fn translate(&self, va: u64) -> Option<Translation> {
        Self::translate(self, va)
    }

    fn audit_wx(&self) -> Option<Mapping> {
        Self::audit_wx(self)
    }

    unsafe fn copy_top_entries(&self, other: u64, slots: Range<usize>, first: usize) -> Copied {
        // SAFETY: the caller's promise.
        unsafe { Self::copy_top_entries(self, other, slots, first) }
    }

    unsafe fn first_difference(&self, other: u64, slots: Range<usize>, first: usize) -> Compared {
        // SAFETY: the caller's promise.
        unsafe { Self::first_difference(self, other, slots, first) }
    }
}

/// One of two: a format for CPUs that lack what the other needs.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first.
    A(A),
    /// The second.
    B(B),
}

impl<A: Space, B: Space> Either<A, B> {
    fn get(&self) -> &dyn Space {
        match self {
            Self::A(space) => space,
            Self::B(space) => space,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Space {
        match self {
            Self::A(space) => space,
            Self::B(space) => space,
        }
    }
}

impl<A: Space, B: Space> Space for Either<A, B> {
    fn name(&self) -> &'static str {
        self.get().name()
    }

    fn enforces_no_exec(&self) -> bool {
        self.get().enforces_no_exec()
    }

    fn top_entry_bytes(&self) -> u64 {
        self.get().top_entry_bytes()
    }

    fn top_generation(&self) -> u64 {
        self.get().top_generation()
    }

    fn map(&mut self, va: u64, pa: u64, len: u64, prot: Prot, cache: Cache) -> Result<(), MapError> {
        self.get_mut().map(va, pa, len, prot, cache)
    }

    fn protect(&mut self, va: u64, len: u64, prot: Prot) -> Result<Flush, MapError> {
        self.get_mut().protect(va, len, prot)
    }

    fn translate(&self, va: u64) -> Option<Translation> {
        self.get().translate(va)
    }

    fn audit_wx(&self) -> Option<Mapping> {
        self.get().audit_wx()
    }

    unsafe fn copy_top_entries(&self, other: u64, slots: Range<usize>, first: usize) -> Copied {
        // SAFETY: the caller's promise.
        unsafe { self.get().copy_top_entries(other, slots, first) }
    }

    unsafe fn first_difference(&self, other: u64, slots: Range<usize>, first: usize) -> Compared {
        // SAFETY: the caller's promise.
        unsafe { self.get().first_difference(other, slots, first) }
    }
}
