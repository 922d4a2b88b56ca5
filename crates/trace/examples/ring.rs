//! What two CPUs did, from the rings they left.

use trace::{Clock, Event, Phase, Ring, TraceArea};

static TRACE: TraceArea = TraceArea::new();
static RINGS: [Ring; 2] = [const { Ring::new() }; 2];

fn main() {
    TRACE.sign();
    let clock = Clock {
        entry: 1_000,
        mult: 1 << 9,
        shift: 10,
    };
    TRACE.set_clock(clock);
    TRACE.record(None, 1_200, Event::Phase(Phase::Start));
    TRACE.publish(&RINGS);
    TRACE.record(Some(1), 5_000, Event::Start { by: 0, attempt: 0 });
    TRACE.record(Some(1), 9_500, Event::Online);
    TRACE.record(Some(0), 9_800, Event::StopSignal { rung: 0 });
    let rings = RINGS
        .iter()
        .zip(0..)
        .flat_map(|(ring, cpu)| ring.events().map(move |entry| (entry, cpu)));
    let mut all: Vec<_> = TRACE
        .first_ring()
        .events()
        .map(|entry| (entry, 0))
        .chain(rings)
        .collect();
    all.sort_by_key(|(entry, _)| entry.cycles);
    for (entry, cpu) in all {
        println!(
            "{:>6} ns  CPU {cpu}  {}",
            clock.ns(entry.cycles).unwrap_or(0),
            entry.event
        );
    }
}
