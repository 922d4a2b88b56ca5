//! Machines made of a few pieces of physical memory.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{AcpiInfo, Error, find_rsdp, read};

/// Where [`Machine::finish`] puts the root pointer and the root table.
pub const RSDP: u64 = 0xe_0010;
pub const XSDT: u64 = 0x1000;

/// Physical memory with holes: start address to bytes.
#[derive(Clone, Default)]
pub struct Machine {
    pub chunks: BTreeMap<u64, Vec<u8>>,
    pub rsdp: u64,
}

impl Machine {
    /// The tables of a virtual machine: each piece has address and length in front.
    pub fn load(name: &str) -> Self {
        // Cargo starts tests in their package's folder. A path that was compiled in could be another checkout's.
        let path = Path::new("tests/fixtures").join(name).with_extension("acpi");
        let dump = fs::read(path).unwrap();
        let (mut machine, mut rest) = (Self::default(), &dump[..]);
        while let Some((head, tail)) = rest.split_at_checked(12) {
            let at = u64::from_le_bytes(head[..8].try_into().unwrap());
            let len = u32::from_le_bytes(head[8..].try_into().unwrap()) as usize;
            machine.chunks.insert(at, tail[..len].to_vec());
            rest = &tail[len..];
        }
        let is_rsdp = |bytes: &[u8]| bytes.starts_with(b"RSD PTR ");
        machine.rsdp = *machine.chunks.iter().find(|(_, bytes)| is_rsdp(bytes)).unwrap().0;
        machine
    }

    pub fn get(&self, at: u64, len: usize) -> Option<&[u8]> {
        let (start, bytes) = self.chunks.range(..=at).next_back()?;
        let offset = usize::try_from(at - start).ok()?;
        bytes.get(offset..offset.checked_add(len)?)
    }

    /// Adds a table with a right length and checksum.
    pub fn table(mut self, at: u64, signature: &[u8; 4], revision: u8, body: &[u8]) -> Self {
        let len = (36 + body.len() as u32).to_le_bytes();
        let table = [&signature[..], &len, &[revision], &[0; 27], body].concat();
        self.chunks.insert(at, table);
        self.sum(at);
        self
    }

    /// A machine that has a MADT with these entries and nothing else.
    pub fn with_madt(entries: &[Vec<u8>]) -> Self {
        let body = [
            &0xfee0_0000u32.to_le_bytes()[..],
            &1u32.to_le_bytes(),
            &entries.concat(),
        ]
        .concat();
        Self::default().table(0x2000, b"APIC", 4, &body).finish()
    }

    /// Adds an XSDT that leads to everything added so far, and a root pointer to it.
    pub fn finish(self) -> Self {
        let list: Vec<u8> = self.chunks.keys().flat_map(|at| at.to_le_bytes()).collect();
        let mut machine = self.table(XSDT, b"XSDT", 1, &list);
        let (len, xsdt) = (36u32.to_le_bytes(), XSDT.to_le_bytes());
        let mut rsdp = [&b"RSD PTR \0OEMOEM\x02"[..], &[0; 4], &len, &xsdt, &[0; 4]].concat();
        rsdp[8] = checksum(&rsdp[..20]);
        rsdp[32] = checksum(&rsdp);
        machine.rsdp = RSDP;
        machine.chunks.insert(RSDP, rsdp);
        machine
    }

    /// Puts a table's checksum right.
    pub fn sum(&mut self, at: u64) {
        let table = self.chunks.get_mut(&at).unwrap();
        table[9] = 0;
        table[9] = checksum(table);
    }

    pub fn try_read(&self) -> Result<Box<AcpiInfo>, Error> {
        let mut info = Box::new(AcpiInfo::EMPTY);
        read(self.rsdp, &|at, len| self.get(at, len), &mut info).map(|()| info)
    }

    pub fn read(&self) -> Box<AcpiInfo> {
        self.try_read().unwrap()
    }

    pub fn find(&self) -> Option<u64> {
        find_rsdp(&|at, len| self.get(at, len))
    }
}

/// The byte that makes the sum of all 0.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, &b| sum.wrapping_sub(b))
}
