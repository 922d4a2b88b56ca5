//! CPUs that each lack one feature. Features come together on the CPUs that are sold; firmware, hypervisors and emulators take
//! single ones away, and a kernel that takes one for the sign of another finds out by an exception that it cannot handle.

use super::variants::{Variant, variant};
use crate::arch::Arch;
use crate::vm::spec::Boot;

const BOTH: &[(bool, u32)] = &[(false, 1), (true, 4)];
const MANY: &[(bool, u32)] = &[(true, 4)];

const fn x86_64(name: &'static str, cpu: &'static str) -> Variant {
    variant(Arch::X86_64, name, Boot::Pvh).cpu(cpu).only(BOTH)
}

const fn i386(name: &'static str, cpu: &'static str) -> Variant {
    variant(Arch::I386, name, Boot::Pvh).cpu(cpu).only(BOTH)
}

/// What holds of the kernel's promise without the no-execute bit.
const DATA_IS_EXECUTABLE: &str =
    "mm: without a no-execute bit, what is not code can be executed all the same";

/// Those that the kernels come up on.
pub(super) const LACKING: &[Variant] = &[
    x86_64("features-no-nx", "max,-nx").says(DATA_IS_EXECUTABLE),
    x86_64("features-qemu64-no-nx", "qemu64,-nx").says(DATA_IS_EXECUTABLE),
    x86_64("features-no-pge", "max,-pge"),
    x86_64("features-no-pse", "max,-pse"),
    x86_64("features-no-sep", "max,-sep").only(MANY),
    x86_64("features-no-syscall", "max,-syscall").only(MANY),
    x86_64("features-no-tsc-deadline", "max,-tsc-deadline").only(MANY),
    x86_64("features-no-smep", "max,-smep"),
    x86_64("features-no-smap", "max,-smap"),
    x86_64("features-no-umip", "max,-umip"),
    x86_64("features-no-pcid", "max,-pcid").only(MANY),
    x86_64("features-no-la57", "max,-la57"),
    x86_64("features-no-x2apic", "max,-x2apic").only(MANY),
    x86_64("features-no-pdpe1gb", "max,-pdpe1gb"),
    x86_64("features-no-mce", "max,-mce").only(MANY),
    x86_64("features-no-pat", "max,-pat").only(MANY),
    x86_64("features-no-mtrr", "max,-mtrr").only(MANY),
    x86_64("features-no-rdrand", "max,-rdrand,-rdseed").only(MANY),
    x86_64("features-no-sse2", "max,-sse2").only(MANY),
    i386("features-no-nx", "max,-nx").says(DATA_IS_EXECUTABLE),
    // The no-execute bit is turned on by such a register.
    i386("features-no-msr", "max,-msr").says(DATA_IS_EXECUTABLE),
    i386("features-no-pge", "max,-pge"),
    i386("features-no-pae", "max,-pae").says(DATA_IS_EXECUTABLE),
    i386("features-no-sep", "max,-sep").only(MANY),
    i386("features-no-smep", "max,-smep").only(MANY),
    i386("features-no-smap", "max,-smap").only(MANY),
    i386("features-no-umip", "max,-umip").only(MANY),
    i386("features-no-x2apic", "max,-x2apic").only(MANY),
    i386("features-no-fxsr", "max,-fxsr").only(MANY),
    i386("features-no-cmov", "max,-cmov").only(MANY),
    i386("features-pentium3-no-pge", "pentium3,-pge").only(MANY),
    i386("features-pentium-no-msr", "pentium,-msr").only(MANY),
];

/// Those that they cannot do without, and what is said of it.
pub(super) const REFUSED: &[(Variant, &str)] = &[
    (x86_64("features-no-tsc", "max,-tsc"), "no time-stamp counter"),
    (
        x86_64("features-no-msr", "max,-msr").only(MANY),
        "no model-specific registers",
    ),
    (x86_64("features-no-pae", "max,-pae").only(MANY), "(PAE)"),
    (x86_64("features-no-cmov", "max,-cmov").only(MANY), "(CMOV)"),
    (x86_64("features-no-lm", "max,-lm").only(MANY), "no 64-bit mode"),
    (x86_64("features-no-apic", "max,-apic"), "no local APIC"),
    (i386("features-no-tsc", "max,-tsc"), "no time-stamp counter"),
    (i386("features-no-pse", "max,-pse").only(MANY), "(PSE)"),
    (i386("features-no-cx8", "max,-cx8").only(MANY), "CMPXCHG8B"),
    (i386("features-no-apic", "max,-apic"), "no local APIC"),
];
