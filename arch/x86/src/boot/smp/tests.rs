use super::*;

const AT: u32 = 0x9_8000;

/// A blob as the assembler lays it out: addresses relative, the rest of the header empty, some code.
fn sample() -> Vec<u8> {
    let mut header = Header::read_from_prefix(&[0; size_of::<Header>()]).unwrap().0;
    header.gdt.base = 0x180;
    header.idt.base = offset_of!(Header, gates) as u32;
    header.protected.offset = 0x90;
    header.paged.offset = 0x120;
    header.leave.offset = 0x150;
    header.gates[2].low = 0x140;
    let mut blob = header.as_bytes().to_vec();
    blob.resize(0x1a0, 0xf4);
    blob
}

fn start(root: u64, page: &[u8; PAGE]) -> Start<'_> {
    Start {
        root,
        root_page: page,
        cr4: u32::MAX,
        efer: u32::MAX,
        apic: 0xc00,
    }
}

fn installed(root: u64, slots: &[Slot]) -> (Header, Vec<u8>) {
    let mut to = vec![0; room(slots.len())];
    install(&sample(), &mut to, AT, &start(root, &[0xa5; PAGE]), slots).unwrap();
    (Header::read_from_prefix(&to).unwrap().0, to)
}

#[test]
fn addresses_are_those_of_the_copy() {
    let (header, to) = installed(0x1234_5000, &[]);
    assert_eq!(header.gdt.base, AT + 0x180);
    assert_eq!(header.idt.base, AT + 0x48);
    assert_eq!(
        [header.protected.offset, header.paged.offset, header.leave.offset],
        [AT + 0x90, AT + 0x120, AT + 0x150]
    );
    let nmi = header.gates[2];
    assert_eq!(u32::from(nmi.low) | u32::from(nmi.high) << 16, AT + 0x140);
    assert_eq!(to[size_of::<Header>()..0x1a0], sample()[size_of::<Header>()..]);
}

#[test]
fn only_paging_bits_of_the_control_registers_are_taken() {
    let (header, _) = installed(0, &[]);
    assert_eq!((header.cr4, header.efer, header.apic), (0xb0, 0x900, 0xc00));
}

/// Each bit on its own: none of these features comes with another.
#[test]
fn a_cpu_must_have_what_is_turned_on_and_nothing_else() {
    let needs = |cr4, efer| {
        let page = [0; PAGE];
        let start = Start {
            cr4,
            efer,
            ..start(0, &page)
        };
        let mut to = vec![0; room(0)];
        install(&sample(), &mut to, AT, &start, &[]).unwrap();
        Header::read_from_prefix(&to).unwrap().0.needs
    };
    assert_eq!(needs(0, 0), 0);
    assert_eq!(needs(1 << 4, 0), 1 << 3, "PSE");
    assert_eq!(needs(1 << 5, 0), 1 << 6, "PAE");
    assert_eq!(needs(1 << 7, 0), 1 << 13, "PGE");
    assert_eq!(needs(0, 1 << 8), 1 << 29, "LM");
    assert_eq!(needs(0, 1 << 11), 1 << 20, "NX");
    assert_eq!(needs(u32::MAX, u32::MAX), 0x2010_2048);
    assert_eq!(Lacking(0x2010_2048).to_string(), "PSE, PAE, PGE, NX, LM");
    assert_eq!(Lacking(1 << 20).to_string(), "NX");
}

#[test]
fn a_root_above_4_gib_is_reached_through_the_copy() {
    assert_eq!(installed(0xffff_f000, &[]).0.root, 0xffff_f000);
    let (header, to) = installed(0x1_0000_0000, &[]);
    assert_eq!(header.root, AT + PAGE as u32);
    assert!(to[PAGE..2 * PAGE].iter().all(|byte| *byte == 0xa5));
}

#[test]
fn slots_are_where_the_header_says() {
    let slots = [Slot::new(7, 0xffff_8880_0000_1000), Slot::new(0x1_0001, u64::MAX)];
    let (header, to) = installed(0, &slots);
    assert_eq!(header.slots, 2);
    let table = (header.table - AT) as usize;
    assert_eq!(to[table..], [slots[0].as_bytes(), slots[1].as_bytes()].concat());
}

#[test]
fn a_place_that_does_not_fit_is_refused_untouched() {
    let slots = [Slot::new(1, 1); 3];
    let start = start(0, &[0; PAGE]);
    for (blob, bytes, at) in [
        (sample(), room(3) - 1, AT),
        (sample(), room(3), AT + 1),
        (sample(), room(3), 0xf_f000),
        (sample()[..0x58].to_vec(), room(3), AT),
        (vec![0; PAGE + 1], room(3), AT),
    ] {
        let mut to = vec![0x11; bytes];
        assert_eq!(install(&blob, &mut to, at, &start, &slots), Err(DoesNotFit));
        assert!(to.iter().all(|byte| *byte == 0x11));
    }
}
