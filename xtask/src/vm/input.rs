//! What a person types, or a pipe holds, to the guest's serial port.

use std::io::{self, Read, Write};
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::Result;

use super::Event;
use super::record::Record;
use super::terminal::Raw;

/// Where the guest's input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A terminal, key by key. Ctrl-A x ends the run.
    Terminal,
    /// Standard input as it is, once the guest is ready to listen. Its end is not the end of the run.
    Pipe,
    /// Nowhere.
    None,
}

/// The guest's input, while a run lasts.
pub struct Keyboard {
    raw: Option<Raw>,
    /// Sends the word that the guest listens.
    listening: Option<Sender<()>>,
    /// Kept open where nobody writes: QEMU reads an end of file as the end of its console.
    _held: Option<ChildStdin>,
}

impl Keyboard {
    /// Begins to pass `input` on to `guest`.
    ///
    /// # Errors
    /// When the terminal cannot be put into raw mode.
    pub fn start(input: Input, guest: ChildStdin, events: Sender<Event>) -> Result<Self> {
        match input {
            Input::None => Ok(Self {
                raw: None,
                listening: None,
                _held: Some(guest),
            }),
            Input::Pipe => {
                let (sender, listening) = channel();
                thread::spawn(move || pipe(guest, &listening));
                Ok(Self {
                    raw: None,
                    listening: Some(sender),
                    _held: None,
                })
            }
            Input::Terminal => {
                let raw = Raw::enter()?;
                thread::spawn(move || keys(guest, &events));
                Ok(Self {
                    raw: Some(raw),
                    listening: None,
                    _held: None,
                })
            }
        }
    }

    /// Looks whether the guest listens by now. Before, its serial port would lose what a pipe holds.
    pub fn heard(&mut self, records: &[Record]) {
        if self.listening.is_some() && records.iter().any(|record| record.kind == "ready") {
            self.listening = None; // closing the channel is the word
        }
    }

    /// Puts the terminal back.
    pub fn stop(&mut self) {
        self.raw = None;
    }
}

fn pipe(mut guest: ChildStdin, listening: &Receiver<()>) {
    let _ = listening.recv();
    let _ = io::copy(&mut io::stdin().lock(), &mut guest);
    // The guest's port stays open: there is only nothing more to read.
    loop {
        thread::park();
    }
}

fn keys(mut guest: ChildStdin, events: &Sender<Event>) {
    let mut escape = Escape::default();
    let mut buffer = [0; 256];
    while let Ok(count @ 1..) = io::stdin().lock().read(&mut buffer) {
        for &key in &buffer[..count] {
            match escape.key(key) {
                Key::Pass(byte) if guest.write_all(&[byte]).is_err() => return,
                Key::Pass(_) | Key::Swallow => {}
                Key::Quit => drop(events.send(Event::Quit)),
            }
        }
    }
    let _ = events.send(Event::Quit); // the terminal is gone
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Pass(u8),
    Swallow,
    Quit,
}

/// Ctrl-A begins a command to xtask: x quits, Ctrl-A or a sends a Ctrl-A.
#[derive(Default)]
struct Escape {
    begun: bool,
}

const CTRL_A: u8 = 1;

impl Escape {
    fn key(&mut self, key: u8) -> Key {
        if !std::mem::take(&mut self.begun) {
            self.begun = key == CTRL_A;
            return if self.begun { Key::Swallow } else { Key::Pass(key) };
        }
        match key {
            b'x' | b'X' => Key::Quit,
            CTRL_A | b'a' => Key::Pass(CTRL_A),
            _ => Key::Swallow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_a_is_an_escape() {
        let mut escape = Escape::default();
        let mut typed = |key| escape.key(key);
        assert_eq!(typed(b'x'), Key::Pass(b'x'));
        assert_eq!(typed(CTRL_A), Key::Swallow);
        assert_eq!(typed(CTRL_A), Key::Pass(CTRL_A));
        assert_eq!(typed(b'x'), Key::Pass(b'x'));
        assert_eq!(typed(CTRL_A), Key::Swallow);
        assert_eq!(typed(b'q'), Key::Swallow);
        assert_eq!(typed(b'q'), Key::Pass(b'q'));
        assert_eq!(typed(CTRL_A), Key::Swallow);
        assert_eq!(typed(b'x'), Key::Quit);
    }
}
