//! Addresses of the kernel to functions and lines, on the host: the kernel itself carries no names.

use std::fmt::Write;
use std::sync::Arc;

use addr2line::{Context, Location};
use anyhow::Result;
use gimli::{Dwarf, EndianArcSlice, LittleEndian, SectionId};
use object::{File, Object, ObjectSection, ObjectSymbol};

use crate::kernel::Artefact;
use crate::kernel::elf::Elf;
use crate::paths;

/// The debug information of one ELF file.
pub struct Symbols {
    lines: Context<Bytes>,
    /// Address and name, by address: assembly without line numbers still has these.
    names: Vec<(u64, String)>,
    /// Virtual ranges that hold the kernel, with what to add to a physical address to get there.
    ranges: Vec<Range>,
    build_id: Option<String>,
    /// The file, as one would type it.
    name: String,
}

/// A section, shared among the readers of it.
type Bytes = EndianArcSlice<LittleEndian>;

struct Range {
    virt: u64,
    phys: u64,
    size: u64,
}

impl Symbols {
    /// Opens the debug information of `elf`.
    ///
    /// # Errors
    /// When it is no ELF file.
    pub fn open(elf: &Artefact) -> Result<Self> {
        let data = elf.read()?;
        let parsed = Elf::parse(&data)?;
        let file = File::parse(&*data)?;
        let ranges = parsed.loads.iter().map(|load| Range {
            virt: load.virt,
            phys: load.phys,
            size: load.memory,
        });
        Ok(Self {
            lines: lines(&file)?,
            names: names(&file),
            ranges: ranges.collect(),
            build_id: parsed.build_id,
            name: paths::shown(&elf.path),
        })
    }

    /// Why this file has no names for the kernel that printed `build_id`, if it has not. An abbreviated id counts.
    pub fn refusal(&self, build_id: &str) -> Option<String> {
        let own = self.build_id.as_deref().unwrap_or("of no id");
        let is_it = build_id.len() >= 8 && own.starts_with(build_id);
        (!is_it).then(|| {
            format!(
                "the running kernel is build {build_id}, the ELF file {} is build {own}: no names",
                self.name
            )
        })
    }

    /// The functions that `address` lies in, the innermost first, then those it was inlined into. Empty where unknown.
    pub fn frames(&self, address: u64) -> Vec<String> {
        let Some(address) = self.link_address(address) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        if let Ok(mut frames) = self.lines.find_frames(address).skip_all_loads() {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame
                    .function
                    .as_ref()
                    .and_then(|function| function.raw_name().ok());
                names.push(show(name.as_deref(), frame.location.as_ref()));
            }
        }
        if names.is_empty() {
            names.extend(self.symbol(address));
        }
        names
    }

    /// Before paging is on, the kernel runs at its physical address.
    fn link_address(&self, address: u64) -> Option<u64> {
        let inside = |start: u64, size: u64| address.checked_sub(start).filter(|offset| *offset < size);
        let virt = self
            .ranges
            .iter()
            .find_map(|range| inside(range.virt, range.size).map(|_| address));
        virt.or_else(|| {
            self.ranges
                .iter()
                .find_map(|range| Some(range.virt + inside(range.phys, range.size)?))
        })
    }

    /// The last symbol at or before `address`.
    fn symbol(&self, address: u64) -> Option<String> {
        let after = self.names.partition_point(|(start, _)| *start <= address);
        let (_, name) = self.names.get(after.checked_sub(1)?)?;
        Some(format!("{:#}", rustc_demangle::demangle(name)))
    }
}

/// The line tables and what else of DWARF leads to a line. Our linkers compress nothing.
fn lines(file: &File<'_>) -> Result<Context<Bytes>> {
    let section = |id: SectionId| {
        let data = file
            .section_by_name(id.name())
            .map_or(Ok(&[][..]), |section| section.data());
        data.map(|data| Bytes::new(Arc::from(data), LittleEndian))
    };
    Ok(Context::from_dwarf(Dwarf::load(section)?)?)
}

fn names(file: &File<'_>) -> Vec<(u64, String)> {
    let defined = file.symbols().filter(ObjectSymbol::is_definition);
    let named = defined.filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?.to_owned())));
    let mut names: Vec<(u64, String)> = named.filter(|(_, name)| !name.is_empty()).collect();
    names.sort();
    names
}

fn show(function: Option<&str>, location: Option<&Location<'_>>) -> String {
    let mut text = function.map_or_else(
        || "??".into(),
        |name| plain(&format!("{:#}", rustc_demangle::demangle(name))),
    );
    let Some(location) = location else { return text };
    let Some(file) = location.file else { return text };
    let _ = match location.line {
        Some(line) => write!(text, " ({}:{line})", short(file)),
        None => write!(text, " ({})", short(file)),
    };
    text
}

/// A demangled name as one would say it: without the architecture that all of the kernel is generic over, and without
/// the way to a standard type.
fn plain(name: &str) -> String {
    let end = |rest: &str| rest.find(|c: char| !is_path(c)).unwrap_or(rest.len());
    let (mut text, mut rest) = (String::new(), name);
    while let Some(first) = rest.chars().next() {
        let (path, after) = rest.split_at(end(rest).max(first.len_utf8()));
        let is_arch = text.ends_with('<') && after.starts_with('>') && path.starts_with("standstill_");
        rest = if is_arch { &after[1..] } else { after };
        match is_arch {
            true => text.truncate(text.trim_end_matches('<').trim_end_matches("::").len()),
            false => text.push_str(last_words(path)),
        }
    }
    text
}

fn is_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// `core::ops::function::FnOnce` is known as `FnOnce`, `core::ptr::read` as `ptr::read`.
fn last_words(path: &str) -> &str {
    if !path.starts_with("core::") && !path.starts_with("alloc::") {
        return path;
    }
    let bare = path.strip_suffix("::").unwrap_or(path);
    let mut words = bare.rmatch_indices("::").map(|(at, _)| at + 2);
    let last = words.next().unwrap_or(0);
    match path[last..].starts_with(char::is_uppercase) {
        true => &path[last..],
        false => &path[words.next().unwrap_or(0)..],
    }
}

/// The part of a source path that a reader wants: below the workspace, the library or the registry.
fn short(file: &str) -> &str {
    let root = paths::root().display().to_string();
    if let Some(own) = file.strip_prefix(&root) {
        return own.trim_start_matches('/');
    }
    if let Some((_, library)) = file.split_once("/library/") {
        return library;
    }
    match file.split_once("/registry/src/") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => file,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_to_what_matters() {
        assert_eq!(
            short("/usr/lib/rustlib/src/rust/library/core/src/panicking.rs"),
            "core/src/panicking.rs"
        );
        assert_eq!(
            short("/h/registry/src/index-1f/acpi-6.1.1/src/lib.rs"),
            "acpi-6.1.1/src/lib.rs"
        );
        let own = paths::root()
            .join("crates/kernel/src/lib.rs")
            .display()
            .to_string();
        assert_eq!(short(&own), "crates/kernel/src/lib.rs");
        assert_eq!(short("crates/x.rs"), "crates/x.rs");
    }

    #[test]
    fn names_are_as_short_as_they_are_clear() {
        for (name, said) in [
            ("core::ptr::read_volatile::<u8>", "ptr::read_volatile::<u8>"),
            ("kernel::start::rest_init", "kernel::start::rest_init"),
            (
                "kernel::monitor::main::<standstill_i386::I386>",
                "kernel::monitor::main",
            ),
            (
                "<kernel::smp::Gate<standstill_i386::I386> as core::fmt::Debug>::fmt",
                "<kernel::smp::Gate as Debug>::fmt",
            ),
            (
                "<alloc::boxed::Box<dyn core::ops::function::FnOnce<(), Output = ()> + core::marker::Send> as \
                 core::ops::function::FnOnce<()>>::call_once",
                "<Box<dyn FnOnce<(), Output = ()> + Send> as FnOnce<()>>::call_once",
            ),
            ("kernel::a::<x>::{closure#0}", "kernel::a::<x>::{closure#0}"),
            ("<*const u8>::read_volatile", "<*const u8>::read_volatile"),
            ("", ""),
        ] {
            assert_eq!(plain(name), said);
        }
    }

    /// xtask's own binary has symbols too.
    pub fn own() -> Symbols {
        let path = std::env::current_exe().unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let mut symbols = Symbols::open(&Artefact { path, file }).unwrap();
        // Not every linker gives one to a program of the host.
        symbols.build_id.get_or_insert("0f".repeat(20));
        symbols
    }

    impl Symbols {
        /// The build id.
        pub fn id(&self) -> &str {
            self.build_id.as_deref().unwrap()
        }

        /// Where xtask's own functions begin.
        pub fn starts(&self) -> impl Iterator<Item = u64> {
            let elf = Elf::parse(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
            let own = |name: &str| rustc_demangle::demangle(name).to_string().contains("xtask");
            elf.symbols
                .into_iter()
                .filter(move |(name, at)| *at != 0 && own(name))
                .map(|(_, at)| at)
        }
    }

    #[test]
    fn own_functions_are_found() {
        let symbols = own();
        let (name, address) = {
            let elf = Elf::parse(&std::fs::read(std::env::current_exe().unwrap()).unwrap()).unwrap();
            let found = elf
                .symbols
                .iter()
                .find(|(name, _)| name.ends_with("own_functions_are_found"))
                .cloned();
            found.unwrap()
        };
        let frames = symbols.frames(address);
        assert!(
            frames
                .iter()
                .any(|frame| frame.contains("own_functions_are_found")),
            "{name}: {frames:?}"
        );
        assert!(symbols.frames(u64::MAX).is_empty());
        let refusal = symbols.refusal("0123456789").unwrap();
        assert!(
            refusal.contains("is build 0123456789, the ELF file "),
            "{refusal}"
        );
        let own = symbols.build_id.as_deref().unwrap();
        assert!(refusal.contains(own), "{refusal}");
        assert_eq!(symbols.refusal(own), None);
        assert_eq!(symbols.refusal(&own[..8]), None);
        assert!(symbols.refusal(&own[..7]).is_some());
    }

    /// A file without an id is nobody's.
    #[test]
    fn what_has_no_build_id_is_refused() {
        let symbols = Symbols {
            build_id: None,
            ..own()
        };
        assert!(symbols.refusal("0123456789abcdef").is_some());
    }
}
