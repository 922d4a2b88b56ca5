//! A disk that UEFI boots from: GPT, one EFI system partition, and on it the file that is started when nobody chose one.

use std::fs::File;
use std::io::{Cursor, Write};
#[cfg(test)]
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use gpt::disk::LogicalBlockSize;
use gpt::{GptConfig, mbr::ProtectiveMBR, partition_types};

use crate::arch::Arch;

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;
/// FAT32, which firmware must read (UEFI 2.10, 13.3), has no less than 65525 clusters, of a sector each at the least.
const SMALLEST: u64 = 36 * MIB;
/// What is written at once, or left out if it is zero: images are mostly empty, and files can have holes.
const CHUNK: usize = 64 << 10;

/// Writes a disk that starts `program` on machines of `arch` to `file`, which must be empty.
///
/// # Errors
/// When it cannot be written.
pub fn write(file: &File, arch: Arch, program: &[u8]) -> Result<()> {
    let system = system_partition(arch, program).context("cannot make the EFI system partition")?;
    let bytes = system.len() as u64;
    // A MiB for the table, one for its copy.
    let total = bytes + 2 * MIB;
    file.set_len(total).context("cannot make the disk that large")?;
    let start = partition_table(file, total, bytes).context("cannot write the partition table")?;
    write_sparse(file, start, &system).context("cannot write the EFI system partition")
}

/// Writes the table, and says at which byte the one partition begins.
fn partition_table(file: &File, total: u64, bytes: u64) -> Result<u64> {
    let sectors = u32::try_from(total / SECTOR - 1).unwrap_or(u32::MAX);
    let mut device = file;
    ProtectiveMBR::with_lb_size(sectors).overwrite_lba0(&mut device)?;
    let mut disk = GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb512)
        .create_from_device(device, None)?;
    let first = MIB / SECTOR;
    disk.add_partition_at("Standstill", 1, first, bytes / SECTOR, partition_types::EFI, 0)?;
    disk.write()?;
    Ok(first * SECTOR)
}

fn system_partition(arch: Arch, program: &[u8]) -> Result<Vec<u8>> {
    let bytes = (SMALLEST + program.len() as u64).next_multiple_of(MIB);
    let mut partition = Cursor::new(vec![0; usize::try_from(bytes)?]);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_cluster(SECTOR as u32)
        .volume_label(*b"STANDSTILL ");
    fatfs::format_volume(&mut partition, options)?;
    {
        let system = FileSystem::new(&mut partition, FsOptions::new())?;
        let boot = system.root_dir().create_dir("EFI")?.create_dir("BOOT")?;
        let mut file = boot.create_file(arch.boot_file())?;
        file.write_all(program)?;
        file.flush()?;
    }
    Ok(partition.into_inner())
}

/// Writes `bytes` from `start` on. What is zero is left out, so `file` must be long enough, and zero there.
///
/// # Errors
/// When it cannot be written.
pub fn write_sparse(file: &File, start: u64, bytes: &[u8]) -> Result<()> {
    for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
        if chunk.iter().any(|byte| *byte != 0) {
            file.write_all_at(chunk, start + (index * CHUNK) as u64)?;
        }
    }
    Ok(())
}

#[cfg(test)]
/// The program that the disk `file` starts on machines of `arch`.
///
/// # Errors
/// When it is no such disk, or has no such program.
pub fn read(mut file: &File, arch: Arch) -> Result<Vec<u8>> {
    let disk = GptConfig::new()
        .open_from_device(file)
        .context("no partition table")?;
    let system = disk
        .partitions()
        .values()
        .find(|partition| partition.part_type_guid == partition_types::EFI)
        .context("no EFI system partition")?;
    let range = (system.first_lba * SECTOR, system.last_lba + 1 - system.first_lba);
    let mut bytes = vec![0; usize::try_from(range.1 * SECTOR)?];
    file.seek(SeekFrom::Start(range.0))?;
    file.read_exact(&mut bytes).context("the disk is cut off")?;
    let system = FileSystem::new(Cursor::new(bytes), FsOptions::new()).context("no FAT file system")?;
    let path = format!("EFI/BOOT/{}", arch.boot_file());
    let mut program = Vec::new();
    let mut found = system
        .root_dir()
        .open_file(&path)
        .with_context(|| format!("no {path}"))?;
    found.read_to_end(&mut program)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::process::memory_file;

    fn program(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at * 7 + at / 256) as u8).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (arch, bytes) in [
            (Arch::X86_64, 3 << 20),
            (Arch::I386, 1),
            (Arch::Aarch64, 40 << 20),
        ] {
            let file = memory_file("test").unwrap();
            write(&file, arch, &program(bytes)).unwrap();
            assert_eq!(read(&file, arch).unwrap(), program(bytes), "{arch}");
            let used = rustix::fs::fstat(&file).unwrap().st_blocks as u64 * 512;
            let most = bytes as u64 + 4 * MIB;
            assert!(used < most, "{arch}: the disk takes {used} bytes");
        }
    }

    #[test]
    fn both_copies_of_the_table_are_good() {
        let file = memory_file("test").unwrap();
        write(&file, Arch::X86_64, b"MZ").unwrap();
        let disk = GptConfig::new()
            .only_valid_headers(true)
            .open_from_device(&file)
            .unwrap();
        let end = file.metadata().unwrap().len() / SECTOR;
        assert_eq!(disk.primary_header().unwrap().backup_lba, end - 1);
    }

    #[test]
    fn a_disk_of_another_kind_is_told() {
        let file = memory_file("test").unwrap();
        write(&file, Arch::X86_64, b"MZ").unwrap();
        let wrong = format!("{:#}", read(&file, Arch::I386).unwrap_err());
        assert!(wrong.contains("no EFI/BOOT/BOOTIA32.EFI"), "{wrong}");
        file.set_len(20 * MIB).unwrap();
        let wrong = format!("{:#}", read(&file, Arch::X86_64).unwrap_err());
        assert!(wrong.contains("cut off"), "{wrong}");
        assert!(read(&memory_file("empty").unwrap(), Arch::X86_64).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        let file = File::open("/dev/null").unwrap();
        assert!(write(&file, Arch::X86_64, b"MZ").is_err());
    }
}
