//! Whether the links of pages of HTML lead anywhere: to files beside them, and to places in those.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{files, normal, within};
use crate::links::is_foreign;

/// What a page has: links, and places that can be linked to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    links: Vec<String>,
    places: BTreeSet<String>,
}

/// The links of all pages below `dir` that lead to nothing below it, and how many there are in all.
///
/// # Errors
/// When a page cannot be read.
pub fn broken(dir: &Path) -> Result<(Vec<String>, usize)> {
    let all: BTreeSet<PathBuf> = files(dir)?.iter().map(|file| within(dir, file)).collect();
    let mut pages: BTreeMap<&Path, Page> = BTreeMap::new();
    for file in all.iter().filter(|file| is_page(file)) {
        let html =
            fs::read_to_string(dir.join(file)).with_context(|| format!("cannot read {}", file.display()))?;
        pages.insert(file, Page::parse(&html));
    }
    let mut wrong = Vec::new();
    for (file, page) in &pages {
        for link in page.links.iter().filter(|link| !is_elsewhere(link)) {
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match path.split('?').next().unwrap_or_default() {
                "" => file.to_path_buf(),
                path => normal(&file.with_file_name("").join(path)),
            };
            let known = |page: &Page| place.is_empty() || page.places.contains(place);
            if !all.contains(&target) {
                wrong.push(format!("{}: {link}: there is no such file", file.display()));
            } else if !pages.get(target.as_path()).is_none_or(known) {
                wrong.push(format!("{}: {link}: there is no such place", file.display()));
            }
        }
    }
    Ok((wrong, pages.values().map(|page| page.links.len()).sum()))
}

/// Those that mdbook makes of its own: one is shown at an address that nobody knows before.
fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "html") && file != Path::new("404.html")
}

fn is_elsewhere(link: &str) -> bool {
    is_foreign(link) || link.starts_with("data:") || link.starts_with("javascript:")
}

impl Page {
    /// Reads the tags of a page, but for what stands in scripts and comments.
    fn parse(html: &str) -> Self {
        let mut page = Self::default();
        let mut rest = html;
        while let Some((_, after)) = rest.split_once('<') {
            rest = if let Some(comment) = after.strip_prefix("!--") {
                comment.split_once("-->").map_or("", |(_, rest)| rest)
            } else {
                let (tag, rest) = after.split_once('>').unwrap_or((after, ""));
                page.take(tag);
                match tag.starts_with("script") {
                    true => rest.split_once("</script>").map_or("", |(_, rest)| rest),
                    false => rest,
                }
            };
        }
        page
    }

    fn take(&mut self, tag: &str) {
        let value = |name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(rest.split_once('"')?.0.replace("&amp;", "&"))
        };
        self.links
            .extend(["href", "src"].iter().filter_map(|name| value(name)));
        self.places.extend(value("id"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_nothing_else() {
        let html = "<!-- <a href=\"no\"> --><p id=\"one\"><a href=\"a.html#x\">b</a> href=\"no\"\
            <script>'<a href=\"no\">'</script><script src=\"s.js\"></script><img alt=\"\" src=\"p.svg\">";
        let page = Page::parse(html);
        assert_eq!(page.links, ["a.html#x", "s.js", "p.svg"]);
        assert_eq!(page.places, BTreeSet::from(["one".to_owned()]));
    }

    #[test]
    fn links_of_a_built_book_that_lead_nowhere_are_told() {
        let dir = tempfile::tempdir().unwrap().keep();
        fs::create_dir_all(dir.join("sub")).unwrap();
        let put = |file: &str, html: &str| fs::write(dir.join(file), html).unwrap();
        put(
            "a.html",
            "<a href=\"sub/b.html#there\"></a><a href=\"https://example.org/\"></a>",
        );
        put(
            "sub/b.html",
            "<h1 id=\"there\"><a href=\"#there\"></a></h1><a href=\"../a.html\"></a>",
        );
        put("404.html", "<a href=\"/nowhere\"></a>");
        assert_eq!(broken(&dir).unwrap(), (Vec::new(), 4));
        put(
            "a.html",
            "<a href=\"sub/b.html#gone\"></a><a href=\"../outside.rs\"></a><img src=\"p.svg\">",
        );
        let (wrong, _) = broken(&dir).unwrap();
        assert_eq!(
            wrong,
            [
                "a.html: sub/b.html#gone: there is no such place",
                "a.html: ../outside.rs: there is no such file",
                "a.html: p.svg: there is no such file",
            ]
        );
        fs::remove_dir_all(dir).unwrap();
    }
}
