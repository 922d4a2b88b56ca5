//! How a run can end: the one table of exit codes.

use std::fmt;
use std::process::ExitCode;

use serde::{Serialize, Serializer};

/// The exit code of every `cargo xtask` verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went as asked.
    Pass = 0,
    /// A test failed, a build failed, what was to be written was lost, or the tool itself failed.
    Failed = 1,
    /// The command line asks for something that does not exist. The same code as clap's own.
    Usage = 2,
    /// A tool is missing and was not installed.
    ToolMissing = 3,
    /// The kernel panicked and brought every CPU to a stop.
    Panic = 10,
    /// The kernel panicked and could not stop, or could not ask, every CPU.
    PanicPartial = 11,
    /// A reset that nobody announced: a triple fault, most often.
    EarlyDeath = 12,
    /// The run did not end within its time.
    Timeout = 13,
    /// The run ended, but not in the way that was asked for.
    WrongEnd = 14,
}

/// For `--help`: the table as people read it.
pub const TABLE: &str = "\
Exit codes:
   0  passed: the run ended as asked, or, if nothing was asked, in good order
   1  a test or a build failed, output was lost, or xtask itself failed
   2  usage error
   3  a tool is missing and was not installed
  10  kernel panic, every CPU stopped
  11  kernel panic, some CPU did not stop or could not be asked
  12  early death: a reset that nobody announced, such as a triple fault
  13  time-out
  14  ended in another way than asked or announced, or QEMU died";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// An error that knows its exit code. Any other error ends with [`Exit::Failed`].
#[derive(Debug)]
pub struct Refused {
    exit: Exit,
    message: String,
}

impl Refused {
    /// The command line asks for what does not exist; `message` names the choices.
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
        .into()
    }

    /// Something is not installed; `message` says how to get it.
    pub fn tool_missing(message: impl Into<String>) -> anyhow::Error {
        Self {
            exit: Exit::ToolMissing,
            message: message.into(),
        }
        .into()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// The exit code that `error` asks for.
pub fn of_error(error: &anyhow::Error) -> Exit {
    error
        .downcast_ref::<Refused>()
        .map_or(Exit::Failed, |refused| refused.exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_their_code() {
        assert_eq!(of_error(&Refused::usage("x")), Exit::Usage);
        assert_eq!(of_error(&Refused::tool_missing("x")), Exit::ToolMissing);
        assert_eq!(
            of_error(&Refused::usage("x").context("while reading")),
            Exit::Usage
        );
        assert_eq!(of_error(&anyhow::anyhow!("x")), Exit::Failed);
    }

    #[test]
    fn the_help_names_every_code() {
        let all = [
            Exit::Pass,
            Exit::Failed,
            Exit::Usage,
            Exit::ToolMissing,
            Exit::Panic,
            Exit::PanicPartial,
            Exit::EarlyDeath,
            Exit::Timeout,
            Exit::WrongEnd,
        ];
        let codes: Vec<String> = TABLE
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        assert_eq!(codes, all.map(|exit| (exit as u8).to_string()));
    }
}
