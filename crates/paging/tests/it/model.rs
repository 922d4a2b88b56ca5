//! What should be mapped: a list of runs.

use paging::Mapping;

/// Runs of mapped addresses, in order, merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model(pub Vec<Mapping>);

fn end(mapping: &Mapping) -> u128 {
    mapping.va as u128 + mapping.len as u128
}

/// The part of a mapping that lies in `va..end`.
fn clip(m: &Mapping, va: u64, limit: u128) -> Option<Mapping> {
    let start = m.va.max(va);
    let stop = end(m).min(limit);
    let len = stop.checked_sub(start as u128).filter(|&len| len > 0)?;
    Some(Mapping {
        va: start,
        pa: m.pa + (start - m.va),
        len: len as u64,
        ..*m
    })
}

impl Model {
    /// What is mapped in the range.
    pub fn within(&self, va: u64, len: u64) -> Model {
        let limit = va as u128 + len as u128;
        Model(self.0.iter().filter_map(|m| clip(m, va, limit)).collect())
    }

    pub fn remove(&mut self, va: u64, len: u64) {
        let limit = va as u128 + len as u128;
        let before = self.0.iter().filter_map(|m| clip(m, 0, va.into()));
        let after = self
            .0
            .iter()
            .filter_map(|m| clip(m, u64::try_from(limit).ok()?, u128::MAX));
        self.0 = before.chain(after).collect();
        self.merge();
    }

    pub fn add(&mut self, all: &Model) {
        self.0.extend(&all.0);
        self.0.sort_by_key(|m| m.va);
        self.merge();
    }

    pub fn merge(&mut self) {
        self.0.dedup_by(|next, run| {
            let joins = end(run) == next.va as u128
                && (run.pa + run.len, run.prot, run.cache) == (next.pa, next.prot, next.cache);
            run.len += if joins { next.len } else { 0 };
            joins
        });
    }

    pub fn total(&self) -> u64 {
        self.0.iter().map(|m| m.len).sum()
    }
}
