//! What Ctrl-C and its like do: the terminal gets back as it was, and what was started for us is gone before we are.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process_group, set_child_subreaper, waitpgid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::vm::terminal;

/// For workers to end after they were asked to. Then they are killed.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(2);

/// The process groups of all workers. Held from a signal on: nothing is started any more.
static WORKERS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Whether Ctrl-C is for a program that has the terminal.
static LENT: AtomicBool = AtomicBool::new(false);

/// Makes a signal that ends us end all workers first. QEMU needs no care: it dies with this process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]) {
            thread::spawn(move || {
                signals.forever().for_each(end);
            });
        }
    });
}

/// From now on Ctrl-C is for the debugger, which shares the terminal's process group with us, and which we must outlive.
pub fn lend_terminal() {
    install();
    LENT.store(true, Ordering::SeqCst);
}

fn end(signal: i32) {
    if signal == SIGINT && LENT.load(Ordering::SeqCst) {
        return;
    }
    terminal::restore();
    let workers = WORKERS.lock();
    if let Ok(workers) = &workers {
        end_all(workers);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Ends the process groups `workers`, and waits until nothing is left of them.
fn end_all(workers: &[Pid]) {
    // What a worker started comes to us when it is gone, and not to a process that knows nothing of it.
    let _ = set_child_subreaper(Some(getpid()));
    for worker in workers {
        let _ = kill_process_group(*worker, Signal::TERM);
    }
    let deadline = Instant::now() + PATIENCE;
    for worker in workers {
        let mut is_killed = false;
        // An error says that there is no such child any longer.
        while let Ok(ended) = waitpgid(*worker, WaitOptions::NOHANG) {
            if !is_killed && Instant::now() >= deadline {
                let _ = kill_process_group(*worker, Signal::KILL);
                is_killed = true;
            }
            if ended.is_none() {
                thread::sleep(POLL);
            }
        }
    }
}

/// A program that works for us, and all that it starts: one process group, which does not outlive us.
pub struct Worker(Option<Child>);

impl Worker {
    /// Starts it.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        install();
        // A signal in between waits for the lock, and finds it.
        let mut workers = WORKERS.lock().map_err(|_| io::ErrorKind::Other)?;
        let child = command.process_group(0).spawn()?;
        workers.push(Pid::from_child(&child));
        Ok(Self(Some(child)))
    }

    /// Its standard output, once, if that is a pipe.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.0.as_mut()?.stdout.take()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it is lost.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.end_with(|mut child| child.wait())
    }

    /// Takes all that it writes, and waits for its end.
    ///
    /// # Errors
    /// When it is lost.
    pub fn output(mut self) -> io::Result<Output> {
        self.end_with(Child::wait_with_output)
    }

    fn end_with<T>(&mut self, wait: impl FnOnce(Child) -> io::Result<T>) -> io::Result<T> {
        let child = self.0.take().ok_or(io::ErrorKind::NotFound)?;
        let id = Pid::from_child(&child);
        let ended = wait(child);
        if let Ok(mut workers) = WORKERS.lock() {
            workers.retain(|worker| *worker != id);
        }
        ended
    }
}

impl Drop for Worker {
    /// One that was not waited for is not wanted any longer.
    fn drop(&mut self) {
        let _ = self.end_with(|mut child| {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            child.wait()
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command
    }

    /// A worker with a process of its own, and that one's number.
    fn worker(script: &str) -> (Worker, Pid) {
        let mut worker = Worker::start(&mut shell(script)).unwrap();
        let mut line = String::new();
        BufReader::new(worker.stdout().unwrap())
            .read_line(&mut line)
            .unwrap();
        (worker, Pid::from_raw(line.trim().parse().unwrap()).unwrap())
    }

    fn is_there(process: Pid) -> bool {
        rustix::process::test_kill_process(process).is_ok()
    }

    #[test]
    fn what_a_worker_started_ends_with_it() {
        // The second of them has to be killed.
        for trap in ["", "trap '' TERM;"] {
            let script = format!("{trap} sleep 1000 & echo $!; wait; sleep 1000");
            let (worker, grandchild) = worker(&script);
            assert!(is_there(grandchild));
            let group = Pid::from_child(worker.0.as_ref().unwrap());
            end_all(&[group]);
            assert!(!is_there(grandchild) && !is_there(group), "{trap}");
        }
    }

    #[test]
    fn a_worker_that_is_not_waited_for_is_ended() {
        let (worker, _) = worker("echo $$; sleep 1000");
        let group = Pid::from_child(worker.0.as_ref().unwrap());
        assert!(WORKERS.lock().unwrap().contains(&group));
        drop(worker);
        assert!(!is_there(group) && !WORKERS.lock().unwrap().contains(&group));
    }

    #[test]
    fn a_worker_says_how_it_ended() {
        let output = Worker::start(&mut shell("echo out; exit 3"))
            .unwrap()
            .output()
            .unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.status.code()),
            (&b"out\n"[..], Some(3))
        );
        assert!(Worker::start(&mut Command::new("/nowhere")).is_err());
    }
}
