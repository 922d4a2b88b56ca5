//! A report as people read it.

use core::fmt;

use cpumask::CpuId;

use super::{Report, Row, Summary};
use crate::latch::Reason;
use crate::regs::Registers;

impl fmt::Display for Report<'_> {
    /// A line on the stop, and one for each CPU that was ever released. No line is longer than 100 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.called(Reason::Reboot.name()).fmt(f)
    }
}

impl<'a> Report<'a> {
    /// The same, with another word for [`Reason::Reboot`]: the kernel knows which planned end it is on its way to.
    pub fn called(self, planned: &'a str) -> Called<'a> {
        Called {
            report: self,
            planned,
        }
    }
}

/// See [`Report::called`].
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    report: Report<'a>,
    planned: &'a str,
}

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.summary().headline(f, self.planned)?;
        write!(
            f,
            "\n{:>5} {:>12} {:14} {:12} {:>11} {:13} {:18}",
            "cpu", "hardware id", "state", "stopped by", "after us", "why", "pc"
        )?;
        for row in self.report.rows().filter(Row::is_of_interest) {
            let line = Line {
                registers: self.report.registers(row.cpu),
                row,
            };
            write!(f, "\n{line}")?;
        }
        self.report
            .rows()
            .try_for_each(|row| self.report.said(row.cpu, f))
    }
}

impl Report<'_> {
    /// The words of `cpu`, in lines that are short enough.
    fn said(&self, cpu: CpuId, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WIDTH: usize = 80;
        match (self.message(cpu), self.message_place(cpu)) {
            (Some(message), _) => {
                write!(f, "\nCPU {cpu} said: ")?;
                message.parts(WIDTH).enumerate().try_for_each(|(n, part)| {
                    let before = if n == 0 { "" } else { "\n    " };
                    write!(f, "{before}{part}")
                })
            }
            (None, Some((at, len))) => {
                write!(f, "\nCPU {cpu} said what lies at {at:#x}, {len} bytes")
            }
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Summary {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(f, Reason::Reboot.name())
    }
}

impl Summary {
    fn headline(&self, f: &mut fmt::Formatter<'_>, planned: &str) -> fmt::Result {
        let Some(hold) = self.hold else {
            return f.write_str("stop: none");
        };
        let reason = match hold.reason {
            Reason::Reboot => planned,
            other => other.name(),
        };
        write!(f, "stop: {reason} by CPU {}: ", hold.owner)?;
        match self.verdict {
            Some(verdict) => write!(f, "{verdict} after {} us", Micros(self.took_ns))?,
            None => f.write_str("not finished")?,
        }
        if let Some(former) = self.former_owner {
            write!(f, ", taken from CPU {former}")?;
        }
        if self.reentries > 0 {
            write!(f, ", {} failures on the way", self.reentries)?;
        }
        Ok(())
    }
}

/// Nanoseconds, shown in microseconds.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A row, and the registers that belong to it.
struct Line {
    row: Row,
    registers: Option<Registers>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.row;
        write!(f, "{:>5} {:>#12x} {:14} ", row.cpu, row.hw_id, row.state())?;
        write!(f, "{:12} ", row.via.map_or("-", super::Via::name))?;
        match row.answered_ns {
            Some(ns) => write!(f, "{:>7}.{:03} ", (ns / 1000).min(9_999_999), ns % 1000)?,
            None => write!(f, "{:>11} ", "-")?,
        }
        write!(f, "{:13} ", row.why().map_or("-", super::Why::name))?;
        match self.registers {
            // Where a CPU looked at itself is where the owner always does.
            Some(registers) if registers.is_own() && (row.owner || registers.pc() == 0) => f.write_str("-"),
            Some(registers) => write!(f, "{:#018x}", registers.pc()),
            None => f.write_str("-"),
        }
    }
}
