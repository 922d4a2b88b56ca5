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

/// Something to ask for a leaf.
type Reader = fn(u32, u32) -> CpuIdResult;

/// The parsed leaves. `raw-cpuid` offers `CpuId::new` only where SSE is assumed, hence the reader.
pub fn id() -> CpuId<Reader> {
    CpuId::with_cpuid_reader(cpuid)
}

bitflags! {
    /// The features that the kernels look at. None is taken from another: where two come together on every CPU that was ever
    /// made, firmware or an emulator can still take one of them away.
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
        /// SSE, with FXSAVE and FXRSTOR.
        const SSE = 1 << 15;
        /// An x87 unit.
        const FPU = 1 << 16;
        /// MFENCE and LFENCE, which came with SSE2.
        const FENCES = 1 << 17;
        /// `IA32_EFER` exists: it came with SYSCALL, long mode and the no-execute bit.
        const EFER = 1 << 18;
        /// Not a feature: CPUID has been asked.
        const DETECTED = 1 << 31;
    }
}

/// What was detected: read on hot paths, and CPUID traps in a guest.
static FEATURES: AtomicU32 = AtomicU32::new(0);

impl Features {
    /// What a secondary CPU must have if the boot CPU has it: the rest of the kernel looks at the boot CPU's.
    const SHARED: Self = Self::all().difference(Self::HYPERVISOR);

    /// What `id` tells. Features that are of no use without a model-specific register are there only if those are.
    fn detect(id: &CpuId<Reader>) -> Self {
        let mut found = Self::DETECTED;
        let mut msr = false;
        if let Some(f) = id.get_feature_info() {
            msr = f.has_msr();
            found.set(Self::PGE, f.has_pge());
            found.set(Self::PAE, f.has_pae());
            found.set(Self::MCE, f.has_mce());
            found.set(Self::RDRAND, f.has_rdrand());
            found.set(Self::APIC, f.has_apic());
            found.set(Self::X2APIC, f.has_x2apic() && msr);
            found.set(Self::TSC_DEADLINE, f.has_tsc_deadline() && msr);
            found.set(Self::APIC_BASE, f.has_apic() && msr && f.family_id() >= 6);
            found.set(Self::HYPERVISOR, f.has_hypervisor());
            found.set(Self::FPU, f.has_fpu());
            found.set(Self::SSE, f.has_sse() && f.has_fxsave_fxstor());
            found.set(Self::FENCES, f.has_sse2());
        }
        if let Some(f) = id.get_extended_feature_info() {
            found.set(Self::SMEP, f.has_smep());
            found.set(Self::SMAP, f.has_smap());
            found.set(Self::UMIP, f.has_umip());
            found.set(Self::RDSEED, f.has_rdseed());
        }
        if let Some(f) = id.get_extended_processor_and_feature_identifiers() {
            let efer = f.has_syscall_sysret() || f.has_64bit_mode() || f.has_execute_disable();
            found.set(Self::EFER, efer && msr);
            found.set(Self::NX, f.has_execute_disable() && msr);
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

/// The boot CPU's features, detected at the first call.
#[inline]
pub fn features() -> Features {
    match FEATURES.load(Ordering::Relaxed) {
        0 => {
            let found = Features::detect(&id());
            FEATURES.store(found.bits(), Ordering::Relaxed);
            found
        }
        bits => Features::from_bits_retain(bits),
    }
}

/// Whether the boot CPU has `feature`, and so every CPU that is online.
#[inline]
pub fn has(feature: Features) -> bool {
    features().contains(feature)
}

/// What a secondary CPU lacks that the boot CPU has.
///
/// # Errors
/// It lacks something that the kernel uses wherever the boot CPU has it.
pub fn compare_with_boot_cpu() -> Result<(), Features> {
    let lacking = features().intersection(Features::SHARED) - Features::detect(&id());
    lacking.is_empty().then_some(()).ok_or(lacking)
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
    // An emulator may let a bit pass that is an exception on the CPU it plays: the entry code has to have asked, too.
    debug_assert_eq!(
        regs::cr4() & !(features.cr4() | regs::CR4_PAE | regs::CR4_PSE),
        0,
        "CR4 has bits of features that this CPU lacks"
    );
}

/// Orders what comes before against a later write of a model-specific register that does not wait for it (SDM Vol. 3A,
/// 11.5.4.1 and 11.12.3): by the fences, or by CPUID, which waits for everything, where there are none.
#[inline]
pub fn fence_before_wrmsr() {
    if has(Features::FENCES) {
        // SAFETY: the CPU has the instructions, and they change nothing.
        unsafe { core::arch::asm!("mfence", "lfence", options(nostack, preserves_flags)) };
    } else {
        cpuid(0, 0);
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

/// EFER, or 0 on a CPU that has none.
pub fn efer() -> u64 {
    if !has(Features::EFER) {
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
        assert_eq!(Features::detect(&id()), features());
        assert!(has(Features::DETECTED));
        assert_eq!(compare_with_boot_cpu(), Ok(()));
    }

    /// Bits of CPUID.80000001H:EDX.
    const SYSCALL: u32 = 1 << 11;
    const NX: u32 = 1 << 20;
    const LM: u32 = 1 << 29;

    /// A CPU of family 6 with these bits in CPUID.1:ECX, CPUID.1:EDX and CPUID.80000001H:EDX, and nothing else.
    fn cpu<const ECX: u32, const EDX: u32, const EXTENDED: u32>() -> Features {
        let reader: Reader = |leaf, _| {
            let [eax, ebx, ecx, edx] = match leaf {
                0 => [1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69],
                1 => [0x600, 0, ECX, EDX],
                0x8000_0000 => [0x8000_0001, 0, 0, 0],
                0x8000_0001 => [0, 0, 0, EXTENDED],
                _ => [0; 4],
            };
            CpuIdResult { eax, ebx, ecx, edx }
        };
        Features::detect(&CpuId::with_cpuid_reader(reader)) - Features::DETECTED
    }

    /// Bits of CPUID.1:EDX.
    const MSR: u32 = 1 << 5;
    const APIC: u32 = 1 << 9;

    /// 64-bit mode depends on EFER, and secondary CPUs come by it, whether firmware has the no-execute bit on or not.
    #[test]
    fn efer_is_there_with_any_of_the_features_that_it_serves() {
        assert_eq!(cpu::<0, MSR, LM>(), Features::EFER);
        assert_eq!(cpu::<0, MSR, SYSCALL>(), Features::EFER);
        assert_eq!(cpu::<0, MSR, NX>(), Features::EFER | Features::NX);
        assert_eq!(cpu::<0, MSR, 0>(), Features::empty());
    }

    #[test]
    fn nothing_that_takes_a_model_specific_register_is_there_without_those() {
        const X2APIC_DEADLINE: u32 = 1 << 21 | 1 << 24;
        let with = Features::APIC | Features::APIC_BASE | Features::X2APIC | Features::TSC_DEADLINE;
        assert_eq!(cpu::<X2APIC_DEADLINE, { MSR | APIC }, 0>(), with);
        assert_eq!(
            cpu::<X2APIC_DEADLINE, APIC, { NX | LM | SYSCALL }>(),
            Features::APIC
        );
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
