//! GRUB: a disc that a BIOS boots, and a boot loader on it that knows the Linux boot protocol's 32-bit entry.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

use super::media::Media;
use super::process::memory_file;
use super::spec::Spec;
use crate::disk;
use crate::paths;

/// Where Debian puts GRUB for a BIOS.
pub const MODULES: &str = "/usr/lib/grub/i386-pc";

/// A disc in a drive.
///
/// # Errors
/// When GRUB's tools are not there, or do not like it.
pub fn media(spec: &Spec<'_>) -> Result<Media> {
    let mut media = Media::default();
    media.drive("if=none,id=disc,media=cdrom,readonly=on", compose(spec)?);
    media.device("ide-cd,drive=disc,bootindex=0");
    Ok(media)
}

fn compose(spec: &Spec<'_>) -> Result<File> {
    static DISCS: AtomicU32 = AtomicU32::new(0);
    let number = DISCS.fetch_add(1, Ordering::Relaxed);
    let dir = paths::out().join(format!("grub-{}-{number}", std::process::id()));
    let made = make(spec, &dir);
    let _ = fs::remove_dir_all(&dir);
    made.context("cannot make a disc with GRUB on it")
}

fn make(spec: &Spec<'_>, dir: &Path) -> Result<File> {
    let (tree, disc) = (dir.join("tree"), dir.join("disc.iso"));
    fs::create_dir_all(tree.join("boot/grub"))?;
    fs::write(tree.join("boot/kernel"), spec.kernel.image.read()?)?;
    if let Some(initrd) = &spec.initrd {
        fs::copy(initrd, tree.join("boot/initrd"))?;
    }
    fs::write(
        tree.join("boot/grub/grub.cfg"),
        script(&spec.append, spec.initrd.is_some()),
    )?;
    let output = Command::new("grub-mkrescue")
        .args([
            "--directory",
            MODULES,
            "--locales=",
            "--fonts=",
            "--themes=",
            "-o",
        ])
        .args([&disc, &tree])
        .output()
        .context("cannot run grub-mkrescue")?;
    if !output.status.success() {
        bail!(
            "grub-mkrescue: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mut bytes = Vec::new();
    File::open(&disc)?.read_to_end(&mut bytes)?;
    let file = memory_file("disc")?;
    file.set_len(bytes.len() as u64)?;
    disk::write_sparse(&file, 0, &bytes)?;
    Ok(file)
}

/// What GRUB does. It speaks on the serial line, because there is nothing else.
fn script(append: &str, initrd: bool) -> String {
    let initrd = if initrd { "initrd /boot/initrd\n" } else { "" };
    format!(
        "serial --unit=0 --speed=115200\nterminal_output serial\nlinux /boot/kernel {}\n{initrd}boot\n",
        words(append)
    )
}

/// A command line as words of GRUB's, which takes them apart and puts quotes around those with blanks again. The kernel's
/// quotes are double ones, without an escape.
fn words(append: &str) -> String {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in append.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            // A quote of GRUB's ends, one stands for itself, the next begins.
            '\'' => words.last_mut().expect("never empty").push_str("'\\''"),
            letter => words.last_mut().expect("never empty").push(letter),
        }
    }
    let words = words.iter().filter(|word| !word.is_empty());
    words
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_grub() {
        assert_eq!(
            words("panic=-1 run=cpus;poweroff"),
            "'panic=-1' 'run=cpus;poweroff'"
        );
        assert_eq!(
            words("panic=0 \"run=busy all;panic\""),
            "'panic=0' 'run=busy all;panic'"
        );
        assert_eq!(words("a='b'"), "'a='\\''b'\\'''");
        assert_eq!(words("  "), "");
    }

    #[test]
    fn an_initrd_is_named_if_there_is_one() {
        assert!(script("", true).contains("\ninitrd /boot/initrd\nboot\n"));
        assert!(!script("", false).contains("initrd"));
    }
}
