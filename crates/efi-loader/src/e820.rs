//! The firmware's memory map in the words of `boot_params`.

use boot_info::linux_x86::layout::E820Entry;

use crate::memory::{Kind, Region};

impl Kind {
    /// As Linux translates them (`arch/x86`, EFI stub): types of ACPI 6.5, table 15.4.
    const fn e820(self) -> u32 {
        match self {
            Self::Free | Self::Boot => 1,
            Self::Reserved => 2,
            Self::AcpiReclaim => 3,
            Self::AcpiNvs => 4,
            Self::Unusable => 5,
            Self::Persistent => 7,
        }
    }
}

/// Writes `map` to `tables`, one after the other, neighbours of one type as one, and returns how many entries each got.
/// What does not fit is left out, and so is not used by the kernel.
pub fn fill<const N: usize>(map: impl Iterator<Item = Region>, tables: [&mut [E820Entry]; N]) -> [usize; N] {
    let mut map = merged(map);
    tables.map(|table| {
        let mut count = 0;
        // Asks for an entry only where there is one left to write it to.
        for entry in table {
            let Some((start, end, kind)) = map.next() else {
                break;
            };
            entry.addr.set(start);
            entry.size.set(end - start);
            entry.kind.set(kind);
            count += 1;
        }
        count
    })
}

fn merged(map: impl Iterator<Item = Region>) -> impl Iterator<Item = (u64, u64, u32)> {
    let mut map = map
        .filter(|region| region.start < region.end)
        .map(|region| (region.start, region.end, region.kind.e820()))
        .peekable();
    core::iter::from_fn(move || {
        let (start, mut end, kind) = map.next()?;
        while let Some((_, next, _)) = map.next_if(|next| next.0 == end && next.2 == kind) {
            end = next;
        }
        Some((start, end, kind))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::FromZeros;

    use super::*;

    fn table(len: usize) -> Vec<E820Entry> {
        vec![E820Entry::new_zeroed(); len]
    }

    fn read(table: &[E820Entry]) -> Vec<(u64, u64, u32)> {
        table
            .iter()
            .map(|entry| (entry.addr.get(), entry.size.get(), entry.kind.get()))
            .collect()
    }

    #[test]
    fn neighbours_are_merged() {
        let map = [
            (7, 0, 2),
            (4, 0x2000, 1),
            (9, 0x3000, 1),
            (7, 0x5000, 1),
            (6, 0x6000, 1),
        ];
        let map = map.map(|(kind, start, pages)| Region::new(kind, start, pages, 0));
        let mut table = table(8);
        assert_eq!(fill(map.into_iter(), [&mut table]), [4]);
        assert_eq!(
            read(&table[..4]),
            [
                (0, 0x3000, 1),
                (0x3000, 0x1000, 3),
                (0x5000, 0x1000, 1),
                (0x6000, 0x1000, 2)
            ]
        );
    }

    #[test]
    fn types_are_those_of_acpi() {
        let of = |kind, attributes| Kind::new(kind, attributes).e820();
        let kinds: Vec<u32> = (0..=16).map(|kind| of(kind, 0)).collect();
        assert_eq!(kinds, [2, 1, 1, 1, 1, 2, 2, 1, 5, 3, 4, 2, 2, 2, 7, 2, 2]);
        assert_eq!(of(7, 1 << 18), 2, "set aside for a special purpose");
    }

    proptest! {
        /// 300 regions without neighbours: none is lost but for lack of room, and none comes twice.
        #[test]
        fn what_overflows_goes_on_in_the_next_table(count in 0_usize..300, first in 0_usize..200, second in 0_usize..200) {
            let map = (0..count as u64).map(|at| Region::new(7, at * 0x2000, 1, 0));
            let (mut one, mut two) = (table(first), table(second));
            let [ones, twos] = fill(map, [&mut one, &mut two]);
            prop_assert_eq!(ones, count.min(first));
            prop_assert_eq!(twos, (count - ones).min(second));
            let all = [read(&one[..ones]), read(&two[..twos])].concat();
            prop_assert!(all.iter().enumerate().all(|(at, entry)| entry.0 == at as u64 * 0x2000));
        }
    }
}
