//! An address space in an arena: what is mapped how, in which page sizes, and what is refused.

use std::cell::UnsafeCell;

use paging::{Cache, MapError, Mapper, Prot, TableMemory, X86_64, X86Features};

/// Tables, by frame number. A kernel takes them from its page allocator and reaches them by its map of RAM.
struct Arena(Vec<Box<[UnsafeCell<u64>; 512]>>);

// SAFETY: each box is a zeroed page of its own that lives as long as the arena.
unsafe impl TableMemory for Arena {
    fn alloc_table(&mut self) -> Option<u64> {
        self.0.push(Box::new([const { UnsafeCell::new(0) }; 512]));
        Some((self.0.len() as u64 - 1) << 12)
    }

    fn table_ptr(&self, pa: u64) -> *mut u8 {
        self.0[(pa >> 12) as usize].as_ptr() as *mut u8
    }
}

fn main() -> Result<(), MapError> {
    const TEXT: u64 = 0xffff_ffff_8020_0000;
    const RAM: u64 = 0xffff_8880_0000_0000;
    let mut memory = Arena(Vec::new());
    let root = memory.alloc_table().ok_or(MapError::NoTableMemory)?;
    let format = X86_64::new(X86Features::NX | X86Features::GLOBAL, 40);
    // SAFETY: `root` is an empty table that no CPU runs on.
    let mut mapper = unsafe { Mapper::new(format, root, memory) };
    mapper.map(TEXT, 0x20_0000, 0x5000, Prot::EXEC, Cache::WriteBack)?;
    mapper.map(RAM, 0, 1 << 30, Prot::RW, Cache::WriteBack)?;
    let flush = mapper.protect(RAM + 0x20_0000, 0x5000, Prot::RO)?;
    println!("after pages were made read-only, translations are {flush:?}");
    mapper.walk(|mapping| println!("{mapping:x?}"));
    println!(
        "both ways: {:?}",
        mapper.protect(TEXT, 0x1000, Prot::WRITE | Prot::EXEC)
    );
    println!(
        "twice: {:?}",
        mapper.map(TEXT, 0, 0x1000, Prot::RO, Cache::WriteBack)
    );
    println!("{} tables", mapper.memory_mut().0.len());
    Ok(())
}
