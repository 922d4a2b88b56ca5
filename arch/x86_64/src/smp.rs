//! More than one CPU.

use core::sync::atomic::Ordering;

use arch_x86::smp;
use cpumask::CpuId;
use kernel::arch::HwId;
use kernel::arch::{
    BootBlock, Ipi, Rung, SignalError, SmpBringUpOps, SmpHotplugOps, SmpStopOps, StartError, Targets,
};
use kernel::mm::{self, InStep, OutOfMemory, Stack};

use crate::{X8664, symbols, tables, trap};

impl SmpBringUpOps for X8664 {
    fn prepare_cpu(cpu: CpuId) -> Result<(), OutOfMemory> {
        const { assert!(tables::EXCEPTION_STACK == mm::STACK_BYTES) };
        let tops = tables::STACK_TOPS.remote(cpu.as_usize()).ok_or(OutOfMemory)?;
        for top in tops {
            top.store(Stack::alloc::<Self>()?.top(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn prepare_entry(blocks: &[&'static BootBlock], _tables: &InStep) {
        smp::write_trampoline::<Self>(blocks, symbols::trampoline_root());
    }

    fn prepare_start(coming: &[&'static BootBlock]) {
        smp::take_out::<Self>(coming);
    }

    fn send_back() -> usize {
        smp::send_back::<Self>()
    }

    fn waits_unasked(hw: HwId) -> bool {
        smp::waits_unasked::<Self>(hw)
    }

    unsafe fn start(block: &'static BootBlock, _tables: &InStep, attempt: u32) -> Result<(), StartError> {
        smp::start::<Self>(block, attempt)
    }

    fn start_pause_ns() -> Option<u64> {
        smp::start_pause_ns()
    }

    fn init_secondary() {
        smp::init_secondary::<Self>();
    }
}

/// A secondary CPU's first Rust code, called by the entry assembly on the block's stack, with the kernel's root table and
/// the block's area loaded. Its vectors come first: until then an exception resets the machine.
#[unsafe(no_mangle)]
extern "C" fn smp_secondary_entry(block: &'static BootBlock) -> ! {
    trap::load(block.cpu_id());
    // SAFETY: the entry code calls this once, with the block that names this CPU.
    unsafe { kernel::smp::secondary_start::<X8664>(block) }
}

impl SmpHotplugOps for X8664 {
    fn can_come_back(cpu: CpuId) -> Result<(), &'static str> {
        smp::can_come_back(cpu)
    }

    fn route_devices(hw: HwId) -> Result<(), &'static str> {
        smp::route_devices(hw)
    }
}

impl SmpStopOps for X8664 {
    fn send_ipi(hw: HwId, ipi: Ipi) {
        smp::send_ipi(hw, ipi);
    }

    fn rungs() -> &'static [Rung] {
        smp::rungs()
    }

    fn signal(rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        smp::signal(rung, targets)
    }

    fn hw_off(_hw: HwId) -> Option<bool> {
        None
    }

    fn sees_power() -> bool {
        false
    }
}
