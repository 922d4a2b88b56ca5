//! A page-table mapper for kernels, generic over the format of the tables.
//!
//! - [`Format`] says how entries are encoded. [`X86_64`], [`X86Legacy`], [`X86Pae`] and [`Aarch64`] are plain
//!   data encoders: all four work, and are tested, on any host.
//! - [`TableMemory`] is where tables come from and how they are reached: a boot-time allocator and the
//!   linear map of RAM in a kernel, an arena in a test.
//! - [`Mapper`] maps, unmaps, protects, translates and audits one address space. [`Space`] is a mapper whose format is
//!   chosen at run time.
//!
//! What holds for all formats:
//!
//! - **W^X**: a mapping both writable and executable is refused ([`MapError::WriteExec`]) unless it is asked for by
//!   name ([`Mapper::map_write_exec`]), and
//!   [`Mapper::audit_wx`] finds those that somebody else wrote.
//! - **All or nothing**: a call that fails leaves every translation as it was. It may leave a large leaf
//!   split, or an empty table linked for the next call to use; it never loses a table.
//! - **No panics**, and nothing is overwritten: a range that is in use is refused with what is there.
//! - **Each entry is stored once**, with release order: a table is complete before it is linked, so a table
//!   walk on any CPU sees either state. On aarch64 the walker is an observer of its own: a `dsb ishst` is
//!   needed after mapping, before use, and an `isb` on the CPU that goes on.
//! - **Tables are never freed**: a walker on another CPU may still be in one.
//! - **TLBs are the caller's**: calls that change what was live return [`Flush::Needed`].
//!
//! ```
//! use paging::{Cache, Flush, MapError, Mapper, Prot, TableMemory, X86_64, X86Features};
//! # struct Arena(Vec<Box<[core::cell::UnsafeCell<u64>; 512]>>);
//! # // SAFETY: each box is a zeroed page of its own that lives as long as the arena. (A page that is not
//! # // page aligned will do: the entries are aligned.)
//! # unsafe impl TableMemory for Arena {
//! #     fn alloc_table(&mut self) -> Option<u64> {
//! #         self.0.push(Box::new([const { core::cell::UnsafeCell::new(0) }; 512]));
//! #         Some((self.0.len() as u64 - 1) << 12)
//! #     }
//! #     fn table_ptr(&self, pa: u64) -> *mut u8 { self.0[(pa >> 12) as usize].as_ptr() as *mut u8 }
//! # }
//! # let mut memory = Arena(Vec::new());
//! let format = X86_64::new(X86Features::NX | X86Features::GLOBAL, 40);
//! let root = memory.alloc_table().unwrap();
//! // SAFETY: `root` is an empty table that no CPU runs on.
//! let mut mapper = unsafe { Mapper::new(format, root, memory) };
//!
//! let (va, pa) = (0xffff_8880_0000_0000, 0);
//! mapper.map(va, pa, 1 << 30, Prot::RW, Cache::WriteBack)?;
//! assert_eq!(mapper.translate(va + 0x1234).unwrap().pa, 0x1234);
//! assert_eq!(mapper.translate(va).unwrap().size, 2 << 20);
//!
//! // Sealing one page splits the leaf it lies in.
//! assert_eq!(mapper.protect(va + 0x1000, 0x1000, Prot::RO)?, Flush::Needed);
//! assert_eq!(mapper.protect(va, 0x1000, Prot::WRITE | Prot::EXEC), Err(MapError::WriteExec));
//! assert_eq!(mapper.audit_wx(), None);
//! # Ok::<(), MapError>(())
//! ```
#![no_std]

mod change;
mod error;
mod format;
mod mapper;
mod memory;
mod root;
mod space;
mod tables;
mod trace;
mod types;
mod walk;

pub use error::MapError;
pub use format::{
    Decoded, Entry, Format, PAGE_SHIFT, PAGE_SIZE,
    aarch64::{Aarch64, Half},
    x86::X86Features,
    x86_64::X86_64,
    x86_legacy::X86Legacy,
    x86_pae::X86Pae,
};
pub use mapper::Mapper;
pub use memory::TableMemory;
pub use root::Difference;
pub use space::{Either, Space};
pub use trace::Step;
pub use types::{Cache, Flush, Leaf, Mapping, Prot, Translation};
