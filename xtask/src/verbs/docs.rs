//! `cargo xtask docs`: the book, the code's documentation, and whether all links lead anywhere.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use super::check::Check;
use crate::exit::{Exit, Refused};
use crate::links;
use crate::needs::{Install, tool};
use crate::out::{say, tell};
use crate::paths;

/// Builds the book from docs/ and the documentation of the code. Warnings and links that lead nowhere are errors.
///
/// The book takes mdbook. Where there is none, it is built once with `cargo install`, into the output folder and nowhere else.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask docs            everything
  cargo xtask docs --links    only whether all links lead anywhere: no tool is needed for that")]
pub struct Docs {
    /// Only look at the links.
    #[arg(long)]
    links: bool,
}

impl Docs {
    /// Runs the verb.
    ///
    /// # Errors
    /// When something is missing.
    pub fn run(self, install: Install) -> Result<Exit> {
        let mut good = links_lead_somewhere()?;
        if !self.links {
            good &= book(install)?;
            let steps = vec!["doc".to_owned()];
            good &= Check { steps }.run(install)? == Exit::Pass;
        }
        Ok(if good { Exit::Pass } else { Exit::Failed })
    }
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

/// Builds the book; a warning is an error.
fn book(install: Install) -> Result<bool> {
    let mdbook = mdbook(install)?;
    let to = paths::out().join("book");
    let mut command = Command::new(mdbook);
    command.arg("build").arg("--dest-dir").arg(&to).arg(paths::root());
    let output = command.output().context("cannot run mdbook")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let good = output.status.success() && !["WARN", "ERROR"].iter().any(|word| said.contains(word));
    if !good {
        tell!("{said}");
    }
    let index = paths::shown(&to.join("index.html"));
    say!("{} book: {index}", if good { "ok  " } else { "FAIL" });
    Ok(good)
}

/// The program: from PATH, or an own one.
fn mdbook(install: Install) -> Result<PathBuf> {
    let root = paths::out().join("tools");
    let own = root.join("bin/mdbook");
    if let Some(place) = tool::on_path("mdbook").or_else(|| own.is_file().then(|| own.clone())) {
        return Ok(place);
    }
    let by_hand = format!("cargo install mdbook --locked --root {}", root.display());
    if install == Install::Never {
        return Err(Refused::tool_missing(format!(
            "needed: mdbook to build the book; run:\n{by_hand}"
        )));
    }
    tell!("needed: mdbook to build the book (some minutes, once): {by_hand}");
    let mut cargo = Command::new("cargo");
    let cargo = cargo.args(["install", "mdbook", "--locked", "--root"]).arg(&root);
    let status = cargo
        .current_dir(std::env::temp_dir())
        .status()
        .context("cannot run cargo")?;
    match status.success() {
        true => Ok(own),
        false => Err(Refused::tool_missing("mdbook could not be built")),
    }
}
