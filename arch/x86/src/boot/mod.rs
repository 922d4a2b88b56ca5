//! Boot: what the entry assembly of both kernels and Rust agree on.

/// `rust_entry`'s `kind`: `pointer` is the physical address of a PVH `hvm_start_info`.
pub const KIND_PVH: u32 = 1;
/// `rust_entry`'s `kind`: `pointer` is the physical address of a Linux `boot_params`.
pub const KIND_LINUX: u32 = 2;

#[cfg(feature = "smp")]
pub mod smp;
