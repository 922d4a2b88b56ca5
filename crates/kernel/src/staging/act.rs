//! What a fault does.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::Once;

use super::signals;
use crate::arch::Arch;
use crate::cpu::{self, CpuId, ONLINE};
use crate::inject::{self, Action, Actor, Effect, Place, is_posted, post};
use crate::power::{self, End};
use crate::{clock, panic, smp};

/// What needs to know the architecture.
struct Of {
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
        mask: A::irq_save,
        reboot: || power::shut_down::<A>(End::Reboot),
        crash: || panic::crash::<A>("injected"),
        nmi: signals::nmi_self::<A>,
        storm: signals::storm::<A>,
        next: smp::start_all_again::<A>,
    });
    inject::begin(Actor {
        this_cpu: || cpu::by_hardware_at_any_time::<A>().map(CpuId::as_u32),
        perform,
    });
    inject::at(Place::Boot, 0);
}

/// How long somebody waits for a token that nobody posts: longer than any wait of the kernel's.
const AWAIT_NS: u64 = 30_000_000_000;

/// Does it.
fn perform(action: Action, place: Place) -> Effect {
    match action {
        Action::Delay(ns) => clock::spin_until(ns, || false),
        Action::Skew(ns) => clock::spin_until(dice() % ns.max(1), || false),
        Action::Post(token) => post(token),
        Action::Await(token) => clock::spin_until(AWAIT_NS, || is_posted(token)),
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

/// A number that depends on the seed, the CPU and how often it was asked for (a splitmix64 step).
fn dice() -> u64 {
    static DICED: AtomicU64 = AtomicU64::new(0);
    let own = u64::from(inject::this_cpu().unwrap_or(0)) << 32 | DICED.fetch_add(1, Ordering::Relaxed);
    let seed = inject::seed().wrapping_add(own);
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
