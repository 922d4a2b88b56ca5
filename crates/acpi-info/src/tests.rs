mod fixtures;
mod madt;
mod mutants;
mod odd;
mod power;
mod support;
mod tables;
