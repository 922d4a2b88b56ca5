//! A browser without a window, for a look at a page.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A page takes a second; a browser that hangs shall not keep anybody.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a browser made of a page.
#[derive(Debug)]
pub struct Seen {
    /// The document, after its code ran.
    pub dom: String,
    /// What it wrote to the browser's console: errors, most of all.
    pub complaints: Vec<String>,
}

/// Opens `html` from a file, with more `options` of the browser's.
///
/// # Errors
/// When the browser does not start, or does not end in time.
pub fn open(browser: &Path, html: &str, options: &[&str]) -> Result<Seen> {
    // Under a name that nobody else can know and take first.
    let dir = tempfile::tempdir().context("no folder for the browser")?;
    open_in(dir.path(), browser, html, options)
}

fn open_in(dir: &Path, browser: &Path, html: &str, options: &[&str]) -> Result<Seen> {
    let (page, dom, said) = (dir.join("page.html"), dir.join("dom"), dir.join("said"));
    fs::write(&page, html).with_context(|| format!("cannot write {}", page.display()))?;
    let mut command = Command::new(browser);
    // Its sandbox does not work for root, nor in many containers; the page is our own.
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]);
    command
        .args(options)
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        // Files, not pipes: nobody has to read them in the meantime.
        .stdout(fs::File::create(&dom)?)
        .stderr(fs::File::create(&said)?);
    let child = command
        .spawn()
        .with_context(|| format!("cannot run {}", browser.display()))?;
    wait(child)?;
    let said = String::from_utf8_lossy(&fs::read(&said)?).into_owned();
    Ok(Seen {
        dom: String::from_utf8_lossy(&fs::read(&dom)?).into_owned(),
        complaints: said
            .lines()
            .filter(|line| line.contains(":CONSOLE"))
            .map(str::to_owned)
            .collect(),
    })
}

fn wait(mut child: Child) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the browser ended with {status}");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    bail!("the browser did not end within {} s", PATIENCE.as_secs())
}
