//! What a fault does.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use spin::Once;

use super::places::{Effect, Place};
use super::rule::{Action, TOKENS};
use super::{SEED, at, read_early};
use crate::arch::Arch;
use crate::cpu::{self, CpuId, ONLINE};
use crate::irq::POLLS_PER_SECOND;
use crate::power::{self, End};
use crate::{clock, panic, smp};

/// What needs to know the architecture.
struct Of {
    this_cpu: fn() -> Option<CpuId>,
    mask: fn() -> bool,
    reboot: fn() -> !,
    crash: fn() -> !,
    nmi: fn(),
    storm: fn(),
    next: fn(),
}

static OF: Once<Of> = Once::new();

/// Gets ready: first of all that is done after the hooks.
pub(crate) fn begin<A: Arch>() {
    OF.call_once(|| Of {
        this_cpu: cpu::by_hardware_at_any_time::<A>,
        mask: A::irq_save,
        reboot: || power::shut_down::<A>(End::Reboot),
        crash: || panic::crash::<A>("injected"),
        nmi: smp::nmi_self::<A>,
        storm: smp::storm::<A>,
        next: smp::start_all_again::<A>,
    });
    read_early();
    at(Place::Boot, 0);
}

pub(super) fn this_cpu() -> Option<u32> {
    (OF.get()?.this_cpu)().map(CpuId::as_u32)
}

/// How long somebody waits for a token that nobody posts: longer than any wait of the kernel's.
const AWAIT_NS: u64 = 30_000_000_000;

static POSTED: [AtomicBool; TOKENS] = [const { AtomicBool::new(false) }; TOKENS];

pub(super) fn post(token: u32) {
    if let Some(posted) = POSTED.get(token as usize) {
        posted.store(true, Ordering::Release);
    }
}

pub(super) fn is_posted(token: u32) -> bool {
    POSTED
        .get(token as usize)
        .is_some_and(|posted| posted.load(Ordering::Acquire))
}

/// Does it.
pub(super) fn perform(action: Action, place: Place) -> Effect {
    match action {
        Action::Delay(ns) => wait(ns, || false),
        Action::Skew(ns) => wait(dice() % ns.max(1), || false),
        Action::Post(token) => post(token),
        Action::Await(token) => wait(AWAIT_NS, || is_posted(token)),
        Action::Panic => panic!("injected at {place:?}"),
        Action::Crash => with(|of| (of.crash)()),
        Action::Reboot => with(|of| (of.reboot)()),
        Action::Fault => read_nothing(),
        Action::Hang => hang(),
        Action::Deaf => {
            with(|of| {
                (of.mask)();
            });
            hang()
        }
        Action::Nmi => with(|of| (of.nmi)()),
        Action::Storm => with(|of| (of.storm)()),
        Action::Next => with(|of| (of.next)()),
        Action::Skip => return Effect::Skip,
        Action::Refuse => return Effect::Refuse,
        Action::Twice => return Effect::Twice,
        Action::Count if ONLINE.snapshot().count() <= 1 => return Effect::Skip,
        Action::Count => {}
    }
    Effect::Go
}

fn with(act: impl FnOnce(&Of)) {
    if let Some(of) = OF.get() {
        act(of);
    }
}

/// Until `done` or for so long: by the counter, and by polls while it does not run.
pub(crate) fn wait(ns: u64, mut done: impl FnMut() -> bool) {
    let (start, hz) = (clock::cycles(), clock::hz());
    let cycles = u64::try_from(u128::from(hz) * u128::from(ns) / 1_000_000_000).unwrap_or(u64::MAX);
    let polls = POLLS_PER_SECOND / 64 * (ns / 1_000_000_000 + 1);
    let is_over = |poll: u64| match hz {
        0 => poll >= polls,
        _ => clock::cycles().wrapping_sub(start) >= cycles,
    };
    let mut poll = 0;
    while !done() && !is_over(poll) {
        poll += 1;
        core::hint::spin_loop();
    }
}

/// A number that depends on the seed, the CPU and how often it was asked for (a splitmix64 step).
fn dice() -> u64 {
    static DICED: AtomicU64 = AtomicU64::new(0);
    let own = u64::from(this_cpu().unwrap_or(0)) << 32 | DICED.fetch_add(1, Ordering::Relaxed);
    let seed = SEED.load(Ordering::Relaxed).wrapping_add(own);
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn hang() {
    loop {
        core::hint::spin_loop();
    }
}

fn read_nothing() {
    let nowhere = core::ptr::without_provenance::<u8>(core::hint::black_box(0));
    // SAFETY: there is none; that is the point. The page is not mapped, so the CPU faults and nothing is read.
    let _ = unsafe { nowhere.read_volatile() };
}
