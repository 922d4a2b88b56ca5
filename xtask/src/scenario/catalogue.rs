//! The catalogue: every failure by number and name, where it is tried, why there, and how it is staged on a kernel.

mod delivery;
mod environment;
mod memory;
mod owners;
mod starting;
mod stoppers;
mod tables;

use super::expect::Expect;
use crate::arch::Arch;
use crate::audit::Extent;
use crate::vm::spec::Boot;

/// A way in which stopping the CPUs of a machine goes wrong.
pub struct Scenario {
    pub number: u8,
    pub name: &'static str,
    /// What happens, in a sentence.
    pub story: &'static str,
    /// Why it is tried where it is.
    pub why: &'static str,
    /// Tests on the host.
    pub host: Vec<Host>,
    /// How it is staged on the kernel.
    pub stages: Vec<Stage>,
}

/// A test on the host, by the beginning of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Every order of events of a small machine.
    Loom(&'static str),
    /// Random orders of a larger one.
    Shuttle(&'static str),
    /// A simulated machine.
    Sim(&'static str),
    /// A plain test of this package.
    Unit(&'static str, &'static str),
}

/// One way to stage a failure.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Tells the ways of one scenario apart; empty if there is one only.
    pub label: &'static str,
    pub archs: &'static [Arch],
    pub smp: bool,
    pub cpus: u32,
    pub machine: Option<&'static str>,
    /// By which road the kernel gets there; the architecture's first, if it is not said.
    pub boot: Option<Boot>,
    /// Why it cannot be staged on a machine with UEFI.
    pub not_by_efi: Option<&'static str>,
    /// More words for the kernel.
    pub words: &'static str,
    /// What goes wrong before the command line is read; as `inject=`.
    pub early: &'static str,
    /// `inject=`.
    pub inject: &'static str,
    /// `panic=`; where it is 0 the machine stays, and is audited.
    pub panic: i32,
    /// `run=`.
    pub run: &'static str,
    /// What is overwritten of the memory of a machine that stays, once it has been audited.
    pub overwrite: Option<Extent>,
    pub expect: Expect,
}

const X86: &[Arch] = &[Arch::X86_64, Arch::I386];
const ARM: &[Arch] = &[Arch::Aarch64];
/// All have a signal that gets through to a CPU with its interrupts off, on their default machines.
const FIRM: &[Arch] = &Arch::ALL;
const GICV2: Option<&str> = Some("gic-version=2");

/// A way to stage a failure on every architecture.
fn stage(label: &'static str, cpus: u32, expect: Expect) -> Stage {
    Stage {
        label,
        archs: &Arch::ALL,
        smp: true,
        cpus,
        machine: None,
        boot: None,
        not_by_efi: None,
        words: "",
        early: "",
        inject: "",
        panic: 0,
        run: "",
        overwrite: None,
        expect,
    }
}

impl Stage {
    fn inject(self, inject: &'static str) -> Self {
        Self { inject, ..self }
    }

    fn early(self, early: &'static str) -> Self {
        Self { early, ..self }
    }

    fn words(self, words: &'static str) -> Self {
        Self { words, ..self }
    }

    fn run(self, run: &'static str) -> Self {
        Self { run, ..self }
    }

    fn on(self, archs: &'static [Arch], machine: Option<&'static str>) -> Self {
        Self {
            archs,
            machine,
            ..self
        }
    }

    /// On the machines that have a signal which gets through to a CPU with its interrupts off.
    fn firm(self) -> Self {
        self.on(FIRM, None)
    }

    fn panic(self, panic: i32) -> Self {
        Self { panic, ..self }
    }

    /// All memory is overwritten that a next kernel may use.
    fn overwritten(self) -> Self {
        Self {
            overwrite: Some(Extent::Reusable),
            ..self
        }
    }

    fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    fn up(self) -> Self {
        Self { smp: false, ..self }
    }

    fn efi(self) -> Self {
        Self {
            boot: Some(Boot::Efi),
            ..self
        }
    }

    fn not_by_efi(self, why: &'static str) -> Self {
        Self {
            not_by_efi: Some(why),
            ..self
        }
    }
}

/// All of them, in order.
pub fn all() -> Vec<Scenario> {
    let sections = [
        starting::scenarios(),
        stoppers::scenarios(),
        delivery::scenarios(),
        memory::scenarios(),
        environment::scenarios(),
        tables::scenarios(),
    ];
    let mut all: Vec<Scenario> = sections.into_iter().flatten().collect();
    all.sort_by_key(|scenario| scenario.number);
    all
}

/// Fills in a [`Scenario`].
fn scenario(
    number: u8,
    name: &'static str,
    story: &'static str,
    why: &'static str,
    host: &[Host],
    stages: Vec<Stage>,
) -> Scenario {
    Scenario {
        number,
        name,
        story,
        why,
        host: host.to_vec(),
        stages,
    }
}
