//! What is written is read again.

use tempfile::NamedTempFile;

use super::*;

struct Numbered;

impl Registers for Numbered {
    fn get(&self, name: &str) -> u64 {
        if matches!(name, "rip" | "eip" | "pc") {
            0x1234
        } else {
            0
        }
    }
}

fn written(arch: Arch, cpus: usize) -> (NamedTempFile, Vec<u8>) {
    let cpus: Vec<Box<dyn Registers>> = (0..cpus).map(|_| Box::new(Numbered) as _).collect();
    let guest = Guest {
        arch,
        build_id: &[0xab; 19],
        cpus: &cpus,
    };
    let segment = Segment {
        va: 0xc000_0000,
        pa: 0x1000,
        len: 0x2000,
        write: true,
        exec: false,
    };
    let mut bytes = Vec::new();
    let read = |pa: u64, len: u64| Ok((pa..pa + len).map(|at| (at >> 8) as u8).collect());
    write(&guest, &[segment], read, &mut bytes).unwrap();
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    (file, bytes)
}

#[test]
fn what_is_written_is_read_again() {
    for arch in Arch::ALL {
        let (file, bytes) = written(arch, 3);
        let core = Core::open(file.path()).unwrap();
        assert_eq!(core.arch().unwrap(), arch);
        assert_eq!(core.build_id().unwrap(), "ab".repeat(19));
        assert_eq!(core.read(0xc000_0ffe, 4).unwrap(), [0x1f, 0x1f, 0x20, 0x20]);
        for (at, len) in [(0xc000_1fff, 2), (0xbfff_ffff, 1), (0, 1), (u64::MAX, 2)] {
            assert!(core.read(at, len).is_err(), "{at:#x}");
        }
        let status = layout(arch).len.to_le_bytes();
        let notes = bytes
            .windows(8)
            .filter(|window| window[..4] == [5, 0, 0, 0] && window[4..] == status[..4]);
        assert_eq!(notes.count(), 3, "{arch}");
    }
}

#[test]
fn what_is_cut_off_is_called_so_wherever() {
    for arch in Arch::ALL {
        let (file, bytes) = written(arch, 3);
        // In the header, in the table of segments, in the notes, in memory, at its last byte.
        for len in [20, 100, 500, 0x1800, bytes.len() - 1] {
            file.as_file().set_len(len as u64).unwrap();
            let error = Core::open(file.path()).err().expect("it is cut off").to_string();
            assert!(
                error.contains(&format!("is cut off: it has {len} bytes")),
                "{error}"
            );
            std::fs::write(file.path(), &bytes).unwrap();
        }
        let missing = "and 1 more should follow";
        file.as_file().set_len(bytes.len() as u64 - 1).unwrap();
        assert!(
            Core::open(file.path())
                .err()
                .unwrap()
                .to_string()
                .contains(missing)
        );
    }
}

#[test]
fn what_is_no_core_is_refused() {
    for path in [
        std::env::current_exe().unwrap(),
        "Cargo.toml".into(),
        "nowhere".into(),
    ] {
        assert!(Core::open(&path).is_err(), "{}", path.display());
    }
}
