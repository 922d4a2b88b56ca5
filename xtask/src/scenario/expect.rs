//! What must be seen of a staged failure.

use crate::vm::judge::End;

/// What a CPU must be in the kernel's own table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// `parked`, `off`, `stop-requested` ...; any of them.
    pub states: Vec<&'static str>,
    /// How it was reached; any of them, or in any way if there are none.
    pub vias: Vec<&'static str>,
    /// What is said to be wrong with it: any of them, `-` for nothing.
    pub whys: Vec<&'static str>,
    /// Whether its registers must be there; not looked at where it is `None`.
    pub registers: Option<bool>,
}

/// A CPU that stands still, with nothing wrong about it.
pub fn parked() -> Want {
    Want {
        states: vec!["parked"],
        vias: Vec::new(),
        whys: vec!["-"],
        registers: Some(true),
    }
}

/// A CPU that takes interrupts. On a busy host it may take the first one too late, and the second then.
pub fn interrupted() -> Want {
    parked().via(&["interrupt", "non-maskable"])
}

/// A CPU that is off, with nothing wrong about it.
pub fn off() -> Want {
    Want {
        states: vec!["off"],
        vias: Vec::new(),
        whys: vec!["-"],
        registers: None,
    }
}

/// A CPU that is named, with this reason.
pub fn named(why: &'static str) -> Want {
    Want {
        states: Vec::new(),
        vias: Vec::new(),
        whys: vec![why],
        registers: None,
    }
}

impl Want {
    /// It was reached in one of these ways.
    pub fn via(self, vias: &[&'static str]) -> Self {
        Self {
            vias: vias.to_vec(),
            ..self
        }
    }

    /// It is in one of these states.
    pub fn state(self, states: &[&'static str]) -> Self {
        Self {
            states: states.to_vec(),
            ..self
        }
    }

    /// Something of this is said about it.
    pub fn why(self, whys: &[&'static str]) -> Self {
        Self {
            whys: whys.to_vec(),
            ..self
        }
    }

    /// Its registers are there, or are not.
    pub fn registers(self, there: bool) -> Self {
        Self {
            registers: Some(there),
            ..self
        }
    }
}

/// What must be seen of a run.
#[derive(Clone, Debug)]
pub struct Expect {
    pub end: End,
    /// Any of them may own the stop; anybody, if there are none.
    pub owners: Vec<u32>,
    /// Why all stand still: `reboot`, `power-off`, `halt`, `panic`, `crash`.
    pub reason: &'static str,
    /// Must be in the reason that the last `@panic` gives.
    pub clue: &'static str,
    /// How many `@panic` lines there are.
    pub panics: usize,
    /// What each CPU must be. One that is not listed, and is not the owner, must be parked.
    pub cpus: Vec<(u32, Want)>,
    /// Whether the table knows of nobody but the owner, and who else is listed.
    pub alone: bool,
    /// Whether it does not even know the owner.
    pub unknown: bool,
    /// Whether there is no table at all: the kernel fails whenever it tries.
    pub tableless: bool,
    /// How many `@end` lines there are.
    pub ends: usize,
    /// Lines with these in them must be there.
    pub says: Vec<&'static str>,
    /// And no line with any of these.
    pub never: Vec<&'static str>,
    /// Bounds of the time the stop took, in milliseconds of the guest.
    pub took_ms: (u64, u64),
    /// Whether the machine gets as far as the monitor.
    pub ready: bool,
}

fn expect(end: End, reason: &'static str) -> Expect {
    Expect {
        end,
        owners: Vec::new(),
        reason,
        clue: "",
        panics: usize::from(matches!(end, End::Panic | End::PanicPartial)),
        cpus: Vec::new(),
        alone: false,
        unknown: false,
        tableless: false,
        ends: 1,
        says: Vec::new(),
        never: Vec::new(),
        took_ms: (0, 60_000),
        ready: true,
    }
}

/// A panic after which every CPU stands still.
pub fn panic() -> Expect {
    expect(End::Panic, "panic")
}

/// A panic after which some CPU is named.
pub fn partial() -> Expect {
    expect(End::PanicPartial, "panic")
}

/// A reset, announced.
pub fn reboot() -> Expect {
    expect(End::Reboot, "reboot")
}

/// A reset without a word, explained from outside. [`Expect::says`] is what the explanation must have in it.
pub fn death() -> Expect {
    Expect {
        ends: 0,
        ..expect(End::EarlyDeath, "")
    }
}

/// The machine is turned off, as announced.
pub fn poweroff() -> Expect {
    expect(End::Poweroff, "power-off")
}

impl Expect {
    /// Whether nothing is to be said of any CPU.
    pub fn names_nobody(&self) -> bool {
        self.end != End::PanicPartial && self.cpus.iter().all(|(_, want)| want.whys == ["-"])
    }

    /// Who owns the stop: any of these.
    pub fn owner(self, owners: Vec<u32>) -> Self {
        Self { owners, ..self }
    }

    /// Nobody knows who owns the stop.
    pub fn no_owner(self) -> Self {
        Self {
            unknown: true,
            ..self
        }
    }

    /// No other CPU was ever released. One that is listed may be in the table all the same.
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The table of CPUs cannot be told.
    pub fn no_table(self) -> Self {
        Self {
            tableless: true,
            ..self
        }
    }

    /// How the run ends.
    pub fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// How many `@end` lines there are.
    pub fn ends(self, ends: usize) -> Self {
        Self { ends, ..self }
    }

    /// Why all stand still.
    pub fn reason(self, reason: &'static str) -> Self {
        Self { reason, ..self }
    }

    /// What the last `@panic` says.
    pub fn clue(self, clue: &'static str) -> Self {
        Self { clue, ..self }
    }

    /// How many `@panic` lines there are.
    pub fn panics(self, panics: usize) -> Self {
        Self { panics, ..self }
    }

    /// What becomes of a CPU.
    pub fn cpu(mut self, cpu: u32, want: Want) -> Self {
        self.cpus.push((cpu, want));
        self
    }

    /// The console says this.
    pub fn says(mut self, text: &'static str) -> Self {
        self.says.push(text);
        self
    }

    /// The console never says this.
    pub fn never(mut self, text: &'static str) -> Self {
        self.never.push(text);
        self
    }

    /// How long the stop takes, in milliseconds of the guest.
    pub fn took_ms(self, least: u64, most: u64) -> Self {
        Self {
            took_ms: (least, most),
            ..self
        }
    }

    /// It ends before the monitor is there.
    pub fn early(self) -> Self {
        Self { ready: false, ..self }
    }
}
