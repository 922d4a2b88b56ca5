//! A kernel thread: a stack, and where it stands.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::arch::Arch;
use crate::canary;
use crate::cpu::CpuId;
use crate::irq::Lock;
use crate::mm::Stack;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// In a run queue.
    Ready = 0,
    /// On a CPU.
    Running = 1,
    /// Waits for [`super::wake`], or for a time.
    Blocked = 2,
    /// Done; its stack waits for the next thread.
    Dead = 3,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Dead => "dead",
        })
    }
}

/// What a thread does.
pub type Main = Box<dyn FnOnce() + Send>;

/// A thread. Never freed: a dead one is used again with its stack, so references to threads are `'static`.
pub struct Thread {
    /// Number, from 1.
    pub id: u32,
    name: Lock<&'static str>,
    /// The CPU whose run queue it belongs to; changed under that queue's lock alone.
    cpu: AtomicU32,
    state: AtomicU8,
    stack: Stack,
    canary: AtomicUsize,
    /// Saved stack pointer while off the CPU. Written by the switch away from it, read by the switch to it, with interrupts
    /// off, both on the same CPU; or on another, if that one's idle thread has handed the thread over in between.
    pub(super) sp: UnsafeCell<usize>,
    /// While above 0 the thread is not preempted.
    pub(super) preempt_off: AtomicU32,
    /// Next in the run queue or the list of sleepers; belongs to the run queue's lock.
    pub(super) next: AtomicPtr<Thread>,
    /// Clock time to be woken at; `u64::MAX` for none. Belongs to the run queue's lock.
    pub(super) wake_at: AtomicU64,
    /// Set by a wake-up that found the thread awake; the next block returns at once.
    pub(super) wake_pending: AtomicU8,
    /// Times it was switched to.
    pub(super) switches: AtomicUsize,
    main: Lock<Option<Main>>,
}

// SAFETY: every field but `sp` is atomic or locked; `sp` is touched by one CPU at a time, as its comment says.
unsafe impl Sync for Thread {}
// SAFETY: as above; `Stack` is plain addresses.
unsafe impl Send for Thread {}

impl Thread {
    /// A thread that is running already: a CPU's boot context, which becomes its idle thread.
    pub(crate) fn adopt(id: u32, name: &'static str, cpu: CpuId, stack: Stack, canary: usize) -> Self {
        Self {
            id,
            name: Lock::new(name),
            cpu: AtomicU32::new(cpu.as_u32()),
            state: AtomicU8::new(State::Running as u8),
            stack,
            canary: AtomicUsize::new(canary),
            sp: UnsafeCell::new(0),
            preempt_off: AtomicU32::new(0),
            next: AtomicPtr::new(core::ptr::null_mut()),
            wake_at: AtomicU64::new(u64::MAX),
            wake_pending: AtomicU8::new(0),
            switches: AtomicUsize::new(0),
            main: Lock::new(None),
        }
    }

    /// Makes a new or dead thread ready to run `main` on `cpu`.
    pub(super) fn prepare<A: Arch>(&self, name: &'static str, cpu: CpuId, main: Main) {
        *self.name.lock() = name;
        *self.main.lock() = Some(main);
        self.cpu.store(cpu.as_u32(), Ordering::Relaxed);
        self.canary.store(canary::fresh::<A>(), Ordering::Relaxed);
        self.wake_pending.store(0, Ordering::Relaxed);
        let arg = core::ptr::from_ref(self).expose_provenance();
        // SAFETY: the stack is this thread's, which does not run: it is new or dead.
        unsafe {
            canary::set_stack_end_magic(self.stack.bottom());
            *self.sp.get() = A::prepare_stack(self.stack.top(), super::thread_entry::<A>, arg);
        }
        self.set_state(State::Blocked);
    }

    /// What it was given to do; there once.
    pub(super) fn take_main(&self) -> Option<Main> {
        self.main.lock().take()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        *self.name.lock()
    }

    /// Moves it to another CPU's queue. It is off the CPU, all of it: switched away from for good, and nobody's but the
    /// holder's of the lock of the queue it belonged to.
    pub(super) fn set_cpu(&self, cpu: CpuId) {
        self.cpu.store(cpu.as_u32(), Ordering::Relaxed);
    }

    /// The CPU it runs on.
    pub fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu.load(Ordering::Relaxed))
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Ready,
            1 => State::Running,
            2 => State::Blocked,
            _ => State::Dead,
        }
    }

    pub(super) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Its stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Its stack canary.
    pub(super) fn canary(&self) -> usize {
        self.canary.load(Ordering::Relaxed)
    }

    /// Times it was switched to.
    pub fn switches(&self) -> usize {
        self.switches.load(Ordering::Relaxed)
    }

    /// Whether the magic at the end of its stack is whole.
    pub fn stack_intact(&self) -> bool {
        // SAFETY: a thread's stack stays mapped for ever.
        unsafe { canary::stack_end_intact(self.stack.bottom()) }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ({})", self.id, self.name())
    }
}
