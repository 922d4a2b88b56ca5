//! The guest's console on its way from QEMU to whoever listens.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, poll};

use super::Event;

/// A pipe that a thread of its own empties.
pub struct Pipe {
    end: OwnedFd,
    /// Whether the thread holds bytes that nobody has been told of.
    carrying: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Pipe {
    /// Tells `events` of all that comes, and at last that nothing comes any more.
    ///
    /// # Errors
    /// When there are no more file descriptors.
    pub fn start(stdout: ChildStdout, events: Sender<Event>) -> Result<Self> {
        let end = stdout
            .as_fd()
            .try_clone_to_owned()
            .context("no second end of a pipe")?;
        let carrying = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let carrying = Arc::clone(&carrying);
            move || {
                carry(stdout, &events, &carrying);
                let _ = events.send(Event::ConsoleClosed);
                carrying.store(false, Ordering::SeqCst);
            }
        });
        Ok(Self {
            end,
            carrying,
            thread,
        })
    }

    /// Whether all that was written before this call has been told. Bytes are in the pipe until the thread says that it
    /// carries some, so one look at each, in this order, misses none.
    pub fn is_empty(&self) -> bool {
        matches!(rustix::io::ioctl_fionread(&self.end), Ok(0) | Err(_))
            && !self.carrying.load(Ordering::SeqCst)
    }

    /// Whether nothing comes any more, and all that came has been told.
    pub fn is_closed(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Empties the pipe until it is closed, or nobody listens. Returns with `carrying` set: the last word is still to be said.
fn carry(mut stdout: ChildStdout, events: &Sender<Event>, carrying: &AtomicBool) {
    let mut buffer = [0; 4096];
    loop {
        carrying.store(false, Ordering::SeqCst);
        let waited = poll(&mut [PollFd::new(&stdout, PollFlags::IN)], None);
        carrying.store(true, Ordering::SeqCst);
        if waited == Err(rustix::io::Errno::INTR) {
            continue;
        }
        let Ok(count @ 1..) = stdout.read(&mut buffer) else {
            return;
        };
        if events.send(Event::Console(buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_was_written_before_has_been_told() {
        let mut child = Command::new("sh")
            .args(["-c", "head -c 300000 /dev/zero; echo done >&2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, events) = channel();
        let pipe = Pipe::start(child.stdout.take().unwrap(), sender).unwrap();
        // All is in the pipe, or has been taken from it.
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        while !pipe.is_empty() {
            thread::yield_now();
        }
        let told: usize = events
            .try_iter()
            .map(|event| match event {
                Event::Console(bytes) => bytes.len(),
                _ => 0,
            })
            .sum();
        child.wait().unwrap();
        assert_eq!((said.trim(), told), ("done", 300_000));
    }
}
