//! Address spaces: the page tables a CPU uses, walked from outside.

use paging::{
    Aarch64, Decoded, Format, Half, Mapper, Mapping, Prot, Step, X86_64, X86Features, X86Legacy, X86Pae,
};

use super::memory::{Memory, PAGE, Tables};

/// What kind of tables a root begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// i386 without PAE: `pse` says whether there are large pages.
    Legacy { pse: bool },
    /// i386 with PAE.
    Pae { nx: bool },
    /// x86_64, 4 levels.
    Long { nx: bool },
    /// x86_64, 5 levels.
    FiveLevels { nx: bool },
    /// aarch64, pages of 4 KiB, 48 bits.
    Arm(ArmHalf),
}

/// Which half of the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmHalf {
    Lower,
    Upper,
}

/// The root of an address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    pub kind: Kind,
    /// Physical address.
    pub pa: u64,
}

/// How a CPU finds its way from addresses to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Paging is off.
    Physical,
    /// One root.
    One(Root),
    /// A root for each half of the addresses.
    Two { lower: Root, upper: Root },
    /// Tables of a kind that is not read here.
    Unknown,
}

/// The way to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    pub va: u64,
    /// `None` without paging.
    pub root: Option<Root>,
    /// From the root on.
    pub steps: Vec<Step>,
    /// Where it leads.
    pub page: Option<Page>,
}

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub pa: u64,
    pub write: bool,
    pub exec: bool,
}

/// x86_64 with 57-bit addresses: entries are those of four levels.
#[derive(Clone, Copy)]
struct FiveLevels(X86_64);

impl Format for FiveLevels {
    const NAME: &'static str = "5-level";
    type Entry = u64;
    const VA_BITS: u32 = 57;
    const TABLE_BITS: u32 = X86_64::TABLE_BITS;
    const HARDWARE_BITS: u64 = X86_64::HARDWARE_BITS;

    fn extend(&self, offset: u64) -> u64 {
        (((offset << 7) as i64) >> 7) as u64
    }

    fn phys_bits(&self) -> u32 {
        self.0.phys_bits()
    }

    fn leaf_allowed(&self, level: u32) -> bool {
        self.0.leaf_allowed(level)
    }

    fn enforces_no_exec(&self) -> bool {
        self.0.enforces_no_exec()
    }

    fn encode_leaf(&self, level: u32, leaf: paging::Leaf) -> u64 {
        self.0.encode_leaf(level, leaf)
    }

    fn encode_table(&self, level: u32, pa: u64) -> u64 {
        self.0.encode_table(level, pa)
    }

    fn decode(&self, level: u32, entry: u64) -> Decoded {
        self.0.decode(level, entry)
    }
}

/// A mapper that only looks.
trait Look {
    fn trace(&self, va: u64) -> Vec<Step>;
    fn each(&self, f: &mut dyn FnMut(Mapping));
    /// Bits that one entry of a table at `level` covers.
    fn shift(&self, level: u32) -> u32;
    fn enforces_no_exec(&self) -> bool;
}

impl<F: Format> Look for Mapper<F, Tables<'_>> {
    fn trace(&self, va: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        self.trace(va, |step| steps.push(step));
        steps
    }

    fn each(&self, f: &mut dyn FnMut(Mapping)) {
        self.walk(f);
    }

    fn shift(&self, level: u32) -> u32 {
        F::shift(level)
    }

    fn enforces_no_exec(&self) -> bool {
        self.format().enforces_no_exec()
    }
}

/// Physical addresses have as many bits as there may be: what is in the tables is taken as it is.
const PHYS_BITS: u32 = 52;

fn x86_features(nx: bool) -> X86Features {
    let features = X86Features::GLOBAL | X86Features::PSE | X86Features::GIB;
    if nx { features | X86Features::NX } else { features }
}

impl Root {
    fn look<'m>(self, memory: &'m dyn Memory) -> Box<dyn Look + 'm> {
        fn mapper<'m, F: Format + 'm>(format: F, pa: u64, memory: &'m dyn Memory) -> Box<dyn Look + 'm> {
            // SAFETY: any bytes are a table to one who only looks: entries are data, the walk is bounded by the levels,
            // and memory is there, or zero, at every address. Nobody changes it.
            Box::new(unsafe { Mapper::new(format, pa, Tables(memory)) })
        }
        match self.kind {
            Kind::Legacy { pse } => {
                let features = if pse {
                    X86Features::PSE
                } else {
                    X86Features::empty()
                };
                mapper(X86Legacy::new(features), self.pa, memory)
            }
            Kind::Pae { nx } => mapper(X86Pae::new(x86_features(nx), PHYS_BITS), self.pa, memory),
            Kind::Long { nx } => mapper(X86_64::new(x86_features(nx), PHYS_BITS), self.pa, memory),
            Kind::FiveLevels { nx } => {
                let format = FiveLevels(X86_64::new(x86_features(nx), PHYS_BITS));
                mapper(format, self.pa, memory)
            }
            Kind::Arm(half) => {
                let half = match half {
                    ArmHalf::Lower => Half::Lower,
                    ArmHalf::Upper => Half::Upper,
                };
                mapper(Aarch64::new(half, PHYS_BITS), self.pa, memory)
            }
        }
    }

    /// The way to `va`.
    pub fn walk(self, memory: &dyn Memory, va: u64) -> Walk {
        let look = self.look(memory);
        let steps = look.trace(va);
        let page = steps.last().and_then(|step| match step.decoded {
            Decoded::Leaf(leaf) => Some(Page {
                pa: leaf.pa + (va & ((1 << look.shift(step.level)) - 1)),
                write: leaf.prot.contains(Prot::WRITE),
                exec: leaf.prot.contains(Prot::EXEC) || !look.enforces_no_exec(),
            }),
            _ => None,
        });
        Walk {
            va,
            root: Some(self),
            steps,
            page,
        }
    }

    /// Tells `f` of each run of addresses that is mapped, in rising order.
    pub fn each_mapping(self, memory: &dyn Memory, mut f: impl FnMut(Mapping)) {
        self.look(memory).each(&mut f);
    }

    /// What people call the tables at `level`.
    pub const fn level_name(self, level: u32) -> &'static str {
        match (self.kind, level) {
            (Kind::Arm(_), 0) => "level 3 table",
            (Kind::Arm(_), 1) => "level 2 table",
            (Kind::Arm(_), 2) => "level 1 table",
            (Kind::Arm(_), _) => "level 0 table",
            (_, 0) => "page table",
            (_, 1) => "page directory",
            (_, 2) => "page-directory-pointer table",
            (_, 3) => "level 4 table",
            (_, _) => "level 5 table",
        }
    }
}

impl Space {
    /// The root that translates `va`; `None` without paging, or if it is not known.
    pub const fn root(&self, va: u64) -> Option<Root> {
        match *self {
            Self::Physical | Self::Unknown => None,
            Self::One(root) => Some(root),
            Self::Two { lower, upper } => Some(if va >> 55 & 1 == 1 { upper } else { lower }),
        }
    }

    /// The way to `va`. `None` if the tables are of a kind that is not read here.
    pub fn walk(&self, memory: &dyn Memory, va: u64) -> Option<Walk> {
        match self.root(va) {
            Some(root) => Some(root.walk(memory, va)),
            None if *self == Self::Unknown => None,
            None => Some(Walk {
                va,
                root: None,
                steps: Vec::new(),
                page: Some(Page {
                    pa: va,
                    write: true,
                    exec: true,
                }),
            }),
        }
    }

    /// `len` bytes from `va` on, if all of them are mapped.
    pub fn read(&self, memory: &dyn Memory, va: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = va.checked_add(bytes.len() as u64)?;
            let page = self.walk(memory, at)?.page?;
            let room = (PAGE - at % PAGE) as usize;
            bytes.extend(memory.read(page.pa, room.min(len - bytes.len())));
        }
        Some(bytes)
    }

    /// A little-endian word of `width` bytes at `va`.
    pub fn word(&self, memory: &dyn Memory, va: u64, width: usize) -> Option<u64> {
        let bytes = self.read(memory, va, width)?;
        Some(little(&bytes))
    }
}

/// A little-endian number.
pub fn little(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::memory::Cache;
    use crate::guest::memory::tests::Fake;

    /// One page at `va`, of four levels, root at 0x1000.
    fn four_levels(va: u64, pa: u64) -> Fake {
        let mut fake = Fake::default();
        for (level, table) in [(3, 0x1000), (2, 0x2000), (1, 0x3000), (0, 0x4000)] {
            let slot = va >> (12 + 9 * level) & 0x1ff;
            let entry: u64 = if level == 0 { pa } else { table + 0x1000 };
            fake.write(table + 8 * slot, &(entry | 3).to_le_bytes());
        }
        fake
    }

    #[test]
    fn memory_is_read_through_the_tables() {
        let va = 0xffff_c900_0000_0000;
        let mut fake = four_levels(va, 0x9000);
        fake.write(0x9010, &[0xab, 0xcd]);
        let memory = Cache::new(&mut fake);
        let space = Space::One(Root {
            kind: Kind::Long { nx: true },
            pa: 0x1000,
        });
        assert_eq!(space.read(&memory, va + 0x10, 2), Some(vec![0xab, 0xcd]));
        assert_eq!(space.word(&memory, va + 0x10, 2), Some(0xcdab));
        assert_eq!(
            space.read(&memory, va + 0xfff, 2),
            None,
            "the next page is lacking"
        );
        let walk = space.walk(&memory, va + 0x1000).unwrap();
        assert_eq!((walk.page, walk.steps.len()), (None, 4));
        assert_eq!(walk.steps[3].slot, 1);
        assert_eq!(Space::Physical.read(&memory, 0x9010, 1), Some(vec![0xab]));
        assert_eq!(Space::Unknown.read(&memory, 0x9010, 1), None);
    }

    #[test]
    fn five_levels_have_one_more() {
        let va = 0xffff_c900_0000_0000;
        let mut fake = four_levels(va, 0x9000);
        fake.write(0x8000 + 8 * 511, &(0x1003_u64).to_le_bytes());
        let memory = Cache::new(&mut fake);
        let root = Root {
            kind: Kind::FiveLevels { nx: true },
            pa: 0x8000,
        };
        let walk = root.walk(&memory, va);
        assert_eq!(walk.steps.len(), 5);
        assert_eq!(walk.page.map(|page| page.pa), Some(0x9000));
        assert_eq!(root.level_name(walk.steps[0].level), "level 5 table");
    }

    #[test]
    fn each_half_has_its_root() {
        let root = |half, pa| Root {
            kind: Kind::Arm(half),
            pa,
        };
        let (lower, upper) = (root(ArmHalf::Lower, 0x1000), root(ArmHalf::Upper, 0x2000));
        let space = Space::Two { lower, upper };
        assert_eq!(space.root(0x8000), Some(lower));
        assert_eq!(space.root(0xffff_8000_0000_0000), Some(upper));
        let mut fake = Fake::default();
        let memory = Cache::new(&mut fake);
        assert_eq!(space.walk(&memory, 0x8000).unwrap().steps.len(), 1);
    }

    #[test]
    fn any_bytes_are_tables() {
        let mut fake = Fake::default();
        fake.write(0x1000, &[0xff; 4096]);
        let memory = Cache::new(&mut fake);
        for kind in [
            Kind::Legacy { pse: true },
            Kind::Pae { nx: true },
            Kind::Long { nx: false },
            Kind::FiveLevels { nx: false },
            Kind::Arm(ArmHalf::Upper),
        ] {
            let root = Root { kind, pa: 0x1000 };
            for va in [0, 0xfff0_0000, 0xffff_8880_0000_0000, u64::MAX] {
                assert!(root.walk(&memory, va).steps.len() <= 5);
            }
        }
    }
}
