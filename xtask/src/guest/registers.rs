//! The registers of a guest's CPUs, as QEMU's monitor prints them (`info registers -a`), and the address space they make.

use std::collections::BTreeMap;

use super::space::{ArmHalf, Kind, Root, Space};
use crate::arch::Arch;

/// One CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// QEMU's number.
    pub index: u32,
    /// By name, as QEMU prints it.
    values: BTreeMap<String, u64>,
    segments: BTreeMap<String, Segment>,
}

/// A segment register of x86, or one of the registers that hold a descriptor table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub selector: u64,
    pub base: u64,
    pub limit: u64,
    /// The descriptor's upper half, as QEMU keeps it.
    pub flags: u64,
}

/// How an x86 CPU reads its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Real,
    /// Protected mode or compatibility mode, with operands of 16 or 32 bits.
    Protected(u32),
    Long,
}

/// What has to be added to what QEMU's monitor prints of an aarch64 CPU, as its gdb server calls it.
pub const ARM_SYSTEM: [&str; 9] = [
    "SCTLR",
    "TCR_EL1",
    "TTBR0_EL1",
    "TTBR1_EL1",
    "VBAR",
    "ESR_EL1",
    "FAR_EL1",
    "ELR_EL1",
    "SPSR_EL1",
];

const SEGMENTS: [&str; 10] = ["ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR", "GDT", "IDT"];

/// Reads the monitor's text. What makes no sense in it is passed over.
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
                ..Cpu::default()
            });
        } else if let Some(cpu) = cpus.last_mut() {
            cpu.read(line);
        }
    }
    cpus
}

impl Cpu {
    /// A CPU of which nothing is known.
    #[cfg(test)]
    pub fn new(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

    fn read(&mut self, line: &str) {
        // `R8 =0000`, `CS =0010 base limit flags`.
        let line = line.replace(" =", "=");
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((name, value)) = words.first().and_then(|word| word.split_once('=')) else {
            return;
        };
        if SEGMENTS.contains(&name) {
            let segment = segment(name, value, &words[1..]);
            self.segments.insert(name.to_owned(), segment);
            return;
        }
        let pairs = words.iter().filter_map(|word| word.split_once('='));
        for (name, value) in pairs {
            if let Ok(value) = u64::from_str_radix(value, 16) {
                self.values.insert(name.to_owned(), value);
            }
        }
    }

    /// Adds, or changes, a register.
    pub fn set(&mut self, name: &str, value: u64) {
        self.values.insert(name.to_owned(), value);
    }

    /// The register called `name`.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.values.get(name).copied()
    }

    /// The first of `names` that there is; 0 if none is.
    fn any(&self, names: &[&str]) -> u64 {
        names.iter().find_map(|name| self.get(name)).unwrap_or(0)
    }

    /// Program counter.
    pub fn pc(&self) -> u64 {
        self.any(&["RIP", "EIP", "PC"])
    }

    /// Stack pointer.
    pub fn sp(&self) -> u64 {
        self.any(&["RSP", "ESP", "SP"])
    }

    /// Frame pointer.
    pub fn fp(&self) -> u64 {
        self.any(&["RBP", "EBP", "X29"])
    }

    /// Whether it waits for an interrupt or a start. On aarch64 the monitor does not tell: somebody else has to add it.
    pub fn halted(&self) -> Option<bool> {
        self.get("HLT").map(|halted| halted != 0)
    }

    /// The segment register, or descriptor table, called `name`.
    pub fn segment(&self, name: &str) -> Segment {
        self.segments.get(name).copied().unwrap_or_default()
    }

    /// How it reads its instructions.
    pub fn mode(&self) -> Mode {
        /// CR0.PE.
        const PROTECTED: u64 = 1 << 0;
        /// Of a code segment's descriptor: L, D.
        const LONG: u64 = 1 << 21;
        const DEFAULT_32: u64 = 1 << 22;
        let code = self.segment("CS").flags;
        match () {
            () if self.any(&["CR0"]) & PROTECTED == 0 => Mode::Real,
            () if self.is_long() && code & LONG != 0 => Mode::Long,
            () if code & DEFAULT_32 != 0 => Mode::Protected(32),
            () => Mode::Protected(16),
        }
    }

    /// EFER.LMA.
    fn is_long(&self) -> bool {
        self.any(&["EFER"]) & 1 << 10 != 0
    }

    /// How it finds its way from addresses to memory.
    pub fn space(&self, arch: Arch) -> Space {
        if arch.is_x86() {
            self.x86_space()
        } else {
            self.arm_space()
        }
    }

    fn x86_space(&self) -> Space {
        // CR0.PG; CR4.PSE, PAE, LA57; EFER.NXE.
        let [pg, pse, pae, la57, nxe] = [31, 4, 5, 12, 11].map(|bit| 1_u64 << bit);
        let (cr3, cr4) = (self.any(&["CR3"]), self.any(&["CR4"]));
        if self.any(&["CR0"]) & pg == 0 {
            return Space::Physical;
        }
        let nx = self.any(&["EFER"]) & nxe != 0;
        let page = cr3 & 0x000f_ffff_ffff_f000;
        Space::One(match (cr4 & pae != 0, self.is_long(), cr4 & la57 != 0) {
            (false, ..) => Root {
                kind: Kind::Legacy { pse: cr4 & pse != 0 },
                pa: page,
            },
            (true, false, _) => Root {
                kind: Kind::Pae { nx },
                pa: cr3 & 0xffff_ffe0,
            },
            (true, true, false) => Root {
                kind: Kind::Long { nx },
                pa: page,
            },
            (true, true, true) => Root {
                kind: Kind::FiveLevels { nx },
                pa: page,
            },
        })
    }

    /// From the system registers, which the monitor does not print: somebody else has to add them.
    fn arm_space(&self) -> Space {
        let (Some(control), Some(tcr)) = (self.get("SCTLR"), self.get("TCR_EL1")) else {
            return Space::Unknown;
        };
        /// SCTLR_EL1.M.
        const MMU: u64 = 1 << 0;
        // T0SZ and T1SZ are 16, TG0 says 4 KiB (0), TG1 too (2).
        let usual = tcr & 0x3f == 16 && tcr >> 16 & 0x3f == 16 && tcr >> 14 & 3 == 0 && tcr >> 30 & 3 == 2;
        let root = |name, half| Root {
            kind: Kind::Arm(half),
            pa: self.any(&[name]) & 0x0000_ffff_ffff_f000,
        };
        match () {
            () if control & MMU == 0 => Space::Physical,
            () if usual => Space::Two {
                lower: root("TTBR0_EL1", ArmHalf::Lower),
                upper: root("TTBR1_EL1", ArmHalf::Upper),
            },
            () => Space::Unknown,
        }
    }
}

/// `CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]`, or without a selector `IDT=     base limit`.
fn segment(name: &str, first: &str, rest: &[&str]) -> Segment {
    let hex = |text: Option<&&str>| {
        text.and_then(|text| u64::from_str_radix(text, 16).ok())
            .unwrap_or(0)
    };
    let table = matches!(name, "GDT" | "IDT");
    Segment {
        selector: if table { 0 } else { hex(Some(&first)) },
        base: hex(rest.first()),
        limit: hex(rest.get(1)),
        flags: if table { 0 } else { hex(rest.get(2)) },
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Recorded from QEMU 7.2: a CPU in 64-bit mode, and one that waits to be started.
    pub const X86_64: &str = "\r
CPU#0\r
RAX=0000000000000000 RBX=ffff88800123d0a8 RCX=0000000000000064 RDX=0000000000000001\r
RSI=0000000000000001 RDI=ffffffff8022b3c0 RBP=ffffc90000012e70 RSP=ffffc90000012e58\r
R8 =0000000000000018 R9 =0000000000000000 R10=0000000000000000 R11=0000000000000000\r
R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=0000000000000000\r
RIP=ffffffff8000fe54 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r
ES =0000 0000000000000000 00000000 00000000\r
CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r
SS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
DS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
FS =0000 0000000000000000 00000000 00000000\r
GS =0000 ffffc90000000000 00000000 00000000\r
LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT\r
TR =0028 ffffc90000000140 00000067 00008b00 DPL=0 TSS64-busy\r
GDT=     ffffc900000001c0 00000037\r
IDT=     ffffc90000012e66 00000000\r
CR0=80050033 CR2=0000000000000000 CR3=000000000fffb000 CR4=000000a0\r
DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r
DR6=00000000ffff0ff0 DR7=0000000000000400\r
CCS=0000000000000044 CCD=0000000000000000 CCO=EFLAGS\r
EFER=0000000000000d00\r
FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r
\r
CPU#1\r
EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\r
ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000\r
EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\r
ES =0000 00000000 0000ffff 00009300\r
CS =f000 ffff0000 0000ffff 00009b00\r
GDT=     00000000 0000ffff\r
IDT=     00000000 0000ffff\r
CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\r
EFER=0000000000000000\r
";

    /// Recorded likewise, without the registers of the floating-point unit.
    pub const AARCH64: &str = "\r
CPU#0\r
 PC=0000000000000200 X00=ffffffff80101338 X01=0000000000000000\r
X02=0000000000000003 X29=ffff80000000ff20 X30=ffffffff80020fe4  SP=ffff80000000fef0\r
PSTATE=600003c5 -ZC- EL1h     FPU disabled\r
";

    #[test]
    fn registers_of_both_widths() {
        let cpus = parse(X86_64);
        assert_eq!(cpus.len(), 2);
        let [first, second] = [&cpus[0], &cpus[1]];
        assert_eq!(
            (first.pc(), first.sp(), first.fp()),
            (
                0xffff_ffff_8000_fe54,
                0xffff_c900_0001_2e58,
                0xffff_c900_0001_2e70
            )
        );
        assert_eq!(first.get("R8"), Some(0x18));
        assert_eq!((first.halted(), second.halted()), (Some(false), Some(true)));
        assert_eq!((first.mode(), second.mode()), (Mode::Long, Mode::Real));
        assert_eq!(first.segment("IDT").limit, 0);
        assert_eq!(first.segment("TR").base, 0xffff_c900_0000_0140);
        assert_eq!(first.segment("TR").selector, 0x28);
        assert_eq!(second.segment("CS").base, 0xffff_0000);
        assert_eq!(
            first.space(Arch::X86_64),
            Space::One(Root {
                kind: Kind::Long { nx: true },
                pa: 0x0fff_b000
            })
        );
        assert_eq!(second.space(Arch::X86_64), Space::Physical);
    }

    #[test]
    fn tables_of_i386_with_and_without_pae() {
        let mut cpu = Cpu::new(0);
        cpu.read("CR0=80010033 CR2=f1000000 CR3=00c05020 CR4=00000010");
        let root = |kind, pa| Space::One(Root { kind, pa });
        assert_eq!(cpu.space(Arch::I386), root(Kind::Legacy { pse: true }, 0xc0_5000));
        cpu.set("CR4", 0x20);
        assert_eq!(cpu.space(Arch::I386), root(Kind::Pae { nx: false }, 0xc0_5020));
        cpu.set("EFER", 0x800);
        assert_eq!(cpu.space(Arch::I386), root(Kind::Pae { nx: true }, 0xc0_5020));
        cpu.set("EFER", 0x500);
        cpu.set("CR4", 0x1020);
        assert_eq!(
            cpu.space(Arch::X86_64),
            root(Kind::FiveLevels { nx: false }, 0xc0_5000)
        );
    }

    #[test]
    fn aarch64_needs_its_system_registers() {
        let mut cpu = parse(AARCH64).remove(0);
        assert_eq!((cpu.pc(), cpu.sp()), (0x200, 0xffff_8000_0000_fef0));
        assert_eq!((cpu.fp(), cpu.halted()), (0xffff_8000_0000_ff20, None));
        assert_eq!(cpu.space(Arch::Aarch64), Space::Unknown);
        cpu.set("SCTLR", 0x30d0_0800);
        cpu.set("TCR_EL1", 0x5_b510_3510);
        assert_eq!(cpu.space(Arch::Aarch64), Space::Physical);
        cpu.set("SCTLR", 0x30d0_180d);
        cpu.set("TTBR1_EL1", 0x4fff_f000);
        let Space::Two { upper, .. } = cpu.space(Arch::Aarch64) else {
            panic!("{:?}", cpu.space(Arch::Aarch64));
        };
        assert_eq!(upper.pa, 0x4fff_f000);
        cpu.set("TCR_EL1", 0);
        assert_eq!(cpu.space(Arch::Aarch64), Space::Unknown);
    }

    #[test]
    fn nonsense_is_passed_over() {
        assert_eq!(parse("nonsense\nRIP=12"), []);
        let cpus = parse("CPU#0\nRIP=zz =\nCS =\nIDT=\nGDT= 1\n=\n");
        assert_eq!((cpus[0].pc(), cpus[0].segment("GDT").base), (0, 1));
    }
}
