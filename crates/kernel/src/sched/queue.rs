//! The threads of one CPU: a line of those who want to run, and those who wait for a time.

use core::ptr;
use core::sync::atomic::Ordering;

use super::thread::{State, Thread};

/// Threads in a line, linked through themselves so that waking one allocates nothing. A thread is in at most one list.
#[derive(Debug)]
pub(super) struct List {
    head: Option<&'static Thread>,
    tail: Option<&'static Thread>,
    len: usize,
}

impl List {
    pub(super) const fn new() -> Self {
        Self {
            head: None,
            tail: None,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, thread: &'static Thread) {
        thread.next.store(ptr::null_mut(), Ordering::Relaxed);
        match self.tail.replace(thread) {
            Some(last) => last
                .next
                .store(ptr::from_ref(thread).cast_mut(), Ordering::Relaxed),
            None => self.head = Some(thread),
        }
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<&'static Thread> {
        let first = self.head?;
        self.head = next(first);
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        Some(first)
    }

    /// Takes out all threads for which `due` holds, in order.
    pub(super) fn take(&mut self, mut due: impl FnMut(&'static Thread) -> bool) -> Self {
        let (mut taken, mut kept) = (Self::new(), Self::new());
        while let Some(thread) = self.pop() {
            if due(thread) { &mut taken } else { &mut kept }.push(thread);
        }
        *self = kept;
        taken
    }

    fn iter(&self) -> impl Iterator<Item = &'static Thread> {
        core::iter::successors(self.head, |t| next(t))
    }
}

fn next(thread: &'static Thread) -> Option<&'static Thread> {
    // SAFETY: the link is null or was made from a `&'static Thread` in `push`.
    unsafe { thread.next.load(Ordering::Relaxed).as_ref() }
}

/// One CPU's queue, under one lock.
#[derive(Debug)]
pub struct RunQueue {
    pub(super) ready: List,
    pub(super) sleepers: List,
    pub(super) idle: Option<&'static Thread>,
    /// When the running thread's turn ends.
    pub(super) turn_ends: u64,
    /// The thread that was switched away from last and is dead: nobody is on its stack once the switch is through.
    pub(super) reap: Option<&'static Thread>,
}

impl RunQueue {
    pub(super) const fn new() -> Self {
        Self {
            ready: List::new(),
            sleepers: List::new(),
            idle: None,
            turn_ends: u64::MAX,
            reap: None,
        }
    }

    /// Puts a woken thread in line.
    pub(super) fn enqueue(&mut self, thread: &'static Thread) {
        thread.set_state(State::Ready);
        self.ready.push(thread);
    }

    /// Wakes the sleepers whose time has come.
    pub(super) fn wake_due(&mut self, now: u64) {
        if self.sleepers.len() == 0 {
            return;
        }
        let mut due = self.sleepers.take(|t| t.wake_at.load(Ordering::Relaxed) <= now);
        while let Some(thread) = due.pop() {
            thread.wake_at.store(u64::MAX, Ordering::Relaxed);
            self.enqueue(thread);
        }
    }

    /// When the CPU must look again: the first sleeper's time, or the end of the turn if somebody waits for it.
    pub(super) fn next_event(&self) -> u64 {
        let sleeper = self
            .sleepers
            .iter()
            .map(|t| t.wake_at.load(Ordering::Relaxed))
            .min();
        let turn = if self.ready.len() > 0 {
            self.turn_ends
        } else {
            u64::MAX
        };
        sleeper.unwrap_or(u64::MAX).min(turn)
    }
}
