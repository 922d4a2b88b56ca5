//! What the CPU can do, and switching it on.

use core::sync::atomic::{AtomicU32, Ordering};

use bitflags::bitflags;
use raw_cpuid::{CpuId, CpuIdResult};

use crate::regs::{self, CR0_WP, CR4_MCE, CR4_PGE, CR4_SMAP, CR4_SMEP, CR4_UMIP, EFER_NXE, msr};

/// One CPUID leaf. Every CPU the kernels boot on has the instruction: the 32-bit kernel needs a Pentium.
fn cpuid(leaf: u32, subleaf: u32) -> CpuIdResult {
    #[cfg(target_arch = "x86")]
    use core::arch::x86::__cpuid_count;
    #[cfg(target_arch = "x86_64")]
    use core::arch::x86_64::__cpuid_count;
    let found = __cpuid_count(leaf, subleaf);
    CpuIdResult {
        eax: found.eax,
        ebx: found.ebx,
        ecx: found.ecx,
        edx: found.edx,
    }
}

/// The parsed leaves. `raw-cpuid` offers `CpuId::new` only where SSE is assumed, hence the reader.
pub fn id() -> CpuId<fn(u32, u32) -> CpuIdResult> {
    CpuId::with_cpuid_reader(cpuid)
}

bitflags! {
    /// The features that the kernels look at. All CPUs of a machine are taken to have those of the boot CPU.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Features: u32 {
        /// Global pages.
        const PGE = 1 << 0;
        /// Machine-check exceptions.
        const MCE = 1 << 1;
        /// The no-execute bit.
        const NX = 1 << 2;
        /// Ring 0 does not execute user pages.
        const SMEP = 1 << 3;
        /// Ring 0 does not touch user pages.
        const SMAP = 1 << 4;
        /// User mode cannot read where the descriptor tables are.
        const UMIP = 1 << 5;
        /// RDRAND.
        const RDRAND = 1 << 6;
        /// RDSEED.
        const RDSEED = 1 << 7;
        /// A local APIC.
        const APIC = 1 << 8;
        /// x2APIC mode.
        const X2APIC = 1 << 9;
        /// The local APIC's timer takes TSC deadlines.
        const TSC_DEADLINE = 1 << 10;
        /// `IA32_APIC_BASE` exists: from the P6 on. On a Pentium the page has a fixed address and is always on.
        const APIC_BASE = 1 << 11;
        /// Pages of 1 GiB.
        const PAGE_1G = 1 << 12;
        /// Runs under a hypervisor or an emulator that says so.
        const HYPERVISOR = 1 << 13;
        /// Tables of three levels for 32-bit addresses.
        const PAE = 1 << 14;
        /// SSE, and FXSAVE and FXRSTOR with it.
        const SSE = 1 << 15;
        /// Not a feature: CPUID has been asked.
        const DETECTED = 1 << 31;
    }
}

/// What was detected: read on hot paths, and CPUID traps in a guest.
static FEATURES: AtomicU32 = AtomicU32::new(0);

impl Features {
    fn detect() -> Self {
        let id = id();
        let mut found = Self::DETECTED;
        if let Some(f) = id.get_feature_info() {
            found.set(Self::PGE, f.has_pge());
            found.set(Self::PAE, f.has_pae());
            found.set(Self::MCE, f.has_mce());
            found.set(Self::RDRAND, f.has_rdrand());
            found.set(Self::APIC, f.has_apic());
            found.set(Self::X2APIC, f.has_x2apic());
            found.set(Self::TSC_DEADLINE, f.has_tsc_deadline());
            found.set(Self::APIC_BASE, f.has_apic() && f.has_msr() && f.family_id() >= 6);
            found.set(Self::HYPERVISOR, f.has_hypervisor());
            found.set(Self::SSE, f.has_sse() && f.has_fxsave_fxstor());
        }
        if let Some(f) = id.get_extended_feature_info() {
            found.set(Self::SMEP, f.has_smep());
            found.set(Self::SMAP, f.has_smap());
            found.set(Self::UMIP, f.has_umip());
            found.set(Self::RDSEED, f.has_rdseed());
        }
        if let Some(f) = id.get_extended_processor_and_feature_identifiers() {
            found.set(Self::NX, f.has_execute_disable());
            found.set(Self::PAGE_1G, f.has_1gib_pages());
        }
        found
    }

    /// The CR4 bits to set beside those paging itself needs.
    fn cr4(self) -> usize {
        let bits = [
            (Self::PGE, CR4_PGE),
            (Self::MCE, CR4_MCE),
            (Self::SMEP, CR4_SMEP),
            (Self::SMAP, CR4_SMAP),
            (Self::UMIP, CR4_UMIP),
        ];
        bits.into_iter()
            .filter(|(feature, _)| self.contains(*feature))
            .map(|(_, bit)| bit)
            .sum()
    }
}

/// The features, detected at the first call.
#[inline]
pub fn features() -> Features {
    match FEATURES.load(Ordering::Relaxed) {
        0 => {
            let found = Features::detect();
            FEATURES.store(found.bits(), Ordering::Relaxed);
            found
        }
        bits => Features::from_bits_retain(bits),
    }
}

/// Whether the CPU has `feature`.
#[inline]
pub fn has(feature: Features) -> bool {
    features().contains(feature)
}

/// Switches on, on the executing CPU, what protects the kernel from itself: write protection in ring 0, no-execute,
/// SMEP, SMAP, UMIP, machine checks, global pages. Must run before a table with a no-execute bit is loaded.
pub fn enable_features() {
    let features = features();
    if features.contains(Features::NX) {
        // SAFETY: a CPU with no-execute has EFER; entries with the bit set are made only where this has run.
        unsafe { regs::wrmsr(msr::EFER, regs::rdmsr(msr::EFER) | EFER_NXE) };
    }
    // SAFETY: the kernel maps nothing for user mode and writes to no page it maps read-only; the CPU has each feature.
    unsafe {
        regs::set_cr0(regs::cr0() | CR0_WP);
        regs::set_cr4(regs::cr4() | features.cr4());
    }
}

/// The executing CPU's APIC id as CPUID tells it: needs nothing to be set up. 32 bits where the topology leaf exists,
/// else the 8 bits of leaf 1.
pub fn initial_apic_id() -> u32 {
    let id = id();
    let topology = id
        .get_extended_topology_info()
        .and_then(|mut levels| levels.next())
        .map(|level| level.x2apic_id());
    topology.unwrap_or_else(|| {
        id.get_feature_info()
            .map_or(0, |info| info.initial_local_apic_id().into())
    })
}

/// EFER, or 0 on a CPU that has none: it came with the no-execute bit and long mode.
pub fn efer() -> u64 {
    if !has(Features::NX) {
        return 0;
    }
    // SAFETY: the CPU has the register.
    unsafe { regs::rdmsr(msr::EFER) }
}

/// Bits of a physical address the CPU can put out (CPUID leaf 8000_0008h; 36 on CPUs that do not say).
pub fn phys_bits() -> u32 {
    id().get_processor_capacity_feature_info()
        .map_or(36, |info| info.physical_address_bits().into())
}

/// The CPU family, extended part included, as in SDM Vol. 2A, CPUID leaf 1; 5 is the Pentium.
pub fn family() -> u8 {
    id().get_feature_info().map_or(5, |info| info.family_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_detected_once() {
        assert_eq!(Features::detect(), features());
        assert!(has(Features::DETECTED));
    }

    #[test]
    fn cr4_has_a_bit_for_each_feature_and_none_without() {
        assert_eq!(Features::empty().cr4(), 0);
        assert_eq!(
            Features::all().cr4(),
            1 << 6 | 1 << 7 | 1 << 11 | 1 << 20 | 1 << 21
        );
    }
}
