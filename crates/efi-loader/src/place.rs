//! Where the kernel goes.

use crate::Room;
use crate::memory::{Kind, Region};

/// The lowest address in free memory where `room` is. Low, because what the kernel sees of memory before it has tables of
/// its own is low on x86, and near the kernel on aarch64.
#[must_use]
pub fn lowest(map: impl Iterator<Item = Region>, room: &Room) -> Option<u64> {
    map.filter(|region| region.kind == Kind::Free)
        .filter_map(|region| within(&region, room))
        .min()
}

fn within(region: &Region, room: &Room) -> Option<u64> {
    // Page 0 can be free; nobody can tell it from a null pointer.
    let from = region.start.max(room.first).max(1);
    let start = from.checked_next_multiple_of(room.align)?;
    let end = start.checked_add(room.bytes)?;
    (end <= region.end.min(room.limit)).then_some(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const M: u64 = 1 << 20;

    fn free(start: u64, end: u64) -> Region {
        Region {
            start,
            end,
            kind: Kind::Free,
        }
    }

    const ROOM: Room = Room {
        bytes: 3 * M,
        align: 2 * M,
        first: 2 * M,
        limit: 64 * M,
    };

    #[test]
    fn the_lowest_that_is_large_enough_wins() {
        let used = Region {
            kind: Kind::Boot,
            ..free(0, 64 * M)
        };
        let map = [used, free(32 * M, 64 * M), free(M, 4 * M), free(7 * M, 11 * M)];
        assert_eq!(lowest(map.into_iter(), &ROOM), Some(8 * M));
        assert_eq!(lowest(map[..1].iter().copied(), &ROOM), None);
    }

    #[test]
    fn the_limit_and_the_top_hold() {
        assert_eq!(lowest([free(62 * M, 128 * M)].into_iter(), &ROOM), None);
        assert_eq!(lowest([free(u64::MAX - M, u64::MAX)].into_iter(), &ROOM), None);
        assert_eq!(
            lowest([free(0, 64 * M)].into_iter(), &Room { first: 0, ..ROOM }),
            Some(2 * M),
            "never at 0"
        );
    }

    proptest! {
        #[test]
        fn a_place_is_always_a_good_one(
            map in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..8),
            bytes in 0..(1_u64 << 40),
            log in 12_u32..30,
            first: u64,
            limit: u64,
        ) {
            let room = Room { bytes, align: 1 << log, first, limit };
            let map: Vec<Region> = map.into_iter().map(|(start, end)| free(start, end)).collect();
            if let Some(at) = lowest(map.iter().copied(), &room) {
                prop_assert!(at != 0 && at % room.align == 0 && at >= first && at + bytes <= limit);
                prop_assert!(map.iter().any(|region| region.start <= at && at + bytes <= region.end));
            }
        }
    }
}
