//! Which CPUs came up: `cargo run --example masks -- 0-3,6`.

use cpumask::{AtomicCpuMask, CpuId, CpuMask, words};

const WORDS: usize = words(64);

/// Set by the CPUs themselves.
static ONLINE: AtomicCpuMask<WORDS> = AtomicCpuMask::new(CpuMask::EMPTY);

fn main() {
    let text = std::env::args().nth(1).unwrap_or_else(|| "0-3,6".into());
    let expected: CpuMask<WORDS> = match text.parse() {
        Ok(mask) => mask,
        Err(error) => return eprintln!("{text}: {error}"),
    };
    for cpu in &expected {
        // CPU 2 never comes.
        if cpu != CpuId::new(2) && ONLINE.test_and_set(cpu) == Ok(false) {
            println!("CPU {cpu} is online");
        }
    }
    let missing = expected.and_not(&ONLINE.snapshot());
    println!("expected {expected}, {} missing: {missing}", missing.count());
}
