//! Faults on purpose, at places all over the kernel. Only in a kernel that was built for it (feature `fault-injection`).
//!
//! `inject=` on the command line says what is to go wrong, where, and on which CPU; see [`rule`]. What must fail before the
//! command line is read is written into [`EARLY`] by whoever loads the kernel. A place costs a look at a short list; it
//! takes no lock, allocates nothing and needs no per-CPU base, because the engine's places may not.

mod places;
mod rule;

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use boot_info::cmdline::{Param, ValueError, parse_u64};
use spin::Once;

pub use places::{Effect, Place};
use rule::Rule;
pub(crate) use rule::{Action, PLACES, token};

/// Most rules there can be.
const RULES: usize = 32;

static PLAN: [Once<Rule>; RULES] = [const { Once::new() }; RULES];
static USED: AtomicUsize = AtomicUsize::new(0);
/// The command line is read twice, and the second time only for the complaints.
static SEALED: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU64 = AtomicU64::new(1);

/// Words of the command line that only a kernel with faults in it knows.
pub(crate) const PARAMS: &[Param] = &[
    Param {
        name: "inject",
        help: "inject=POINT[/DETAIL][@CPU][?TOKEN][+SKIP][*]:ACTION[=VALUE],...  stage faults; `points` lists what there is",
        parse: |value| plan(value.ok_or(ValueError::Missing)?).map_err(ValueError::Other),
    },
    Param {
        name: "inject-seed",
        help: "inject-seed=N  for the action `skew`",
        parse: |value| {
            SEED.store(parse_u64(value.ok_or(ValueError::Missing)?)?, Ordering::Relaxed);
            Ok(())
        },
    },
];

/// All that is asked for is known.
pub(crate) fn seal() {
    SEALED.store(true, Ordering::Release);
}

/// Whether faults are staged in this boot: then each stop's report is of interest.
pub(crate) fn is_staged() -> bool {
    USED.load(Ordering::Acquire) > 0
}

/// What carries faults out. This module knows when one is due, and nothing of the kernel that it happens to.
pub(crate) struct Actor {
    /// The executing CPU's number.
    pub(crate) this_cpu: fn() -> Option<u32>,
    /// Does what was asked for.
    pub(crate) perform: fn(Action, Place) -> Effect,
}

static ACTOR: Once<Actor> = Once::new();

/// Gets ready: from here on faults happen, first those that were written into [`EARLY`](INJECT_EARLY).
pub(crate) fn begin(actor: Actor) {
    ACTOR.call_once(|| actor);
    read_early();
}

pub(crate) fn this_cpu() -> Option<u32> {
    (ACTOR.get()?.this_cpu)()
}

/// `inject-seed=`.
pub(crate) fn seed() -> u64 {
    SEED.load(Ordering::Relaxed)
}

static POSTED: [AtomicBool; rule::TOKENS] = [const { AtomicBool::new(false) }; rule::TOKENS];

/// Ends every wait for `token`.
pub(crate) fn post(token: u32) {
    if let Some(posted) = POSTED.get(token as usize) {
        posted.store(true, Ordering::Release);
    }
}

/// Whether `token` was posted.
pub(crate) fn is_posted(token: u32) -> bool {
    POSTED
        .get(token as usize)
        .is_some_and(|posted| posted.load(Ordering::Acquire))
}

/// Adds the rules of `text`: all of them or, if one makes no sense, none.
fn plan(text: &str) -> Result<(), rule::Why> {
    let rules = || text.split(',').map(Rule::parse);
    rules().try_for_each(|rule| rule.map(drop))?;
    if SEALED.load(Ordering::Acquire) {
        return Ok(());
    }
    for rule in rules() {
        let slot = PLAN
            .get(USED.load(Ordering::Relaxed))
            .ok_or("more than 32 rules")?;
        let rule = rule?;
        slot.call_once(|| rule);
        USED.fetch_add(1, Ordering::Release);
    }
    Ok(())
}

/// The executing CPU is at `place`; what `detail` means depends on the place. Does what was asked for here, in the order
/// it was asked for, and says what is to become of the code at hand.
pub fn at(place: Place, detail: u32) -> Effect {
    let rules = PLAN
        .iter()
        .take(USED.load(Ordering::Acquire))
        .filter_map(Once::get);
    let mut effect = Effect::Go;
    for rule in rules {
        if rule.fires((place, detail), this_cpu, is_posted)
            && let Some(actor) = ACTOR.get()
        {
            match (actor.perform)(rule.action, place) {
                Effect::Go => {}
                other => effect = other,
            }
        }
    }
    effect
}

/// Bytes for what is to go wrong before the command line is read.
const EARLY_BYTES: usize = 256;

/// As the value of `inject=`, zero-terminated; found by its name and written by whoever loads the kernel. Begins with a
/// byte that is not zero, so that it lies in the file.
#[unsafe(no_mangle)]
#[used]
static INJECT_EARLY: [u8; EARLY_BYTES] = {
    let mut bytes = [0; EARLY_BYTES];
    bytes[0] = b'-';
    bytes
};

/// Reads [`EARLY`](INJECT_EARLY).
fn read_early() {
    let bytes: [u8; EARLY_BYTES] = {
        // SAFETY: it is a static that nobody changes while the kernel runs; volatile because the file was changed after the
        // compiler last saw it.
        unsafe { (&raw const INJECT_EARLY).read_volatile() }
    };
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    if let Ok(text) = core::str::from_utf8(text)
        && text != "-"
    {
        // Nobody could be told of a mistake yet; the tool that writes it checks it.
        let _ = plan(text);
    }
}
