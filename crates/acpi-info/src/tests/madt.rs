//! Lists of CPUs and controllers, good and bad.

use super::support::Machine;
use crate::*;

fn lapic(uid: u8, id: u8, flags: u32) -> Vec<u8> {
    [&[0, 8, uid, id][..], &flags.to_le_bytes()].concat()
}

fn x2apic(uid: u32, id: u32, flags: u32) -> Vec<u8> {
    [
        &[9, 16, 0, 0][..],
        &id.to_le_bytes(),
        &flags.to_le_bytes(),
        &uid.to_le_bytes(),
    ]
    .concat()
}

fn gicc(mpidr: u64, flags: u32, len: usize) -> Vec<u8> {
    let mut entry = vec![0; 82];
    (entry[0], entry[1]) = (0xb, len as u8);
    entry[12..16].copy_from_slice(&flags.to_le_bytes());
    entry[60..68].copy_from_slice(&0x80a_0000u64.to_le_bytes());
    entry[68..76].copy_from_slice(&mpidr.to_le_bytes());
    entry.truncate(len);
    entry
}

fn read(entries: &[Vec<u8>]) -> Box<AcpiInfo> {
    Machine::with_madt(entries).read()
}

#[test]
fn ids_are_wide_sparse_and_unique() {
    let entries = [
        lapic(0, 0, 1),
        lapic(1, 254, 1),
        lapic(2, 255, 1),
        x2apic(3, 256, 1),
        x2apic(4, 0x1_0000_0000u64.wrapping_sub(2) as u32, 1),
        x2apic(5, u32::MAX, 1),
        x2apic(6, 0, 1),
    ];
    let info = read(&entries);
    let ids: Vec<_> = info.startable().map(|c| (c.hw_id, c.uid, c.kind)).collect();
    let (old, new) = (CpuKind::LocalApic, CpuKind::LocalX2Apic);
    assert_eq!(
        ids,
        [(0, 0, old), (254, 1, old), (256, 3, new), (0xffff_fffe, 4, new)]
    );
    assert_eq!(info.cpus_bad, 3, "two broadcast ids, one repetition");
}

#[test]
fn only_enabled_cpus_are_startable() {
    let info = read(&[lapic(0, 0, 0), lapic(1, 1, 2), lapic(2, 2, 3), x2apic(1, 1, 1)]);
    assert_eq!(info.cpus_disabled, 1);
    assert_eq!(info.startable().map(|c| c.hw_id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        info.cpus[0].kind,
        CpuKind::LocalX2Apic,
        "the enabled one of two entries stays"
    );
    let spare = read(&[lapic(0, 0, 1), lapic(1, 1, 2)]);
    assert!(!spare.cpus[1].enabled && spare.cpus[1].online_capable);
}

#[test]
fn more_cpus_than_room_are_counted() {
    let entries: Vec<_> = (0..MAX_CPUS as u32 + 7).map(|i| x2apic(i, i * 2, 1)).collect();
    let info = read(&entries);
    assert_eq!((info.cpus.len(), info.cpus_dropped), (MAX_CPUS, 7));
}

#[test]
fn gicc_of_every_length_since_it_has_an_mpidr() {
    for len in [76, 80, 82] {
        let info = read(&[gicc(0x1_0000_0102, 1, len)]);
        assert_eq!(info.cpus[0].hw_id, 0x1_0000_0102);
        assert_eq!(
            info.cpus[0].kind,
            CpuKind::Gicc {
                interface: 0,
                redistributor: 0x80a_0000
            }
        );
    }
    assert_eq!(read(&[gicc(1, 1, 40)]).entries_dropped, 1);
    assert_eq!(read(&[gicc(1 << 31, 1, 80)]).cpus_bad, 1, "not an affinity bit");
    assert!(read(&[gicc(1, 8, 82)]).cpus[0].online_capable);
}

#[test]
fn the_rest_of_the_list() {
    let entries = [
        [5, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0].to_vec(),
        [0xa, 12, 5, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0].to_vec(),
        [4, 6, 7, 0xf, 0, 0].to_vec(),
        [4, 6, 7, 0, 0, 2].to_vec(),
        [2, 10, 0, 9, 20, 0, 0, 0, 0xf, 0].to_vec(),
        [2, 10, 1, 9, 20, 0, 0, 0, 0xf, 0].to_vec(),
        [2, 10, 0, 16, 20, 0, 0, 0, 0xf, 0].to_vec(),
        [0x80, 2].to_vec(),
    ];
    let info = read(&entries);
    assert_eq!(info.local_apic, Some(0x1_0000_0000));
    let high = LocalNmi {
        target: NmiTarget::All,
        lint: 1,
        polarity: Polarity::High,
        trigger: Trigger::Edge,
    };
    let low = LocalNmi {
        target: NmiTarget::Uid(7),
        lint: 0,
        polarity: Polarity::Low,
        trigger: Trigger::Level,
    };
    assert_eq!(info.local_nmis[..], [high, low]);
    let irq9 = Override {
        isa_irq: 9,
        gsi: 20,
        polarity: Polarity::Low,
        trigger: Trigger::Level,
    };
    assert_eq!(info.overrides[..], [irq9]);
    assert_eq!(info.entries_dropped, 3, "LINT 2, bus 1, interrupt 16");
}

#[test]
fn an_entry_that_cannot_be_walked_ends_the_walk() {
    for bad in [[0x80, 0], [0x80, 1], [0, 200]] {
        let info = read(&[lapic(0, 0, 1), bad.to_vec(), lapic(1, 1, 1)]);
        assert_eq!((info.cpus.len(), info.entries_dropped), (1, 1));
    }
    let short = read(&[[0, 4, 0, 0].to_vec(), lapic(1, 1, 1)]);
    assert_eq!(
        (short.cpus.len(), short.entries_dropped),
        (1, 1),
        "a short entry is skipped"
    );
    assert_eq!(read(&[[0].to_vec()]).entries_dropped, 0, "one byte is padding");
}

#[test]
fn an_endless_list_ends() {
    let entries = vec![vec![0x80, 2]; 400_000];
    assert_eq!(read(&entries).cpus.len(), 0);
}
