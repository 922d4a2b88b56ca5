//! A PVH start info at address 0 and the memory behind it.
#![no_main]

use boot_info::{BootInfo, pvh};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut memory = pvh::layout::MAGIC.to_le_bytes().to_vec();
    memory.extend_from_slice(data);
    let phys = |at: u64, len: usize| memory.get(usize::try_from(at).ok()?..)?.get(..len);
    let mut boot = BootInfo::EMPTY;
    let _ = pvh::fill(0, &phys, &mut boot);
    assert!(boot.initrd.range().is_none_or(|at| boot.memory.is_ram(&at)));
});
