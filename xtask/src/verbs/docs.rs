//! `cargo xtask docs`: the book, the code's documentation, and whether all links lead anywhere.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use super::check::Check;
use crate::arch::Arch;
use crate::exit::Exit;
use crate::needs::{self, Install, Need, tool};
use crate::out::{say, tell};
use crate::report::pictures;
use crate::{book, links, paths};

/// Builds the book from docs/ and the documentation of the code. Warnings and links that lead nowhere are errors.
///
/// The book holds a page for each file of the tree that it links to, so it can be carried away. It takes mdbook; where there is
/// none, it is built once with `cargo install`, into the output folder and nowhere else.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask docs            everything
  cargo xtask docs --pictures the pictures in it, from machines booted for that
  cargo xtask docs --links    only whether all links lead anywhere: no tool is needed for that")]
pub struct Docs {
    /// Only look at the links.
    #[arg(long, conflicts_with = "pictures")]
    links: bool,
    /// Only draw the pictures of the book anew, from machines that are booted for it, into docs/pictures.
    #[arg(long)]
    pictures: bool,
}

impl Docs {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing.
    pub fn run(self, install: Install) -> Result<Exit> {
        if self.pictures {
            return draw(install);
        }
        let mut good = links_lead_somewhere()?;
        if !self.links {
            needs::ensure(&[Need::Mdbook], install)?;
            good &= book()?;
            let steps = vec!["doc".to_owned()];
            good &= Check { steps }.run(install)? == Exit::Pass;
        }
        Ok(if good { Exit::Pass } else { Exit::Failed })
    }
}

/// Draws what needs machines and a browser.
fn draw(install: Install) -> Result<Exit> {
    let mut needs = vec![Need::KernelRust, Need::Linker, Need::Browser];
    needs.extend(Arch::ALL.map(Need::Qemu));
    needs::ensure(&needs, install)?;
    pictures::write(&tool::browser_path().context("no browser")?)?;
    Ok(Exit::Pass)
}

fn links_lead_somewhere() -> Result<bool> {
    let documents = links::documents(paths::root())?;
    let mut broken = links::broken(&documents)?;
    broken.extend(links::unlisted(&paths::root().join("docs"))?);
    broken.iter().for_each(|line| say!("{line}"));
    let count = documents.len();
    say!(
        "{} links of {count} documents",
        if broken.is_empty() { "ok  " } else { "FAIL" }
    );
    Ok(broken.is_empty())
}

/// Builds the book; a warning is an error, and so is a link in it that leads nowhere.
fn book() -> Result<bool> {
    let mdbook = tool::mdbook_path().context("no mdbook")?;
    let (from, to) = (paths::out().join("book-source"), paths::out().join("book"));
    book::stage(paths::root(), &from)?;
    let mut command = Command::new(mdbook);
    command.arg("build").arg("--dest-dir").arg(&to).arg(&from);
    let output = command.output().context("cannot run mdbook")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let built = output.status.success() && !["WARN", "ERROR"].iter().any(|word| said.contains(word));
    if !built {
        tell!("{said}");
    }
    say!(
        "{} book: {}",
        if built { "ok  " } else { "FAIL" },
        paths::shown(&to.join("index.html"))
    );
    Ok(built && holds_together(&to)?)
}

/// Whether the book needs nothing outside of itself.
fn holds_together(book: &Path) -> Result<bool> {
    let (broken, links) = book::broken(book)?;
    broken.iter().for_each(|line| say!("{line}"));
    let good = broken.is_empty() && links > 0;
    say!("{} {links} links in the book", if good { "ok  " } else { "FAIL" });
    Ok(good)
}
