//! QEMU's machine protocol: JSON lines over a socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::Event;

/// How long QEMU may take for an answer. Hundreds of virtual CPUs on two real ones make it slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often, and how long, QEMU's main loop is waited for.
const STATUS_POLLS: u32 = 1000;
const STATUS_POLL: Duration = Duration::from_millis(10);

/// A connection.
pub struct Qmp {
    stream: UnixStream,
    replies: Receiver<Value>,
}

impl Qmp {
    /// Takes `stream` over and tells `events` of each end of the machine.
    ///
    /// # Errors
    /// When the stream cannot be shared with the thread that reads it.
    pub fn start(stream: UnixStream, events: Sender<Event>) -> Result<Self> {
        let reader = BufReader::new(stream.try_clone().context("cannot share the QMP socket")?);
        let (sender, replies) = channel();
        thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                if let Ok(message) = serde_json::from_str(&line) {
                    dispatch(message, &sender, &events);
                }
            }
            let _ = events.send(Event::QmpClosed);
        });
        Ok(Self { stream, replies })
    }

    /// Waits for the greeting and leaves the capabilities phase: events come only after it.
    ///
    /// # Errors
    /// When QEMU ends instead, or does not answer.
    pub fn negotiate(&mut self) -> Result<()> {
        let greeting = self.reply()?;
        greeting.get("QMP").context("that is no QMP greeting")?;
        self.command("qmp_capabilities", &json!({})).map(drop)
    }

    /// Runs one command.
    ///
    /// # Errors
    /// What QEMU says is wrong with it, or that it is gone.
    pub fn command(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        self.tell(name, arguments)?;
        let mut reply = self.reply()?;
        match reply.get_mut("return") {
            Some(value) => Ok(value.take()),
            None => Err(anyhow!("QEMU refuses {name}: {}", reply["error"]["desc"])),
        }
    }

    /// Sends a command whose answer does not matter.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub fn tell(&mut self, name: &str, arguments: &Value) -> Result<()> {
        let line = format!("{}\n", json!({ "execute": name, "arguments": arguments }));
        self.stream.write_all(line.as_bytes()).context("QEMU is gone")
    }

    /// Lets a machine that stands in its reset come up again. The next reset will be its end, as this one was.
    ///
    /// # Errors
    /// As [`Self::command`], and when it does not reset.
    pub fn restart(&mut self) -> Result<()> {
        // It is announced before the CPUs stand still.
        self.wait_for("shutdown")?;
        self.command("set-action", &json!({ "reboot": "reset" }))?;
        self.command("system_reset", &json!({}))?;
        self.wait_for("prelaunch")?;
        self.command("set-action", &json!({ "reboot": "shutdown" }))?;
        self.command("cont", &json!({})).map(drop)
    }

    fn wait_for(&mut self, status: &str) -> Result<()> {
        for _ in 0..STATUS_POLLS {
            if self.command("query-status", &json!({}))?["status"] == status {
                return Ok(());
            }
            thread::sleep(STATUS_POLL);
        }
        Err(anyhow!("the machine does not come to the state {status}"))
    }

    /// Runs a command of the human monitor.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn human(&mut self, line: &str) -> Result<String> {
        let text = self.command("human-monitor-command", &json!({ "command-line": line }))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    fn reply(&self) -> Result<Value> {
        self.replies
            .recv_timeout(PATIENCE)
            .context("QEMU does not answer")
    }
}

fn dispatch(message: Value, replies: &Sender<Value>, events: &Sender<Event>) {
    match message.get("event").and_then(Value::as_str) {
        None => drop(replies.send(message)),
        Some("SHUTDOWN") => {
            let reason = message["data"]["reason"].as_str().unwrap_or("unknown").to_owned();
            let _ = events.send(Event::Shutdown(reason));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QEMU that answers each line with the next of `answers`.
    fn qemu(answers: &'static [&'static str]) -> (Qmp, Receiver<Event>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (sender, events) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(theirs.try_clone().unwrap()).lines();
            let mut theirs = theirs;
            for answer in answers {
                theirs.write_all(answer.as_bytes()).unwrap();
                let _ = lines.next();
            }
        });
        (Qmp::start(ours, sender).unwrap(), events)
    }

    #[test]
    fn events_are_told_from_answers() {
        let (mut qmp, events) = qemu(&[
            "{\"QMP\": {}}\n",
            "{\"return\": {}}\n",
            "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\n{\"return\": \"text\"}\n",
        ]);
        qmp.negotiate().unwrap();
        assert_eq!(qmp.human("info registers").unwrap(), "text");
        assert!(matches!(events.recv().unwrap(), Event::Shutdown(reason) if reason == "guest-reset"));
    }

    #[test]
    fn a_refusal_and_a_death_are_errors() {
        let (mut qmp, events) = qemu(&[
            "{\"QMP\": {}}\n{\"return\": {}}\n",
            "{\"error\": {\"desc\": \"no\"}}\n",
        ]);
        qmp.negotiate().unwrap();
        assert!(
            qmp.command("bad", &json!({}))
                .unwrap_err()
                .to_string()
                .contains("no")
        );
        assert!(matches!(events.recv().unwrap(), Event::QmpClosed));
        assert!(qmp.command("stop", &json!({})).is_err());
    }
}
