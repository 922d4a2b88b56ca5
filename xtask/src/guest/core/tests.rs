//! What is written is read again.

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

fn written(arch: Arch, cpus: usize) -> (std::path::PathBuf, Vec<u8>) {
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
    let path = std::env::temp_dir().join(format!("standstill-{}-{arch}.core", std::process::id()));
    std::fs::write(&path, &bytes).unwrap();
    (path, bytes)
}

#[test]
fn what_is_written_is_read_again() {
    for arch in Arch::ALL {
        let (path, bytes) = written(arch, 3);
        let core = Core::open(&path).unwrap();
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
        std::fs::remove_file(path).unwrap();
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
