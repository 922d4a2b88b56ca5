//! The first Rust function, and what the compiler expects of a kernel.

use core::panic::PanicInfo;

use crate::{Aarch64, console, devicetree, mmu};

/// From entry assembly, on the boot stack, at the image's linked address: `fdt_pa` is what the boot loader left in x0,
/// `image_pa` where it put the image.
#[unsafe(no_mangle)]
extern "C" fn rust_entry(fdt_pa: u64, image_pa: u64) -> ! {
    mmu::set_image_pa(image_pa);
    // SAFETY: the boot CPU, once, first thing.
    unsafe { devicetree::read(fdt_pa) };
    console::from_device_tree();
    mmu::early_physmap::map(&devicetree::boot().memory);
    kernel::start_kernel::<Aarch64>()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    console::last_resort();
    kernel::panic::panic::<Aarch64>(info)
}

/// Where the compiler's stack protector goes when a function's canary has changed.
#[unsafe(no_mangle)]
extern "C" fn __stack_chk_fail() -> ! {
    kernel::canary::smashed()
}
