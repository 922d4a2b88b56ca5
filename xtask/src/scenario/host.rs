//! The tests of the catalogue that the host runs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::Played;
use super::catalogue::Host;
use crate::host;

impl Host {
    /// `sim scenario_01_panic_on_starting_2cpu`.
    pub fn name(self) -> String {
        format!("{} {}", self.place(), self.test())
    }

    /// Where it runs.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Loom(_) => "loom",
            Self::Shuttle(_) => "shuttle",
            Self::Sim(_) => "sim",
            Self::Unit(..) => "unit",
        }
    }

    /// The test, by the beginning of its name.
    pub const fn test(self) -> &'static str {
        match self {
            Self::Loom(test) | Self::Shuttle(test) | Self::Sim(test) | Self::Unit(_, test) => test,
        }
    }

    /// What cargo is told. `cargo test` of the page on scenarios says the same.
    pub fn arguments(self) -> Vec<&'static str> {
        let mut arguments = vec!["test", "--quiet"];
        arguments.extend(match self {
            Self::Loom(_) => vec![
                "-p",
                "smp-stop",
                "--release",
                "--features",
                "loom",
                "--test",
                "loom",
            ],
            Self::Shuttle(_) => vec![
                "-p",
                "smp-stop",
                "--release",
                "--features",
                "shuttle",
                "--test",
                "shuttle",
            ],
            Self::Sim(_) => vec!["-p", "sim", "--test", "scenarios"],
            Self::Unit(package, _) => vec!["-p", package],
        });
        // The models are one test: loom's takes the name of one by the environment, shuttle's plays all.
        arguments.push(match self {
            Self::Loom(_) => "models_hold_quickly",
            Self::Shuttle(_) => "models_hold",
            _ => self.test(),
        });
        arguments
    }

    /// What it leaves behind if it was run; a model that there is not is no failure of the test.
    fn trace(self) -> String {
        match self {
            Self::Loom(model) | Self::Shuttle(model) => format!("{}: {model} ", self.place()),
            _ => String::new(),
        }
    }

    /// What a person types to run it again.
    fn command(self) -> String {
        let model = match self {
            Self::Loom(model) => format!("MODEL={model} "),
            _ => String::new(),
        };
        format!("{model}cargo {}", self.arguments().join(" "))
    }
}

/// Runs one test. A name that no test has is a failure: nothing was tested.
pub fn run(number: u8, test: Host) -> Played {
    let started = Instant::now();
    let (wrong, text) = match attempt(test) {
        Ok(done) => done,
        Err(error) => (Some(format!("{error:#}")), String::new()),
    };
    Played {
        name: test.name(),
        number,
        replay: test.command(),
        seed: None,
        wrong,
        text,
        wall: started.elapsed().max(Duration::from_millis(1)),
        end: "",
        story: None,
    }
}

fn attempt(test: Host) -> anyhow::Result<(Option<String>, String)> {
    let output = host::cargo()?
        .args(test.arguments())
        .env("MODEL", test.test())
        .stdin(Stdio::null())
        .output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let wrong = match (output.status.success(), passed(&text)) {
        (false, _) => Some("the test failed".to_owned()),
        (true, _) if !text.contains(&test.trace()) => Some("there is no such model".to_owned()),
        (true, 0) => Some("there is no such test".to_owned()),
        (true, _) => None,
    };
    Ok((wrong, text))
}

/// How many tests passed, by libtest's summaries.
fn passed(text: &str) -> u32 {
    let summaries = text
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "));
    summaries
        .filter_map(|summary| summary.split(' ').next()?.parse::<u32>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_test_is_no_success() {
        assert_eq!(
            passed("running 0 tests\ntest result: ok. 0 passed; 0 failed; 9 filtered out"),
            0
        );
        assert_eq!(
            passed("test result: ok. 0 passed; 0\n\ntest result: ok. 2 passed; 0 failed"),
            2
        );
        assert_eq!(passed("test result: FAILED. 1 passed; 1 failed"), 0);
    }
}
