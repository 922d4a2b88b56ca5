//! How a run ended, from what the machine did and what the kernel said before.

use clap::ValueEnum;
use serde::Serialize;

use super::record::{Record, last, since_reset};
use crate::exit::Exit;

/// Why nobody watches the machine any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// QEMU says that the machine came to an end, and calls it so (`guest-shutdown`, `guest-reset` ...).
    Machine(String),
    /// QEMU ended by itself.
    Gone,
    /// The time was over.
    Timeout,
    /// The CPU that QEMU calls so takes the same exception for ever: the death of an architecture that has no triple fault.
    Looping(u32),
    /// The kernel announced its end, and some seconds later the machine still ran.
    Lingering,
    /// The person at the terminal, or a signal, ended it.
    Asked,
}

/// The ways a run can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Powered off, and announced it.
    Poweroff,
    /// Reset the machine, and announced it.
    Reboot,
    /// Panicked; every CPU was stopped.
    Panic,
    /// Panicked; not every CPU was stopped.
    PanicPartial,
    /// Reset without a word, or by a triple fault that was not announced.
    EarlyDeath,
    /// Still running when the time was over.
    Timeout,
    /// Halted for good, as announced.
    Halt,
    /// Powered off without announcing it.
    #[value(skip)]
    SilentPoweroff,
    /// Announced one end and came to another.
    #[value(skip)]
    Contradiction,
    /// QEMU ended without the guest's doing.
    #[value(skip)]
    QemuDied,
    /// Ended by whoever started it.
    #[value(skip)]
    Quit,
}

impl End {
    /// The exit code when no certain end was asked for: any that is in good order will do.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Poweroff | Self::Reboot | Self::Halt | Self::Quit => Exit::Pass,
            Self::Panic => Exit::Panic,
            Self::PanicPartial => Exit::PanicPartial,
            Self::EarlyDeath => Exit::EarlyDeath,
            Self::Timeout => Exit::Timeout,
            Self::SilentPoweroff | Self::Contradiction | Self::QemuDied => Exit::WrongEnd,
        }
    }

    /// The exit code when `expected` was asked for.
    pub fn exit_for(self, expected: Self) -> Exit {
        match self {
            _ if self == expected => Exit::Pass,
            Self::Quit => Exit::Pass,
            other => match other.exit() {
                Exit::Pass => Exit::WrongEnd,
                exit => exit,
            },
        }
    }

    /// Whether one wants to know what the CPUs were doing.
    pub const fn is_bad(self) -> bool {
        matches!(
            self,
            Self::EarlyDeath | Self::Timeout | Self::Contradiction | Self::PanicPartial
        )
    }

    /// For a person, to follow "the run ended:".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Poweroff => "powered off",
            Self::Reboot => "rebooted, as announced (a run ends at a reset)",
            Self::Panic => "kernel panic, every CPU stopped",
            Self::PanicPartial => "kernel panic, not every CPU stopped",
            Self::EarlyDeath => "early death, a reset or triple fault that nobody announced",
            Self::Timeout => "time-out",
            Self::Halt => "halted for good, as announced",
            Self::SilentPoweroff => "powered off without announcing it",
            Self::Contradiction => "ended in another way than it announced",
            Self::QemuDied => "QEMU ended by itself",
            Self::Quit => "ended from outside",
        }
    }
}

/// Judges a run. `triple` says whether QEMU saw a triple fault since the machine came up last, a BIOS's own left out.
pub fn judge(stop: &Stop, records: &[Record], triple: bool) -> End {
    let records = since_reset(records);
    let said = last(records, "end").and_then(|end| end.get("how"));
    match stop {
        Stop::Asked => End::Quit,
        Stop::Gone => End::QemuDied,
        Stop::Timeout => End::Timeout,
        Stop::Looping(_) => End::EarlyDeath,
        Stop::Lingering => lingering(said, records),
        Stop::Machine(reason) if reason == "guest-reset" && triple && !by_triple_fault(records) => {
            End::EarlyDeath
        }
        Stop::Machine(reason) => ended(reason, said, records),
    }
}

/// Whether the way to reset the machine that the kernel tried last is a triple fault. Any other that ends in one is a death
/// on the way out.
fn by_triple_fault(records: &[Record]) -> bool {
    last_way(records) == Some("triple")
}

/// Whether a triple fault is the BIOS's own and counts for none: a CPU is in the BIOS, and the kernel said that it would go
/// there. SeaBIOS has no other way to begin anew. In the BIOS without that word it is a death, as anywhere.
pub fn is_of_bios(records: &[Record], in_bios: bool) -> bool {
    in_bios && last_way(since_reset(records)) == Some("bios")
}

/// The way to reset the machine that the kernel tried last.
fn last_way(records: &[Record]) -> Option<&str> {
    last(records, "way")?.get("name")
}

fn ended(reason: &str, said: Option<&str>, records: &[Record]) -> End {
    match (reason, said) {
        ("guest-shutdown", Some("poweroff")) => End::Poweroff,
        ("guest-shutdown", None) => End::SilentPoweroff,
        ("guest-reset", Some("reboot")) => End::Reboot,
        ("guest-reset", Some("panic")) => panicked(records),
        ("guest-reset", None) => End::EarlyDeath,
        ("guest-shutdown" | "guest-reset", Some(_)) => End::Contradiction,
        _ => End::QemuDied,
    }
}

/// A machine that still runs after the announcement has kept its word only if it announced that it would.
fn lingering(said: Option<&str>, records: &[Record]) -> End {
    match said {
        Some("halt") if last(records, "panic").is_some() => panicked(records),
        Some("halt") => End::Halt,
        Some("panic") => panicked(records),
        _ => End::Contradiction,
    }
}

fn panicked(records: &[Record]) -> End {
    match last(records, "stop").and_then(|stop| stop.get("state")) {
        Some("stopped") => End::Panic,
        _ => End::PanicPartial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &[&str]) -> Vec<Record> {
        lines.iter().filter_map(|line| Record::parse(line)).collect()
    }

    fn machine(reason: &str, lines: &[&str]) -> End {
        judge(&Stop::Machine(reason.into()), &records(lines), false)
    }

    fn triple_fault(lines: &[&str]) -> End {
        judge(&Stop::Machine("guest-reset".into()), &records(lines), true)
    }

    #[test]
    fn a_word_and_a_deed_that_agree() {
        assert_eq!(machine("guest-shutdown", &["@end how=poweroff"]), End::Poweroff);
        assert_eq!(machine("guest-reset", &["@end how=reboot"]), End::Reboot);
        assert_eq!(
            machine(
                "guest-reset",
                &["@panic cpu=0", "@stop state=stopped", "@end how=panic"]
            ),
            End::Panic
        );
    }

    #[test]
    fn a_word_and_a_deed_that_do_not() {
        assert_eq!(machine("guest-reset", &["@end how=poweroff"]), End::Contradiction);
        assert_eq!(
            machine("guest-shutdown", &["@end how=reboot"]),
            End::Contradiction
        );
        assert_eq!(machine("guest-shutdown", &["@end how=panic"]), End::Contradiction);
        assert_eq!(
            judge(&Stop::Lingering, &records(&["@end how=poweroff"]), false),
            End::Contradiction
        );
    }

    #[test]
    fn silence_is_told_from_an_announcement() {
        assert_eq!(machine("guest-reset", &["@ready cpus=1/1"]), End::EarlyDeath);
        assert_eq!(machine("guest-reset", &["@panic cpu=0"]), End::EarlyDeath);
        assert_eq!(machine("guest-shutdown", &[]), End::SilentPoweroff);
    }

    #[test]
    fn a_triple_fault_is_a_reboot_only_if_it_is_the_way_announced() {
        let reboot = "@end how=reboot";
        let stop = "@stop state=stopped";
        let lines = |way| [reboot, "@way name=acpi", way];
        assert_eq!(triple_fault(&lines("@way name=triple")), End::Reboot);
        assert_eq!(
            triple_fault(&[stop, "@end how=panic", "@way name=triple"]),
            End::Panic
        );
        for way in ["@way name=bios", "@way name=efi", "@way", "@ready cpus=1/1"] {
            assert_eq!(triple_fault(&lines(way)), End::EarlyDeath, "{way}");
            assert_eq!(machine("guest-reset", &lines(way)), End::Reboot, "{way}");
        }
        for end in [reboot, "@end how=panic", "@end how=poweroff", "@end how=halt"] {
            assert_eq!(triple_fault(&[stop, end]), End::EarlyDeath, "{end}");
        }
        // What was announced in an earlier life is over, and the last way counts.
        assert_eq!(
            triple_fault(&[reboot, "@way name=triple", "@reset", reboot]),
            End::EarlyDeath
        );
        assert_eq!(
            triple_fault(&[reboot, "@way name=triple", "@way name=acpi"]),
            End::EarlyDeath
        );
    }

    #[test]
    fn a_bios_may_fault_only_where_the_kernel_said_that_it_would_go_there() {
        let end = |lines: &[&str], in_bios: bool| {
            let records = records(lines);
            let triple = !is_of_bios(&records, in_bios);
            judge(&Stop::Machine("guest-reset".into()), &records, triple)
        };
        let (reboot, bios) = ("@end how=reboot", "@way name=bios");
        assert_eq!(end(&[reboot, "@way name=kbd", bios], true), End::Reboot);
        let panic = ["@stop state=stopped", "@end how=panic", bios];
        assert_eq!(end(&panic, true), End::Panic);
        // The same fault in the BIOS: with no way announced, with another, with another after it, in an earlier life.
        for lines in [
            &[][..],
            &[reboot],
            &["@end how=panic"],
            &[reboot, "@way name=pci"],
            &[reboot, "@way"],
            &[reboot, bios, "@way name=pci"],
            &[reboot, bios, "@reset", reboot],
        ] {
            assert_eq!(end(lines, true), End::EarlyDeath, "{lines:?}");
        }
        // And announced, but on the way there.
        assert_eq!(end(&[reboot, bios], false), End::EarlyDeath);
    }

    #[test]
    fn a_panic_is_full_only_if_the_kernel_says_so() {
        for stop in ["@stop state=partial", "@stop state=unavailable", "@ready"] {
            assert_eq!(
                machine("guest-reset", &[stop, "@end how=panic"]),
                End::PanicPartial,
                "{stop}"
            );
        }
        // So ends a kernel that cannot even begin: it says why, and halts, because no other CPU would run.
        let halted = records(&["@panic cpu=0", "@stop state=stopped", "@end how=halt"]);
        assert_eq!(judge(&Stop::Lingering, &halted, false), End::Panic);
    }

    #[test]
    fn what_was_said_before_a_reset_is_over() {
        let again = |lines: &[&str]| {
            let lines: Vec<&str> = ["@end how=reboot", "@reset"]
                .into_iter()
                .chain(lines.iter().copied())
                .collect();
            machine("guest-reset", &lines)
        };
        assert_eq!(again(&["@ready cpus=1/1"]), End::EarlyDeath);
        assert_eq!(again(&["@end how=reboot"]), End::Reboot);
    }

    #[test]
    fn the_rest() {
        assert_eq!(
            judge(&Stop::Timeout, &records(&["@end how=poweroff"]), false),
            End::Timeout
        );
        assert_eq!(judge(&Stop::Gone, &[], false), End::QemuDied);
        assert_eq!(machine("host-signal", &[]), End::QemuDied);
        assert_eq!(judge(&Stop::Asked, &[], false), End::Quit);
        assert_eq!(
            judge(&Stop::Lingering, &records(&["@end how=halt"]), false),
            End::Halt
        );
    }

    #[test]
    fn an_end_in_good_order_passes_where_none_was_asked_for() {
        for end in [End::Poweroff, End::Reboot, End::Halt, End::Quit] {
            assert_eq!(end.exit(), Exit::Pass, "{end:?}");
        }
        for end in [End::SilentPoweroff, End::Contradiction, End::QemuDied] {
            assert_eq!(end.exit(), Exit::WrongEnd, "{end:?}");
        }
        for (end, exit) in [
            (End::Panic, Exit::Panic),
            (End::PanicPartial, Exit::PanicPartial),
            (End::EarlyDeath, Exit::EarlyDeath),
            (End::Timeout, Exit::Timeout),
        ] {
            assert_eq!(end.exit(), exit, "{end:?}");
        }
    }

    #[test]
    fn codes_depend_on_what_was_asked() {
        assert_eq!(End::Panic.exit_for(End::Poweroff), Exit::Panic);
        assert_eq!(End::Panic.exit_for(End::Panic), Exit::Pass);
        assert_eq!(End::Poweroff.exit_for(End::Panic), Exit::WrongEnd);
        assert_eq!(End::Reboot.exit_for(End::Poweroff), Exit::WrongEnd);
        assert_eq!(End::Halt.exit_for(End::Reboot), Exit::WrongEnd);
        assert_eq!(End::EarlyDeath.exit_for(End::Timeout), Exit::EarlyDeath);
        assert_eq!(End::Timeout.exit_for(End::EarlyDeath), Exit::Timeout);
        assert_eq!(End::Quit.exit_for(End::Poweroff), Exit::Pass);
    }
}
