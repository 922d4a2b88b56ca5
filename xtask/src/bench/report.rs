//! The figures as tables, in Markdown: the same on a terminal and in a document.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::boot::Counted;
use super::builds::Builds;
use super::linux;
use crate::arch::Arch;

/// Bytes of an architecture's images, UP and SMP.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Images {
    pub arch: Arch,
    pub up: u64,
    pub smp: u64,
}

/// All that was measured.
#[derive(Debug, serde::Serialize)]
pub struct Figures {
    pub qemu: String,
    pub rustc: String,
    pub counted: Vec<Counted>,
    pub images: Vec<Images>,
    pub builds: Vec<Builds>,
    /// Whether a second count of the same boots gave the same figures.
    pub repeatable: bool,
}

impl Figures {
    /// The document.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Performance\n\n\
            Written by `cargo xtask bench boot --out docs/performance.md`: QEMU {}, rustc {}, optimised kernels.\n\n\
            Instructions are those that all CPUs executed, counted by `xtask/counter`. Under `-icount shift=0,sleep=off` each of\n\
            them also takes one virtual nanosecond, so that a run is the same every time ({}); virtual time includes what all CPUs\n\
            spend waiting. Linux is Debian's 6.1 in the same QEMU, counted to its `/init`; per secondary CPU with 8 CPUs and its\n\
            delay calibration left out (`lpj=`).\n",
            self.qemu,
            self.rustc,
            if self.repeatable {
                "counted twice, equal"
            } else {
                "**counted twice, not equal**"
            },
        );
        let _ = write!(text, "\n## Entry to readiness, 1 CPU\n\n{}\n", self.boots());
        let _ = write!(text, "\n## More CPUs\n\n{}\n", self.bring_up());
        let _ = write!(text, "\n## Size\n\n{}\n", self.sizes());
        if !self.builds.is_empty() {
            let _ = write!(
                text,
                "\n## Build time of an unoptimised SMP kernel, wall time\n\n{}\n",
                self.times()
            );
        }
        text
    }

    pub fn boots(&self) -> Table {
        let mut table = table(&["", "build", "instructions", "virtual ns", "Linux", "of Linux"]);
        for one in self.counted.iter().filter(|one| one.cpus == 1) {
            let linux = linux::of(one.flavour.arch);
            table.add_row([
                one.flavour.arch.to_string(),
                one.flavour.build().to_uppercase(),
                grouped(one.executed),
                grouped(one.ready_ns),
                format!("{} ({})", grouped(linux.boot), linux.name),
                ratio(one.executed, linux.boot),
            ]);
        }
        table
    }

    pub fn bring_up(&self) -> Table {
        let mut table = table(&[
            "",
            "CPUs",
            "entry to readiness",
            "virtual ns",
            "bring-up, virtual ns",
            "per secondary",
            "Linux",
            "of Linux",
            "per-CPU bytes",
        ]);
        for one in self.counted.iter().filter(|one| one.flavour.smp && one.cpus > 1) {
            let linux = linux::of(one.flavour.arch);
            let each = one.per_secondary();
            table.add_row([
                one.flavour.arch.to_string(),
                one.cpus.to_string(),
                grouped(one.executed),
                grouped(one.ready_ns),
                grouped(one.bring_up_ns),
                each.map_or_else(|| "-".into(), grouped),
                grouped(linux.secondary),
                ratio(each.unwrap_or_default(), linux.secondary),
                grouped(one.percpu_bytes),
            ]);
        }
        table
    }

    pub fn sizes(&self) -> Table {
        let mut table = table(&[
            "",
            "image UP",
            "image SMP",
            "Linux",
            "of Linux",
            "KiB in use, 1 CPU",
            "Linux",
            "of Linux",
        ]);
        for images in &self.images {
            let linux = linux::of(images.arch);
            let one = self
                .counted
                .iter()
                .find(|one| one.flavour.arch == images.arch && one.flavour.smp && one.cpus == 1);
            let memory = one.map_or(0, |one| one.mem_used_kib);
            table.add_row([
                images.arch.to_string(),
                grouped(images.up),
                grouped(images.smp),
                grouped(linux.image),
                ratio(images.smp, linux.image),
                grouped(memory),
                grouped(linux.memory),
                ratio(memory, linux.memory),
            ]);
        }
        table
    }

    fn times(&self) -> Table {
        let mut table = table(&["", "from nothing", "after a change"]);
        for one in &self.builds {
            let seconds = |time: std::time::Duration| format!("{:.1} s", time.as_secs_f32());
            table.add_row([
                one.flavour.arch.to_string(),
                seconds(one.cold),
                seconds(one.incremental),
            ]);
        }
        table
    }
}

pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As a share people can grasp: `1/250` below one, `1.5 x` from there on.
pub fn ratio(ours: u64, theirs: u64) -> String {
    match theirs.checked_div(ours) {
        None => "-".into(),
        Some(0 | 1) => format!("{:.2} x", ours as f64 / theirs as f64),
        Some(times) => format!("1/{times}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(ratio(10, 1000), "1/100");
        assert_eq!(ratio(1500, 1000), "1.50 x");
        assert_eq!(ratio(0, 1000), "-");
    }
}
