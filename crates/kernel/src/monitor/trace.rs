//! The monitor's `trace`: what CPUs did, in the order of time, and what is recorded.

use alloc::vec::Vec;

use ::trace::Entry;

use crate::cpu::{CpuId, POSSIBLE};
use crate::trace::{TRACE, choose};
use crate::{clock, println};

/// An event, and whose ring it was in; `None`: in that of the time before there were others.
type Told = (Option<CpuId>, Entry);

/// `trace`, `trace CPU[,CPU]`, or `trace WORDS` as in `trace=`.
pub(super) fn run(text: &str) -> Result<(), &'static str> {
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text != "all" {
        return choose(text);
    }
    let cpus = match text {
        "" | "all" => POSSIBLE.snapshot(),
        list => list
            .parse()
            .map_err(|_| "neither a list of CPUs nor words of trace=")?,
    };
    let mut told: Vec<Told> = Vec::new();
    if cpus.test(CpuId::BOOT) {
        told.extend(TRACE.first_ring().events().map(|entry| (None, entry)));
    }
    for cpu in cpus.iter() {
        let ring = TRACE.rings().get(cpu.as_usize()).into_iter();
        told.extend(
            ring.flat_map(|ring| ring.events())
                .map(|entry| (Some(cpu), entry)),
        );
    }
    told.sort_by_key(|(_, entry)| entry.cycles);
    told.iter().for_each(show);
    lost(&told);
    Ok(())
}

fn show((cpu, entry): &Told) {
    let ns = clock::ns_at(entry.cycles);
    let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
    let cpu = cpu.unwrap_or(CpuId::BOOT);
    println!("[{seconds:>5}.{rest:09}] CPU {cpu:<3} {}", entry.event);
}

/// Says how many events of these CPUs are gone.
fn lost(told: &[Told]) {
    let recorded: u64 = TRACE.rings().iter().map(|ring| u64::from(ring.recorded())).sum();
    let all = recorded + u64::from(TRACE.first_ring().recorded());
    println!("{} events shown, {all} recorded by all CPUs", told.len());
}
