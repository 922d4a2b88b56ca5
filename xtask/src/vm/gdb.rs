//! The little of gdb's remote protocol that a look from outside needs: stop and go, a CPU's registers, those of the system
//! included, memory as a CPU sees it.

mod physical;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::guest::space::little;

/// How long QEMU may take for an answer: hundreds of virtual CPUs on two real ones make it slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of memory asked for at once. QEMU's packets hold 4 KiB of hexadecimal digits.
const CHUNK: usize = 1024;

/// QEMU's gdb server, attached: the machine stands while it is not told to run.
pub struct Stub {
    stream: UnixStream,
    /// Read, and not yet looked at.
    pending: Vec<u8>,
}

impl Stub {
    /// Speaks through `stream` to a server that listens already, and has stopped the machine because of it.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn attach(stream: UnixStream) -> Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stub = Self {
            stream,
            pending: Vec::new(),
        };
        stub.ask("?")?;
        Ok(stub)
    }

    /// Whether CPU `index` waits for something (an interrupt, or to be started), in QEMU's own words.
    ///
    /// # Errors
    /// When there is no such CPU, or QEMU is gone.
    pub fn is_halted(&mut self, index: u32) -> Result<bool> {
        let text = self.ask(&format!("qThreadExtraInfo,{:x}", index + 1))?;
        let text = String::from_utf8(bytes(&text)?)?;
        match (text.contains("[halted"), text.contains("[running")) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => bail!("QEMU says of CPU {index}: {text:?}"),
        }
    }

    /// The general registers of CPU `index`, in gdb's order.
    ///
    /// # Errors
    /// When there is no such CPU, or QEMU is gone.
    pub fn registers(&mut self, index: u32) -> Result<Vec<u8>> {
        self.look_from(index)?;
        bytes(&self.ask("g")?)
    }

    /// Gives register `number`, as gdb counts them, of CPU `index` the value that it has. Whatever the CPU does when it is
    /// loaded with one is done.
    ///
    /// # Errors
    /// When there is no such register, it does not hold `value`, or QEMU is gone.
    pub fn reload(&mut self, index: u32, number: u32, value: u64) -> Result<()> {
        // Who has not asked what registers there are is told of none singly.
        self.feature("target.xml")?;
        self.look_from(index)?;
        let digits = self.ask(&format!("p{number:x}"))?;
        let held = little(&bytes(&digits)?);
        ensure!(
            held == value,
            "register {number} of CPU {index} is {held:#x}, not {value:#x}"
        );
        self.command(&format!("P{number:x}={digits}"))
    }

    /// The system registers of CPU `index` that are called one of `names`, on an architecture where QEMU describes them.
    ///
    /// # Errors
    /// When there is no such CPU, or QEMU is gone.
    pub fn system_registers(&mut self, index: u32, names: &[&str]) -> Result<Vec<(String, u64)>> {
        let description = self.feature("system-registers.xml")?;
        self.look_from(index)?;
        let mut values = Vec::new();
        for name in names {
            let Some(number) = register_number(&description, name) else {
                continue;
            };
            let digits = self.ask(&format!("p{number:x}"))?;
            if let Ok(bytes) = bytes(&digits) {
                values.push(((*name).to_owned(), little(&bytes)));
            }
        }
        Ok(values)
    }

    /// A part of QEMU's description of the machine.
    fn feature(&mut self, name: &str) -> Result<String> {
        let mut text = String::new();
        loop {
            let part = self.ask(&format!("qXfer:features:read:{name}:{:x},400", text.len()))?;
            match part.split_at_checked(1) {
                Some(("m", rest)) if !rest.is_empty() => text.push_str(rest),
                Some(("l", rest)) => return Ok(text + rest),
                _ => bail!("QEMU describes no {name}: {part:?}"),
            }
        }
    }

    /// From here on memory is what CPU `index` sees, by its page tables.
    ///
    /// # Errors
    /// When there is no such CPU, or QEMU is gone.
    pub fn look_from(&mut self, index: u32) -> Result<()> {
        self.command(&format!("Hg{:x}", index + 1))
    }

    /// `len` bytes from virtual address `address`.
    ///
    /// # Errors
    /// When that is not mapped, or QEMU is gone.
    pub fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>> {
        let mut memory = Vec::with_capacity(len);
        while memory.len() < len {
            let count = CHUNK.min(len - memory.len());
            let reply = self.ask(&format!("m{:x},{count:x}", address + memory.len() as u64))?;
            let part = bytes(&reply).with_context(|| format!("nothing can be read at {address:#x}"))?;
            ensure!(part.len() == count, "only a part can be read at {address:#x}");
            memory.extend(part);
        }
        Ok(memory)
    }

    /// Writes a word at virtual address `address`.
    ///
    /// # Errors
    /// When that is not mapped, or QEMU is gone.
    pub fn write_u32(&mut self, address: u64, word: u32) -> Result<()> {
        let digits: String = word
            .to_le_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.command(&format!("M{address:x},4:{digits}"))
    }

    /// Lets the machine run.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub fn resume(&mut self) -> Result<()> {
        self.send("c")
    }

    /// Stops it again.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub fn interrupt(&mut self) -> Result<()> {
        self.stream.write_all(&[3])?;
        let reply = self.packet()?;
        ensure!(
            reply.starts_with(['T', 'S']),
            "the machine does not stop: {reply:?}"
        );
        Ok(())
    }

    fn command(&mut self, command: &str) -> Result<()> {
        let reply = self.ask(command)?;
        ensure!(reply == "OK", "QEMU's gdb server refuses {command:?}: {reply:?}");
        Ok(())
    }

    fn ask(&mut self, command: &str) -> Result<String> {
        self.send(command)?;
        self.packet()
    }

    fn send(&mut self, command: &str) -> Result<()> {
        let packet = format!("${command}#{:02x}", checksum(command.as_bytes()));
        self.stream.write_all(packet.as_bytes()).context("QEMU is gone")
    }

    /// The next packet, acknowledged.
    fn packet(&mut self) -> Result<String> {
        loop {
            if let Some((packet, rest)) = split(&self.pending) {
                self.pending = rest;
                // One that is gone is noticed by the next question.
                let _ = self.stream.write_all(b"+");
                return packet.context("QEMU's gdb server makes no sense");
            }
            let mut buffer = [0; 16 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("QEMU is gone"),
                Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("QEMU's gdb server does not answer"),
            }
        }
    }
}

/// In a description: `<reg name="ESR_EL1" bitsize="64" regnum="93" group="cp_regs"/>`.
fn register_number(description: &str, name: &str) -> Option<u32> {
    let (_, rest) = description.split_once(&format!("name=\"{name}\""))?;
    let (line, _) = rest.split_once('>')?;
    let (_, number) = line.split_once("regnum=\"")?;
    number.split_once('"')?.0.parse().ok()
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Takes the first whole packet off `bytes`, acknowledgements before it included. The packet is `None` if it is damaged.
fn split(bytes: &[u8]) -> Option<(Option<String>, Vec<u8>)> {
    let start = bytes.iter().position(|byte| *byte == b'$')? + 1;
    let len = bytes[start..].iter().position(|byte| *byte == b'#')?;
    let body = &bytes[start..start + len];
    let digits = bytes.get(start + len + 1..start + len + 3)?;
    let sum = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let sound = sum == Some(checksum(body));
    let packet = sound.then(|| String::from_utf8_lossy(body).into_owned());
    Some((packet, bytes[start + len + 3..].to_vec()))
}

/// Bytes written in hexadecimal; an error's code is none.
fn bytes(digits: &str) -> Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = digits.len().is_multiple_of(2) && digits.is_ascii();
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    bytes
        .filter(|_| whole)
        .with_context(|| format!("QEMU's gdb server answers {digits:?}"))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A server that waits for each of `answers`' questions and gives its answer, cut in two.
    fn server(answers: &'static [(&'static str, &'static str)]) -> UnixStream {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut heard = Vec::new();
            for (question, answer) in answers {
                while split(&heard).is_none() {
                    let mut buffer = [0; 256];
                    let count = theirs.read(&mut buffer).unwrap();
                    heard.extend_from_slice(&buffer[..count]);
                }
                let (packet, rest) = split(&heard).unwrap();
                heard = rest;
                assert_eq!(packet.as_deref(), Some(*question));
                let packet = format!("+${answer}#{:02x}", checksum(answer.as_bytes()));
                let (first, second) = packet.split_at(packet.len() / 2);
                theirs.write_all(first.as_bytes()).unwrap();
                theirs.write_all(second.as_bytes()).unwrap();
            }
            // The last answer is acknowledged, too.
            let _ = theirs.read_to_end(&mut heard);
        });
        ours
    }

    #[test]
    fn questions_get_their_answers() {
        // "CPU#0 [halted ]" and "CPU#1 [running]".
        let stream = server(&[
            ("?", "T02thread:01;"),
            ("qThreadExtraInfo,1", "435055233020 5b68616c746564205d"),
            ("Hg2", "OK"),
            ("g", "0102"),
            ("m1000,2", "abcd"),
            ("M1000,4:05000000", "OK"),
            ("m1000,2", "E14"),
        ]);
        let mut stub = Stub::attach(stream).unwrap();
        assert!(stub.is_halted(0).is_err(), "a blank is no digit");
        assert_eq!(stub.registers(1).unwrap(), [1, 2]);
        assert_eq!(stub.read(0x1000, 2).unwrap(), [0xab, 0xcd]);
        stub.write_u32(0x1000, 5).unwrap();
        assert!(stub.read(0x1000, 2).is_err());
    }

    #[test]
    fn halted_is_told_from_running() {
        let stream = server(&[
            ("?", "T02"),
            ("qThreadExtraInfo,1", "43505523305b68616c746564205d"),
            ("qThreadExtraInfo,2", "43505523315b72756e6e696e675d"),
            ("qThreadExtraInfo,200", "E22"),
        ]);
        let mut stub = Stub::attach(stream).unwrap();
        assert!(stub.is_halted(0).unwrap());
        assert!(!stub.is_halted(1).unwrap());
        assert!(stub.is_halted(511).is_err());
    }

    #[test]
    fn system_registers_are_found_by_name() {
        let stream = server(&[
            ("?", "T02"),
            (
                "qXfer:features:read:system-registers.xml:0,400",
                "m<reg name=\"FAR_EL1\" regnum=\"80\"/>",
            ),
            (
                "qXfer:features:read:system-registers.xml:21,400",
                "l<reg name=\"ESR_EL1\" bitsize=\"64\" regnum=\"93\" group=\"cp_regs\"/>",
            ),
            ("Hg2", "OK"),
            ("p5d", "0500000000000000"),
        ]);
        let mut stub = Stub::attach(stream).unwrap();
        let found = stub.system_registers(1, &["ESR_EL1", "NOBODY"]).unwrap();
        assert_eq!(found, [("ESR_EL1".to_owned(), 5)]);
    }

    #[test]
    fn damaged_packets_are_noticed() {
        assert_eq!(split(b"+$OK#9a$"), Some((Some("OK".into()), b"$".to_vec())));
        assert_eq!(split(b"$OK#9b"), Some((None, Vec::new())));
        assert_eq!(split(b"$OK#9"), None);
        assert_eq!(split(b"+++"), None);
        assert!(bytes("E14").is_err() && bytes("0g").is_err() && bytes("").unwrap().is_empty());
    }
}
