extern crate std;

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::area::StopArea;
use crate::latch::Reason;
use crate::ops::StopOps;
use crate::up;

/// One CPU, which owns a panic.
struct Lone;

impl StopOps for Lone {
    fn mask_interrupts(&self) {}
    fn this_cpu(&self) -> Option<CpuId> {
        Some(CpuId::BOOT)
    }
    fn hw_id(&self) -> u64 {
        0x100
    }
    fn now(&self) -> u64 {
        1_234_567
    }
    fn relax(&self) {}
    fn save_regs(&self, out: &mut Registers) {
        out.begin(
            62,
            0xffff_ffff_8020_1234,
            0xffff_c900_0000_3f80,
            0xffff_c900_0000_3fa0,
        );
        (0..40).for_each(|word| out.push(word));
    }
    fn quiesce(&self) {}
    fn park(&self) -> ! {
        panic!("the owner never parks")
    }
}

/// The area as a dump of memory shows it.
fn bytes<const N: usize>(area: &StopArea<N>) -> Vec<u8> {
    let first = core::ptr::from_ref(area).cast::<u8>();
    // SAFETY: the area is plain words without padding, and nobody writes it here.
    unsafe { core::slice::from_raw_parts(first, size_of_val(area)) }.to_vec()
}

fn stopped() -> StopArea<3> {
    let area = StopArea::new();
    area.area().set_hw_id(CpuId::BOOT, 0x100);
    area.area().word(CpuId::BOOT).unwrap().boot_cpu_online().unwrap();
    let _ = up::Engine::new(&area, &Lone).stop(Reason::Panic);
    let word = area.area().word(CpuId::new(2)).unwrap();
    let generation = word.begin_start().unwrap();
    word.revoke(generation).unwrap();
    area
}

#[test]
fn a_dump_reads_as_the_machine_does() {
    let area = stopped();
    let live = Report::of(&area);
    let dump = bytes(&area);
    let read = decode(&dump).unwrap();
    assert_eq!(read.summary(), live.summary());
    assert!(read.rows().eq(live.rows()));
    assert_eq!(read.registers(CpuId::BOOT), live.registers(CpuId::BOOT));
    assert_eq!(
        live.registers(CpuId::BOOT).unwrap().words().len(),
        crate::REGISTER_WORDS
    );
    assert_eq!(read.registers(CpuId::new(1)), None);
    assert_eq!(format!("{read}"), format!("{live}"));
}

#[test]
fn a_report_is_found_in_a_dump() {
    let mut dump = Vec::from([0x53u8; 640]);
    dump.extend(bytes(&stopped()));
    let (at, report) = find(&dump).unwrap();
    assert_eq!((at, report.summary().hold.unwrap().reason), (640, Reason::Panic));
    assert!(find(&dump[..700]).is_none());
}

#[test]
fn memory_that_is_no_report_is_refused_with_the_reason() {
    let dump = bytes(&stopped());
    assert_eq!(decode(&[]).unwrap_err(), DecodeError::NoMagic);
    assert_eq!(
        decode(&bytes(&StopArea::<1>::new())).unwrap_err(),
        DecodeError::NoMagic
    );
    assert_eq!(decode(&dump[..100]).unwrap_err(), DecodeError::Short(dump.len()));
    let changed = |at: usize, byte: u8| {
        let mut dump = dump.clone();
        dump[at] = byte;
        decode(&dump).unwrap_err()
    };
    assert_eq!(changed(layout::VERSION_AT, 9), DecodeError::Version(9));
    assert_eq!(changed(layout::CAPACITY, 4), DecodeError::Lengths);
    assert_eq!(changed(layout::CAPACITY, 0), DecodeError::Lengths);
    assert_eq!(changed(layout::SLOT_LEN_AT, 1), DecodeError::Lengths);
}

/// The first two columns of the documentation's tables: one for the header, one for a slot.
fn documented() -> Vec<(usize, usize)> {
    let number = |column: Option<&str>| column?.trim().parse().ok();
    let row = |line: &str| {
        let mut columns = line.strip_prefix("//! |")?.split('|');
        Some((number(columns.next())?, number(columns.next())?))
    };
    include_str!("layout.rs").lines().filter_map(row).collect()
}

#[test]
fn the_layout_is_as_documented() {
    use layout::*;
    let header = [
        (0, 8),
        (VERSION_AT, 4),
        (TOTAL_LEN, 4),
        (HEADER_LEN_AT, 4),
        (SLOT_LEN_AT, 4),
        (CAPACITY, 4),
        (CPUS, 4),
        (LATCH, 4),
        (VERDICT, 4),
        (REENTRIES, 4),
        (core::mem::offset_of!(crate::area::Header, rungs_begun), 4),
        (BEGAN_AT, 8),
        (TOOK, 8),
        (FORMER_OWNER, 4),
    ];
    let slot = [
        (WORD, 4),
        (VIA, 4),
        (NOTE, 4),
        (core::mem::offset_of!(crate::area::Slot, progress), 4),
        (SAVED, 4),
        (ANSWERED_AT, 8),
        (HW_ID, 8),
        (MESSAGE, 4),
        (MESSAGE + core::mem::offset_of!(crate::message::Place, len), 4),
        (
            MESSAGE + core::mem::offset_of!(crate::message::Place, static_at),
            8,
        ),
        (
            MESSAGE + core::mem::offset_of!(crate::message::Place, static_len),
            4,
        ),
        (REGISTERS, size_of::<Registers>()),
        (TEXT, crate::MESSAGE_LEN),
    ];
    assert_eq!(documented(), [&header[..], &slot[..]].concat());
}

#[test]
fn a_dump_says_what_was_said_and_where_words_lie_that_were_not_copied() {
    let area = stopped();
    let engine = up::Engine::new(&area, &Lone);
    let _ = engine.stop_saying(Reason::Panic, "in the image");
    let live = Report::of(&area);
    assert_eq!(live.message(CpuId::BOOT).as_deref(), Some("in the image"));
    let dump = bytes(&area);
    let read = decode(&dump).unwrap();
    assert_eq!(read.message(CpuId::BOOT), None);
    assert_eq!(read.message_place(CpuId::BOOT), live.message_place(CpuId::BOOT));
    assert!(
        format!("{read}")
            .lines()
            .last()
            .unwrap()
            .starts_with("CPU 0 said what lies at 0x")
    );
    engine.set_message(&format_args!("{} of {}", "out", "cheese"));
    let dump = bytes(&area);
    let read = decode(&dump).unwrap();
    assert_eq!(read.message(CpuId::BOOT).as_deref(), Some("out of cheese"));
    assert_eq!(read.message(CpuId::new(1)), None);
    assert!(format!("{read}").ends_with("\nCPU 0 said: out of cheese"));
}

#[test]
fn long_words_are_broken_into_lines() {
    let area = stopped();
    up::Engine::new(&area, &Lone).set_message(&"ä".repeat(100));
    let table = format!("{}", Report::of(&area));
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    area.word(CpuId::new(1)).unwrap().park();
    let letters = table.matches('ä').count();
    assert_eq!(letters, crate::MESSAGE_LEN / 2, "{table}");
}

#[test]
fn an_owner_that_looked_at_itself_has_no_pc_to_show() {
    let area = stopped();
    let row = |table: &str| {
        table
            .lines()
            .find(|line| line.contains(" owner "))
            .map(String::from)
    };
    let with = row(&format!("{}", Report::of(&area))).unwrap();
    assert!(with.ends_with("0xffffffff80201234"), "{with}");
    let mut dump = bytes(&area);
    dump[layout::HEADER_LEN + layout::REGISTERS + 2] |= 1;
    let read = decode(&dump).unwrap();
    let registers = read.registers(CpuId::BOOT).unwrap();
    assert_eq!((registers.is_own(), registers.machine()), (true, 62));
    let without = row(&format!("{read}")).unwrap();
    assert!(without.ends_with(" -"), "{without}");
}

/// Times are of the owner there is: of those who answered the one before nothing is said.
#[test]
fn an_answer_to_an_owner_before_has_no_time() {
    let times = |generation: u8, answered_at: u64| {
        let raw = RawRow {
            word: 5,
            via: Via::Poll.code(),
            note: 0,
            saved: 0,
            answered_at,
            hw_id: 0,
        };
        let area = stopped();
        let mut summary = Report::of(&area).summary();
        summary.began_at = 1_000;
        summary.hold = summary.hold.map(|hold| Hold { generation, ..hold });
        raw.read(CpuId::new(1), false, &summary).answered_ns
    };
    assert_eq!(times(1, 1_500), Some(500));
    assert_eq!(times(1, 900), Some(0), "clocks differ by a little");
    assert_eq!(times(2, 900), None, "it answered an owner before");
    assert_eq!(times(2, 1_001), Some(1));
}

#[test]
fn the_table_fits_a_hundred_columns() {
    let area = stopped();
    area.area().set_hw_id(CpuId::new(2), u64::from(u32::MAX));
    let table = format!("{}", Report::of(&area));
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(
        table.contains("0xffffffff80201234") && table.contains("owner"),
        "{table}"
    );
    assert_eq!(
        table.lines().count(),
        4,
        "a CPU that was never started has no line\n{table}"
    );
}

#[test]
fn a_planned_end_is_called_what_it_is() {
    let headline = |reason, planned| {
        let area = StopArea::<3>::new();
        area.area().word(CpuId::BOOT).unwrap().boot_cpu_online().unwrap();
        let _ = up::Engine::new(&area, &Lone).stop(reason);
        let report = Report::of(&area).called(planned);
        String::from(format!("{report}").lines().next().unwrap())
    };
    assert!(headline(Reason::Reboot, "power-off").starts_with("stop: power-off by CPU 0: stopped"));
    assert!(headline(Reason::Panic, "power-off").starts_with("stop: panic by CPU 0: stopped"));
}

/// CPU 2 has gone off; what the account says of it is `why`.
fn gone(why: Option<Why>) -> StopArea<3> {
    let area = stopped();
    let word = area.area().word(CpuId::new(1)).unwrap();
    let generation = word.begin_start().unwrap();
    word.come_online(generation).unwrap();
    word.begin_offline().unwrap();
    word.go_off().unwrap();
    let note = why.map_or(0, |why| u32::from(u16::MAX) << 16 | why as u32);
    let slot = area.area().slot(CpuId::new(1)).unwrap();
    slot.note.store(note, Ordering::Relaxed);
    area
}

#[test]
fn a_cpu_is_off_or_silent_and_not_both() {
    let lists = |why| {
        let area = gone(why);
        let report = Report::of(&area);
        (format!("{}", report.off()), format!("{}", report.silent()))
    };
    assert_eq!(lists(None), ("1".into(), "".into()));
    assert_eq!(lists(Some(Why::StillOn)), ("".into(), "1".into()));
}

#[test]
fn lists_of_cpus_are_ranges() {
    let area = StopArea::<12>::new();
    for n in [0, 1, 2, 5, 7, 8] {
        area.area().word(CpuId::new(n)).unwrap().park();
    }
    let parked = Report::of(&area).parked();
    assert_eq!(
        (format!("{parked}"), parked.count()),
        (String::from("0-2,5,7-8"), 6)
    );
    assert!(Report::of(&area).silent().is_empty());
}

/// Reads all there is to read: nothing panics, nothing takes longer than the input is long.
fn read_all(bytes: &[u8]) {
    if let Some((_, report)) = find(bytes) {
        let rows = report.rows().count();
        assert!(rows <= bytes.len() / layout::SLOT_LEN);
        assert!(format!("{report}").lines().count() <= 3 * rows + 2);
        let _ = format!("{} {}", report.parked(), report.silent());
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_report_upsets_its_reader(
        changes in prop::collection::vec((0usize..1664, any::<u8>()), 0..64),
        cut in 0usize..1665,
    ) {
        let mut dump = bytes(&stopped());
        for (at, byte) in changes {
            dump[at] = byte;
        }
        dump.truncate(cut.max(64));
        read_all(&dump);
    }

    #[test]
    fn no_bytes_upset_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..2048), magic: bool) {
        if magic && bytes.len() >= 24 {
            bytes[..8].copy_from_slice(b"STOPRPRT");
            bytes[8..12].copy_from_slice(&layout::VERSION.to_le_bytes());
        }
        read_all(&bytes);
    }
}
