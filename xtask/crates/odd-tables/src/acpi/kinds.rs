//! The kinds.

use super::entries::{
    controllers, cpu, gicc, io_apic, lapic, madt_of, mislabelled, nmi, resized, source_override, table,
    usual, x2apic,
};
use super::{Kind, Odd};
use crate::Random;

const NO_LENGTH: &str = "MADT damaged: an entry without length";
const CUT_OFF: &str = "MADT damaged: an entry that is cut off";
const SHORT: &str = "MADT: entries too short for what they are: 1, not used";
const FLAGS: &str = "MADT: CPUs with unknown flags: 1";
const NO_ID: &str = "MADT: CPUs with an id that names none: 1, not used";
const AGAIN: &str = "MADT: CPUs listed again: 1";
const DISABLED: &str = "MADT: CPUs disabled by firmware: 1";
const PLUGGABLE: &str = "MADT: CPUs that may be plugged in: 1";
const NO_LINE: &str = "MADT: interrupts of no bus or pin: 1, not used";
const NO_ROOM: &str = "entries of lists there is no room for: 1";

/// One MADT, and what is right.
fn odd(entries: &[Vec<u8>], cpus: impl Into<Vec<u64>>, says: &[&'static str]) -> Odd {
    Odd {
        tables: vec![madt_of(&entries.concat())],
        cpus: cpus.into(),
        says: says.to_vec(),
        unknown: false,
    }
}

/// The same, where CPUs cannot be known.
fn unknown(odd: Odd) -> Odd {
    Odd { unknown: true, ..odd }
}

/// The usual machine with one more entry, somewhere: all CPUs are there.
fn beside(random: &mut Random, entry: Vec<u8>, says: &[&'static str]) -> Odd {
    let mut entries = usual();
    entries.insert(random.within(0, entries.len() as u64) as usize, entry);
    odd(&entries, [0, 1, 2, 3], says)
}

/// The usual machine, in which something else stands where secondary `n` should: the others are there.
fn instead(n: u64, entry: Vec<u8>, says: &[&'static str]) -> Odd {
    let mut entries = usual();
    entries[n as usize] = entry;
    let cpus: Vec<u64> = (0..4).filter(|id| *id != n).collect();
    odd(&entries, cpus, says)
}

/// A secondary.
fn secondary(random: &mut Random) -> u64 {
    random.within(1, 3)
}

/// The usual machine up to CPU `n`, and there an entry that nobody gets past.
fn ends(n: u64, entry: Vec<u8>, says: &'static str) -> Odd {
    let mut entries = usual();
    entries.rotate_left(4);
    entries[3 + n as usize] = entry;
    unknown(odd(&entries, (0..n).collect::<Vec<_>>(), &[says]))
}

/// A flag that no version of ACPI has.
fn unknown_flag(random: &mut Random) -> u32 {
    1 << random.within(8, 31)
}

/// Every kind.
pub const KINDS: &[Kind] = &[
    ("usual", |_| odd(&usual(), [0, 1, 2, 3], &[])),
    ("no-length-first", |_| {
        let mut entries = usual();
        entries[0][1] = 0;
        unknown(odd(&entries, [], &[NO_LENGTH]))
    }),
    ("no-length", |r| {
        let n = secondary(r);
        ends(n, mislabelled(cpu(n), 0), NO_LENGTH)
    }),
    ("length-of-one", |r| {
        let n = secondary(r);
        ends(n, mislabelled(cpu(n), 1), NO_LENGTH)
    }),
    ("too-long", |r| {
        let n = secondary(r);
        ends(n, mislabelled(cpu(n), r.within(60, 255)), CUT_OFF)
    }),
    ("last-cut-off", |r| {
        let n = secondary(r);
        let mut entries: Vec<_> = controllers();
        entries.extend((0..n).map(cpu));
        let whole = cpu(n);
        entries.push(whole[..r.within(2, 7) as usize].to_vec());
        unknown(odd(&entries, (0..n).collect::<Vec<_>>(), &[CUT_OFF]))
    }),
    ("short-cpu", |r| {
        let n = secondary(r);
        unknown(instead(n, resized(cpu(n), r.within(2, 7)), &[SHORT]))
    }),
    ("short-x2apic", |r| {
        let n = secondary(r);
        let entry = resized(x2apic(n as u32, n as u32, 1), r.within(2, 15));
        unknown(instead(n, entry, &[SHORT]))
    }),
    ("short-io-apic", |r| {
        let entry = resized(io_apic(1, 0xfec1_0000, 24), r.within(2, 11));
        beside(r, entry, &[SHORT])
    }),
    ("short-override", |r| {
        let entry = resized(source_override(0, 9, 9, 0xd), r.within(2, 9));
        beside(r, entry, &[SHORT])
    }),
    ("short-nmi", |r| {
        let entry = resized(nmi(0, 1), r.within(2, 5));
        beside(r, entry, &[SHORT])
    }),
    ("short-address-override", |r| {
        let entry = resized(vec![5, 12], r.within(2, 11));
        beside(r, entry, &[SHORT])
    }),
    ("long-cpu", |r| {
        let n = secondary(r);
        let mut entries = usual();
        entries[n as usize] = resized(cpu(n), r.within(9, 40));
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("disabled", |r| {
        let n = secondary(r);
        instead(n, lapic(n as u8, n as u8, 0), &[DISABLED])
    }),
    ("pluggable", |r| {
        let n = secondary(r);
        instead(n, lapic(n as u8, n as u8, 2), &[PLUGGABLE])
    }),
    ("unknown-flags", |r| {
        let n = secondary(r);
        let mut entries = usual();
        entries[n as usize] = lapic(n as u8, n as u8, 1 | unknown_flag(r));
        odd(&entries, [0, 1, 2, 3], &[FLAGS])
    }),
    ("unknown-flags-alone", |r| {
        let n = secondary(r);
        instead(n, lapic(n as u8, n as u8, unknown_flag(r)), &[FLAGS, DISABLED])
    }),
    ("again", |r| {
        let n = r.within(0, 3);
        beside(r, cpu(n), &[AGAIN]).sorted()
    }),
    ("again-as-x2apic", |r| {
        let n = r.within(0, 3) as u32;
        beside(r, x2apic(n, n, 1), &[AGAIN]).sorted()
    }),
    ("on-after-pluggable", |r| {
        let n = secondary(r);
        let mut entries = usual();
        entries[n as usize] = lapic(n as u8, n as u8, 2);
        entries.push(cpu(n));
        odd(&entries, [0, 1, 2, 3], &[AGAIN])
    }),
    ("pluggable-after-on", |r| {
        let n = r.within(0, 3) as u8;
        let mut entries = usual();
        entries.push(lapic(n, n, 2));
        odd(&entries, [0, 1, 2, 3], &[AGAIN])
    }),
    ("id-of-all", |r| {
        let uid = r.within(4, 255) as u8;
        beside(r, lapic(uid, 0xff, 1), &[NO_ID])
    }),
    ("x2apic-id-of-all", |r| {
        let uid = r.any() as u32;
        beside(r, x2apic(uid, u32::MAX, 1), &[NO_ID])
    }),
    ("all-as-x2apic", |_| {
        let mut entries = usual();
        (0..4).for_each(|n| entries[n as usize] = x2apic(n, n, 1));
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("any-order", |r| {
        let mut entries = usual();
        r.shuffle(&mut entries);
        odd(&entries, [0, 1, 2, 3], &[]).sorted()
    }),
    ("uids-without-sense", |r| {
        let mut entries = usual();
        (0..4).for_each(|n| entries[n] = lapic(r.any() as u8, n as u8, 1));
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("unknown-types", |r| {
        let mut entries = usual();
        for _ in 0..r.within(1, 30) {
            let len = r.within(2, 60);
            let mut entry = r.bytes(len);
            (entry[0], entry[1]) = (r.within(0x30, 0xff) as u8, len as u8);
            entries.insert(r.within(0, entries.len() as u64) as usize, entry);
        }
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("a-thousand-empty-entries", |r| {
        let mut entries = vec![vec![0x80, 2]; r.within(1000, 3000) as usize];
        entries.extend(usual());
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("override-of-no-bus", |r| {
        let entry = source_override(r.within(1, 255) as u8, 9, 9, 0xd);
        beside(r, entry, &[NO_LINE])
    }),
    ("override-of-no-line", |r| {
        let entry = source_override(0, r.within(16, 255) as u8, 9, 0xd);
        beside(r, entry, &[NO_LINE])
    }),
    ("override-reserved-flags", |r| {
        let entry = source_override(0, 10, 10, 0xa | (r.any() as u16) << 4);
        beside(r, entry, &[])
    }),
    ("nmi-of-no-pin", |r| {
        let entry = nmi(0xff, r.within(2, 255) as u8);
        beside(r, entry, &[NO_LINE])
    }),
    ("a-byte-at-the-end", |r| {
        let mut entries = usual();
        entries.push(r.bytes(1));
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("no-local-apic-address", |_| {
        let mut odd = odd(&usual(), [0, 1, 2, 3], &[]);
        odd.tables = vec![table(
            b"APIC",
            &[&[0, 0, 0, 0, 1, 0, 0, 0], &usual().concat()[..]].concat(),
        )];
        odd
    }),
    ("too-many-io-apics", |_| {
        let mut entries = usual();
        entries.extend((1..65).map(|n| io_apic(n, 0xfec0_0000 + u32::from(n) * 0x1000, u32::from(n) * 24)));
        odd(&entries, [0, 1, 2, 3], &[NO_ROOM])
    }),
    ("too-many-overrides", |r| {
        let mut entries = usual();
        entries.extend((0..32).map(|_| source_override(0, 10, r.within(0, 23) as u32, 0xd)));
        odd(&entries, [0, 1, 2, 3], &[NO_ROOM])
    }),
    ("too-many-cpus", |_| {
        let entries: Vec<_> = (0..1025).map(|n| x2apic(n, n, 1)).collect();
        let says = "MADT: CPUs beyond those there is room for: 1";
        odd(&entries, (0..1024).collect::<Vec<_>>(), &[says])
    }),
    ("two-madts", |_| {
        let mut odd = odd(&usual(), [0, 1, 2, 3], &["MADT: further ones, not read: 1"]);
        odd.tables.push(madt_of(&lapic(7, 7, 1)));
        odd
    }),
    ("wrong-checksum", |r| {
        let mut odd = odd(&usual(), [0, 1, 2, 3], &["tables have a wrong checksum"]);
        odd.tables[0][9] ^= r.within(1, 255) as u8;
        odd
    }),
    ("no-fields", |r| {
        let mut odd = odd(&[], [], &["bytes are no table; CPUs are unknown"]);
        let madt = &mut odd.tables[0];
        madt.truncate(r.within(36, 43) as usize);
        let len = madt.len() as u8;
        (madt[4], madt[9]) = (len, 0);
        madt[9] = super::entries::checksum(madt);
        unknown(odd)
    }),
    ("no-madt", |_| {
        let mut odd = odd(&[], [], &["no MADT: CPUs are unknown"]);
        odd.tables = vec![table(b"OEM1", &[0; 8])];
        unknown(odd)
    }),
    ("io-apic-in-ram", |r| {
        let mut entries = usual();
        let at = 0x400_0000 + r.within(0, 0xfff) * 0x1000;
        entries[4] = io_apic(0, at as u32, 0);
        odd(&entries, [0, 1, 2, 3], &[])
    }),
    ("no-entries", |_| odd(&[], [], &[])),
    ("short-and-cut-off", |r| {
        let entry = resized(cpu(1), r.within(2, 7));
        let entries = [cpu(0), entry, cpu(2), mislabelled(cpu(3), 200)];
        unknown(odd(&entries, [0, 2], &[SHORT, CUT_OFF]))
    }),
    ("gicc-bits-that-are-no-affinity", |r| {
        let bad = 1 << r.within(24, 31);
        odd(&[gicc(0, 1), gicc(1, 1), gicc(bad | 2, 1)], [0, 1], &[NO_ID])
    }),
    ("gicc-too-short", |r| {
        let short = resized(gicc(2, 1), r.within(2, 75));
        unknown(odd(&[gicc(0, 1), short, gicc(0x101, 1)], [0, 0x101], &[SHORT]))
    }),
    ("gicc-again", |r| {
        let n = r.within(0, 1);
        odd(&[gicc(0, 1), gicc(1, 1), gicc(n, 1)], [0, 1], &[AGAIN])
    }),
    ("gicc-unknown-flags", |r| {
        let flags = 1 | unknown_flag(r);
        odd(&[gicc(0, 1), gicc(1, flags)], [0, 1], &[FLAGS])
    }),
    ("gicc-off-and-pluggable", |_| {
        odd(&[gicc(0, 1), gicc(1, 0), gicc(2, 8)], [0], &[DISABLED, PLUGGABLE])
    }),
];

impl Odd {
    /// The order of the CPUs is nobody's promise: compare as sets.
    fn sorted(mut self) -> Self {
        self.cpus.sort_unstable();
        self
    }
}
