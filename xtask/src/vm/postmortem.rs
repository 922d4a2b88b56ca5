//! What every virtual CPU was doing when a run ended badly.

use anyhow::Result;
use serde_json::json;

use super::console::Console;
use super::qmp::Qmp;

/// A virtual CPU, as QEMU numbers it, and its program counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    pub index: u32,
    pub pc: u64,
    /// Whether it waits for an interrupt. Only x86 tells.
    pub halted: Option<bool>,
}

impl Cpu {
    /// Whether it stands at the entry for a synchronous exception of the current level, 0x200 into an aarch64 vector
    /// table: where a CPU stays for ever whose vectors are not mapped.
    pub const fn may_be_lost(&self) -> bool {
        self.halted.is_none() && self.pc & 0x7ff == 0x200
    }

    /// Whether it executes a PC's BIOS, in the last 128 KiB below 1 MiB.
    pub const fn is_in_bios(&self) -> bool {
        matches!((self.halted, self.pc), (Some(false), 0xe_0000..=0xf_ffff))
    }
}

/// The registers of the machine as it stands. Stops it first.
///
/// # Errors
/// When QEMU does not answer.
pub fn look(qmp: &mut Qmp) -> Result<String> {
    qmp.command("stop", &json!({}))?;
    qmp.human("info registers -a")
}

/// Reads `info registers -a`.
pub fn parse(text: &str) -> Vec<Cpu> {
    let mut cpus: Vec<Cpu> = Vec::new();
    for line in text.lines() {
        if let Some(index) = line
            .trim()
            .strip_prefix("CPU#")
            .and_then(|index| index.parse().ok())
        {
            cpus.push(Cpu {
                index,
                pc: 0,
                halted: None,
            });
        }
        let Some(cpu) = cpus.last_mut() else { continue };
        for word in line.split_whitespace() {
            let pc = ["RIP=", "EIP=", "PC="]
                .iter()
                .find_map(|name| word.strip_prefix(name));
            if let Some(pc) = pc.and_then(|pc| u64::from_str_radix(pc, 16).ok()) {
                cpu.pc = pc;
            }
            cpu.halted = word
                .strip_prefix("HLT=")
                .map(|halted| halted == "1")
                .or(cpu.halted);
        }
    }
    cpus
}

/// A line for each program counter, with the CPUs that share it.
pub fn describe(cpus: &[Cpu], console: &Console) -> String {
    let mut groups: Vec<(Cpu, Vec<u32>)> = Vec::new();
    for cpu in cpus {
        match groups
            .iter_mut()
            .find(|(first, _)| (first.pc, first.halted) == (cpu.pc, cpu.halted))
        {
            Some((_, members)) => members.push(cpu.index),
            None => groups.push((*cpu, vec![cpu.index])),
        }
    }
    let line = |(cpu, members): &(Cpu, Vec<u32>)| {
        let halted = if cpu.halted == Some(true) { " halted" } else { "" };
        let frames = console.frames(cpu.pc).join(", inlined into ");
        format!("  CPU {}:{halted} pc={:#x} {frames}", ranges(members), cpu.pc)
            .trim_end()
            .to_owned()
    };
    groups.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `0-3,7`, as Linux writes lists of CPUs.
fn ranges(members: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &member in members {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == member => *last = member,
            _ => runs.push((member, member)),
        }
    }
    let show = |(first, last): &(u32, u32)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    runs.iter().map(show).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::console::Show;

    #[test]
    fn a_bios_is_told_from_a_kernel_and_from_a_cpu_that_waits_in_it() {
        let cpu = |pc, halted| Cpu { index: 0, pc, halted };
        assert!(cpu(0xe_faad, Some(false)).is_in_bios());
        for other in [
            cpu(0xf_d09a, Some(true)),
            cpu(0x9_f000, Some(false)),
            cpu(0x10_0000, Some(false)),
            cpu(0xe_faad, None),
        ] {
            assert!(!other.is_in_bios(), "{other:?}");
        }
    }

    #[test]
    fn program_counters_of_all_architectures() {
        let x86 = "\r\nCPU#0\r\nRAX=0 RBX=1\r\nRIP=ffffffff80201000 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n\
            \r\nCPU#1\r\nEAX=0\r\nEIP=0000fff0 EFL=00000002 CPL=0 HLT=0\r\n";
        let found = parse(x86);
        assert_eq!(
            found[0],
            Cpu {
                index: 0,
                pc: 0xffff_ffff_8020_1000,
                halted: Some(true)
            }
        );
        assert_eq!(
            found[1],
            Cpu {
                index: 1,
                pc: 0xfff0,
                halted: Some(false)
            }
        );
        let arm =
            "\r\nCPU#0\r\n PC=ffffffff80200200 X00=0000000000000000 X01=0\r\nPSTATE=600003c5 -ZC- EL1h\r\n";
        assert_eq!(
            parse(arm),
            [Cpu {
                index: 0,
                pc: 0xffff_ffff_8020_0200,
                halted: None
            }]
        );
        assert_eq!(parse("nonsense"), []);
    }

    #[test]
    fn only_arm_vectors_look_lost() {
        assert!(
            Cpu {
                index: 0,
                pc: 0x200,
                halted: None
            }
            .may_be_lost()
        );
        assert!(
            Cpu {
                index: 0,
                pc: 0x4000_0a00,
                halted: None
            }
            .may_be_lost()
        );
        assert!(
            !Cpu {
                index: 0,
                pc: 0,
                halted: None
            }
            .may_be_lost(),
            "switched off"
        );
        assert!(
            !Cpu {
                index: 0,
                pc: 0x200,
                halted: Some(false)
            }
            .may_be_lost(),
            "x86"
        );
    }

    #[test]
    fn cpus_at_one_place_share_a_line() {
        let cpu = |index, pc| Cpu {
            index,
            pc,
            halted: Some(true),
        };
        let text = describe(
            &[cpu(0, 16), cpu(1, 32), cpu(2, 32), cpu(3, 32), cpu(7, 32)],
            &Console::new(Show::Hidden, None),
        );
        assert_eq!(text, "  CPU 0: halted pc=0x10\n  CPU 1-3,7: halted pc=0x20");
    }
}
