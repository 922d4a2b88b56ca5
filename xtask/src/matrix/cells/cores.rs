//! aarch64's cores with less and less of the architecture, at every exception level that firmware may hand over at: what the
//! kernel uses where there is, it must not miss where there is not.

use super::variants::{Variant, variant};
use crate::arch::Arch;
use crate::needs::newer::Newer;
use crate::vm::spec::Boot;

/// Entered at EL1, with firmware below.
const EL1: &str = "secure=on";
/// Entered at EL2, with nothing below.
const EL2: &str = "virtualization=on";
/// Entered at EL2, with firmware below: QEMU 7.2's own lets the boot CPU do more than the CPUs that it starts.
const EL2_EL3: &str = "virtualization=on,secure=on";

const fn core(name: &'static str, cpu: &'static str) -> Variant {
    const SIZES: &[(bool, u32)] = &[(false, 1), (true, 4)];
    variant(Arch::Aarch64, name, Boot::Image).cpu(cpu).only(SIZES)
}

/// Those that the kernel must come up on.
pub(super) const CORES: &[Variant] = &[
    // Armv8.0: no PAN, LSE, VHE, RNG, pointer authentication.
    core("features-a53", "cortex-a53"),
    core("features-a53-el1", "cortex-a53").machine(EL1),
    core("features-a53-el2", "cortex-a53").machine(EL2),
    core("features-a53-el3", "cortex-a53").machine(EL2_EL3),
    core("features-a72-gicv2", "cortex-a72").machine("gic-version=2,virtualization=on,secure=on"),
    // Armv8.2: no RNG, pointer authentication, fine-grained traps. The second with SVE.
    core("features-n1", "neoverse-n1"),
    core("features-n1-el3", "neoverse-n1").machine(EL2_EL3),
    core("features-a64fx-el2", "a64fx").machine(EL2),
    // All there is, and one thing taken away.
    core("features-max-el1", "max").machine(EL1),
    core("features-max-el2", "max").machine(EL2),
    core("features-max-el3", "max").machine(EL2_EL3),
    core("features-max-mte", "max").machine("mte=on,virtualization=on,secure=on"),
    core("features-no-pauth", "max,pauth=off").machine(EL2_EL3),
    core("features-no-sve", "max,sve=off").machine(EL2_EL3),
    core("features-no-sme", "max,sme=off").machine(EL2_EL3),
    core("features-no-lpa2", "max,lpa2=off"),
];

const NMI: &str = "the stop signal is an NMI";
const PSEUDO: &str = "the stop signal is a pseudo-NMI";

const fn nmi(name: &'static str) -> Variant {
    let needs = Some(Newer::ArmNmi);
    let core = core(name, "max").says(NMI);
    Variant { needs, ..core }
}

/// Those on which an SMP build can stop a CPU that has its interrupts off, and by what.
pub(super) const STOPPED_BY: &[Variant] = &[
    core("features-pmr", "cortex-a76").says(PSEUDO),
    core("features-pmr-el3", "cortex-a53")
        .machine(EL2_EL3)
        .says(PSEUDO),
    nmi("features-nmi"),
    nmi("features-nmi-el1").machine(EL1),
    nmi("features-nmi-el2").machine(EL2),
    nmi("features-nmi-el3").machine(EL2_EL3),
];
