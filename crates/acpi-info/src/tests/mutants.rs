//! Damaged tables: thousands of them, the same on every run.

use super::support::Machine;
use crate::{MAX_CPUS, dsdt::scan};

struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Flips a bit, or writes a byte or a word that likes to hurt.
    fn damage(&mut self, bytes: &mut [u8]) {
        let at = self.below(bytes.len());
        match self.below(4) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][self.below(6)],
            2 => bytes[at] = self.next() as u8,
            _ => {
                let word = [0u32, 1, 35, 36, 0x7fff_ffff, u32::MAX][self.below(6)].to_le_bytes();
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
        }
    }
}

/// Most damage goes where lengths and lists are, not into AML.
fn damage(machine: &mut Machine, rng: &mut XorShift) {
    let places: Vec<u64> = machine.chunks.keys().copied().collect();
    for _ in 0..=rng.below(6) {
        let at = places[rng.below(places.len())];
        let chunk = machine.chunks.get_mut(&at).unwrap();
        let head = if rng.below(2) == 0 {
            chunk.len().min(64)
        } else {
            chunk.len()
        };
        rng.damage(&mut chunk[..head]);
        // Half of the time with a right checksum, so that the damage gets past it.
        if chunk.len() > 36 && rng.below(2) == 0 {
            machine.sum(at);
        }
    }
}

#[test]
fn mutants_neither_panic_nor_hang() {
    let mut rng = XorShift(0x0ac1_9150);
    for name in ["q35", "sparse", "microvm", "ovmf", "arm2", "arm3"] {
        let whole = Machine::load(name);
        let mut survived = 0;
        for _ in 0..5_000 {
            let mut mutant = whole.clone();
            damage(&mut mutant, &mut rng);
            if let Ok(info) = mutant.try_read() {
                survived += 1;
                assert!(info.cpus.len() <= MAX_CPUS);
                assert!(info.s5.is_none_or(|s5| s5.a <= 7 && s5.b <= 7));
            }
        }
        assert!(
            survived > 1_000,
            "{name}: the damage must mostly get past the root tables"
        );
    }
}

#[test]
fn random_tables_neither_panic_nor_hang() {
    let mut rng = XorShift(0xdead_beef);
    for _ in 0..20_000 {
        let mut machine = Machine::default();
        for (i, signature) in [b"APIC", b"FACP", b"MCFG", b"HPET", b"SSDT"]
            .into_iter()
            .enumerate()
        {
            let body: Vec<u8> = (0..rng.below(300)).map(|_| rng.next() as u8).collect();
            machine = machine.table(0x1_0000 * (i as u64 + 1), signature, rng.next() as u8, &body);
        }
        let _ = machine.finish().read();
    }
}

#[test]
fn random_aml_neither_panics_nor_hangs() {
    let mut rng = XorShift(0x5_5_5);
    for _ in 0..20_000 {
        let mut aml: Vec<u8> = (0..rng.below(40))
            .map(|_| [0, 1, 2, 8, 0xa, 0xb, 0xc, 0x12, 0x5c][rng.below(9)])
            .collect();
        let at = rng.below(aml.len() + 1);
        aml.splice(at..at, *b"\x08_S5_\x12");
        let found = scan(&aml);
        assert!(found.is_none_or(|s5| s5.a <= 7 && s5.b <= 7));
    }
}
