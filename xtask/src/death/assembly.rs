//! The source line of an instruction that was written in assembly, which carries no line numbers.

use std::fs;
use std::path::{Path, PathBuf};

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};

use super::Guest;
use crate::guest::registers::{Cpu, Mode};
use crate::paths;

/// `smp_high+0x13 (arch/i386/src/entry/smp.s:55)`, for a CPU in a function of that kind. The line is the one that as many
/// instructions are in front of, and is given if it has the same mnemonic.
pub fn place(guest: &Guest<'_>, cpu: &Cpu) -> Option<String> {
    let address = guest.link_address(cpu);
    let image = guest.image?;
    let symbols = image.elf().symbols.iter();
    let named =
        symbols.filter(|(name, at)| *at <= address && !name.is_empty() && !name.starts_with(['.', '$']));
    let (name, start) = named.max_by_key(|(_, at)| *at)?;
    let code = image.read(
        guest.memory,
        *start,
        usize::try_from(address - start).ok()?.min(4096) + 15,
    )?;
    let bits = match cpu.mode() {
        Mode::Real => 16,
        Mode::Protected(bits) => bits,
        Mode::Long => 64,
    };
    let mnemonics = mnemonics(&code, bits, address - start)?;
    let line = source(&paths::root().join("arch"), name, &mnemonics);
    let place = format!("{name}+{:#x}", address - start);
    Some(line.map_or_else(|| place.clone(), |line| format!("{place} ({line})")))
}

/// Those of the instructions up to and including the one at `offset`.
fn mnemonics(code: &[u8], bits: u32, offset: u64) -> Option<Vec<String>> {
    let mut decoder = Decoder::with_ip(bits, code, 0, DecoderOptions::NONE);
    let (mut formatter, mut found) = (GasFormatter::new(), Vec::new());
    while decoder.can_decode() && decoder.ip() <= offset {
        let at = decoder.ip();
        let mut text = String::new();
        formatter.format(&decoder.decode(), &mut text);
        found.push(text.split_whitespace().next()?.to_owned());
        if at == offset {
            return Some(found);
        }
    }
    None
}

/// The line below `label` in some file below `dir`.
fn source(dir: &Path, label: &str, mnemonics: &[String]) -> Option<String> {
    let mut files = Vec::new();
    assembly_files(dir, &mut files);
    files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        let line = line_of(&text, label, mnemonics)?;
        let shown = file.strip_prefix(paths::root()).unwrap_or(file);
        Some(format!("{}:{line}", shown.display()))
    })
}

fn assembly_files(dir: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(dir).into_iter().flatten().map_while(Result::ok);
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            assembly_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "s") {
            files.push(path);
        }
    }
}

/// The number of the line below `label:` with the last of `mnemonics`, if those above have all the others.
fn line_of(text: &str, label: &str, mnemonics: &[String]) -> Option<usize> {
    let is_label = |line: &str| line.strip_prefix(label).is_some_and(|rest| rest.starts_with(':'));
    let start = text.lines().position(|line| is_label(line.trim()))?;
    let lines = text.lines().enumerate().skip(start);
    let mut code = lines.filter_map(|(number, line)| Some((number + 1, instruction(line)?)));
    // `mov` may be written `movl`.
    let same = |ours: &str, theirs: &str| ours.starts_with(theirs) || theirs.starts_with(ours);
    let mut last = None;
    for mnemonic in mnemonics {
        last = code.next().filter(|(_, written)| same(written, mnemonic));
        last?;
    }
    last.map(|(number, _)| number)
}

/// The mnemonic in a line of source, behind a label and in front of a comment.
fn instruction(line: &str) -> Option<&str> {
    let code = line.split(['#', ';']).next()?;
    let code = code.split_once(':').map_or(code, |(_, behind)| behind).trim();
    let word = code.split_whitespace().next()?;
    (!word.starts_with('.')).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
other:
    ret
.globl one
one:                                    # a label
    movl %eax, %ebx                     # 0x20
# a comment
1:  pushl %ebx
    .balign 4
    jmp 1b
";

    fn line(mnemonics: &[&str]) -> Option<usize> {
        let mnemonics: Vec<String> = mnemonics.iter().map(|&word| word.to_owned()).collect();
        line_of(SOURCE, "one", &mnemonics)
    }

    #[test]
    fn lines_are_counted_by_instructions() {
        assert_eq!(line(&["mov"]), Some(5));
        assert_eq!(line(&["mov", "push"]), Some(7));
        assert_eq!(line(&["mov", "push", "jmp"]), Some(9));
        assert_eq!(line(&["mov", "ret"]), None, "another instruction");
        assert_eq!(line(&["mov", "push", "jmp", "nop"]), None);
        assert_eq!(line_of(SOURCE, "on", &["mov".into()]), None);
    }

    #[test]
    fn instructions_are_decoded_up_to_the_one_in_question() {
        let code = [0x89, 0xc3, 0x53, 0xeb, 0xfd, 0x90];
        assert_eq!(mnemonics(&code, 32, 2).unwrap(), ["mov", "push"]);
        assert_eq!(mnemonics(&code, 32, 1), None, "in the middle of one");
        assert_eq!(mnemonics(&code, 32, 100), None);
    }
}
