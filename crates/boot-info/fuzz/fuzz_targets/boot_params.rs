//! A zero page, and behind it the memory that its pointers lead to.
#![no_main]

use boot_info::{BootInfo, linux_x86};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Physical memory is the input itself, from address 0 on: pointers into it are easy to find.
    let phys = |at: u64, len: usize| data.get(usize::try_from(at).ok()?..)?.get(..len);
    let mut page = [0; linux_x86::SIZE];
    let len = data.len().min(page.len());
    page[..len].copy_from_slice(&data[..len]);
    page[0x202..0x206].copy_from_slice(b"HdrS");
    let mut boot = BootInfo::EMPTY;
    let _ = linux_x86::fill(&page, &phys, &mut boot);
    assert!(boot.initrd.range().is_none_or(|at| boot.memory.is_ram(&at)));
});
