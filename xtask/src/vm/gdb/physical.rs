//! Memory by its physical addresses, past every CPU's page tables; devices' registers are among it.

use std::ops::Range;

use anyhow::{Result, ensure};

use super::Stub;
use crate::guest::memory::{PAGE, Source};

/// Bytes written at once: QEMU's packets hold 4 KiB, of hexadecimal digits and the rest of the command.
const CHUNK: u64 = 2000;
/// Packets sent ahead of their answers.
const AHEAD: usize = 16;

/// A gdb server that takes addresses for physical ones.
pub struct Physical<'a> {
    stub: &'a mut Stub,
}

impl Stub {
    /// From here on, until what is returned is dropped, addresses are physical ones.
    ///
    /// # Errors
    /// When QEMU's gdb server cannot do that, or is gone.
    pub fn physical(&mut self) -> Result<Physical<'_>> {
        self.command("Qqemu.PhyMemMode:1")?;
        Ok(Physical { stub: self })
    }
}

impl Physical<'_> {
    /// `len` bytes from `at` on.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub fn read(&mut self, at: u64, len: usize) -> Result<Vec<u8>> {
        self.stub.read(at, len)
    }

    /// Writes a word, in one go: a device's register takes nothing else.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub fn write_u32(&mut self, at: u64, word: u32) -> Result<()> {
        self.stub.write_u32(at, word)
    }

    /// Writes `byte` all over `range`.
    ///
    /// # Errors
    /// When QEMU refuses, or is gone.
    pub fn fill(&mut self, range: Range<u64>, byte: u8) -> Result<()> {
        let digits = format!("{byte:02x}").repeat(CHUNK as usize);
        let mut unanswered = 0;
        let mut at = range.start;
        while at < range.end || unanswered > 0 {
            if at < range.end && unanswered < AHEAD {
                let len = CHUNK.min(range.end - at);
                let digits = &digits[..2 * len as usize];
                self.stub.send(&format!("M{at:x},{len:x}:{digits}"))?;
                at += len;
                unanswered += 1;
            } else {
                let reply = self.stub.packet()?;
                ensure!(reply == "OK", "QEMU's gdb server does not write: {reply:?}");
                unanswered -= 1;
            }
        }
        Ok(())
    }
}

impl Source for Physical<'_> {
    fn page(&mut self, pa: u64) -> Option<[u8; PAGE as usize]> {
        self.read(pa, PAGE as usize).ok()?.try_into().ok()
    }
}

impl Drop for Physical<'_> {
    fn drop(&mut self) {
        // One that is gone is noticed by the next question.
        let _ = self.stub.command("Qqemu.PhyMemMode:0");
    }
}
