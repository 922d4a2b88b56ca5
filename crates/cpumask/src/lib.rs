//! CPU numbers and sets of them, for kernels.
//!
//! - [`CpuId`] is the kernel's own dense number of a CPU. It is not a hardware id: APIC ids and MPIDRs are
//!   sparse, and no table is indexed by them.
//! - [`CpuMask`] is a plain set: a value, copied and compared, with the usual algebra.
//! - [`AtomicCpuMask`] is a set shared between CPUs, such as the set of those online.
//!
//! The size is a number of words, chosen once by the kernel: `CpuMask<{ words(512) }>`. Nothing here
//! allocates, and nothing panics: an id that a mask has no room for is an [`OutOfRange`] error where
//! dropping it would lose a CPU (set), and simply not a member everywhere else (test, clear).
//!
//! ```
//! use cpumask::{CpuId, CpuMask, words};
//!
//! type Mask = CpuMask<{ words(512) }>;
//!
//! let expected = Mask::first_n(4);
//! let mut online = Mask::EMPTY;
//! online.set(CpuId::new(0))?;
//! online.set(CpuId::new(2))?;
//! assert_eq!(expected.and_not(&online).to_string(), "1,3");
//! # Ok::<(), cpumask::OutOfRange>(())
//! ```
#![no_std]

mod atomic;
mod id;
mod iter;
mod list;
mod mask;

pub use atomic::AtomicCpuMask;
pub use id::{CpuId, OutOfRange};
pub use iter::Iter;
pub use list::ParseListError;
pub use mask::{CpuMask, words};
