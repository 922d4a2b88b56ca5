//! `stop-report FILE...`: finds the reports of stopped kernels in dumps of memory, and prints them.
//!
//! Any file will do that has the kernel's memory in it uncompressed: QEMU's `pmemsave`, an ELF core, a raw disk.
//! Exit code 0: each file has a report; 1: some file has none; 2: a file cannot be read, or there is no file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::ExitCode;

use smp_stop::report::{self, Report, layout};

/// Bytes that are looked through at once.
const PIECE: usize = 1 << 20;
/// Bytes of the largest report there is.
const LARGEST: usize = layout::HEADER_LEN + smp_stop::MAX_CPUS * layout::SLOT_LEN;
/// A report lies at a multiple of this in memory. Where a file's parts begin is another matter.
const STEP: usize = 4;

fn main() -> ExitCode {
    let files: Vec<_> = std::env::args_os().skip(1).collect();
    if files.is_empty() || files.iter().any(|name| name == "--help" || name == "-h") {
        eprintln!("usage: stop-report FILE...   finds the reports of stopped kernels in dumps of memory");
        return ExitCode::from(2);
    }
    let mut worst = 0;
    for name in &files {
        let shown = name.to_string_lossy();
        let code = match File::open(name)
            .and_then(|mut file| search(&mut file, &mut |at, report| print(&shown, at, report)))
        {
            Ok(0) => {
                eprintln!("stop-report: {shown}: there is no stop report in it");
                1
            }
            Ok(_) => 0,
            Err(error) => {
                eprintln!("stop-report: {shown}: {error}");
                2
            }
        };
        worst = worst.max(code);
    }
    ExitCode::from(worst)
}

fn print(file: &str, at: u64, report: &Report<'_>) {
    println!("{file}, offset {at:#x}: {report}");
    for row in report.rows() {
        let Some(registers) = report.registers(row.cpu) else {
            continue;
        };
        println!("CPU {}: {registers}", row.cpu);
        for line in registers.words().chunks(4) {
            let words: Vec<String> = line.iter().map(|word| format!("{word:#018x}")).collect();
            println!("    {}", words.join(" "));
        }
    }
}

/// Calls `found` for each report in `file`, in order; how many there are. Reads the file piece by piece, and again only where
/// something looks like a report.
fn search(file: &mut (impl Read + Seek), found: &mut dyn FnMut(u64, &Report<'_>)) -> io::Result<usize> {
    let (mut base, mut next, mut count) = (0_u64, 0_u64, 0);
    let mut piece = Vec::new();
    loop {
        read_at(file, base, PIECE + layout::HEADER_LEN, &mut piece)?;
        let starts = (0..PIECE.min(piece.len())).step_by(STEP);
        for at in starts.filter(|at| looks_like_one(&piece[*at..])) {
            let place = base + at as u64;
            let mut whole = Vec::new();
            // One inside another is a copy that an area happens to hold.
            if place < next {
                continue;
            }
            read_at(file, place, LARGEST, &mut whole)?;
            if let Ok(report) = report::decode(&whole) {
                found(place, &report);
                next = place + (layout::HEADER_LEN + report.capacity() * layout::SLOT_LEN) as u64;
                count += 1;
            }
        }
        if piece.len() <= PIECE {
            return Ok(count);
        }
        base += PIECE as u64;
    }
}

fn looks_like_one(bytes: &[u8]) -> bool {
    let big = [*b"POTS", *b"TRPR"].concat();
    bytes.starts_with(b"STOPRPRT") || bytes.starts_with(&big)
}

/// Fills `into` with at most `len` bytes from `at` on.
fn read_at(file: &mut (impl Read + Seek), at: u64, len: usize, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    file.seek(SeekFrom::Start(at))?;
    file.take(len as u64).read_to_end(into).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use smp_stop::{CpuId, Reason, Registers, StopArea, StopOps, up};

    use super::*;

    struct Lone;

    impl StopOps for Lone {
        fn mask_interrupts(&self) {}
        fn this_cpu(&self) -> Option<CpuId> {
            Some(CpuId::BOOT)
        }
        fn hw_id(&self) -> u64 {
            0
        }
        fn now(&self) -> u64 {
            0
        }
        fn relax(&self) {}
        fn save_regs(&self, out: &mut Registers) {
            out.begin(0, 0x1234, 0, 0);
        }
        fn quiesce(&self) {}
        fn park(&self) -> ! {
            unreachable!("the only CPU")
        }
    }

    fn report() -> Vec<u8> {
        let area = StopArea::<2>::new();
        area.word(CpuId::BOOT).unwrap().boot_cpu_online().unwrap();
        let engine = up::Engine::new(&area, &Lone);
        engine.set_message(&"out of cheese");
        let _ = engine.stop(Reason::Panic);
        let first = core::ptr::from_ref(&area).cast::<u8>();
        // SAFETY: the area is plain words without padding, and nobody writes it here.
        unsafe { core::slice::from_raw_parts(first, size_of_val(&area)) }.to_vec()
    }

    fn places(dump: Vec<u8>) -> Vec<u64> {
        let mut places = Vec::new();
        let found = search(&mut Cursor::new(dump), &mut |at, report| {
            assert_eq!(report.message(CpuId::BOOT).as_deref(), Some("out of cheese"));
            places.push(at);
        });
        assert_eq!(found.unwrap(), places.len());
        places
    }

    #[test]
    fn reports_are_found_wherever_they_begin_and_across_pieces() {
        let mut dump = vec![0x53; PIECE - 100];
        dump.extend(report());
        dump.extend(vec![0; 52]);
        let second = dump.len() as u64;
        dump.extend(report());
        assert_eq!(places(dump), [(PIECE - 100) as u64, second]);
    }

    #[test]
    fn what_only_looks_like_a_report_is_none() {
        let mut cut = report();
        cut.truncate(600);
        for dump in [Vec::new(), b"STOPRPRT".to_vec(), vec![0; PIECE], cut] {
            assert_eq!(places(dump), [] as [u64; 0]);
        }
    }
}
