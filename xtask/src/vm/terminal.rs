//! The terminal in raw mode, and back again whatever happens.

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::Mutex;
use std::sync::Once;

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::signals;

/// How the terminal was before. Here, and not in [`Raw`], because a panic and a signal must find it too: with
/// `panic = "abort"` nothing is dropped.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static GUARDS: Once = Once::new();

/// Whether a person sits at both ends.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal is raw for as long as this lives.
pub struct Raw(());

impl Raw {
    /// Makes standard input raw: every key goes to the guest, Ctrl-C too.
    ///
    /// # Errors
    /// When it is no terminal.
    pub fn enter() -> Result<Self> {
        GUARDS.call_once(guard);
        let before = tcgetattr(io::stdin()).context("standard input is no terminal")?;
        let mut raw = before.clone();
        raw.make_raw();
        if let Ok(mut saved) = BEFORE.lock() {
            *saved = Some(before);
        }
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).context("cannot make the terminal raw")?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back as it was, if it was made raw.
pub fn restore() {
    let before = BEFORE.lock().ok().and_then(|mut saved| saved.take());
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &before);
    }
}

fn guard() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
        usual(info);
    }));
    signals::install();
}
