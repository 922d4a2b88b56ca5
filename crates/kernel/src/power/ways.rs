//! The ways to reset a machine or to turn it off: which there are is the architecture's to say, in which order they are
//! tried is decided here.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::boots;
use crate::arch::{Arch, Go, Way};
use crate::{mm, println, warning};

/// The first letter of the way that `reboot=` asks for; 0 for none.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// How many ways have been tried, of their order. Another kind of end goes on where the last one came to.
static TRIED: AtomicUsize = AtomicUsize::new(0);

/// `reboot=`: the way whose name begins as `value` does is tried first. Whether there is one is known later; see
/// [`check_choice`].
pub(crate) fn choose(value: &str) -> Result<(), &'static str> {
    match value.bytes().next() {
        Some(letter @ b'a'..=b'z') => {
            CHOSEN.store(letter, Ordering::Relaxed);
            Ok(())
        }
        _ => Err("not the name of a way to reset the machine"),
    }
}

/// Says so if `reboot=` asks for a way that this machine does not have.
pub(super) fn check_choice<A: Arch>() {
    let letter = CHOSEN.load(Ordering::Relaxed);
    let mut there = A::resets().iter().filter(|way| (way.is_there)());
    if letter != 0 && !there.any(|way| begins(way, letter)) {
        let letter = char::from(letter);
        warning!("reboot={letter}: no such way; there are{}", Names(A::resets()));
    }
}

fn begins(way: &Way, letter: u8) -> bool {
    way.name.as_bytes().first() == Some(&letter)
}

/// The names of those that there are, each after a blank.
struct Names(&'static [Way]);

impl core::fmt::Display for Names {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut there = self.0.iter().filter(|way| (way.is_there)());
        there.try_for_each(|way| write!(f, " {}", way.name))
    }
}

/// Whether there is a way of that name, and makes it the first to be tried.
pub(crate) fn choose_of<A: Arch>(name: &str) -> Result<(), &'static str> {
    match A::resets()
        .iter()
        .find(|way| way.name == name && (way.is_there)())
    {
        Some(way) => choose(way.name),
        None => Err("no such way to reset this machine"),
    }
}

/// Resets the machine: the way that was chosen first, then all others, each announced, but for those that the machine lacks.
/// Returns if nothing came of any. The owner of a stop calls this, at a planned end.
pub(crate) fn reboot<A: Arch>() {
    reset_by::<A>(|way| {
        boots::tell_firmware::<A>(way.name);
        announce_way(way.name);
    });
}

/// The same, for a kernel that failed.
pub(crate) fn reset<A: Arch>() {
    reset_by::<A>(|way| announce_way(way.name));
}

/// The line that stands before each way to reset the machine that is tried.
pub(crate) fn announce_way(name: &str) {
    println!("{}", records::Way { name });
}

fn reset_by<A: Arch>(before: impl Fn(&Way)) {
    let letter = CHOSEN.load(Ordering::Relaxed);
    let (first, rest) = (A::resets().iter(), A::resets().iter());
    let first = first.filter(|way| begins(way, letter));
    let rest = rest.filter(|way| !begins(way, letter));
    // One that a kernel fails in is not tried again.
    for way in first.chain(rest).skip(TRIED.load(Ordering::Relaxed)) {
        TRIED.fetch_add(1, Ordering::Relaxed);
        if !(way.is_there)() {
            continue;
        }
        boots::note::<A>(way.name);
        before(way);
        try_one::<A>(way);
    }
}

/// Turns the machine off. Returns if nothing came of it.
pub(crate) fn power_off<A: Arch>() {
    let ways = A::power_offs().iter().filter(|way| (way.is_there)());
    ways.for_each(try_one::<A>);
}

fn try_one<A: Arch>(way: &Way) {
    match way.go {
        Go::Direct(go) => go(),
        Go::OnShadow(_) if mm::kernel_root() == 0 => {}
        Go::OnShadow(go) => {
            if let Err(why) = mm::enter_at_the_end::<A, _>(go) {
                println!("{}: not tried: {why}", way.name);
            }
        }
    }
}
