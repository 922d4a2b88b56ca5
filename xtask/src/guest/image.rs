//! The kernel in a guest's memory: where it lies, whether it is the one in the ELF file, what its symbols are there.

use std::ops::Range;

use super::memory::{Memory, PAGE};
use super::space::{Space, little};
use crate::kernel::elf::{Elf, hex};

/// A kernel that was found.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    elf: &'a Elf,
    /// Where it believes to be.
    virt: Range<u64>,
    /// Where it lies.
    phys: u64,
}

/// What is in the guest's memory where the kernel should be.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// The kernel in the ELF file.
    Ours(Image<'a>),
    /// Another build, and which.
    Another(Mismatch),
    /// No kernel.
    Nothing,
}

/// Two builds where there should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    memory: String,
    elf: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { memory, elf } = self;
        write!(
            f,
            "the kernel in memory is build {memory}, the ELF file is build {elf}"
        )
    }
}

/// The note that every kernel carries.
const NOTE: &str = ".note.gnu.build-id";
/// Before the id: three words and the name, `GNU`.
const NOTE_HEADER: usize = 16;

/// Looks for the kernel of `elf`: where `spaces` map it, where a loader puts it if nobody minds, or around the root tables of
/// `spaces`, which may be in it and lack it all the same.
pub fn find<'a>(elf: &'a Elf, memory: &dyn Memory, spaces: &[Space]) -> Found<'a> {
    let (Some(virt), Some(end)) = (elf.symbol("_text"), elf.symbol("_end")) else {
        return Found::Nothing;
    };
    let mapped = spaces.iter().filter_map(|space| {
        space.root(virt)?;
        Some(space.walk(memory, virt)?.page?.pa)
    });
    let loaded = elf
        .loads
        .iter()
        .find(|load| (load.virt..load.virt + load.memory).contains(&virt));
    let loaded = loaded.map(|load| load.phys + (virt - load.virt));
    let tables = spaces.iter().filter_map(|space| Some(space.root(virt)?.pa));
    let around = tables.flat_map(|table| {
        let pages = elf.symbols.iter().map(|(_, at)| *at);
        let pages = pages.filter(|at| (virt..end).contains(at) && at % PAGE == 0);
        let mut starts: Vec<u64> = pages.filter_map(|at| table.checked_sub(at - virt)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    });
    let mut another = None;
    for phys in mapped.chain(loaded).chain(around) {
        let image = Image {
            elf,
            virt: virt..end,
            phys,
        };
        match image.note(memory) {
            Some(note) if note.found == note.expected => return Found::Ours(image),
            Some(note) => another = another.or_else(|| image.any_note(memory, &note)),
            None => {}
        }
    }
    another.map_or(Found::Nothing, Found::Another)
}

struct Note<'a> {
    expected: &'a [u8],
    found: Vec<u8>,
}

impl<'a> Image<'a> {
    fn note(&self, memory: &dyn Memory) -> Option<Note<'a>> {
        let section = self.elf.section(NOTE)?;
        let found = self.read(memory, section.virt, section.bytes.len())?;
        (found.len() > NOTE_HEADER).then_some(Note {
            expected: &section.bytes,
            found,
        })
    }

    /// The build whose note is somewhere where this image should be: another build has it in another place.
    fn any_note(&self, memory: &dyn Memory, note: &Note<'_>) -> Option<Mismatch> {
        let len = usize::try_from(self.virt.end - self.virt.start).ok()?;
        let bytes = self.read(memory, self.virt.start, len)?;
        let (header, id) = note.expected.split_at(NOTE_HEADER);
        // Ours in the wrong place is the right kernel seen from a wrong one.
        let is_anothers = |window: &&[u8]| window.starts_with(header) && *window != note.expected;
        let found = bytes.windows(note.expected.len()).step_by(4).find(is_anothers)?;
        Some(Mismatch {
            memory: hex(&found[NOTE_HEADER..]),
            elf: hex(id),
        })
    }

    /// The physical address of what the kernel calls `virt`, if that is part of the image.
    pub fn phys_of(&self, virt: u64) -> Option<u64> {
        self.virt
            .contains(&virt)
            .then(|| self.phys + (virt - self.virt.start))
    }

    /// What the kernel calls the byte at `phys`, if that is part of the image.
    pub fn virt_of(&self, phys: u64) -> Option<u64> {
        let virt = self.virt.start.checked_add(phys.checked_sub(self.phys)?)?;
        self.virt.contains(&virt).then_some(virt)
    }

    /// `len` bytes of the image from `virt` on.
    pub fn read(&self, memory: &dyn Memory, virt: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let phys = self.phys_of(virt + bytes.len() as u64)?;
            let room = (PAGE - phys % PAGE) as usize;
            bytes.extend(memory.read(phys, room.min(len - bytes.len())));
        }
        Some(bytes)
    }

    /// The value of the variable that Rust calls `name`: a word of `width` bytes.
    pub fn variable(&self, memory: &dyn Memory, name: &str, width: usize) -> Option<u64> {
        let at = self.elf.rust_symbol(name)?;
        Some(little(&self.read(memory, at, width)?))
    }

    /// The symbol that names exactly the byte at `phys`: of several the one that reads best.
    pub fn name_of(&self, phys: u64) -> Option<&'a str> {
        let virt = self.virt_of(phys)?;
        let named = self
            .elf
            .symbols
            .iter()
            .filter(|(name, at)| *at == virt && !name.is_empty());
        named
            .map(|(name, _)| name.as_str())
            .find(|name| !name.starts_with(['.', '_', '$']))
    }

    /// Its symbols.
    pub const fn elf(&self) -> &'a Elf {
        self.elf
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::guest::memory::Cache;
    use crate::guest::memory::tests::Fake;
    use crate::guest::space::{Kind, Root};
    use crate::kernel::elf::{Load, Section};

    /// A kernel of one page of code, one of notes and one of tables, linked high and loaded at 4 MiB.
    pub fn elf() -> Elf {
        let note: Vec<u8> = [4_u32, 20, 3]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .chain(*b"GNU\0")
            .chain([0xab; 20])
            .collect();
        let virt = 0xf000_0000;
        Elf {
            loads: vec![Load {
                virt,
                phys: 0x40_0000,
                bytes: Vec::new(),
                memory: 0x3000,
            }],
            sections: vec![Section {
                name: NOTE.into(),
                virt: virt + 0x1000,
                bytes: note,
            }],
            symbols: [
                ("_text", 0),
                ("initial_page_table", 0x2000),
                ("_ZN6kernel2mm3map4ROOT17h0123456789abcdefE", 0x1100),
                ("_end", 0x3000),
            ]
            .map(|(name, offset)| (name.to_owned(), virt + offset))
            .to_vec(),
            build_id: Some("ab".repeat(20)),
        }
    }

    #[test]
    fn a_kernel_is_known_by_its_build_id() {
        let elf = elf();
        let mut fake = Fake::default();
        assert!(matches!(find(&elf, &Cache::new(&mut fake), &[]), Found::Nothing));
        fake.write(0x40_1000, &elf.sections[0].bytes);
        fake.write(0x40_1100, &[0, 0x20, 0x40, 0]);
        {
            let memory = Cache::new(&mut fake);
            let Found::Ours(image) = find(&elf, &memory, &[Space::Physical]) else {
                panic!("not found");
            };
            assert_eq!(image.name_of(0x40_2000), Some("initial_page_table"));
            assert_eq!(image.name_of(0x40_2004), None);
            assert_eq!(image.virt_of(0x40_3000), None);
            assert_eq!(
                image.variable(&memory, "kernel::mm::map::ROOT", 4),
                Some(0x40_2000)
            );
        }
        fake.write(0x40_1010, &[0xcd]);
        let said = |fake: &mut Fake| match find(&elf, &Cache::new(fake), &[]) {
            Found::Another(mismatch) => mismatch.to_string(),
            other => panic!("{other:?}"),
        };
        let text = said(&mut fake);
        assert!(text.contains("memory is build cdabab"), "{text}");
        assert!(text.contains("ELF file is build ababab"), "{text}");
        // The note of another build lies elsewhere, as a rule.
        fake.write(0x40_1000, &[0; 36]);
        fake.write(0x40_1804, &elf.sections[0].bytes);
        fake.write(0x40_1814, &[0xef]);
        assert!(said(&mut fake).contains("memory is build efabab"));
    }

    #[test]
    fn a_kernel_that_nobody_maps_is_found_by_its_root_table() {
        let elf = elf();
        let mut fake = Fake::default();
        // Loaded at 24 MiB: the root table is empty, and two pages behind the code.
        fake.write(0x180_1000, &elf.sections[0].bytes);
        let space = |pa| {
            [Space::One(Root {
                kind: Kind::Pae { nx: true },
                pa,
            })]
        };
        let memory = Cache::new(&mut fake);
        let Found::Ours(image) = find(&elf, &memory, &space(0x180_2000)) else {
            panic!("not found");
        };
        assert_eq!(image.name_of(0x180_2000), Some("initial_page_table"));
        assert!(matches!(find(&elf, &memory, &space(0x180_3000)), Found::Nothing));
    }
}
