//! What a device tree says to a kernel: `cargo run --example describe -- FILE.dtb`. QEMU writes one with
//! `-machine virt,dumpdtb=FILE.dtb`.

use boot_info::fdt::{self, FdtInfo};
use boot_info::memblock::Memblock;
use boot_info::{BootInfo, cmdline};

/// Where a loader would have put the file.
const AT: u64 = 0x4800_0000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(name) = std::env::args_os().nth(1) else {
        return Err("usage: describe FILE.dtb".into());
    };
    let blob = std::fs::read(name)?;
    let (mut boot, mut info) = (Box::new(BootInfo::EMPTY), Box::new(FdtInfo::EMPTY));
    fdt::fill(&blob, AT, &mut boot, &mut info)?;
    let mut memory: Memblock = Memblock::new();
    memory.add_map(&boot.memory)?;
    println!("{} MiB of RAM, console {:?}", memory.total() >> 20, boot.console);
    for cpu in &info.cpus {
        println!("{cpu:?}");
    }
    cmdline::parse_args(boot.cmdline.as_str(), &[], &mut |event| println!("{event:?}"));
    Ok(())
}
