//! Signals to other CPUs, and the mask that lets one of them through.

mod nmi;
mod self_test;

use core::arch::asm;

pub(in crate::gic) use self::nmi::{are_supported as nmis_are_supported, give_superpriority};
pub(in crate::gic) use self_test::{nmis_work, priority_mask_works};

/// ICC_SGI1R_EL1 without the target list: the sixteen CPUs that `mpidr` is one of. `arm-gic` builds this value too, but
/// without the range selector: it reaches Aff0 0 to 15 only.
fn group(mpidr: u64) -> u64 {
    let aff = |shift: u32| mpidr >> shift & 0xff;
    aff(32) << 48 | (aff(0) >> 4) << 44 | aff(16) << 32 | aff(8) << 16
}

/// The place of `mpidr` in its group's target list.
fn bit(mpidr: u64) -> u64 {
    1 << (mpidr & 0xf)
}

fn write(to: u64, sgi: u32) {
    let value = to | u64::from(sgi) << 24;
    // SAFETY: ICC_SGI1R_EL1; raises an interrupt elsewhere, touches no memory here.
    unsafe { asm!("msr s3_0_c12_c11_5, {}", in(reg) value, options(nostack, preserves_flags)) };
}

fn sent() {
    aarch64_cpu::asm::barrier::isb(aarch64_cpu::asm::barrier::SY);
}

pub(in crate::gic) fn send_sgi(mpidr: u64, sgi: u32) {
    write(group(mpidr) | bit(mpidr), sgi);
    sent();
}

/// To everybody but this CPU in one write, or to each of `mpidrs`, in one write for neighbours of a group.
pub(in crate::gic) fn send_sgi_to_all(everyone_else: bool, mpidrs: &mut dyn Iterator<Item = u64>, sgi: u32) {
    /// Interrupt Routing Mode: all CPUs but the one that writes.
    const IRM: u64 = 1 << 40;
    if everyone_else {
        write(IRM, sgi);
    } else {
        let (mut to, mut list) = (0, 0);
        for mpidr in mpidrs {
            if group(mpidr) != to && list != 0 {
                write(to | list, sgi);
                list = 0;
            }
            (to, list) = (group(mpidr), list | bit(mpidr));
        }
        if list != 0 {
            write(to | list, sgi);
        }
    }
    sent();
}

/// ICC_PMR_EL1: only what is more urgent than this reaches the executing CPU.
#[inline(always)]
pub fn priority_mask() -> u8 {
    let mask: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, s3_0_c4_c6_0", out(reg) mask, options(nomem, nostack, preserves_flags)) };
    mask as u8
}

/// Sets it. At once where it holds more back (GIC 12.2.19: such writes are self-synchronising). A compiler barrier.
#[inline(always)]
pub fn set_priority_mask(mask: u8) {
    // SAFETY: holding interrupts back is always sound; letting them come is, once the vectors are in place.
    unsafe { asm!("msr s3_0_c4_c6_0, {}", in(reg) u64::from(mask), options(nostack, preserves_flags)) };
}

/// ICC_CTLR_EL1.PMHE: whether the distributor chooses the CPU for an interrupt by its mask. Read-only with two security
/// states.
pub fn distributor_looks_at_mask() -> bool {
    let control: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, s3_0_c12_c12_4", out(reg) control, options(nomem, nostack, preserves_flags)) };
    control & 1 << 6 != 0
}
