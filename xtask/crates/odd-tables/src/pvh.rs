//! Memory maps of the PVH boot protocol (Xen, `public/arch-x86/hvm/start_info.h`) for a PC with 256 MiB, and the program that
//! hands one to a kernel in the place of the map of the firmware.

use std::ops::Range;

use crate::Random;

/// Where the program lies, and behind it what it hands over: in RAM, in the way of nothing.
pub const PROGRAM_AT: u32 = 0xa00_0000;
/// Where its start info begins.
const INFO_AT: usize = 0x1000;
const CMDLINE_AT: usize = INFO_AT + 0x100;
const MAP_AT: usize = INFO_AT + 0x1000;

/// A map with something odd in it.
#[derive(Clone, Debug)]
pub struct Odd {
    /// Start, length and type of each entry, as E820 numbers types.
    pub map: Vec<(u64, u64, u32)>,
    /// How many entries there are said to be.
    pub count: u32,
    /// What is not to be given out.
    pub held: Vec<Range<u64>>,
    /// Whether it must be refused.
    pub refused: bool,
}

/// A kind of oddity.
pub type Kind = (&'static str, fn(&mut Random) -> Odd);

/// RAM, the hole below 1 MiB and the registers below 4 GiB.
const USUAL: [(u64, u64, u32); 4] = [
    (0, 0x9_fc00, 1),
    (0x9_fc00, 0x6_0400, 2),
    (0x10_0000, 0xff0_0000, 1),
    (0xb000_0000, 0x1000_0000, 2),
];

fn odd(more: Vec<(u64, u64, u32)>) -> Odd {
    let claims = more.iter().filter(|(_, _, kind)| *kind != 1);
    let held = claims.map(|&(start, len, _)| start..start + len).collect();
    let map: Vec<_> = USUAL.into_iter().chain(more).collect();
    Odd {
        count: map.len() as u32,
        map,
        held,
        refused: false,
    }
}

/// Pages of these types, every second one from somewhere on.
fn pages(random: &mut Random, count: u64, kinds: &[u32]) -> Vec<(u64, u64, u32)> {
    let first = 0x400_0000 + random.within(0, 0x100) * 0x1000;
    let kind = |n: u64| kinds[n as usize % kinds.len()];
    (0..count)
        .map(|n| (first + n * 0x2000, 0x1000, kind(n)))
        .collect()
}

/// Every kind.
pub const KINDS: &[Kind] = &[
    ("usual", |_| odd(Vec::new())),
    ("claims-300", |r| odd(pages(r, 300, &[2, 3, 4, 5, 7, 12]))),
    ("claims-3000", |r| odd(pages(r, 3000, &[2, 4]))),
    ("claims-first", |r| {
        let mut odd = odd(pages(r, 300, &[2]));
        odd.map.rotate_left(USUAL.len());
        odd
    }),
    ("claims-any-order", |r| {
        let mut odd = odd(pages(r, 300, &[2, 4]));
        r.shuffle(&mut odd.map);
        odd
    }),
    ("ram-in-pieces", |r| {
        let mut odd = odd(pages(r, 300, &[1]));
        odd.map.swap(2, 303);
        odd
    }),
    ("empty-entries", |r| {
        odd((0..300).map(|n| (r.any() >> 1, 0, n % 8)).collect())
    }),
    ("absurd-count", |r| Odd {
        count: r.within(1 << 20, u32::MAX.into()) as u32,
        refused: true,
        ..odd(Vec::new())
    }),
];

/// The kind of this name, by this seed.
#[must_use]
pub fn by_name(name: &str, seed: u64) -> Option<Odd> {
    let (name, make) = KINDS.iter().find(|(kind, _)| *kind == name)?;
    Some(make(&mut Random::new(seed, name)))
}

/// What lies at [`PROGRAM_AT`]: code that puts the address of its own start info into EBX and jumps to the kernel's `entry`.
fn program(odd: &Odd, entry: u32, cmdline: &str) -> Vec<u8> {
    let at = |offset: usize| PROGRAM_AT + offset as u32;
    let mut bytes = vec![0; MAP_AT];
    let code = [
        &[0xbb][..], // mov ebx, info
        &at(INFO_AT).to_le_bytes(),
        &[0xb8], // mov eax, entry
        &entry.to_le_bytes(),
        &[0xff, 0xe0], // jmp eax
    ]
    .concat();
    bytes[..code.len()].copy_from_slice(&code);
    let info = [
        0x336e_c578,
        1,
        0,
        0,
        0,
        0,
        at(CMDLINE_AT),
        0,
        0,
        0,
        at(MAP_AT),
        0,
        odd.count,
        0,
    ];
    let info: Vec<u8> = info.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    bytes[INFO_AT..INFO_AT + info.len()].copy_from_slice(&info);
    bytes[CMDLINE_AT..CMDLINE_AT + cmdline.len()].copy_from_slice(cmdline.as_bytes());
    for &(start, len, kind) in &odd.map {
        bytes.extend(start.to_le_bytes());
        bytes.extend(len.to_le_bytes());
        bytes.extend(u64::from(kind).to_le_bytes());
    }
    bytes
}

/// The program as an ELF file with the note by which PVH loaders know one (Xen, `public/elfnote.h`, 18: the 32-bit entry).
#[must_use]
pub fn elf(odd: &Odd, entry: u32, cmdline: &str) -> Vec<u8> {
    const HEADERS: u32 = 52 + 2 * 32;
    let program = program(odd, entry, cmdline);
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let halves = |halves: &[u16]| -> Vec<u8> { halves.iter().flat_map(|half| half.to_le_bytes()).collect() };
    let note = [words(&[4, 4, 18]), b"Xen\0".to_vec(), words(&[PROGRAM_AT])].concat();
    let (note_len, len) = (note.len() as u32, program.len() as u32);
    [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        halves(&[2, 3]),
        words(&[1, PROGRAM_AT, 52, 0, 0]),
        halves(&[52, 32, 2, 40, 0, 0]),
        words(&[1, HEADERS + note_len, PROGRAM_AT, PROGRAM_AT, len, len, 7, 1]),
        words(&[4, HEADERS, 0, 0, note_len, note_len, 4, 4]),
        note,
        program,
    ]
    .concat()
}
