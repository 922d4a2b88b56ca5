//! A CPU's own part of a GICv3: the redistributor's frames in memory, the CPU interface in system registers.

use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::ID_AA64PFR0_EL1;
use arm_gic::gicv3::GicCpuInterface;
use arm_gic::gicv3::registers::{GicrCtlr, GicrSgi, Sgi, Waker};
use arm_gic::{IntId, InterruptGroup, UniqueMmioPointer};
use boot_info::fdt::Gic;
use kernel::irq::IrqOff;
use safe_mmio::{field, field_shared};
use spin::Once;
use tock_registers::interfaces::Readable;

use super::{priority, settle};
use crate::Aarch64;
use crate::cpu::mpidr_affinity;
use crate::gic::sgi;

/// A redistributor: whose, and where it is mapped.
struct Frames {
    mpidr: u64,
    at: usize,
}

/// All redistributors, in the order of the regions.
static ALL: Once<Vec<Frames>> = Once::new();

percpu::percpu! {
    /// Address of this CPU's redistributor; 0 before `init_cpu`.
    static MINE: AtomicUsize = AtomicUsize::new(0);
}

/// Walks all regions; there may be several, each ending with a frame marked as the last. Which CPU a frame belongs to is
/// in the frame alone: their order is nobody's promise.
pub(in crate::gic) fn find(gic: &Gic) -> Result<(), &'static str> {
    let mut all = Vec::new();
    for region in gic.redistributors() {
        let (mut pa, end) = (region.base, region.base.saturating_add(region.len));
        while pa.saturating_add(size_of::<GicrSgi>() as u64) <= end {
            let at = kernel::mm::ioremap::<Aarch64>("GICv3's redistributor", pa, size_of::<GicrSgi>())?;
            let at = at.expose_provenance();
            // SAFETY: mapped above; nobody else uses these frames yet.
            let frames = unsafe { frames(at) }.ok_or("no room to map the GIC")?;
            let gicr = field_shared!(frames, gicr);
            let typer = field_shared!(gicr, typer).read();
            all.push(Frames {
                mpidr: typer.core_mpidr(),
                at,
            });
            if typer.last_redistributor() {
                break;
            }
            // A GICv4 has two more frames, for virtual interrupts.
            let stride = if typer.virtual_lpis_supported() { 2 } else { 1 } * size_of::<GicrSgi>() as u64;
            pa = pa.saturating_add(gic.redistributor_stride.unwrap_or(0).max(stride));
        }
    }
    ALL.call_once(|| all);
    Ok(())
}

/// # Safety
/// `at` must be where a redistributor is mapped, and the CPU it belongs to the only user.
unsafe fn frames(at: usize) -> Option<UniqueMmioPointer<'static, GicrSgi>> {
    let at = core::ptr::with_exposed_provenance_mut(at);
    // SAFETY: the caller's promise.
    NonNull::new(at).map(|at| unsafe { UniqueMmioPointer::new(at) })
}

/// The executing CPU's frames; interrupts are off, so nobody on this CPU gets between.
pub(super) fn mine(off: &IrqOff) -> Option<UniqueMmioPointer<'static, GicrSgi>> {
    // SAFETY: the per-CPU word is zero or this CPU's own redistributor.
    unsafe { frames(MINE.this::<Aarch64>(off.pin()).load(Ordering::Relaxed)) }
}

pub(in crate::gic) fn init_cpu() -> Result<(), &'static str> {
    let off = IrqOff::new();
    let me = mpidr_affinity();
    let found = ALL.get().and_then(|all| all.iter().find(|f| f.mpidr == me));
    let found = found.ok_or("this CPU has no redistributor")?;
    MINE.store::<Aarch64>(off.pin(), found.at);
    let mut frames = mine(&off).ok_or("this CPU has no redistributor")?;
    wake(&mut frames)?;
    reset(&mut frames)?;
    init_interface()
}

/// Tells the redistributor that its CPU listens. Firmware may have done so, and keeps the register to itself then.
fn wake(mut frames: &mut UniqueMmioPointer<'static, GicrSgi>) -> Result<(), &'static str> {
    let mut gicr = field!(frames, gicr);
    field!(gicr, waker).modify(|w| w - Waker::PROCESSOR_SLEEP);
    let asleep = || field_shared!(gicr, waker).read().contains(Waker::CHILDREN_ASLEEP);
    settle(asleep)
}

/// Everything off and nothing pending, not even what was sent to this CPU while it was off; then the SGIs on.
fn reset(mut frames: &mut UniqueMmioPointer<'static, GicrSgi>) -> Result<(), &'static str> {
    let mut regs = field!(frames, sgi);
    field!(regs, icenabler)
        .get(0)
        .into_iter()
        .for_each(|mut r| r.write(u32::MAX));
    let gicr = field_shared!(frames, gicr);
    settle(|| field_shared!(gicr, ctlr).read().contains(GicrCtlr::RWP))?;

    let mut regs = field!(frames, sgi);
    field!(regs, icpendr)
        .get(0)
        .into_iter()
        .for_each(|mut r| r.write(u32::MAX));
    field!(regs, icactiver)
        .get(0)
        .into_iter()
        .for_each(|mut r| r.write(u32::MAX));
    field!(regs, igroupr)
        .get(0)
        .into_iter()
        .for_each(|mut r| r.write(u32::MAX));
    field!(regs, igrpmodr)
        .get(0)
        .into_iter()
        .for_each(|mut r| r.write(0));
    for n in sgi::ALL {
        set_priority(&mut regs, n, sgi::priority(n));
        field!(regs, isenabler)
            .get(0)
            .into_iter()
            .for_each(|mut r| r.write(1 << n));
    }
    Ok(())
}

fn set_priority(regs: &mut UniqueMmioPointer<'_, Sgi>, intid: u32, priority: u8) {
    Sgi::ipriorityr_bytes(regs)
        .get(intid as usize)
        .into_iter()
        .for_each(|mut r| r.write(priority));
}

/// Whether this CPU has the interface's system registers at all: ID_AA64PFR0_EL1.GIC. If not, touching any is undefined.
fn implements_system_registers() -> bool {
    ID_AA64PFR0_EL1.get() >> 24 & 0xf != 0
}

/// Whether the CPU interface is in system registers, on this CPU and by now: ICC_SRE_EL1.SRE. If not, touching another of
/// them is undefined.
fn has_system_registers() -> bool {
    let sre: u64;
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("mrs {}, s3_0_c12_c12_5", out(reg) sre, options(nomem, nostack, preserves_flags))
    };
    sre & 1 != 0
}

/// The CPU interface: system registers on, one step ends an interrupt, everything may come.
fn init_interface() -> Result<(), &'static str> {
    if !implements_system_registers() {
        return Err("a GICv3 is described, and this CPU has no interface to one");
    }
    GicCpuInterface::enable_system_register_el1();
    barrier::isb(barrier::SY);
    if !has_system_registers() {
        return Err("firmware keeps the GICv3's system registers from us");
    }
    // SAFETY: writes ICC_CTLR_EL1 (EOI drops priority and deactivates) and ICC_BPR1_EL1 (all priority bits count), which
    // change nothing but how interrupts come.
    unsafe {
        core::arch::asm!(
            "msr s3_0_c12_c12_4, xzr",
            "msr s3_0_c12_c12_3, xzr",
            options(nostack, preserves_flags)
        )
    };
    GicCpuInterface::set_priority_mask(priority::MASK_OPEN);
    GicCpuInterface::enable_group1(true);
    barrier::isb(barrier::SY);
    Ok(())
}

pub(in crate::gic) fn enable_private(intid: u32) {
    let off = IrqOff::new();
    if let Some(mut frames) = mine(&off) {
        let mut regs = field!(frames, sgi);
        set_priority(&mut regs, intid, priority::NORMAL);
        field!(regs, isenabler)
            .get(0)
            .into_iter()
            .for_each(|mut r| r.write(1 << intid));
    }
}

pub(super) fn end(raw: u32) {
    // A stop signal's takes no search.
    let intid = match raw < sgi::COUNT {
        true => Ok(IntId::sgi(raw)),
        false => IntId::try_from(raw),
    };
    if let Ok(intid) = intid {
        GicCpuInterface::end_interrupt(intid, InterruptGroup::Group1);
        barrier::isb(barrier::SY);
    }
}

pub(in crate::gic) fn quiesce_cpu() {
    if has_system_registers() {
        GicCpuInterface::set_priority_mask(0);
        GicCpuInterface::enable_group1(false);
        barrier::isb(barrier::SY);
    }
}
