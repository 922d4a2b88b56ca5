//! A ring under loom: every order of two writers and a reader, within a bound on preemptions.
//!
//! `cargo test -p standstill-trace --release --features loom --test loom`

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::sync::Arc;
use loom::thread;
use trace::{Entry, Event, Slots};

/// An event whose parts all say who wrote it.
fn write(ring: &Slots<2>, who: u32) {
    ring.record(
        u64::from(who) << 32 | u64::from(who),
        Event::Switch { thread: who },
    );
}

fn check(entry: &Entry) {
    let Event::Switch { thread } = entry.event else {
        panic!("an event nobody wrote: {entry:?}")
    };
    assert_eq!(
        entry.cycles,
        u64::from(thread) << 32 | u64::from(thread),
        "a mixture"
    );
}

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) -> usize {
    static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
    EXECUTIONS.store(0, Ordering::Relaxed);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    (builder.max_duration, builder.max_permutations) = (None, None);
    builder.check(move || {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        model();
    });
    EXECUTIONS.load(Ordering::Relaxed)
}

/// One CPU goes round its ring twice while another reads it.
fn reader_and_writer() {
    let ring = Arc::new(Slots::<2>::new());
    let theirs = ring.clone();
    let writer = thread::spawn(move || (1..=4).for_each(|who| write(&theirs, who)));
    ring.events().for_each(|entry| check(&entry));
    writer.join().unwrap();
    let whole: Vec<Entry> = ring.events().collect();
    whole.iter().for_each(check);
    assert_eq!(whole.len(), 2, "all that fits is there once nobody writes");
}

/// Two CPUs write to one ring; nobody waits, and each event is there or gone.
fn two_writers() {
    let ring = Arc::new(Slots::<2>::new());
    let theirs = ring.clone();
    let writer = thread::spawn(move || write(&theirs, 1));
    write(&ring, 2);
    ring.events().for_each(|entry| check(&entry));
    writer.join().unwrap();
    let mut whole: Vec<u64> = ring.events().map(|entry| entry.cycles >> 32).collect();
    whole.sort_unstable();
    assert_eq!(whole, [1, 2]);
}

#[test]
fn every_order() {
    let executions = explore(3, reader_and_writer) + explore(3, two_writers);
    println!("{executions} executions");
    assert!(executions > 100, "{executions}");
}
