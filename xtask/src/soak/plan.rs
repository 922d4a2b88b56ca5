//! What one run does, all of it from its seed.

use std::collections::BTreeSet;
use std::fmt;

use super::random::Random;
use crate::arch::Arch;
use crate::kernel::Flavour;
use crate::vm::judge::End;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub arch: Arch,
    pub smp: bool,
    pub cpus: u32,
    pub machine: Option<&'static str>,
    /// Whether a panic leaves the machine as it is, to be audited.
    pub stays: bool,
    /// A CPU that is off when the end comes.
    pub off: Option<u32>,
    /// CPUs that spin with their interrupts off when the end comes.
    pub deaf: BTreeSet<u32>,
    /// How the run may end: more than one way if several CPUs end it at once.
    pub ends: BTreeSet<Ending>,
    /// The monitor's commands.
    pub script: String,
}

/// A way to end a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    Panic,
    Reboot,
    Poweroff,
    Halt,
}

impl Ending {
    /// As the judge of runs calls it.
    pub const fn end(self) -> End {
        match self {
            Self::Panic => End::Panic,
            Self::Reboot => End::Reboot,
            Self::Poweroff => End::Poweroff,
            Self::Halt => End::Halt,
        }
    }
}

/// The kernels that run: as developers build them, with every assertion in.
pub const fn flavour(arch: Arch, smp: bool) -> Flavour {
    Flavour {
        arch,
        smp,
        release: false,
        faults: false,
    }
}

/// Commands that end a kernel. Failures outnumber plain ends as they do in the list of what can go wrong.
const ENDINGS: [(&str, Ending); 12] = [
    ("panic", Ending::Panic),
    ("panic", Ending::Panic),
    ("crash", Ending::Panic),
    ("crash", Ending::Panic),
    ("fault null", Ending::Panic),
    ("fault undef", Ending::Panic),
    ("fault stack", Ending::Panic),
    ("fault canary", Ending::Panic),
    ("reboot", Ending::Reboot),
    ("reboot", Ending::Reboot),
    ("poweroff", Ending::Poweroff),
    ("halt", Ending::Halt),
];

impl Plan {
    /// The run of `seed`, on one of `archs`.
    pub fn new(seed: u64, archs: &[Arch]) -> Self {
        // A stream of its own, so that a run is the same whether its architecture was chosen or given.
        let arch = Random::new(!seed).one(archs);
        let mut random = Random::new(seed);
        let smp = !random.percent(6);
        let mut plan = Self {
            seed,
            arch,
            smp,
            cpus: random.one(&[1, 2, 2, 3, 4, 4, 5, 6, 8, 8, 12, 16]),
            machine: machine_of(arch, &mut random),
            stays: random.percent(60),
            off: None,
            deaf: BTreeSet::new(),
            ends: BTreeSet::new(),
            script: String::new(),
        };
        if plan.machine == Some("gic-version=2") {
            plan.cpus = plan.cpus.min(8);
        }
        let before = plan.workload(&mut random);
        let end = plan.ending(&mut random);
        plan.script = before.into_iter().chain(end).collect::<Vec<_>>().join(";");
        plan
    }

    pub const fn flavour(&self) -> Flavour {
        flavour(self.arch, self.smp)
    }

    /// The kernel's command line.
    pub fn append(&self) -> String {
        let panic = if self.stays { 0 } else { -1 };
        // The machines share the host: a CPU whose thread does not run for a while is no finding.
        let grace = if self.smp { " stop_grace=500" } else { "" };
        format!("panic={panic}{grace} \"run={}\"", self.script)
    }

    /// Whether nothing reaches a CPU with its interrupts off.
    pub fn has_one_rung(&self) -> bool {
        self.machine == Some("gic-version=2")
    }

    /// CPUs the kernel runs on.
    const fn online(&self) -> u32 {
        if self.smp { self.cpus } else { 1 }
    }

    /// CPUs that can be told to do something.
    fn able(&self) -> Vec<u32> {
        let able = |cpu: &u32| self.off != Some(*cpu) && !self.deaf.contains(cpu);
        (0..self.online()).filter(able).collect()
    }

    fn any_cpu(&self, random: &mut Random) -> u32 {
        random.one(&self.able())
    }

    /// What goes on until the end. CPU 0 keeps to the monitor.
    fn workload(&mut self, random: &mut Random) -> Vec<String> {
        let mut steps = Vec::new();
        if self.smp && self.cpus > 1 {
            if random.percent(25) {
                let cpu = 1 + random.below(self.cpus - 1);
                steps.push(format!("hotplug {cpu} {}", 1 + random.below(5)));
            }
            if random.percent(25) {
                let cpu = 1 + random.below(self.cpus - 1);
                steps.push(format!("offline {cpu}"));
                if random.percent(60) {
                    steps.push(format!("online {cpu}"));
                } else {
                    self.off = Some(cpu);
                }
            }
        }
        for _ in 0..random.below(4) {
            steps.push(match random.below(5) {
                0 => "busy all".into(),
                1 => format!("busy {}", self.any_cpu(random)),
                2 => format!("sleep {}", 1 + random.below(20)),
                3 => "threads".into(),
                _ => format!("on {} cpus", self.any_cpu(random)),
            });
        }
        if self.online() > 2 && random.percent(30) {
            for _ in 0..=random.below(2) {
                let cpu = self.any_cpu(random);
                if cpu != 0 {
                    self.deaf.insert(cpu);
                }
            }
        }
        if !self.deaf.is_empty() {
            let list: Vec<String> = self.deaf.iter().map(u32::to_string).collect();
            steps.push(format!("irqsoff {}", list.join(",")));
        }
        steps
    }

    /// One CPU ends the kernel, or several do at about the same time. Those that are deaf cannot.
    fn ending(&mut self, random: &mut Random) -> Vec<String> {
        let able = self.able();
        let several = random.percent(35);
        if !several {
            let (command, ending) = random.one(&ENDINGS);
            self.ends.insert(ending);
            let cpu = random.one(&able);
            return vec![format!("on {cpu} {command}")];
        }
        let soon = 2 + random.below(10);
        let count = 2 + random.below(3);
        let mut steps: Vec<String> = (0..count)
            .map(|_| {
                let (command, ending) = random.one(&ENDINGS);
                self.ends.insert(ending);
                let cpu = random.one(&able);
                format!("later {} {cpu} {command}", soon + random.below(2))
            })
            .collect();
        steps.push("sleep 60000".into());
        steps
    }
}

fn machine_of(arch: Arch, random: &mut Random) -> Option<&'static str> {
    match arch {
        Arch::X86_64 | Arch::I386 => None,
        Arch::Aarch64 => random.one(&[
            None,
            None,
            Some("gic-version=2"),
            Some("virtualization=on"),
            Some("secure=on"),
        ]),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = self.flavour().build();
        let machine = self.machine.unwrap_or("");
        write!(
            f,
            "{} {build}-{} {machine} {}",
            self.arch,
            self.cpus,
            self.append()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_run() {
        for seed in 0..500 {
            let plan = Plan::new(seed, &Arch::ALL);
            assert_eq!(plan, Plan::new(seed, &[plan.arch]), "replayed with --arch");
            assert!(!plan.ends.is_empty() && !plan.script.contains('"'));
            assert!(!plan.deaf.contains(&0), "the monitor's CPU");
            assert!(
                plan.deaf
                    .iter()
                    .all(|cpu| *cpu < plan.cpus && plan.off != Some(*cpu))
            );
            let told = |cpu: u32| {
                [format!("on {cpu} "), format!("busy {cpu};")]
                    .iter()
                    .any(|order| plan.script.contains(order))
            };
            assert!(
                !plan.off.is_some_and(told),
                "{plan}: a CPU that is off is told nothing"
            );
        }
    }

    #[test]
    fn every_kind_of_run_comes_up() {
        let plans: Vec<Plan> = (0..500).map(|seed| Plan::new(seed, &Arch::ALL)).collect();
        let some = |is: &dyn Fn(&Plan) -> bool| assert!(plans.iter().any(is));
        for arch in Arch::ALL {
            some(&|plan| plan.arch == arch && !plan.smp);
            some(&|plan| plan.arch == arch && plan.smp && plan.stays && plan.cpus == 16);
        }
        some(&|plan| plan.has_one_rung() && !plan.deaf.is_empty());
        some(&|plan| plan.ends.len() > 1);
        some(&|plan| plan.off.is_some() && !plan.deaf.is_empty());
        for ending in [Ending::Panic, Ending::Reboot, Ending::Poweroff, Ending::Halt] {
            some(&|plan| plan.ends.iter().eq([&ending]));
        }
    }
}
