//! A device tree blob.
#![no_main]

use boot_info::{
    BootInfo,
    fdt::{FdtInfo, fill},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (mut boot, mut info) = (Box::new(BootInfo::EMPTY), Box::new(FdtInfo::EMPTY));
    if fill(data, 0x4000_0000, &mut boot, &mut info).is_ok() {
        assert!(boot.memory.usable_bytes() > 0);
        let mut ids: Vec<_> = info.cpus.iter().map(|cpu| cpu.hw_id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }
});
