mod fixtures;
mod madt;
mod mutants;
mod power;
mod support;
mod tables;
