extern crate std;

use std::format;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Plain words as a dump of memory shows them.
fn bytes<T>(of: &T) -> Vec<u8> {
    let first = core::ptr::from_ref(of).cast::<u8>();
    // SAFETY: areas and rings are plain words without padding, and nobody writes them here.
    unsafe { core::slice::from_raw_parts(first, size_of::<T>()) }.to_vec()
}

fn events(ring: &Ring) -> Vec<Entry> {
    ring.events().collect()
}

#[test]
fn a_dump_reads_as_the_machine_does() {
    let (area, rings) = (TraceArea::new(), vec![Ring::new(), Ring::new()].leak());
    area.sign();
    area.record(Some(1), 5, Event::Phase(Phase::Start));
    area.publish(rings);
    area.set_clock(Clock {
        entry: 3,
        mult: 1 << 31,
        shift: 30,
    });
    area.record(Some(1), u64::MAX - 1, Event::GivenUp { by: 0 });
    area.record(Some(0), 9, Event::StopSignal { rung: 1 });
    area.record(Some(0), 9, Event::Switch { thread: 3 });
    area.record(None, 10, Event::Alive);

    let dump = bytes(&area);
    let trace = decode(&dump).unwrap();
    assert!(trace.first().eq(area.first_ring().events()));
    assert_eq!(
        trace.first().count(),
        2,
        "a CPU nobody knows writes to the first ring"
    );
    assert_eq!((trace.count, trace.rings), (2, rings.as_ptr().addr() as u64));
    assert_eq!(trace.clock.ns(5), Some(4));
    assert_eq!(trace.clock.ns(2), Some(0));
    for live in rings.iter() {
        assert!(ring(&bytes(live)).eq(live.events()));
    }
    assert_eq!(rings[1].events().next().unwrap().cycles, u64::MAX - 1);
    assert_eq!(events(&rings[0]).len(), 1, "thread switches were not asked for");
}

#[test]
fn the_oldest_events_go_first() {
    let ring = Ring::new();
    for n in 0..3 * EVENTS as u32 + 7 {
        ring.record(n.into(), Event::Switch { thread: n });
    }
    let held = events(&ring);
    assert_eq!(held.len(), EVENTS);
    for (at, entry) in held.iter().enumerate() {
        let number = (2 * EVENTS + 7 + at) as u32;
        assert_eq!((entry.number, entry.cycles), (number, number.into()));
        assert_eq!(entry.event, Event::Switch { thread: number });
    }
}

#[test]
fn an_event_reserved_and_not_written_is_left_out() {
    let ring = Ring::new();
    (0..EVENTS as u32).for_each(|n| ring.record(1, Event::Switch { thread: n }));
    let mut dump = bytes(&ring);
    dump[..4].copy_from_slice(&(EVENTS as u32 + 1).to_le_bytes());
    let read: Vec<u32> = super::ring(&dump).map(|entry| entry.number).collect();
    assert!(read.into_iter().eq(1..EVENTS as u32));
}

#[test]
fn damage_is_named() {
    let area = TraceArea::new();
    assert_eq!(decode(&bytes(&area)).unwrap_err(), DecodeError::NoMagic);
    area.sign();
    let good = bytes(&area);
    assert!(decode(&good).is_ok());
    let short = DecodeError::Short(layout::AREA_LEN);
    assert_eq!(decode(&good[..layout::AREA_LEN - 1]).unwrap_err(), short);
    let with = |at: usize| {
        let mut bytes = good.clone();
        bytes[at + 3] = 0xff;
        format!("{}", decode(&bytes).unwrap_err())
    };
    assert!(with(layout::VERSION_AT).contains("version 4278190081"));
    for at in [
        layout::AREA_LEN_AT,
        layout::RING_LEN_AT,
        layout::EVENTS_AT,
        layout::COUNT,
    ] {
        assert_eq!(with(at), format!("{}", DecodeError::Lengths));
    }
    assert!(ring(&[]).next().is_none() && ring(&[0xff; layout::RING_LEN - 1]).next().is_none());
}

#[test]
fn names_are_told_apart() {
    for (at, phase) in Phase::ALL.iter().enumerate() {
        assert_eq!(Phase::from_code(at as u16), Some(*phase));
        let same = Phase::ALL.iter().filter(|other| other.name() == phase.name());
        assert_eq!(same.count(), 1, "{}", phase.name());
    }
    assert_eq!(Phase::from_code(Phase::ALL.len() as u16), None);
}

fn any_event() -> impl Strategy<Value = Event> {
    (any::<u8>(), any::<u16>(), any::<u32>()).prop_filter_map("no event", |(kind, small, large)| {
        Event::unpack(Raw {
            kind: kind % 16,
            small: if kind % 16 == 1 { small % 16 } else { small },
            large,
        })
    })
}

proptest! {
    #[test]
    fn an_event_is_stored_whole(event in any_event(), cycles: u64) {
        let ring = Ring::new();
        ring.record(cycles, event);
        prop_assert_eq!(events(&ring), [Entry { number: 0, cycles, event }]);
        let words = format!("{event}");
        prop_assert!(!words.is_empty());
        prop_assert!(Groups::ALL.has(event.group()));
    }

    #[test]
    fn whatever_memory_holds_is_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..3 * layout::RING_LEN), sign: bool) {
        let mut noise = noise;
        if sign && noise.len() > layout::HEADER_LEN {
            let area = TraceArea::new();
            area.sign();
            noise[..24].copy_from_slice(&bytes(&area)[..24]);
        }
        if let Ok(trace) = decode(&noise) {
            prop_assert!(trace.first().count() <= EVENTS);
            prop_assert!(trace.rings_len() <= layout::MAX_CPUS * layout::RING_LEN);
            trace.first().for_each(|entry| assert_eq!(trace.clock.ns(entry.cycles).is_none(), trace.clock.mult == 0));
        }
        prop_assert!(ring(&noise).count() <= EVENTS);
    }
}
