//! Whether CPUs that stand still need memory to do so: all that a next kernel may use is overwritten, they are woken, and
//! must stand as they stood.
//!
//! What a next kernel must leave alone is the park page and the tables by which a parked CPU sees it; on x86 also the page
//! that takes an NMI's frame, whose content matters to nobody: it is overwritten like the rest, and what a CPU has put there
//! since shows that it took the NMI. A CPU that is off needs nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use anyhow::{Context, Result};
use serde::Serialize;
use smp_stop::RungKind;
use smp_stop::report::{Report, Via};

use super::machine::{Places, Seen, Shows, Vcpu};
use super::{pass_time, wake};
use crate::arch::Arch;
use crate::guest::memory::{Cache, PAGE};
use crate::guest::registers;
use crate::kernel::elf::Elf;
use crate::vm::gdb::Stub;
use crate::vm::qmp::Qmp;

/// No instruction that does any good, no entry of a page table that is valid, no address that is mapped.
pub(super) const POISON: u8 = 0xcc;

/// How much of memory is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What a next kernel may use.
    Reusable,
    /// All of it: the negative control. A CPU that is woken then must not stand as it stood.
    Everything,
}

/// What was overwritten, and who was woken since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overwritten {
    pub kib: u64,
    /// Physical addresses of the pages that were left.
    pub kept: Vec<u64>,
    /// The kernel's numbers of those that executed something since.
    pub woken: Vec<u32>,
}

impl fmt::Display for Overwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |cpus: &[u32]| match cpus {
            [] => "nobody".to_owned(),
            cpus => cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        };
        let (kib, kept) = (self.kib, self.kept.len());
        write!(
            f,
            "memory: {kib} KiB overwritten, {kept} pages left; woken since: {}",
            list(&self.woken)
        )
    }
}

/// A machine that stands, and has been audited.
pub(super) struct Standing<'a> {
    pub arch: Arch,
    pub elf: &'a Elf,
    pub qmp: &'a mut Qmp,
    pub stub: &'a mut Stub,
    pub places: &'a Places,
    pub roster: &'a [Vcpu],
    pub report: Report<'a>,
}

/// A CPU that must stand as it stands.
pub(super) struct Standee {
    pub vcpu: Vcpu,
    pub seen: Seen,
    pub shows: Shows,
    /// The kernel's number.
    pub cpu: Option<u32>,
    /// Whether a non-maskable interrupt stopped it: then it takes no other.
    pub has_taken_nmi: bool,
}

impl Standing<'_> {
    /// Overwrites memory, wakes those that are parked, and says what was not as it must be.
    ///
    /// # Errors
    /// When the machine does not let itself be looked at any more.
    pub fn survive(&mut self, extent: Extent) -> Result<(Overwritten, Vec<String>)> {
        let standees = self.standees()?;
        let kept = match extent {
            Extent::Reusable => self.needed(&standees)?,
            Extent::Everything => BTreeSet::new(),
        };
        let kib = self.overwrite(&kept)?;
        let mut findings = Vec::new();
        let woken = wake::all(self, &standees, &mut findings)?;
        pass_time(self.stub, self.qmp)?;
        for standee in &standees {
            let seen = Seen::look(self.stub, self.arch, standee.vcpu.index)?;
            if seen != standee.seen {
                findings.push(format!(
                    "QEMU's CPU {}: memory was overwritten, and then it was {} at {:#x}, not {} at {:#x}",
                    standee.vcpu.index,
                    self.places.judge(&seen).describe(),
                    seen.pc,
                    standee.shows.describe(),
                    standee.seen.pc
                ));
            }
        }
        let kept = kept.into_iter().collect();
        Ok((Overwritten { kib, kept, woken }, findings))
    }

    /// Everybody who stands still.
    fn standees(&mut self) -> Result<Vec<Standee>> {
        let mut standees = Vec::new();
        for vcpu in self.roster {
            let seen = Seen::look(self.stub, self.arch, vcpu.index)?;
            let row = self.report.rows().find(|row| row.hw_id == vcpu.hw_id);
            standees.push(Standee {
                vcpu: *vcpu,
                shows: self.places.judge(&seen),
                seen,
                cpu: row.as_ref().map(|row| row.cpu.as_u32()),
                has_taken_nmi: row.is_some_and(|row| row.via == Some(Via::Signal(RungKind::NonMaskable))),
            });
        }
        standees.retain(|standee| standee.shows.stands_still());
        Ok(standees)
    }

    /// The pages without which a parked CPU could not go on standing: the park page, and the tables that lead to it and to
    /// where an NMI's frame goes.
    fn needed(&mut self, standees: &[Standee]) -> Result<BTreeSet<u64>> {
        let park = self.elf.symbol("park_page").context("no park page")?;
        let frame = self.elf.symbol("park_frame");
        let mut cpus = registers::parse(&self.qmp.human("info registers -a")?);
        let mut needed = BTreeSet::new();
        for standee in standees.iter().filter(|standee| standee.shows == Shows::Parked) {
            let index = standee.vcpu.index;
            let cpu = cpus.iter_mut().find(|cpu| cpu.index == index);
            let cpu = cpu.with_context(|| format!("QEMU does not tell of CPU {index}"))?;
            if !self.arch.is_x86() {
                for (name, value) in self.stub.system_registers(index, &registers::ARM_SYSTEM)? {
                    cpu.set(&name, value);
                }
            }
            let space = cpu.space(self.arch);
            let mut source = self.stub.physical()?;
            let memory = Cache::new(&mut source);
            for va in [Some(park), frame].into_iter().flatten() {
                let walk = space.walk(&memory, va).context("tables of an unknown kind")?;
                let page = walk
                    .page
                    .with_context(|| format!("CPU {index} does not see {va:#x}"))?;
                needed.extend(walk.steps.iter().map(|step| step.table & !(PAGE - 1)));
                needed.extend((va == park).then_some(page.pa & !(PAGE - 1)));
            }
        }
        Ok(needed)
    }

    /// Overwrites all memory but these pages. Returns how many KiB. The CPUs forget what they remember of their tables.
    fn overwrite(&mut self, kept: &BTreeSet<u64>) -> Result<u64> {
        let ram = ram(&self.qmp.human("info mtree -f")?).context("QEMU does not tell where RAM is")?;
        let mut bytes = 0;
        let mut memory = self.stub.physical()?;
        for range in ram.iter().flat_map(|range| around(range, kept)) {
            bytes += range.end - range.start;
            memory.fill(range, POISON)?;
        }
        drop(memory);
        wake::forget(self)?;
        Ok(bytes >> 10)
    }
}

/// `range` without the pages `kept`.
fn around(range: &Range<u64>, kept: &BTreeSet<u64>) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let mut at = range.start;
    for page in kept.range(range.clone()) {
        parts.push(at..*page);
        at = page + PAGE;
    }
    parts.push(at..range.end);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Where there is RAM, as the monitor tells it: `0000000000100000-0000000003ffffff (prio 0, ram): pc.ram @...`, in the view
/// of what is called `memory`.
fn ram(text: &str) -> Option<Vec<Range<u64>>> {
    ranges(text, "memory", |kind| kind.contains(", ram)"))
}

/// The ranges of an address space whose description `is` wanted.
pub(super) fn ranges(text: &str, space: &str, is: impl Fn(&str) -> bool) -> Option<Vec<Range<u64>>> {
    let name = format!("AS \"{space}\"");
    let view = text.split("FlatView #").find(|view| view.contains(&name))?;
    let range = |line: &str| {
        let (range, kind) = line.trim().split_once(' ')?;
        let (first, last) = range.split_once('-')?;
        let [first, last] = [first, last].map(|digits| u64::from_str_radix(digits, 16).ok());
        is(kind).then_some(first?..last?.checked_add(1)?)
    };
    Some(view.lines().filter_map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ram_is_what_the_machine_calls_so() {
        let text = "FlatView #0\n AS \"I/O\", root: io\n  0000000000000000-000000000000ffff (prio 0, ram): no\n\
            FlatView #1\n AS \"memory\", root: system\n AS \"cpu-memory-0\", root: system\n\
            \x20 0000000000000000-000000000009ffff (prio 0, ram): pc.ram\n\
            \x20 00000000000c0000-00000000000dffff (prio 1, rom): pc.rom\n\
            \x20 0000000000100000-0000000003ffffff (prio 0, ram): pc.ram @0000000000100000\n\
            \x20 00000000080a0000-000000000811ffff (prio 0, i/o): gicv3_redist_region[0]\n";
        assert_eq!(ram(text), Some(vec![0..0xa_0000, 0x10_0000..0x400_0000]));
        let redistributors = ranges(text, "memory", |kind| kind.contains("redist")).unwrap();
        assert_eq!((redistributors[0].start, redistributors.len()), (0x80a_0000, 1));
        assert_eq!(ram(""), None);
    }

    #[test]
    fn kept_pages_are_gone_around() {
        let kept = BTreeSet::from([0x1000, 0x3000, 0x4000, 0x9000]);
        assert_eq!(
            around(&(0..0x5000), &kept),
            [0..0x1000, 0x2000..0x3000],
            "a page at the end leaves nothing behind it"
        );
        assert_eq!(around(&(0x8000..0xb000), &kept), [0x8000..0x9000, 0xa000..0xb000]);
        assert_eq!(around(&(0x1000..0x2000), &kept), []);
    }
}
