//! Names for the addresses in a console's lines: which lines have some, and what each of them is the address of.

use crate::vm::symbolise::Symbols;

/// What is known of the first address of the next backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A return address, like all others.
    Call,
    /// This program counter, if an exception was taken there.
    Exception(u64),
    /// Whatever it is, a CPU's program counter.
    Saved,
}

impl Origin {
    /// What `line`, which is no frame of a backtrace, tells.
    pub(super) fn after(self, line: &str) -> Self {
        match (pc_address(line), line) {
            (Some(pc), _) => Self::Exception(pc),
            (None, line) if line.starts_with("backtrace of CPU ") => Self::Saved,
            (None, line) if line.starts_with('@') => Self::Call,
            _ => self,
        }
    }

    /// Whether `address`, frame `number` of a backtrace, is where the CPU was.
    fn is(self, number: u32, address: u64) -> bool {
        number == 0 && (self == Self::Saved || self == Self::Exception(address))
    }
}

/// Names for the addresses in `line`: the first goes to its end, callers it was inlined into go below.
pub(super) fn annotate(line: &str, symbols: &Symbols, before: Origin, origin: Origin) -> Vec<String> {
    if pc_address(line).is_some() && before == origin {
        // Said already, a line or two above.
        return Vec::new();
    }
    let (address, mark) = if let Some((number, address)) = backtrace_frame(line) {
        // Where a call returns to may be another function already; the call itself is the instruction before.
        (address.wrapping_sub(u64::from(!origin.is(number, address))), " ")
    } else if let Some(pc) = pc_address(line) {
        (pc, " <- pc: ")
    } else {
        return Vec::new();
    };
    let frames = symbols.frames(address).into_iter().enumerate();
    frames
        .map(|(depth, name)| {
            if depth == 0 {
                format!("{mark}{name}")
            } else {
                format!("       inlined into {name}")
            }
        })
        .collect()
}

/// `  #3 0xffffffff80201234`: number and address.
fn backtrace_frame(line: &str) -> Option<(u32, u64)> {
    let (number, address) = line.strip_prefix("  #")?.split_once(' ')?;
    Some((number.parse().ok()?, hex(address)?))
}

/// `pc=0xffffffff80201234` as a word of its own anywhere in the line, except in those meant for machines.
fn pc_address(line: &str) -> Option<u64> {
    line.split_whitespace()
        .filter(|_| !line.starts_with('@'))
        .find_map(|word| hex(word.strip_prefix("pc=")?))
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_end_matches([',', ')', ':']).strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised() {
        assert_eq!(
            backtrace_frame("  #0 0xffffffff80201234"),
            Some((0, 0xffff_ffff_8020_1234))
        );
        assert_eq!(backtrace_frame("  #12 0x10"), Some((12, 0x10)));
        for line in ["#0 0x10", "  #x 0x10", "  #0 10", "  #0", "   #0 0x10"] {
            assert_eq!(backtrace_frame(line), None, "{line:?}");
        }
        assert_eq!(pc_address("[    0.1] page fault pc=0x1f, error 2"), Some(0x1f));
        assert_eq!(pc_address("epc=0x1f"), None);
        assert_eq!(pc_address("@panic cpu=0 why=\"at pc=0x1f\""), None);
        assert_eq!(pc_address("@panic cpu=0 why=\"page fault pc=0x1f\""), None);
        assert_eq!(pc_address("pc=1f"), None);
    }

    #[test]
    fn the_first_frame_is_where_the_cpu_was_if_it_faulted_there() {
        let after = |lines: &[&str]| lines.iter().fold(Origin::Call, |origin, line| origin.after(line));
        let fault = after(&["@panic cpu=0 why=\"\"", "  pc=0x20 sp=0x8", "backtrace:"]);
        assert!(fault.is(0, 0x20));
        assert!(!fault.is(0, 0x24) && !fault.is(1, 0x20));
        assert!(!after(&["  pc=0x20", "@panic cpu=0", "backtrace:"]).is(0, 0x20));
        assert!(after(&["backtrace of CPU 3:"]).is(0, 0x24));
    }
}
