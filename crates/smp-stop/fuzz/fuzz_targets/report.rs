//! Memory that says it is a stop report: everything a reader can ask of it, in a time that the length of the input bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smp_stop::CpuId;
use smp_stop::report::{Report, decode, find, layout};

/// A header that passes for one, in either byte order, around what the fuzzer made up.
fn dress(data: &[u8]) -> Option<Vec<u8>> {
    let (&choice, rest) = data.split_first()?;
    let mut bytes = rest.to_vec();
    if choice & 3 == 0 || bytes.len() < layout::HEADER_LEN {
        return Some(bytes);
    }
    let capacity = (bytes.len() - layout::HEADER_LEN) / layout::SLOT_LEN;
    let total = layout::HEADER_LEN + capacity * layout::SLOT_LEN;
    let header = [
        layout::MAGIC[0],
        layout::MAGIC[1],
        layout::VERSION,
        total as u32,
        layout::HEADER_LEN as u32,
        layout::SLOT_LEN as u32,
        capacity as u32,
    ];
    for (word, at) in header.into_iter().zip(bytes.chunks_exact_mut(4)) {
        at.copy_from_slice(&match choice & 4 {
            0 => word.to_le_bytes(),
            _ => word.to_be_bytes(),
        });
    }
    Some(bytes)
}

fn read_all(report: &Report<'_>, len: usize) {
    let summary = report.summary();
    assert!(summary.cpus * layout::SLOT_LEN <= len);
    for n in [0, 1, summary.cpus as u32, u32::MAX] {
        let _ = (report.row(CpuId::new(n)), report.registers(CpuId::new(n)));
    }
    for row in report.rows() {
        let words = report.registers(row.cpu).map(|registers| registers.words().len());
        assert_eq!(words.is_some(), row.has_registers);
        assert!(!(row.is_parked() && row.owner));
        let said = report.message(row.cpu).map_or(0, |message| message.len());
        assert!(said <= smp_stop::MESSAGE_LEN);
        let _ = report.message_place(row.cpu);
    }
    let table = report.to_string();
    assert!(table.lines().count() <= 3 * summary.cpus + 2);
    let _ = format!("{} {}", report.parked(), report.silent());
}

fuzz_target!(|data: &[u8]| {
    let Some(bytes) = dress(data) else { return };
    if let Ok(report) = decode(&bytes) {
        read_all(&report, bytes.len());
    }
    if let Some((at, report)) = find(&bytes) {
        read_all(&report, bytes.len() - at);
    }
});
