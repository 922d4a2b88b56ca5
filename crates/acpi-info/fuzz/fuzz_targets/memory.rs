//! The input is all of physical memory, from address 0 on; nothing in it is right but by chance.
#![no_main]

use acpi_info::{AcpiInfo, find_rsdp, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let phys = |at: u64, len: usize| data.get(usize::try_from(at).ok()?..)?.get(..len);
    let mut info = Box::new(AcpiInfo::EMPTY);
    let _ = read(0, &phys, &mut info);
    let high = |at: u64, len: usize| phys(at.checked_sub(0xe_0000)?, len);
    if let Some(rsdp) = find_rsdp(&high) {
        let _ = read(rsdp, &high, &mut info);
    }
});
