//! Signals to other CPUs.

use core::arch::asm;

use aarch64_cpu::asm::barrier;
use arm_gic::gicv3::GicCpuInterface;

/// `arm-gic` builds this value too, but without the range selector: it reaches Aff0 0 to 15 only.
pub(in crate::gic) fn send_sgi(mpidr: u64, sgi: u32) {
    let aff = |shift: u32| mpidr >> shift & 0xff;
    let (range, target) = (aff(0) >> 4, 1 << (aff(0) & 0xf));
    let value = aff(32) << 48 | range << 44 | aff(16) << 32 | u64::from(sgi) << 24 | aff(8) << 16 | target;
    // SAFETY: ICC_SGI1R_EL1; raises an interrupt elsewhere, touches no memory here.
    unsafe { asm!("msr s3_0_c12_c11_5, {}", "isb", in(reg) value, options(nostack, preserves_flags)) };
}

pub(in crate::gic) fn quiesce_cpu() {
    GicCpuInterface::set_priority_mask(0);
    GicCpuInterface::enable_group1(false);
    barrier::isb(barrier::SY);
}
