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
    /// Whether its CPU runs what is put in. While it does not, whoever wakes a thread finds another CPU for it. Open from
    /// when the CPU is online until it leaves.
    pub(super) open: bool,
    /// The CPU has been asked to leave: its idle thread runs next, whoever else is ready.
    pub(super) leaving: bool,
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
            open: false,
            leaving: false,
            turn_ends: u64::MAX,
            reap: None,
        }
    }

    /// Puts a woken thread in line.
    pub(super) fn enqueue(&mut self, thread: &'static Thread) {
        thread.set_state(State::Ready);
        self.ready.push(thread);
    }

    /// Whether the running thread has to give way when its turn is over, if it is not the idle thread.
    pub(super) fn wants_cpu(&self) -> bool {
        self.leaving || self.ready.len() > 0
    }

    /// Takes the thread to run next, `None` if nobody but the idle thread has anything to do.
    pub(super) fn next(&mut self) -> Option<&'static Thread> {
        if self.leaving { self.idle } else { self.ready.pop() }
    }

    /// Closes the queue, and hands over to `deal` all that is in it, under its lock: those that are ready, then (`true`)
    /// those that sleep. `deal` puts each in the queue of another CPU.
    #[cfg_attr(
        not(any(feature = "smp", test)),
        expect(dead_code, reason = "the only CPU does not leave")
    )]
    pub(super) fn close(&mut self, mut deal: impl FnMut(&'static Thread, bool)) {
        (self.open, self.leaving) = (false, false);
        while let Some(thread) = self.ready.pop() {
            deal(thread, false);
        }
        while let Some(thread) = self.sleepers.pop() {
            deal(thread, true);
        }
    }

    /// Takes in a thread that another queue dealt out.
    #[cfg_attr(
        not(any(feature = "smp", test)),
        expect(dead_code, reason = "the only CPU does not leave")
    )]
    pub(super) fn adopt(&mut self, thread: &'static Thread, asleep: bool) {
        match asleep {
            true => self.sleepers.push(thread),
            false => self.ready.push(thread),
        }
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

    /// When the CPU must look again: the first sleeper's time, or the end of the turn if somebody waits for it. On a CPU that
    /// leaves nobody gets a turn: a timer for one that is over would interrupt the idle thread again before its next step.
    pub(super) fn next_event(&self) -> u64 {
        let sleeper = self
            .sleepers
            .iter()
            .map(|t| t.wake_at.load(Ordering::Relaxed))
            .min();
        let turn = if self.ready.len() > 0 && !self.leaving {
            self.turn_ends
        } else {
            u64::MAX
        };
        sleeper.unwrap_or(u64::MAX).min(turn)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;
    use crate::cpu::CpuId;
    use crate::mm::Stack;

    fn thread(id: u32) -> &'static Thread {
        Box::leak(Box::new(Thread::adopt(id, "test", CpuId::BOOT, Stack::init(), 0)))
    }

    fn ids(list: &List) -> Vec<u32> {
        list.iter().map(|t| t.id).collect()
    }

    /// A queue with an idle thread 1, threads 2 and 3 ready, and 4 and 5 asleep until 40 and 50.
    fn queue() -> RunQueue {
        let mut queue = RunQueue::new();
        queue.open = true;
        queue.idle = Some(thread(1));
        for id in [2, 3] {
            queue.enqueue(thread(id));
        }
        for (id, at) in [(4, 40), (5, 50)] {
            let sleeper = thread(id);
            sleeper.set_state(State::Blocked);
            sleeper.wake_at.store(at, Ordering::Relaxed);
            queue.sleepers.push(sleeper);
        }
        queue
    }

    #[test]
    fn a_cpu_that_leaves_runs_its_idle_thread_whoever_is_ready() {
        let mut queue = queue();
        assert!(queue.wants_cpu());
        queue.leaving = true;
        assert_eq!(queue.next().map(|t| t.id), Some(1));
        queue.turn_ends = 5;
        assert_eq!(queue.next_event(), 40, "no turn ends any more");
        assert_eq!(ids(&queue.ready), [2, 3], "nobody is lost by it");
        queue.leaving = false;
        assert_eq!(queue.next().map(|t| t.id), Some(2), "the request was withdrawn");
        queue.ready.pop();
        assert!(!queue.wants_cpu() && queue.next().is_none());
        queue.leaving = true;
        assert!(queue.wants_cpu(), "also where nobody waits for the CPU");
    }

    #[test]
    fn a_closed_queue_has_dealt_out_every_thread_once_and_as_it_was() {
        let (mut from, mut to) = (queue(), RunQueue::new());
        from.leaving = true;
        from.close(|thread, asleep| to.adopt(thread, asleep));
        assert!(!from.open && !from.leaving);
        assert!(from.ready.len() == 0 && from.sleepers.len() == 0 && from.idle.is_some());
        assert_eq!(
            (ids(&to.ready), ids(&to.sleepers)),
            ([2, 3].into(), [4, 5].into())
        );
        to.wake_due(45);
        assert_eq!(
            (ids(&to.ready), ids(&to.sleepers)),
            ([2, 3, 4].into(), [5].into())
        );
        assert_eq!(from.next_event(), u64::MAX, "it needs no timer any more");
    }
}
