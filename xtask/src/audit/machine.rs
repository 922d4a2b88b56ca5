//! What the machine shows of its CPUs.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::arch::Arch;
use crate::kernel::elf::Elf;
use crate::vm::gdb::Stub;
use crate::vm::qmp::Qmp;

/// A virtual CPU, as QEMU numbers it and as the kernel could know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vcpu {
    pub index: u32,
    /// APIC id, or the affinity fields of MPIDR.
    pub hw_id: u64,
}

/// One look at a virtual CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub halted: bool,
    pub pc: u64,
    /// Whether an interrupt cannot end its wait.
    pub masked: bool,
    /// All general registers, to see whether any moved.
    pub registers: Vec<u8>,
}

/// What a virtual CPU does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// Executes instructions.
    Runs,
    /// Waits in the park page, interrupts off.
    Parked,
    /// Switched off: by firmware at the kernel's wish, or never on.
    Off,
    /// Waits somewhere else, interrupts off.
    Halted,
    /// Waits for an interrupt that can come.
    Idle,
}

/// Where in the kernel a CPU may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    arch: Arch,
    park: Range<u64>,
    /// Where QEMU leaves the program counter of a CPU that has called `CPU_OFF`: after the call, by either conduit.
    off: Vec<u64>,
}

/// All CPUs of the machine.
///
/// # Errors
/// When QEMU does not tell.
pub fn roster(qmp: &mut Qmp, arch: Arch) -> Result<Vec<Vcpu>> {
    let property = if arch.is_x86() { "apic-id" } else { "mp-affinity" };
    let cpus = qmp.command("query-cpus-fast", &json!({}))?;
    let cpus = cpus.as_array().context("QEMU lists no CPUs")?.clone();
    cpus.iter()
        .map(|cpu| {
            let index = cpu["cpu-index"].as_u64().context("a CPU without a number")?;
            let path = &cpu["qom-path"];
            let hw_id = qmp.command("qom-get", &json!({ "path": path, "property": property }))?;
            Ok(Vcpu {
                index: u32::try_from(index)?,
                hw_id: hw_id.as_u64().context("a CPU without a hardware id")?,
            })
        })
        .collect()
}

impl Seen {
    /// Looks at CPU `index`, which stands.
    ///
    /// # Errors
    /// When QEMU does not tell.
    pub fn look(stub: &mut Stub, arch: Arch, index: u32) -> Result<Self> {
        let halted = stub.is_halted(index)?;
        let registers = stub.registers(index)?;
        let (pc, flags) = pc_and_flags(arch, &registers).context("QEMU shows too few registers")?;
        /// EFLAGS.IF.
        const IF: u32 = 1 << 9;
        /// PSTATE.I and PSTATE.F.
        const I_AND_F: u32 = 3 << 6;
        let masked = if arch.is_x86() {
            flags & IF == 0
        } else {
            flags & I_AND_F == I_AND_F
        };
        Ok(Self {
            halted,
            pc,
            masked,
            registers,
        })
    }
}

/// From the registers in gdb's order: 16 and the instruction pointer on x86_64, 8 on i386; 31, the stack pointer and the
/// program counter on aarch64; after each the flags.
fn pc_and_flags(arch: Arch, registers: &[u8]) -> Option<(u64, u32)> {
    let word = |at: usize| Some(u32::from_le_bytes(*registers.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u64::from_le_bytes(*registers.get(at..)?.first_chunk()?));
    match arch {
        Arch::X86_64 => Some((long(16 * 8)?, word(17 * 8)?)),
        Arch::I386 => Some((word(8 * 4)?.into(), word(9 * 4)?)),
        Arch::Aarch64 => Some((long(32 * 8)?, word(33 * 8)?)),
    }
}

impl Places {
    /// Those of the kernel in `elf`.
    ///
    /// # Errors
    /// When it has no park page.
    pub fn of(arch: Arch, elf: &Elf) -> Result<Self> {
        const PAGE: u64 = 4096;
        let symbol = |name: &str| {
            elf.symbol(name)
                .with_context(|| format!("the kernel has no {name}"))
        };
        let start = symbol("park_page")?;
        ensure!(start.is_multiple_of(PAGE), "the park page is no page");
        // The call by HVC ends right before the loop; that by SMC has a branch between.
        let off = match arch {
            Arch::Aarch64 => symbol("park_loop").map(|at| vec![at, at - 8])?,
            _ => Vec::new(),
        };
        Ok(Self {
            arch,
            park: start..start + PAGE,
            off,
        })
    }

    /// What a CPU does that looks like this.
    pub fn judge(&self, seen: &Seen) -> Shows {
        // Where a CPU begins that was never started, or got an INIT.
        let reset = if self.arch.is_x86() { 0xfff0 } else { 0 };
        match (seen.halted, seen.masked) {
            (false, _) => Shows::Runs,
            (true, _) if seen.pc == reset || self.off.contains(&seen.pc) => Shows::Off,
            (true, true) if self.park.contains(&seen.pc) => Shows::Parked,
            (true, true) => Shows::Halted,
            (true, false) => Shows::Idle,
        }
    }
}

impl Shows {
    /// Whether it executes nothing, and nothing but a start, or what cannot be masked, would change that.
    pub const fn stands_still(self) -> bool {
        matches!(self, Self::Parked | Self::Off | Self::Halted)
    }

    /// For people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Runs => "running",
            Self::Parked => "halted in the park page",
            Self::Off => "off",
            Self::Halted => "halted elsewhere, interrupts off",
            Self::Idle => "waiting for an interrupt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(halted: bool, pc: u64, masked: bool) -> Seen {
        Seen {
            halted,
            pc,
            masked,
            registers: Vec::new(),
        }
    }

    #[test]
    fn only_who_waits_in_the_park_page_is_parked() {
        let places = Places {
            arch: Arch::X86_64,
            park: 0x1000..0x2000,
            off: Vec::new(),
        };
        assert_eq!(places.judge(&seen(true, 0x1010, true)), Shows::Parked);
        assert_eq!(places.judge(&seen(false, 0x1010, true)), Shows::Runs);
        assert_eq!(places.judge(&seen(true, 0x1010, false)), Shows::Idle);
        assert_eq!(places.judge(&seen(true, 0x2000, true)), Shows::Halted);
        assert_eq!(places.judge(&seen(true, 0xfff0, false)), Shows::Off);
    }

    #[test]
    fn a_cpu_that_called_firmware_and_never_came_back_is_off() {
        let places = Places {
            arch: Arch::Aarch64,
            park: 0x1000..0x2000,
            off: vec![0x1028, 0x1020],
        };
        for (pc, expected) in [
            (0x1028, Shows::Off),
            (0x1020, Shows::Off),
            (0, Shows::Off),
            (0x1034, Shows::Parked),
        ] {
            assert_eq!(places.judge(&seen(true, pc, true)), expected, "{pc:#x}");
        }
        assert_eq!(places.judge(&seen(false, 0x1028, true)), Shows::Runs);
    }

    #[test]
    fn registers_lie_where_gdb_expects_them() {
        let numbered = |bytes: usize, width: usize| -> Vec<u8> {
            (0..bytes / width)
                .flat_map(|n| {
                    (n as u64)
                        .to_le_bytes()
                        .into_iter()
                        .take(width)
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        assert_eq!(pc_and_flags(Arch::X86_64, &numbered(160, 8)), Some((16, 17)));
        assert_eq!(pc_and_flags(Arch::I386, &numbered(64, 4)), Some((8, 9)));
        assert_eq!(pc_and_flags(Arch::Aarch64, &numbered(272, 8)), Some((32, 33)));
        assert_eq!(pc_and_flags(Arch::Aarch64, &numbered(264, 8)), None);
    }
}
