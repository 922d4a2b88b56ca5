//! Kernel threads: a run queue per CPU, turns of 10 ms, sleep, and wake-ups across CPUs.
//!
//! A thread belongs to one CPU, and leaves it only when the CPU itself does. Whoever wakes it puts it in that CPU's queue and,
//! if that is another CPU, interrupts it. The timer runs only when somebody waits for it: an idle CPU, or one with a single
//! thread, takes no tick.

mod input;
mod queue;
#[cfg(feature = "smp")]
pub(crate) mod smp;
mod switch;
mod thread;
#[cfg(not(feature = "smp"))]
mod up;
mod wait;
#[cfg(not(feature = "smp"))]
use up as smp;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use ::trace::Event;
use percpu::{Pin, percpu};

pub use input::input_ready;
pub(crate) use input::reads_input;
pub use queue::RunQueue;
use switch::{finish_switch, leave, switch_away};
pub use thread::{Main, State, Thread};
pub use wait::{rest, timer_interrupt, wait_until};

use crate::arch::Arch;
use crate::cpu::{self, CpuId};
use crate::irq::{IrqOff, Lock};
use crate::mm::{self, Stack};
use crate::{clock, trace};

/// How long a thread runs before another that is ready gets its turn.
pub const TURN_NS: u64 = 10 * clock::MS;

percpu! {
    static RUNQ: Lock<RunQueue> = Lock::new(RunQueue::new());
    /// Address of the running [`Thread`].
    static CURRENT: AtomicUsize = AtomicUsize::new(0);
    /// The running thread's turn is over, or a better one came.
    static RESCHED: AtomicBool = AtomicBool::new(false);
}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);
/// All threads ever made, for `threads` and for using dead ones again.
static THREADS: Lock<Vec<&'static Thread>> = Lock::new(Vec::new());

/// The running thread, once the CPU has one.
pub fn current<A: Arch>() -> Option<&'static Thread> {
    if !percpu::is_ready() {
        return None;
    }
    // SAFETY: the word is 0 or the address of a thread, which is never freed.
    unsafe { ptr::with_exposed_provenance::<Thread>(CURRENT.load::<A>()).as_ref() }
}

/// Keeps the running thread on its CPU, with interrupts as they are.
#[derive(Debug)]
pub struct PreemptOff {
    thread: Option<&'static Thread>,
    pin: Pin,
}

impl PreemptOff {
    /// Turns preemption off until dropped; nests.
    pub fn new<A: Arch>() -> Self {
        let thread = current::<A>();
        if let Some(thread) = thread {
            thread.preempt_off.fetch_add(1, Ordering::Acquire);
        }
        // SAFETY: threads change CPUs only while they wait for one, and this one is not even preempted while the count is
        // above 0.
        let pin = unsafe { Pin::new() };
        Self { thread, pin }
    }

    /// The proof per-CPU variables ask for.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }
}

impl Drop for PreemptOff {
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            thread.preempt_off.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Whether this is a thread, which can sleep: neither boot code nor what a CPU does when nobody is ready.
fn in_thread<A: Arch>() -> bool {
    let off = IrqOff::new();
    let idle = || RUNQ.this::<A>(off.pin()).lock().idle;
    current::<A>().is_some_and(|me| idle().is_none_or(|idle| !ptr::eq(idle, me)))
}

/// Lets `cpu` run threads: it is online.
pub(crate) fn open(cpu: CpuId) {
    if let Some(queue) = RUNQ.remote(cpu.as_usize()) {
        let mut queue = queue.lock();
        (queue.open, queue.leaving) = (true, false);
    }
}

/// Makes `idle` the thread that `cpu` runs, or will run when it starts. The CPU has its per-CPU area.
pub(crate) fn adopt_idle(cpu: CpuId, idle: &'static Thread) {
    let at = cpu.as_usize();
    if let (Some(queue), Some(current)) = (RUNQ.remote(at), CURRENT.remote(at)) {
        queue.lock().idle = Some(idle);
        current.store(ptr::from_ref(idle).expose_provenance(), Ordering::Release);
    }
}

/// Makes the idle thread of `cpu`, which runs on `stack` already or will start there.
pub(crate) fn new_idle(cpu: CpuId, stack: Stack, canary: usize) -> &'static Thread {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let idle: &'static Thread = Box::leak(Box::new(Thread::adopt(id, "idle", cpu, stack, canary)));
    THREADS.lock().push(idle);
    idle
}

/// Starts a thread on `cpu`, which must be active; should it leave meanwhile, on another.
///
/// # Errors
/// When there is no memory for a stack.
pub fn spawn<A: Arch>(
    name: &'static str,
    cpu: CpuId,
    main: impl FnOnce() + Send + 'static,
) -> Result<&'static Thread, mm::OutOfMemory> {
    let thread = dead_thread().map_or_else(new_thread::<A>, Ok)?;
    thread.prepare::<A>(name, cpu, Box::new(main));
    wake::<A>(thread);
    Ok(thread)
}

/// A dead thread to use again; it is taken by making it blocked.
fn dead_thread() -> Option<&'static Thread> {
    let threads = THREADS.lock();
    let thread = threads.iter().find(|t| t.state() == State::Dead)?;
    thread.set_state(State::Blocked);
    Some(thread)
}

fn new_thread<A: Arch>() -> Result<&'static Thread, mm::OutOfMemory> {
    let stack = Stack::alloc::<A>()?;
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let thread: &'static Thread = Box::leak(Box::new(Thread::adopt(id, "", CpuId::BOOT, stack, 0)));
    thread.set_state(State::Blocked);
    THREADS.lock().push(thread);
    Ok(thread)
}

/// First function on a new thread's stack. The switch that led here left interrupts off.
extern "C" fn thread_entry<A: Arch>(thread: usize) -> ! {
    A::is_outermost();
    // SAFETY: `prepare` passed the address of a thread, which is never freed.
    let thread = unsafe { &*ptr::with_exposed_provenance::<Thread>(thread) };
    finish_switch::<A>();
    A::irq_enable();
    if let Some(main) = thread.take_main() {
        main();
    }
    exit::<A>()
}

/// Ends the running thread.
pub fn exit<A: Arch>() -> ! {
    leave::<A>(State::Dead);
    unreachable!("a dead thread was switched to")
}

/// Gives the CPU to the next thread that is ready, if there is one.
pub fn yield_now<A: Arch>() {
    leave::<A>(State::Ready);
}

/// Waits until somebody wakes the running thread; returns at once if somebody did since the last time.
pub fn block<A: Arch>() {
    leave::<A>(State::Blocked);
}

/// Waits until somebody wakes the running thread, or until the clock reaches `deadline_ns`.
pub fn block_until<A: Arch>(deadline_ns: u64) {
    if let Some(thread) = current::<A>() {
        thread.wake_at.store(deadline_ns, Ordering::Relaxed);
        leave::<A>(State::Blocked);
    }
}

/// Sleeps for `ns`.
pub fn sleep<A: Arch>(ns: u64) {
    let until = clock::now_ns().saturating_add(ns);
    while clock::now_ns() < until {
        block_until::<A>(until);
    }
}

/// Makes `thread` ready, on its own CPU. If it is awake its next block returns at once.
pub fn wake<A: Arch>(thread: &'static Thread) {
    let off = IrqOff::new();
    let Some((home, mut queue)) = lock_home(thread) else {
        return;
    };
    if thread.state() != State::Blocked {
        thread.wake_pending.store(1, Ordering::Relaxed);
        return;
    }
    // Asleep with a time set, it is in the list of sleepers.
    if thread.wake_at.swap(u64::MAX, Ordering::Relaxed) != u64::MAX {
        queue.sleepers.take(|t| ptr::eq(t, thread));
    }
    queue.enqueue(thread);
    drop(queue);
    if home == cpu::id::<A>(off.pin()) {
        after_wake::<A>(&off);
    } else {
        smp::kick::<A>(home);
    }
}

/// Locks the queue that `thread` belongs to. If that is one of a CPU that has left, where the thread can only be because it
/// waits for somebody to wake it, it moves to another's first.
fn lock_home(thread: &'static Thread) -> Option<(CpuId, Guard)> {
    loop {
        let home = thread.cpu();
        let queue = RUNQ.remote(home.as_usize())?.lock();
        if thread.cpu() != home {
            continue;
        }
        if queue.open || thread.state() != State::Blocked {
            return Some((home, queue));
        }
        // There is always one, but while the boot CPU is alone and not ready yet.
        let active = cpu::ACTIVE.snapshot();
        match active.next_after(home).or(active.first()) {
            Some(heir) if heir != home => thread.set_cpu(heir),
            _ => return Some((home, queue)),
        }
    }
}

/// A queue, locked.
type Guard = lock_api::MutexGuard<'static, crate::irq::RawIrqLock, RunQueue>;

/// This CPU's queue has grown: a running idle thread gives way at once, another when its turn ends.
fn after_wake<A: Arch>(off: &IrqOff) {
    let queue = RUNQ.this::<A>(off.pin()).lock();
    let idle = queue
        .idle
        .is_some_and(|idle| current::<A>().is_some_and(|c| ptr::eq(c, idle)));
    if idle || queue.leaving {
        RESCHED.this::<A>(off.pin()).store(true, Ordering::Relaxed);
    }
    set_timer::<A>(&queue);
}

fn set_timer<A: Arch>(queue: &RunQueue) {
    let at = queue.next_event();
    if at != u64::MAX {
        A::set_timer(clock::cycles_at(at));
    }
}

/// Another CPU put something in this CPU's queue; called by the signal's handler.
pub fn resched_interrupt<A: Arch>() {
    let off = IrqOff::new();
    crate::irq::IPIS
        .this::<A>(off.pin())
        .fetch_add(1, Ordering::Relaxed);
    trace::here::<A>(Event::IpiTaken);
    after_wake::<A>(&off);
}

/// The timer fired: sleepers wake, a turn may be over.
fn timer_expired<A: Arch>(off: &IrqOff) {
    let now = clock::now_ns();
    let mut queue = RUNQ.this::<A>(off.pin()).lock();
    queue.wake_due(now);
    let idle = queue
        .idle
        .is_some_and(|idle| current::<A>().is_some_and(|c| ptr::eq(c, idle)));
    if queue.wants_cpu() && (idle || queue.turn_ends <= now) {
        RESCHED.this::<A>(off.pin()).store(true, Ordering::Relaxed);
    }
    set_timer::<A>(&queue);
}

/// The last thing an interrupt does before it returns to the thread it interrupted: switch, if that one's turn is over.
pub fn preempt_on_irq_exit<A: Arch>() {
    let Some(thread) = current::<A>() else { return };
    let off = IrqOff::new();
    let wanted = RESCHED.this::<A>(off.pin()).load(Ordering::Relaxed);
    if wanted && thread.preempt_off.load(Ordering::Relaxed) == 0 {
        switch_away::<A>(&off, State::Ready);
    }
}

/// What a CPU does when no thread is ready: waits, halted, for an interrupt. Before each wait it calls `leave_if_asked`, which
/// does not return where the CPU is to go off.
pub fn idle<A: Arch>(leave_if_asked: fn(&IrqOff)) -> ! {
    loop {
        let off = IrqOff::new();
        leave_if_asked(&off);
        switch_away::<A>(&off, State::Ready);
        let empty = RUNQ.this::<A>(off.pin()).lock().ready.len() == 0;
        if empty {
            trace::irqs_on();
            A::wait_for_interrupt();
            trace::irqs_off();
        }
    }
}

/// Calls `f` with each thread, oldest first.
pub fn for_each(mut f: impl FnMut(&'static Thread)) {
    let count = THREADS.lock().len();
    for at in 0..count {
        let thread = THREADS.lock().get(at).copied();
        thread.into_iter().for_each(&mut f);
    }
}
