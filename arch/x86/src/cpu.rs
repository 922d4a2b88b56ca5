//! What the CPU can do, and switching it on.

use core::sync::atomic::{AtomicU32, Ordering};

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

/// The features that the kernels look at. All CPUs of a machine are taken to have those of the boot CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub struct Features {
    pub pge: bool,
    pub mce: bool,
    pub nx: bool,
    pub smep: bool,
    pub smap: bool,
    pub umip: bool,
    pub rdrand: bool,
    pub rdseed: bool,
    pub x2apic: bool,
    pub tsc_deadline: bool,
    /// `IA32_APIC_BASE` exists: from the P6 on. On a Pentium the page has a fixed address and is always on.
    pub apic_base_msr: bool,
    /// 1 GiB pages.
    pub page1g: bool,
}

/// [`Features`] as bits, top bit set once detected: read on hot paths, so CPUID, which traps in a guest, is asked once.
static DETECTED: AtomicU32 = AtomicU32::new(0);
const VALID: u32 = 1 << 31;

impl Features {
    fn detect() -> Self {
        let id = id();
        let basic = id.get_feature_info();
        let extended = id.get_extended_feature_info();
        let amd = id.get_extended_processor_and_feature_identifiers();
        let basic = |has: fn(&raw_cpuid::FeatureInfo) -> bool| basic.as_ref().is_some_and(has);
        let extended = |has: fn(&raw_cpuid::ExtendedFeatures) -> bool| extended.as_ref().is_some_and(has);
        Self {
            pge: basic(|f| f.has_pge()),
            mce: basic(|f| f.has_mce()),
            nx: amd.as_ref().is_some_and(|f| f.has_execute_disable()),
            smep: extended(|f| f.has_smep()),
            smap: extended(|f| f.has_smap()),
            umip: extended(|f| f.has_umip()),
            rdrand: basic(|f| f.has_rdrand()),
            rdseed: extended(|f| f.has_rdseed()),
            x2apic: basic(|f| f.has_x2apic()),
            tsc_deadline: basic(|f| f.has_tsc_deadline()),
            apic_base_msr: basic(|f| f.has_apic() && f.has_msr() && f.family_id() >= 6),
            page1g: amd.as_ref().is_some_and(|f| f.has_1gib_pages()),
        }
    }

    fn fields(&mut self) -> [&mut bool; 12] {
        let Self {
            pge,
            mce,
            nx,
            smep,
            smap,
            umip,
            rdrand,
            rdseed,
            x2apic,
            tsc_deadline,
            apic_base_msr,
            page1g,
        } = self;
        [
            pge,
            mce,
            nx,
            smep,
            smap,
            umip,
            rdrand,
            rdseed,
            x2apic,
            tsc_deadline,
            apic_base_msr,
            page1g,
        ]
    }

    fn to_bits(mut self) -> u32 {
        self.fields()
            .iter()
            .enumerate()
            .fold(VALID, |bits, (n, has)| bits | u32::from(**has) << n)
    }

    fn from_bits(bits: u32) -> Self {
        let mut features = Self::default();
        features
            .fields()
            .into_iter()
            .enumerate()
            .for_each(|(n, has)| *has = bits >> n & 1 != 0);
        features
    }

    /// The CR4 bits to set beside those paging itself needs.
    fn cr4(self) -> usize {
        [
            (self.pge, CR4_PGE),
            (self.mce, CR4_MCE),
            (self.smep, CR4_SMEP),
            (self.smap, CR4_SMAP),
            (self.umip, CR4_UMIP),
        ]
        .into_iter()
        .filter_map(|(has, bit)| has.then_some(bit))
        .sum()
    }
}

/// The features, detected at the first call.
#[inline]
pub fn features() -> Features {
    let mut bits = DETECTED.load(Ordering::Relaxed);
    if bits == 0 {
        bits = Features::detect().to_bits();
        DETECTED.store(bits, Ordering::Relaxed);
    }
    Features::from_bits(bits)
}

/// Switches on, on the executing CPU, what protects the kernel from itself: write protection in ring 0, no-execute,
/// SMEP, SMAP, UMIP, machine checks, global pages. Must run before a table with a no-execute bit is loaded.
pub fn enable_features() {
    let features = features();
    if features.nx {
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

/// The CPU family, extended part included, as in SDM Vol. 2A, CPUID leaf 1; 5 is the Pentium.
pub fn family() -> u8 {
    id().get_feature_info().map_or(5, |info| info.family_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_survive_being_packed() {
        for n in 0..12 {
            let one = Features::from_bits(1 << n | VALID);
            assert_eq!(one.to_bits(), 1 << n | VALID);
        }
        assert_eq!(Features::detect(), features());
        assert_eq!(features(), features());
    }

    #[test]
    fn cr4_has_a_bit_for_each_feature_and_none_without() {
        assert_eq!(Features::default().cr4(), 0);
        let all = Features {
            pge: true,
            mce: true,
            smep: true,
            smap: true,
            umip: true,
            ..Features::default()
        };
        assert_eq!(all.cr4(), 1 << 6 | 1 << 7 | 1 << 11 | 1 << 20 | 1 << 21);
    }
}
