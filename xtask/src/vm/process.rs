//! The QEMU process. It never outlives xtask, and it leaves no file behind.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::json;

use super::count::Counts;
use super::media::Media;
use super::qmp::Qmp;
use super::spec::{Fds, Spec};
use crate::guest::memory::{PAGE, Source};

/// A running QEMU.
pub struct Process {
    child: Child,
    /// Where QEMU logs CPU resets: a file in memory only.
    log: File,
    /// Where the counting plugin writes, likewise.
    counts: File,
    /// Where QEMU writes guest memory that is asked for, likewise.
    memory: File,
    /// How many triple faults the machine survived.
    survived: usize,
    /// The other end of the character device called `stub`, on which nobody speaks until a gdb server is put there.
    gdb: Option<UnixStream>,
}

/// Starts QEMU for `spec`. It waits at its first instruction for the socket's word.
///
/// # Errors
/// When it cannot be started at all. One that dislikes its arguments ends soon after, by itself.
pub fn start(spec: &Spec<'_>) -> Result<(Process, UnixStream)> {
    let (ours, theirs) = UnixStream::pair().context("no socket pair")?;
    let (gdb, their_gdb) = UnixStream::pair().context("no socket pair")?;
    let (log, counts) = (memory_file("qemu-log")?, memory_file("counts")?);
    let memory = memory_file("guest-memory")?;
    let media = Media::of(spec)?;
    let initrd = spec.initrd.as_deref().filter(|_| media.is_none());
    let initrd = initrd.map(open).transpose()?;
    let fds = Fds {
        qmp: theirs.as_raw_fd(),
        log: log.as_raw_fd(),
        gdb: their_gdb.as_raw_fd(),
        counts: counts.as_raw_fd(),
        memory: memory.as_raw_fd(),
        initrd: initrd.as_ref().map(AsRawFd::as_raw_fd),
    };
    let mut command = Command::new(spec.kernel.flavour.arch.qemu());
    command
        .args(spec.args(fds, media.as_ref()))
        .env_remove("LD_LIBRARY_PATH");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.process_group(0); // what is typed at the terminal, Ctrl-C included, is for xtask to judge
    let image = spec.image().file.as_raw_fd();
    let mut inherited = vec![fds.qmp, fds.log, fds.gdb, fds.counts, fds.memory, image];
    inherited.extend(fds.initrd);
    inherited.extend(media.iter().flat_map(Media::fds));
    inherit(&mut command, inherited);
    let child = command
        .spawn()
        .with_context(|| format!("cannot run {}", spec.kernel.flavour.arch.qemu()))?;
    let process = Process {
        child,
        log,
        counts,
        memory,
        survived: 0,
        gdb: Some(gdb),
    };
    Ok((process, ours))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A file that has no name in any folder, and goes when nobody has it open.
pub fn memory_file(name: &str) -> Result<File> {
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC).context("no memory file")?;
    Ok(File::from(fd))
}

fn contents(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_end(&mut bytes));
    read.map_or_else(|_| Vec::new(), |_| bytes)
}

fn triple_faults(log: &[u8]) -> usize {
    const WORD: &[u8] = b"Triple fault";
    log.windows(WORD.len()).filter(|window| *window == WORD).count()
}

/// Lets the child keep `fds`, and die with the thread that starts it.
fn inherit(command: &mut Command, fds: Vec<RawFd>) {
    let parent = rustix::process::getpid();
    let hook = move || {
        for &fd in &fds {
            // SAFETY: the caller owns all of them until after the spawn.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        }
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid() != Some(parent) {
            // The parent died before it could be watched.
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    };
    // SAFETY: between fork and exec the hook makes system calls only; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(hook) };
}

impl Process {
    /// The three ends of the pipes, each once.
    pub fn pipes(
        &mut self,
    ) -> Option<(
        std::process::ChildStdin,
        std::process::ChildStdout,
        std::process::ChildStderr,
    )> {
        Some((
            self.child.stdin.take()?,
            self.child.stdout.take()?,
            self.child.stderr.take()?,
        ))
    }

    /// The line to a gdb server, once.
    pub fn gdb(&mut self) -> Option<UnixStream> {
        self.gdb.take()
    }

    /// Whether the log tells of a triple fault since the last reset that was survived: QEMU's own word for it. Any other reset
    /// leaves registers only.
    pub fn triple_fault(&mut self) -> bool {
        triple_faults(&contents(&mut self.log)) > self.survived
    }

    /// The machine comes up again: what it was reset by is over.
    pub fn was_reset(&mut self) {
        self.survived = triple_faults(&contents(&mut self.log));
    }

    /// Guest memory by QEMU's monitor.
    pub fn memory<'a>(&'a mut self, qmp: &'a mut Qmp) -> GuestMemory<'a> {
        GuestMemory {
            file: &mut self.memory,
            qmp,
        }
    }

    /// What was counted, if it was, once the process is gone.
    pub fn counts(&mut self) -> Option<Counts> {
        Counts::parse(&String::from_utf8_lossy(&contents(&mut self.counts)))
    }

    /// Waits for it to end, as it was asked to; after `patience` ends it.
    pub fn leave(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        self.kill();
    }

    /// Ends it whatever it does, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Physical memory of the guest. QEMU writes it to a file in memory that it shares with us.
pub struct GuestMemory<'a> {
    file: &'a mut File,
    qmp: &'a mut Qmp,
}

impl GuestMemory<'_> {
    /// `len` bytes from physical address `pa` on. Where there is no memory they are zero.
    ///
    /// # Errors
    /// When QEMU does not write them.
    pub fn read(&mut self, pa: u64, len: u64) -> Result<Vec<u8>> {
        let file = format!("/dev/fd/{}", self.file.as_raw_fd());
        let arguments = json!({ "val": pa, "size": len, "filename": file });
        self.qmp.command("pmemsave", &arguments)?;
        let bytes = contents(self.file);
        ensure!(
            bytes.len() as u64 == len,
            "QEMU gives {} bytes of {len}",
            bytes.len()
        );
        Ok(bytes)
    }
}

impl Source for GuestMemory<'_> {
    fn page(&mut self, pa: u64) -> Option<[u8; PAGE as usize]> {
        self.read(pa, PAGE).ok()?.try_into().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
