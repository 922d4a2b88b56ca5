//! What a cell's kernel is told to do, and what must come of it.

use serde::Serialize;

use crate::arch::Arch;
use crate::audit::Honesty;
use crate::vm::judge::End;

/// A kernel's orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Come up, list the CPUs, power off.
    Boot,
    /// Test itself from inside.
    Selftest,
    /// Take CPUs off and bring them on again, busy ones.
    Hotplug,
    /// Panic with a CPU off, and stay for the audit.
    OffPanic,
    /// Panic while CPUs go off and come on, and stay for the audit.
    HotplugPanic,
    /// Panic.
    Panic,
    /// Read at address 0.
    Null,
    /// Write to a constant.
    Write,
    /// Execute data.
    Execute,
    /// Execute what is no instruction.
    Undefined,
    /// Use more stack than there is.
    Overflow,
    /// Write past the end of a local buffer.
    Canary,
    /// Stop answering with interrupts off.
    Hang,
    /// Die without a word.
    TripleFault,
    /// Find out that the machine's memory is not enough for the kernel.
    TooSmall,
    /// Take exceptions for ever, on an architecture that has no triple fault.
    LostVectors,
    /// Reset the machine in good order.
    Reboot,
    /// Reset the machine in one certain way, and come up again.
    Again(Way),
    /// Stop all CPUs for good.
    Halt,
    /// Panic with everybody busy, and stay for the audit.
    Audit,
    /// The same, and the report is made to lie: the audit must say so.
    Lie,
    /// Panic with a CPU that nothing can stop, and stay for the audit.
    Deaf,
    /// The same, and the report is made to say that this CPU is parked.
    DeafLie,
    /// Panic with a CPU whose interrupts are off, and that can be reached all the same, and stay for the audit.
    Reach,
    /// Say why it cannot run here, with this in the reason, and end the run.
    Refused(&'static str),
}

/// A way to reset a machine, by the kernel's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The register of the fixed ACPI table.
    Acpi,
    /// The keyboard controller.
    Kbd,
    /// The BIOS, from real mode.
    Bios,
    /// The chipset.
    Pci,
    /// A triple fault.
    Triple,
    /// Firmware call of aarch64.
    Psci,
    /// EFI's `ResetSystem`.
    Efi,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::Acpi,
        Self::Kbd,
        Self::Bios,
        Self::Pci,
        Self::Triple,
        Self::Psci,
        Self::Efi,
    ];

    /// The kernel's name, the task's name, and the task's command line.
    const fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Acpi => (
                "acpi",
                "again-acpi",
                "reboot=acpi \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Kbd => (
                "kbd",
                "again-kbd",
                "reboot=kbd \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Bios => (
                "bios",
                "again-bios",
                "reboot=bios \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Pci => (
                "pci",
                "again-pci",
                "reboot=pci \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Triple => (
                "triple",
                "again-triple",
                "reboot=triple \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Psci => (
                "psci",
                "again-psci",
                "reboot=psci \"run=first reboot;cpus;poweroff\"",
            ),
            Self::Efi => (
                "efi",
                "again-efi",
                "reboot=efi \"run=first reboot;cpus;poweroff\"",
            ),
        }
    }

    /// As in `reboot=` and in the second boot's `@boot`.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// Whether machines of `arch` have it.
    const fn is_for(self, arch: Arch) -> bool {
        match self {
            Self::Efi => true,
            Self::Psci => !arch.is_x86(),
            _ => arch.is_x86(),
        }
    }
}

/// What there is to know of a task.
struct Facts {
    name: &'static str,
    append: &'static str,
    end: End,
    /// Part of the reason the kernel gives for its panic.
    clue: &'static str,
    /// Whether the machine stays and is audited.
    audit: Option<Honesty>,
}

/// Why the monitor panics.
const BY_MONITOR: &str = "asked for by the monitor";
const BUSY: &str = "panic=0 \"run=busy all;panic\"";
const HOTPLUG: &str = "\"run=busy all;hotplug all 20;cpus;poweroff\"";
const OFF: &str = "panic=0 \"run=offline 2;panic\"";
const BETWEEN: &str = "panic=0 \"run=bg hotplug all 1000;sleep 300;panic\"";
const DEAF: &str = "panic=0 \"run=irqsoff 3;panic\"";

impl Task {
    /// All but [`Task::Boot`], [`Task::Reach`], [`Task::Refused`] and the two that are only in [`Task::GICV2`].
    pub const SPECIAL: [Self; 18] = [
        Self::Selftest,
        Self::Hotplug,
        Self::OffPanic,
        Self::HotplugPanic,
        Self::Panic,
        Self::Null,
        Self::Write,
        Self::Execute,
        Self::Undefined,
        Self::Overflow,
        Self::Canary,
        Self::Hang,
        Self::TripleFault,
        Self::LostVectors,
        Self::Reboot,
        Self::Halt,
        Self::Audit,
        Self::Lie,
    ];

    /// One for each way to reset a machine of `arch`.
    pub fn again(arch: Arch) -> impl Iterator<Item = Self> {
        Way::ALL
            .into_iter()
            .filter(move |way| way.is_for(arch))
            .map(Self::Again)
    }

    /// Those for a machine where a CPU with its interrupts off cannot be reached, and where devices' interrupts are moved to
    /// another CPU in another way than on the first.
    pub const GICV2: [Self; 3] = [Self::Deaf, Self::DeafLie, Self::Hotplug];

    const fn facts(self) -> Facts {
        let (name, append, end, clue) = match self {
            Self::Boot => ("boot", "run=cpus;poweroff", End::Poweroff, ""),
            Self::Selftest => ("selftest", "run=selftest;poweroff", End::Poweroff, ""),
            Self::Hotplug => ("hotplug", HOTPLUG, End::Poweroff, ""),
            Self::OffPanic => ("off-panic", OFF, End::Panic, BY_MONITOR),
            Self::HotplugPanic => ("hotplug-panic", BETWEEN, End::Panic, BY_MONITOR),
            Self::TooSmall => ("too-small", "", End::Panic, "lies outside of RAM"),
            Self::Panic => ("panic", "run=panic", End::Panic, BY_MONITOR),
            Self::Null => ("null", "\"run=fault null\"", End::Panic, "address 0x0"),
            Self::Write => ("write", "\"run=fault write\"", End::Panic, "address 0x"),
            Self::Execute => ("execute", "\"run=fault exec\"", End::Panic, "address 0x"),
            Self::Undefined => ("undefined", "\"run=fault undef\"", End::Panic, " at pc=0x"),
            Self::Overflow => ("overflow", "\"run=fault stack\"", End::Panic, "stack overflow"),
            Self::Canary => ("canary", "\"run=fault canary\"", End::Panic, "stack protector"),
            Self::Hang => ("hang", "run=hang", End::Timeout, ""),
            Self::TripleFault => ("triple-fault", "run=triple-fault", End::EarlyDeath, ""),
            Self::LostVectors => ("lost-vectors", "\"run=fault vectors\"", End::EarlyDeath, ""),
            Self::Reboot => ("reboot", "run=reboot", End::Reboot, ""),
            Self::Again(way) => (way.facts().1, way.facts().2, End::Poweroff, ""),
            Self::Halt => ("halt", "run=halt", End::Halt, ""),
            Self::Audit => ("audit", BUSY, End::Panic, BY_MONITOR),
            Self::Lie => ("lie", BUSY, End::Contradiction, BY_MONITOR),
            Self::Deaf => ("deaf", DEAF, End::PanicPartial, BY_MONITOR),
            Self::DeafLie => ("deaf-lie", DEAF, End::Contradiction, BY_MONITOR),
            Self::Reach => ("reach", DEAF, End::Panic, BY_MONITOR),
            Self::Refused(clue) => ("refused", "run=cpus;poweroff", End::Panic, clue),
        };
        let audit = match self {
            Self::Audit | Self::Deaf | Self::Reach | Self::OffPanic | Self::HotplugPanic => {
                Some(Honesty::Honest)
            }
            Self::Lie | Self::DeafLie => Some(Honesty::Lie),
            _ => None,
        };
        Facts {
            name,
            append,
            end,
            clue,
            audit,
        }
    }

    /// As in a cell's name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The kernel's command line.
    pub const fn append(self) -> &'static str {
        self.facts().append
    }

    /// How a run of it must end.
    pub const fn end(self) -> End {
        self.facts().end
    }

    /// What must be in the reason of its panic.
    pub const fn clue(self) -> &'static str {
        self.facts().clue
    }

    /// Whether, and how, the machine is audited after its kernel's last word.
    pub const fn audit(self) -> Option<Honesty> {
        self.facts().audit
    }

    /// Whether it takes firmware that runs again when it is entered in real mode, and resets the machine then.
    pub const fn needs_bios(self) -> bool {
        matches!(self, Self::Again(Way::Bios))
    }

    /// Whether it takes firmware that is an EFI.
    pub const fn needs_efi(self) -> bool {
        matches!(self, Self::Again(Way::Efi))
    }

    /// How often the machine comes up again.
    pub const fn resets(self) -> u32 {
        matches!(self, Self::Again(_)) as u32
    }

    /// Whether it takes a second CPU.
    pub const fn needs_smp(self) -> bool {
        matches!(
            self,
            Self::Lie
                | Self::Deaf
                | Self::DeafLie
                | Self::Reach
                | Self::Hotplug
                | Self::OffPanic
                | Self::HotplugPanic
        )
    }

    /// Whether it means anything on `arch`: x86 without vectors resets.
    pub const fn is_for(self, arch: Arch) -> bool {
        match self {
            Self::LostVectors => !arch.is_x86(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panic_has_a_clue_and_nothing_else_has() {
        for task in Task::SPECIAL {
            let panics = task.end() == End::Panic || task.audit().is_some();
            assert_eq!(panics, !task.clue().is_empty(), "{task:?}");
        }
    }

    #[test]
    fn the_controls_end_in_ways_of_their_own() {
        let ends = [
            Task::Boot,
            Task::Panic,
            Task::Hang,
            Task::TripleFault,
            Task::Reboot,
            Task::Halt,
        ]
        .map(Task::end);
        for (at, end) in ends.iter().enumerate() {
            assert!(!ends[..at].contains(end), "{end:?} twice");
        }
    }
}
