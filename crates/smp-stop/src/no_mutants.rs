//! Outside of tests there are no seeded faults, and asking for one is a constant.

/// Whether the named fault is switched on: no.
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}
pub(crate) use mutant;
