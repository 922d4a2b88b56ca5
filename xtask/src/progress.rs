//! Progress: a line that moves on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::out::tell;

/// Work of unknown length.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Says what begins.
    pub fn start(what: &str) -> Self {
        if !io::stderr().is_terminal() {
            tell!("{what}");
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Says what it does right now.
    pub fn say(&self, line: &str) {
        if self.0.is_hidden() {
            tell!("  {line}");
        } else {
            self.0.set_message(line.chars().take(90).collect::<String>());
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Work of `total` parts; hidden when standard error is not a terminal.
pub fn bar(total: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
