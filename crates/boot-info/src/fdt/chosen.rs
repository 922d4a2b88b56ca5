//! `/chosen`: what the loader, not the hardware, has to say.

use super::{
    cells::{number, string},
    node::{Node, properties},
};
use crate::{BootInfo, Initrd, InitrdRefusal, MemMap};

/// What is needed after the walk.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    initrd_start: Option<u64>,
    initrd_end: Option<u64>,
    /// `stdout-path`: a path or an alias, then perhaps `:` and options.
    pub stdout: Option<&'a str>,
}

pub(super) fn read<'a>(node: &Node<'a>, boot: &mut BootInfo) -> Chosen<'a> {
    let mut chosen = Chosen::default();
    boot.cmdline.clear();
    for (name, value) in properties(node.raw) {
        match name {
            "bootargs" => boot.cmdline.set(value),
            // One or two cells, as the loader likes.
            "linux,initrd-start" => chosen.initrd_start = number(value),
            "linux,initrd-end" => chosen.initrd_end = number(value),
            "stdout-path" | "linux,stdout-path" => chosen.stdout = string(value),
            "rng-seed" | "kaslr-seed" => boot.seed.feed(value),
            _ => {}
        }
    }
    chosen
}

impl Chosen<'_> {
    pub(super) fn initrd(&self, memory: &MemMap) -> Initrd {
        let (start, end) = match (self.initrd_start, self.initrd_end) {
            (None, None) => return Initrd::Absent,
            (Some(start), None) => {
                return Initrd::Refused {
                    start,
                    len: 0,
                    why: InitrdRefusal::NoSize,
                };
            }
            (None, Some(end)) => {
                return Initrd::Refused {
                    start: 0,
                    len: end,
                    why: InitrdRefusal::NoAddress,
                };
            }
            (Some(start), Some(end)) => (start, end),
        };
        match end.checked_sub(start) {
            Some(len) => Initrd::check(start, len, memory),
            None => Initrd::Refused {
                start,
                len: 0,
                why: InitrdRefusal::Wraps,
            },
        }
    }
}
