//! The book as mdbook takes it: the pages of docs/, and one for each file of the tree that they link to. So its links lead
//! somewhere where there is the book alone, too.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

pub use self::check::broken;
use crate::links;

/// The folder of the pages, in the tree and for mdbook.
const DOCS: &str = "docs";
/// The folder of the pages that are made of the tree's files, below that of the others.
const SOURCE: &str = "source";

/// Writes what mdbook takes to `to`, which is emptied before, and says how many pages were made of other files.
///
/// # Errors
/// When a file cannot be read or written, or a page links to one that is not there.
pub fn stage(tree: &Path, to: &Path) -> Result<usize> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot empty {}", to.display()))?;
    }
    let mut book = Book {
        tree,
        waiting: files(&tree.join(DOCS))?
            .iter()
            .map(|file| within(tree, file))
            .collect(),
        others: BTreeSet::new(),
    };
    let mut pages: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    while let Some(file) = book.waiting.pop() {
        pages.insert(page_of(&file), book.content(&file)?);
    }
    if let Some(summary) = pages.get_mut(Path::new("SUMMARY.md")) {
        summary.extend(book.contents().into_bytes());
    }
    for (page, content) in &pages {
        write(&to.join(DOCS).join(page), content)?;
    }
    let settings = fs::read(tree.join("book.toml")).context("the tree has no book.toml")?;
    write(&to.join("book.toml"), &settings)?;
    Ok(book.others.len())
}

/// What has been found of the book so far. All files are named from the root of the tree.
struct Book<'a> {
    tree: &'a Path,
    /// To be read.
    waiting: Vec<PathBuf>,
    /// Those outside of docs/ that somebody links to.
    others: BTreeSet<PathBuf>,
}

impl Book<'_> {
    /// The page that `file` becomes.
    fn content(&mut self, file: &Path) -> Result<Vec<u8>> {
        let path = self.tree.join(file);
        if path.is_dir() {
            return self.folder(file).map(String::into_bytes);
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        if !is_page && file.starts_with(DOCS) {
            return Ok(bytes);
        }
        let text = String::from_utf8(bytes).with_context(|| format!("{} is no text", path.display()))?;
        Ok(if is_page {
            self.page(file, &text)
        } else {
            listing(file, &text)
        }
        .into_bytes())
    }

    /// A page with its links led to where their targets will be.
    fn page(&mut self, file: &Path, text: &str) -> String {
        links::replaced(text, |target| {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            if links::is_foreign(target) || path.is_empty() {
                return None;
            }
            let other = normal(&file.with_file_name("").join(path));
            let other = match self.tree.join(&other).is_dir() && other.starts_with(DOCS) {
                true => other.join("README.md"),
                false => other,
            };
            if !other.starts_with(DOCS) && self.others.insert(other.clone()) {
                self.waiting.push(other.clone());
            }
            let hash = if heading.is_empty() { "" } else { "#" };
            Some(format!(
                "{}{hash}{heading}",
                relative(&page_of(file), &page_of(&other))
            ))
        })
    }

    /// A folder: what it says of itself, and what is in it.
    fn folder(&mut self, file: &Path) -> Result<String> {
        let mut text = format!("# {}\n\n", file.display());
        let readme = file.join("README.md");
        if self.tree.join(&readme).is_file() {
            let there = relative(&page_of(file), &page_of(&readme));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "[What it is for]({there})\n");
            if self.others.insert(readme.clone()) {
                self.waiting.push(readme);
            }
        }
        for inner in files(&self.tree.join(file))? {
            let _ = writeln!(text, "- `{}`", within(&self.tree.join(file), &inner).display());
        }
        Ok(text)
    }

    /// The other files, as they stand in the table of contents.
    fn contents(&self) -> String {
        let mut text = String::from("\n# From the source tree\n\n");
        for file in &self.others {
            let _ = writeln!(text, "- [{}]({})", file.display(), page_of(file).display());
        }
        text
    }
}

/// The page of `file`, from the folder of all pages. One made of another file never has the name of an index.
fn page_of(file: &Path) -> PathBuf {
    match file.strip_prefix(DOCS) {
        Ok(page) => page.to_owned(),
        Err(_) => Path::new(SOURCE).join(format!("{}.md", file.display())),
    }
}

/// A file that is no page, as one.
fn listing(file: &Path, text: &str) -> String {
    let language = match file.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => "rust,ignore",
        Some("py") => "python",
        Some("s" | "S") => "x86asm",
        Some("toml") => "toml",
        Some("json") => "json",
        Some("sh") => "sh",
        _ => "text",
    };
    let longest = text.split(|c| c != '~').map(str::len).max().unwrap_or(0);
    let fence = "~".repeat(longest.max(2) + 1);
    // What mdbook would take for an order of its own.
    let text = text.replace("{{#", "\\{{#");
    format!(
        "# {}\n\n{fence}{language}\n{}\n{fence}\n",
        file.display(),
        text.trim_end()
    )
}

/// All files below `dir`, but for what builds leave there.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true if links::SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) => {}
            true => found.extend(files(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    Ok(found)
}

fn within(dir: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(dir).unwrap_or(file).to_owned()
}

/// `path` without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = normal.pop(),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// How one page names another.
fn relative(from: &Path, to: &Path) -> String {
    let up = "../".repeat(from.components().count() - 1);
    format!("{up}{}", to.display())
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths;

    /// A tree of these files in a folder of its own, and where its book is staged.
    fn tree(name: &str, files: &[(&str, &str)]) -> (PathBuf, PathBuf) {
        let dir = tempfile::Builder::new().prefix(name).tempdir().unwrap().keep();
        let (tree, to) = (dir.join("tree"), dir.join("staged"));
        for (file, text) in files {
            write(&tree.join(file), text.as_bytes()).unwrap();
        }
        (tree, to)
    }

    fn read(dir: &Path, file: &str) -> String {
        fs::read_to_string(dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn what_pages_link_to_comes_along() {
        let (tree, to) = tree(
            "closure",
            &[
                ("book.toml", "[book]\nsrc = \"docs\"\n"),
                ("docs/SUMMARY.md", "# Summary\n- [a](a.md)\n- [b](sub/b.md)\n"),
                (
                    "docs/a.md",
                    "[code](../src/x.rs) [b](sub/b.md#here) [net](https://example.org/)\n![p](p.svg)\n",
                ),
                ("docs/p.svg", "<svg/>"),
                (
                    "docs/sub/b.md",
                    "# Here\n[other](../../OTHER.md#end) [dir](../../src)\n",
                ),
                ("OTHER.md", "# End\n[a](docs/a.md) [more](src/y.rs)\n"),
                ("src/x.rs", "// ~~~~ {{#include z}}\n"),
                ("src/y.rs", "// y\n"),
                ("src/unseen.rs", "// nobody links here\n"),
            ],
        );
        assert_eq!(stage(&tree, &to).unwrap(), 4, "x.rs, OTHER.md, src, y.rs");
        let docs = to.join("docs");
        let a = read(&docs, "a.md");
        assert!(
            a.contains("(source/src/x.rs.md)") && a.contains("(sub/b.md#here)"),
            "{a}"
        );
        assert!(
            a.contains("(https://example.org/)") && a.contains("(p.svg)"),
            "{a}"
        );
        let b = read(&docs, "sub/b.md");
        assert!(
            b.contains("(../source/OTHER.md.md#end)") && b.contains("(../source/src.md)"),
            "{b}"
        );
        let other = read(&docs, "source/OTHER.md.md");
        assert!(
            other.contains("(../a.md)") && other.contains("(../source/src/y.rs.md)"),
            "{other}"
        );
        let code = read(&docs, "source/src/x.rs.md");
        assert!(
            code.contains("\n~~~~~rust") && code.contains("\\{{#include"),
            "{code}"
        );
        assert!(read(&docs, "source/src.md").contains("- `unseen.rs`"));
        assert!(!docs.join("source/src/unseen.rs.md").exists());
        assert_eq!(read(&docs, "SUMMARY.md").matches("](source/").count(), 4);
        assert_eq!(read(&docs, "p.svg"), "<svg/>");
        // Every link of what was staged leads to a file of it.
        assert_eq!(links::broken(&links::documents(&to).unwrap()).unwrap(), [""; 0]);
        fs::remove_dir_all(to.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_link_to_what_is_not_there_stops_it() {
        let files = [
            ("book.toml", "[book]\n"),
            ("docs/SUMMARY.md", "- [a](a.md)\n"),
            ("docs/a.md", "[code](../src/none.rs)\n"),
        ];
        let (tree, to) = tree("missing", &files);
        let error = format!("{:#}", stage(&tree, &to).unwrap_err());
        assert!(error.contains("none.rs"), "{error}");
        fs::remove_dir_all(to.parent().unwrap()).unwrap();
    }

    /// This tree's own book, as mdbook gets it.
    #[test]
    fn the_book_needs_nothing_of_the_tree() {
        let to = tempfile::tempdir().unwrap().keep();
        let others = stage(paths::root(), &to).unwrap();
        assert!(others > 10, "{others}");
        let pages = links::documents(&to).unwrap();
        let outside = |page: &PathBuf| {
            let text = fs::read_to_string(page).unwrap();
            let mut out = Vec::new();
            let _ = links::replaced(&text, |target| {
                let path = normal(&within(&to, page).with_file_name("").join(target));
                if !links::is_foreign(target) && !path.starts_with(DOCS) {
                    out.push(format!("{}: {target}", page.display()));
                }
                None
            });
            out
        };
        assert_eq!(pages.iter().flat_map(outside).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(links::broken(&pages).unwrap(), [""; 0]);
        fs::remove_dir_all(to).unwrap();
    }
}
