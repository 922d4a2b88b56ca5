//! Whether the links of the documents lead anywhere: to files of the tree, and to headings in them.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;

/// A link that leads nowhere, and where it stands.
pub type Broken = String;

/// Folders that hold no documents of ours.
pub const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

/// All Markdown files below `dir`.
///
/// # Errors
/// When a folder cannot be read.
pub fn documents(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                found.extend(documents(&path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The broken links of `documents`.
///
/// # Errors
/// When one cannot be read.
pub fn broken(documents: &[PathBuf]) -> Result<Vec<Broken>> {
    let mut all = Vec::new();
    for document in documents {
        let text =
            fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
        for (line, target) in links(&text) {
            if let Err(why) = leads_somewhere(document, &text, target) {
                all.push(format!("{}:{line}: {target}: {why}", paths::shown(document)));
            }
        }
    }
    Ok(all)
}

/// Pages below `dir` that `SUMMARY.md` there does not list: nobody finds them in the book.
///
/// # Errors
/// When something cannot be read.
pub fn unlisted(dir: &Path) -> Result<Vec<Broken>> {
    let summary = fs::read_to_string(dir.join("SUMMARY.md")).context("the book has no SUMMARY.md")?;
    let listed: BTreeSet<PathBuf> = links(&summary).map(|(_, target)| dir.join(target)).collect();
    let pages = documents(dir)?
        .into_iter()
        .filter(|page| !page.ends_with("SUMMARY.md"));
    let lost = pages.filter(|page| !listed.contains(page));
    Ok(lost
        .map(|page| format!("{}: not in SUMMARY.md", paths::shown(&page)))
        .collect())
}

/// The targets of all links outside of code, with their lines.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    places(text).map(|(line, range)| (line, &text[range]))
}

/// `text` with the target of each of its links replaced by what `by` makes of it; `None` leaves it as it is.
pub fn replaced(text: &str, mut by: impl FnMut(&str) -> Option<String>) -> String {
    let (mut new, mut done) = (String::with_capacity(text.len()), 0);
    for (_, range) in places(text) {
        if let Some(target) = by(&text[range.clone()]) {
            new.push_str(&text[done..range.start]);
            new.push_str(&target);
            done = range.end;
        }
    }
    new.push_str(&text[done..]);
    new
}

/// Where the targets stand: lines, and bytes of `text`.
fn places(text: &str) -> impl Iterator<Item = (usize, Range<usize>)> {
    let (mut open, mut next) = (None, 0);
    let lines = text.split_inclusive('\n').map(move |line| {
        let at = next;
        next += line.len();
        (at, line)
    });
    let prose = lines.zip(1..).filter(move |((_, line), _)| {
        match (open, fence(line)) {
            (None, Some(fence)) => open = Some(fence),
            (Some((mark, least)), Some((other, long))) if mark == other && long >= least => open = None,
            (None, None) => return !line.starts_with("    "),
            _ => {}
        }
        false
    });
    prose.flat_map(|((at, line), number)| {
        targets(line).map(move |range| (number, at + range.start..at + range.end))
    })
}

/// What opens or closes code, if `line` does: which mark, and how many.
fn fence(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
    let long = line.chars().take_while(|c| *c == mark).count();
    (long >= 3).then_some((mark, long))
}

/// The targets in one line: what stands between `](` and `)`, but for what is in backquotes.
fn targets(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("](").filter_map(|(at, _)| {
        let quoted = line[..at].matches('`').count() % 2 == 1 && line[at..].contains('`');
        let end = line[at..].find(')')?;
        (!quoted).then_some(at + 2..at + end)
    })
}

/// Whether `target` is for the network, or for another program: nothing here looks there.
pub fn is_foreign(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

fn leads_somewhere(document: &Path, text: &str, target: &str) -> Result<(), String> {
    if is_foreign(target) {
        return Ok(());
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let there = match file {
        "" => document.to_owned(),
        file => document.with_file_name("").join(file),
    };
    if !there.exists() {
        return Err("there is no such file".into());
    }
    if heading.is_empty() || there.extension().is_none_or(|extension| extension != "md") {
        return Ok(());
    }
    let other = if file.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(&there).unwrap_or_default()
    };
    match other
        .lines()
        .filter_map(title)
        .any(|title| anchor(title) == heading)
    {
        true => Ok(()),
        false => Err("there is no such heading".into()),
    }
}

fn title(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    (rest.len() < line.len())
        .then(|| rest.strip_prefix(' '))
        .flatten()
}

/// As GitHub and mdbook name a heading.
fn anchor(title: &str) -> String {
    let kept = title
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_none() {
        let text = "a [b](c.md) `[x](y)` [d](e#f)\n```\n[no](n)\n```\n    [no](n)\n[g](h)\n";
        let found: Vec<(usize, &str)> = links(text).collect();
        assert_eq!(found, [(1, "c.md"), (1, "e#f"), (6, "h")]);
        let text = "~~~~\n[no](n)\n```\n~~~\n[no](n)\n~~~~\n[g](h)\n";
        assert_eq!(links(text).collect::<Vec<_>>(), [(7, "h")]);
    }

    #[test]
    fn targets_are_replaced_where_they_stand() {
        let text = "a [b](c.md) `[x](c.md)` [d](e#f)\n    [no](c.md)\n[g](c.md)";
        let new = replaced(text, |target| (target == "c.md").then(|| "other/c.html".into()));
        let wanted = "a [b](other/c.html) `[x](c.md)` [d](e#f)\n    [no](c.md)\n[g](other/c.html)";
        assert_eq!(new, wanted);
    }

    #[test]
    fn headings_have_anchors() {
        assert_eq!(anchor(" What works where"), "what-works-where");
        assert_eq!(anchor("`setup_arch`, twice"), "setup_arch-twice");
        assert_eq!(title("## Two words"), Some("Two words"));
        assert_eq!(title("no title"), None);
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        let document = paths::root().join("README.md");
        let check = |target: &str| leads_somewhere(&document, "# Here\n", target);
        assert_eq!(check("docs/boot.md"), Ok(()));
        assert_eq!(check("#here"), Ok(()));
        assert_eq!(check("https://example.org/x"), Ok(()));
        assert!(check("docs/none.md").is_err() && check("#there").is_err());
        assert!(check("docs/boot.md#no-such-heading").is_err());
    }

    /// Those of this tree.
    #[test]
    fn all_documents_lead_somewhere() {
        let all = documents(paths::root()).unwrap();
        assert!(all.len() > 10, "{all:?}");
        assert_eq!(broken(&all).unwrap(), [""; 0]);
    }
}
