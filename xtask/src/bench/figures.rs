//! The figures as pictures, for the report page.

use super::report::Figures as BootFigures;
use super::stop::{Figures as StopFigures, Load};
use super::{boot, linux};
use crate::arch::Arch;
use crate::report::page::{Line, Parts, Values};
use crate::report::{Figure, Page, Table};

type Points = Vec<(f64, f64)>;

fn line(name: String, points: Points) -> Line {
    Line {
        name,
        points,
        ..Line::default()
    }
}

/// Linux's line, in the colour of ours.
fn other(name: String, points: Points, colour: usize) -> Line {
    Line {
        name,
        points,
        dashed: true,
        colour: Some(colour),
    }
}

/// Of boots: by size, and what one is made of.
fn boots(figures: &BootFigures) -> Vec<Figure> {
    let counted = |arch: Arch| {
        figures
            .counted
            .iter()
            .filter(move |one| one.flavour.arch == arch && one.flavour.smp)
    };
    let archs: Vec<Arch> = Arch::ALL
        .into_iter()
        .filter(|arch| counted(*arch).next().is_some())
        .collect();
    let mut series: Vec<Line> = Vec::new();
    for arch in &archs {
        let points = counted(*arch).map(|one| (f64::from(one.cpus), one.executed as f64));
        series.push(line(arch.to_string(), points.collect()));
    }
    for (colour, arch) in archs.iter().enumerate() {
        let linux = linux::of(*arch);
        let of = |cpus: u32| linux.boot as f64 + linux.secondary as f64 * f64::from(cpus - 1);
        let points = counted(*arch).map(|one| (f64::from(one.cpus), of(one.cpus)));
        series.push(other(format!("Linux {}", linux.name), points.collect(), colour));
    }
    let rows: Vec<Parts> = archs
        .iter()
        .filter_map(|arch| parts(counted(*arch).find(|one| one.cpus == 8)?))
        .collect();
    let mut figures = vec![Figure::Lines {
        title: "Entry to readiness".into(),
        note: "instructions of all CPUs; Linux to its /init: counted with 1 CPU, and its figure for each further one".into(),
        x: "CPUs".into(),
        y: "instructions".into(),
        series,
    }];
    if !rows.is_empty() {
        figures.push(Figure::Phases {
            title: "What a boot with 8 CPUs is made of".into(),
            note: "virtual nanoseconds, one to each instruction; behind the bar the whole, and Linux's with 1 CPU".into(),
            rows,
        });
    }
    figures
}

fn parts(one: &boot::Counted) -> Option<Parts> {
    let linux = linux::of(one.flavour.arch).boot;
    (!one.phases.is_empty()).then(|| Parts {
        name: one.flavour.arch.to_string(),
        text: Some(format!(
            "{:.2}M, Linux {}M",
            one.ready_ns as f64 / 1e6,
            linux / 1_000_000
        )),
        parts: one.phases.clone(),
    })
}

/// The page of counted boots.
pub fn boot_page(figures: &BootFigures) -> Page {
    Page {
        tables: vec![
            Table::of("Entry to readiness, 1 CPU", &figures.boots()),
            Table::of("More CPUs", &figures.bring_up()),
            Table::of("Size", &figures.sizes()),
        ],
        figures: boots(figures),
        ..Page::new("Standstill: how long a boot takes")
    }
}

/// The page of stops.
pub fn stop_page(figures: &StopFigures) -> Page {
    let counted =
        (!figures.counted.is_empty()).then(|| Table::of("Instructions of all CPUs", &figures.counts()));
    let timed =
        (!figures.timed.is_empty()).then(|| Table::of("Microseconds by the guest's clock", &figures.times()));
    Page {
        tables: counted.into_iter().chain(timed).collect(),
        figures: stops(figures),
        ..Page::new("Standstill: how long a stop takes")
    }
}

/// Of stops: by size, and how many took how long.
fn stops(figures: &StopFigures) -> Vec<Figure> {
    let mut all: Vec<Figure> = Load::ALL
        .into_iter()
        .filter_map(|load| counts(figures, load))
        .collect();
    let mut sizes: Vec<u32> = figures.timed.iter().map(|one| one.cpus).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for cpus in sizes {
        all.extend(
            Load::ALL
                .into_iter()
                .filter_map(|load| times(figures, cpus, load)),
        );
    }
    all
}

fn counts(figures: &StopFigures, load: Load) -> Option<Figure> {
    let of = |arch: Arch| {
        figures
            .counted
            .iter()
            .filter(move |one| one.arch == arch && one.load == load)
    };
    let archs: Vec<Arch> = Arch::ALL
        .into_iter()
        .filter(|arch| of(*arch).next().is_some())
        .collect();
    let mut series: Vec<Line> = Vec::new();
    for arch in &archs {
        let points = of(*arch).map(|one| (f64::from(one.cpus), one.stop as f64));
        series.push(line(arch.to_string(), points.collect()));
    }
    for (colour, arch) in archs.iter().enumerate().filter(|_| load == Load::Busy) {
        let points =
            of(*arch).filter_map(|one| Some((f64::from(one.cpus), linux::stop(*arch, one.cpus)? as f64)));
        series.push(other(format!("Linux {arch}"), points.collect(), colour));
    }
    (!archs.is_empty()).then(|| Figure::Lines {
        title: format!("Request to all stopped, others {}", load.name()),
        note: "instructions of all CPUs together".into(),
        x: "CPUs".into(),
        y: "instructions".into(),
        series,
    })
}

fn times(figures: &StopFigures, cpus: u32, load: Load) -> Option<Figure> {
    let timed = figures
        .timed
        .iter()
        .filter(|one| one.cpus == cpus && one.load == load);
    let series: Vec<Values> = timed
        .map(|one| Values {
            name: one.arch.to_string(),
            values: one.took_ns.clone(),
        })
        .collect();
    (!series.is_empty()).then(|| Figure::Histogram {
        title: format!("{cpus} CPUs, others {}", load.name()),
        note: "how long a stop took by the guest's clock".into(),
        series,
    })
}
