//! GICv3 and GICv4 (Arm IHI 0069): distributor, a redistributor per CPU, CPU interface in system registers.
//!
//! Registers and CPU interface are `arm-gic`'s. Its sequences for distributor and redistributor are not used where they
//! wait, because they wait for ever; here every wait has a deadline. Each CPU owns its redistributor's frames.

mod redistributor;
#[cfg(feature = "smp")]
pub(super) mod smp;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use aarch64_cpu::asm::barrier;
use arm_gic::gicv3::GicCpuInterface;
use arm_gic::gicv3::registers::{Gicd, GicdCtlr};
use arm_gic::{IntId, InterruptGroup, UniqueMmioPointer};
use boot_info::fdt::Gic;
use safe_mmio::{field, field_shared};

use super::priority;
use crate::{Aarch64, timer};

pub(super) use redistributor::{enable_private, init_cpu, quiesce_cpu};

static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);

/// Milliseconds a register write may take to be seen by the whole controller.
const SETTLE_MS: u64 = 100;

/// The distributor.
///
/// # Safety
/// Only one such value may be in use at a time: the boot CPU uses it while it sets things up, and later a thread that routes
/// interrupts.
unsafe fn distributor() -> Option<UniqueMmioPointer<'static, Gicd>> {
    let at = core::ptr::with_exposed_provenance_mut(DISTRIBUTOR.load(Ordering::Relaxed));
    // SAFETY: `init` mapped the registers for good; the caller sees to uniqueness.
    NonNull::new(at).map(|at| unsafe { UniqueMmioPointer::new(at) })
}

pub(super) fn init(gic: &Gic) -> Result<(), &'static str> {
    let dist = gic.distributor().ok_or("the GICv3 has no distributor")?;
    let at = kernel::mm::ioremap::<Aarch64>("GICv3's distributor", dist.base, size_of::<Gicd>())?;
    DISTRIBUTOR.store(at.expose_provenance(), Ordering::Relaxed);
    // SAFETY: the boot CPU is alone with the controller.
    let mut gicd = unsafe { distributor() }.ok_or("no room to map the GIC")?;

    field!(gicd, ctlr).write(GicdCtlr::empty());
    settle(|| pending(&gicd))?;
    let blocks = field_shared!(gicd, typer).read().num_spis() as usize / 32;
    for n in 1..=blocks {
        // In range: a distributor has at most 31 blocks of SPIs behind the first 32 interrupts.
        field!(gicd, icenabler)
            .get(n)
            .into_iter()
            .for_each(|mut r| r.write(u32::MAX));
        field!(gicd, igroupr)
            .get(n)
            .into_iter()
            .for_each(|mut r| r.write(u32::MAX));
    }
    settle(|| pending(&gicd))?;
    // Bit 4 is ARE for this side, whichever side this is; likewise bit 1 its group 1.
    field!(gicd, ctlr).write(GicdCtlr::ARE_S);
    settle(|| pending(&gicd))?;
    field!(gicd, ctlr).write(GicdCtlr::ARE_S | GicdCtlr::EnableGrp1NS);
    settle(|| pending(&gicd))?;
    redistributor::find(gic)
}

fn pending(gicd: &UniqueMmioPointer<'_, Gicd>) -> bool {
    field_shared!(gicd, ctlr).read().contains(GicdCtlr::RWP)
}

/// Waits until `busy` no more.
fn settle(mut busy: impl FnMut() -> bool) -> Result<(), &'static str> {
    match timer::poll_ms(SETTLE_MS, || !busy()) {
        true => Ok(()),
        false => Err("the GIC does not settle"),
    }
}

const NO_SUCH: &str = "the GIC has no such interrupt";

fn route(
    mut gicd: &mut UniqueMmioPointer<'static, Gicd>,
    spi: usize,
    mpidr: u64,
) -> Result<(), &'static str> {
    field!(gicd, irouter).get(spi).ok_or(NO_SUCH)?.write(mpidr);
    Ok(())
}

/// Has a shared interrupt delivered to another CPU.
#[cfg(feature = "smp")]
pub(super) fn route_shared(intid: u32, mpidr: u64) -> Result<(), &'static str> {
    let spi = (intid as usize).checked_sub(32).ok_or(NO_SUCH)?;
    // SAFETY: called by one thread at a time, after devices were set up.
    let mut gicd = unsafe { distributor() }.ok_or("there is no interrupt controller")?;
    route(&mut gicd, spi, mpidr)
}

pub(super) fn enable_shared(intid: u32, edge: bool) -> Result<(), &'static str> {
    // SAFETY: called by the boot CPU while it sets up devices, one after the other.
    let mut gicd = unsafe { distributor() }.ok_or("there is no interrupt controller")?;
    let spi = (intid as usize).checked_sub(32).ok_or(NO_SUCH)?;
    if spi >= field_shared!(gicd, typer).read().num_spis() as usize {
        return Err(NO_SUCH);
    }
    let n = intid as usize;
    let shift = 2 * (n % 16) + 1;
    field!(gicd, icfgr)
        .get(n / 16)
        .ok_or(NO_SUCH)?
        .modify(|v| v & !(1 << shift) | u32::from(edge) << shift);
    Gicd::ipriorityr_bytes(&mut gicd)
        .get(n)
        .ok_or(NO_SUCH)?
        .write(priority::NORMAL);
    route(&mut gicd, spi, crate::cpu::mpidr_affinity())?;
    field!(gicd, isenabler)
        .get(n / 32)
        .ok_or(NO_SUCH)?
        .write(1 << (n % 32));
    Ok(())
}

pub(super) fn acknowledge() -> u32 {
    let irq = GicCpuInterface::get_and_acknowledge_interrupt(InterruptGroup::Group1);
    // The acknowledgement is complete before what the interrupt announces is looked at.
    barrier::dsb(barrier::SY);
    irq.unwrap_or(IntId::SPECIAL_NONE).raw_value()
}

/// One with superpriority has a register of its own, ICC_NMIAR1_EL1. To be asked where [`acknowledge`] says
/// [`IntId::SPECIAL_NMI`], as it does where SCTLR_EL1.NMI is set alone.
pub(super) fn acknowledge_nmi() -> u32 {
    let irq: u64;
    // SAFETY: acknowledges an interrupt that is pending.
    unsafe { core::arch::asm!("mrs {}, s3_0_c12_c9_5", out(reg) irq, options(nostack, preserves_flags)) };
    barrier::dsb(barrier::SY);
    irq as u32 & 0xff_ffff
}

pub(super) fn end(raw: u32) {
    redistributor::end(raw);
}
