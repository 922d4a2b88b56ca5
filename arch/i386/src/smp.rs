//! More than one CPU.

use core::sync::atomic::Ordering;

use arch_x86::{interrupts, smp};
use cpumask::CpuId;
use kernel::arch::HwId;
use kernel::mm::{Stack, Synced};
use kernel::smp::{BootBlock, Ipi, SmpBringUpOps, SmpStopOps, StartError};

use crate::{I386, tables};

impl SmpBringUpOps for I386 {
    fn prepare_start(blocks: &[&'static BootBlock], tables: &Synced) {
        blocks
            .iter()
            .for_each(|block| give_exception_stacks(block.cpu_id()));
        let _ = tables;
    }

    unsafe fn start(
        blocks: &[&'static BootBlock],
        _tables: &Synced,
        attempt: u32,
        failed: &mut dyn FnMut(&'static BootBlock, StartError),
    ) {
        smp::start::<Self>(blocks, 8, attempt, failed);
    }

    fn init_secondary() {
        arch_x86::cpu::enable_features();
        interrupts::init_this_cpu();
    }
}

/// A CPU without them would take its first double fault on the boot CPU's.
fn give_exception_stacks(cpu: CpuId) {
    const _: () = assert!(tables::EXCEPTION_STACKS <= kernel::mm::STACK_BYTES);
    let Ok(stack) = Stack::alloc::<I386>() else {
        kernel::warning!("smp: no memory for the exception stacks of CPU {cpu}");
        return;
    };
    if let Some(top) = tables::STACKS_TOP.remote(cpu.as_usize()) {
        top.store(stack.top(), Ordering::Relaxed);
    }
}

impl SmpStopOps for I386 {
    fn send_ipi(_cpu: CpuId, hw: HwId, ipi: Ipi) {
        smp::send_ipi(hw, ipi);
    }

    fn park() -> ! {
        smp::park()
    }
}
