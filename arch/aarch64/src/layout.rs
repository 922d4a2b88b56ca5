//! Address space, 48 bits, 4 KiB granule. The upper half (TTBR1) is the kernel's; the lower half is empty.

use core::ops::Range;

/// The image window: one slot of the third level table, 1 GiB. `_text` is its first byte.
pub const IMAGE_BASE: usize = 0xffff_ffff_8000_0000;

/// The fixmap: what is mapped before there is an allocator, and stays where it was afterwards.
pub const FIXMAP_BASE: usize = 0xffff_ffff_c000_0000;

/// The device tree: two 2 MiB blocks, for a blob of at most 2 MiB that straddles a boundary.
pub const FIXMAP_FDT: usize = FIXMAP_BASE;

/// The early console: the 2 MiB block its registers lie in.
pub const FIXMAP_UART: usize = FIXMAP_BASE + 2 * BLOCK;

/// What EFI left, while it is read: two-MiB blocks nearly to the end of the address space.
pub const FIXMAP_FIRMWARE: Range<usize> = FIXMAP_BASE + 4 * BLOCK..FIXMAP_BASE + 511 * BLOCK;

/// All RAM in a row.
pub const PHYSMAP_BASE: usize = 0xffff_0000_0000_0000;

/// RAM the physmap has room for: half of what its root slots span is left as distance to the vmap window.
pub const PHYSMAP_SIZE: u64 = 1 << 46;

/// Per-CPU areas.
pub const AREAS: Range<usize> = 0xffff_8000_0000_0000..0xffff_8000_0080_0000;

/// Single pages: stacks, device registers.
pub const VMAP: Range<usize> = 0xffff_8000_0080_0000..0xffff_8040_0000_0000;

/// Bytes of a second-level block.
pub const BLOCK: usize = 2 << 20;
