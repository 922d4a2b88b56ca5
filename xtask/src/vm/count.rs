//! Counted runs: QEMU's emulator with `xtask/counter` in it.

use std::ffi::OsString;
use std::iter;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What to count with, and where to look at the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// The plugin, built.
    pub plugin: PathBuf,
    /// Names of one's own, and addresses as the guest's program counter has them.
    pub marks: Vec<(String, u64)>,
    /// The longest that a CPU runs before it is another's turn, in virtual microseconds. `None` leaves it to QEMU, which
    /// waits for the next of the guest's timers, two seconds at most: too long where many spin.
    pub turn_us: Option<u32>,
}

/// What was counted, over all CPUs, from the machine's reset on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Executed in all.
    pub total: u64,
    /// Marks never reached are absent.
    marks: Vec<(String, Mark)>,
}

/// When an address was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Executed before the first time.
    pub first: u64,
    /// Executed before the last time.
    pub last: u64,
    /// How often.
    pub hits: u64,
}

impl Counting {
    /// What ends a CPU's turn: the timer of a filter on a network that nobody is on, the one thing on any machine that can
    /// be told to look at the virtual clock every so often. The guest sees nothing of it.
    pub fn turns(&self) -> Vec<String> {
        let arguments = |us| {
            let filter = format!("filter-buffer,id=turns,netdev=nowhere,interval={us}");
            ["-netdev", "user,id=nowhere,restrict=on", "-object", &filter].map(str::to_owned)
        };
        self.turn_us.map(arguments).into_iter().flatten().collect()
    }

    /// The argument of `-plugin`; the plugin's report goes to the file `out`.
    pub fn argument(&self, out: &str) -> OsString {
        let marks = self
            .marks
            .iter()
            .map(|(name, address)| format!(",at={name}:{address:#x}"));
        let mut argument = OsString::from("file=");
        argument.push(escaped(&self.plugin));
        argument.push(format!(",out={out}{}", marks.collect::<String>()));
        argument
    }
}

/// `path` within an argument of QEMU's that a comma takes apart.
fn escaped(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes().iter();
    let escaped = bytes.flat_map(|byte| iter::repeat_n(*byte, if *byte == b',' { 2 } else { 1 }));
    OsString::from_vec(escaped.collect())
}

impl Counts {
    /// Reads the plugin's report: `total COUNT`, then `NAME FIRST LAST HITS` for each mark.
    pub fn parse(report: &str) -> Option<Self> {
        let mut counts = Self::default();
        for line in report.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["total", total] => counts.total = total.parse().ok()?,
                [_, _, _, "0"] => {}
                [name, first, last, hits] => {
                    let mark = Mark {
                        first: first.parse().ok()?,
                        last: last.parse().ok()?,
                        hits: hits.parse().ok()?,
                    };
                    counts.marks.push((name.to_owned(), mark));
                }
                _ => return None,
            }
        }
        (counts.total > 0).then_some(counts)
    }

    /// When `mark` was reached, if it was.
    pub fn mark(&self, mark: &str) -> Option<Mark> {
        self.marks
            .iter()
            .find(|(name, _)| name == mark)
            .map(|(_, count)| *count)
    }

    /// Executed when `mark` was first reached.
    pub fn at(&self, mark: &str) -> Option<u64> {
        self.mark(mark).map(|mark| mark.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let counts = Counts::parse("total 900\nentry 10 10 1\nnever 0 0 0\nloop 20 800 7\n").unwrap();
        assert_eq!(counts.total, 900);
        assert_eq!(counts.at("entry"), Some(10));
        assert_eq!(counts.at("loop"), Some(20));
        assert_eq!(
            counts.mark("loop"),
            Some(Mark {
                first: 20,
                last: 800,
                hits: 7
            })
        );
        assert_eq!(counts.at("never"), None);
        for report in ["", "total x", "total 1\nentry 1", "entry 1 1 1"] {
            assert_eq!(Counts::parse(report), None, "{report:?}");
        }
    }

    #[test]
    fn marks_become_arguments() {
        let counting = Counting {
            plugin: "/a,b.so".into(),
            marks: vec![("entry".into(), 0x20_0000), ("x".into(), 1)],
            turn_us: None,
        };
        assert!(counting.turns().is_empty());
        assert_eq!(
            counting.argument("/dev/fd/9"),
            "file=/a,,b.so,out=/dev/fd/9,at=entry:0x200000,at=x:0x1"
        );
    }
}
