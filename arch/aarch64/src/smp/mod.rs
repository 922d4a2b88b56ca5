//! More than one CPU: PSCI starts them, SGIs signal them.

pub mod masking;
pub mod nmi;
mod stop;

use core::arch::{asm, global_asm};
use core::mem::offset_of;

use boot_info::fdt::Conduit;
use cpumask::CpuId;
use kernel::arch::{BootBlock, Door, SmpBringUpOps, SmpHotplugOps, StartError};
use kernel::arch::{HwId, StopOps};
use kernel::mm::{self, InStep, OutOfMemory, Stack};
use smccc::psci::Error;
use smccc::{Hvc, Smc};
pub use stop::{is_stop, leave, sgi_interrupt, stop_interrupt};

use crate::gic;
use crate::mmu::features;
use crate::{Aarch64, console, cpu, layout, percpu, psci};

global_asm!(
    include_str!("entry.s"),
    BLOCK_ROOT = const offset_of!(BootBlock, root),
    BLOCK_STACK_TOP = const offset_of!(BootBlock, stack_top),
    BLOCK_AREA = const offset_of!(BootBlock, area),
    BLOCK_LIFE = const offset_of!(BootBlock, door),
    REVOKED = const Door::REVOKED,
    PHYSMAP_BASE = const layout::PHYSMAP_BASE,
);

unsafe extern "C" {
    static smp_secondary_entry: u8;
}

/// The first Rust function of a secondary CPU.
///
/// # Safety
/// Called by entry assembly, on the CPU that `block` was made for, with the kernel's tables and the block's stack.
#[unsafe(no_mangle)]
unsafe extern "C" fn smp_secondary_rust(block: &'static BootBlock) -> ! {
    features::enable();
    // SAFETY: passed on.
    unsafe { kernel::smp::secondary_start::<Aarch64>(block) }
}

/// Physical address of something mapped: what the MMU itself makes of it.
fn virt_to_phys(va: usize) -> Option<u64> {
    const FAULT: u64 = 1;
    const ADDRESS: u64 = ((1 << 48) - 1) & !0xfff;
    // The exception vectors use PAR_EL1 too, so they must not come in between: an interrupt there would make this read
    // its answer.
    let par = masking::undisturbed(|| {
        let par: u64;
        // SAFETY: asks for a translation, changes nothing but PAR_EL1.
        unsafe {
            asm!(
                "at s1e1r, {va}",
                "isb",
                "mrs {par}, par_el1",
                va = in(reg) va,
                par = out(reg) par,
                options(nostack, preserves_flags)
            );
        }
        par
    });
    (par & FAULT == 0).then_some((par & ADDRESS) | (va as u64 & 0xfff))
}

/// `CPU_ON` (DEN0022 5.1.4): starts the CPU with these MPIDR affinity fields at physical address `entry`, MMU off,
/// `context` in x0.
fn cpu_on(mpidr: u64, entry: u64, context: u64) -> Result<(), Error> {
    match psci::conduit() {
        Some(Conduit::Hvc) => smccc::psci::cpu_on::<Hvc>(mpidr, entry, context),
        Some(Conduit::Smc) => smccc::psci::cpu_on::<Smc>(mpidr, entry, context),
        None => Err(Error::NotSupported),
    }
}

fn start_one(block: &'static BootBlock) -> Result<(), StartError> {
    let physical = |va| virt_to_phys(va).ok_or(StartError::NotDelivered);
    let entry = physical((&raw const smp_secondary_entry).expose_provenance())?;
    let context = physical(core::ptr::from_ref(block).expose_provenance())?;
    cpu_on(block.hw.0, entry, context).map_err(|error| match error {
        Error::InvalidParameters => StartError::NoSuchCpu,
        Error::AlreadyOn | Error::OnPending => StartError::AlreadyOn,
        other => StartError::Firmware(i64::from(other) as i32),
    })
}

impl SmpHotplugOps for Aarch64 {
    /// Only firmware can start a CPU, and only one that it has turned off itself.
    fn can_come_back(_cpu: CpuId) -> Result<(), &'static str> {
        psci::conduit()
            .map(drop)
            .ok_or("there is no PSCI to turn it off and on again")
    }

    fn route_devices(hw: HwId) -> Result<(), &'static str> {
        match console::intid() {
            Some(intid) => gic::smp::route_shared(intid, hw.0),
            None => Ok(()),
        }
    }
}

impl SmpBringUpOps for Aarch64 {
    fn prepare_cpu(cpu: CpuId) -> Result<(), OutOfMemory> {
        const { assert!(percpu::OVERFLOW_STACK == mm::STACK_BYTES) };
        let area = ::percpu::area(cpu.as_usize()).ok_or(OutOfMemory)?;
        percpu::set_overflow_top(area, Stack::alloc::<Self>()?.top());
        Ok(())
    }

    fn prepare_start(coming: &[&'static BootBlock]) {
        // A CPU reads the root table's address in its block with the MMU off. What changes from start to start it reads
        // later.
        for block in coming {
            let at = core::ptr::from_ref(*block).expose_provenance();
            cpu::write_back(at, size_of::<BootBlock>());
        }
    }

    unsafe fn start(block: &'static BootBlock, _tables: &InStep, attempt: u32) -> Result<(), StartError> {
        match attempt {
            0 => start_one(block),
            // CPU_ON is not a signal that may get lost: there is nothing to repeat.
            _ => Ok(()),
        }
    }

    fn init_secondary() {
        if let Err(why) = gic::init_cpu().and_then(|()| masking::begin()) {
            // Without interrupts it could neither be woken nor stopped. The boot CPU names it as missing.
            kernel::warning!("CPU {:#x} stays off: {why}", cpu::mpidr_affinity());
            Self::quiesce();
            Self::park();
        }
    }
}
