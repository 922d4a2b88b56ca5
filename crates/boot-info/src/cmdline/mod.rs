//! The command line, in Linux's manner.
//!
//! Words are split at blanks; a word is `name` or `name=value`; a value, or a whole word, stands in
//! double quotes where it holds blanks; `-` and `_` are one letter in names; what follows a lone
//! `--` belongs to init. Garbage is reported and skipped, never fatal: a machine that does not boot
//! because of a typing error is worse than one that boots and says so.

mod buffer;
mod params;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use buffer::CommandLine;
pub use params::{Arg, Params};
pub use table::{Event, Param, parse_args, same_name};
pub use value::{ValueError, list, memparse, number_up_to, parse_bool, parse_size, parse_u64};
