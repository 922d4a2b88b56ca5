//! One staged fault, and how it is written.
//!
//! ```text
//! POINT[/DETAIL][@CPU][?TOKEN][+SKIP][*]:ACTION[=VALUE]
//! elected@1:delay=5ms     on CPU 1, once it is elected: wait
//! signal/2@3*:skip        CPU 3 does not hear non-maskable signals, whenever one comes
//! timer?4:panic           the first timer interrupt after somebody posted token 4
//! ```

use core::sync::atomic::{AtomicU32, Ordering};

use super::places::Place;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Go on after so many nanoseconds.
    Delay(u64),
    /// Go on after a time diced from `inject-seed=`, below so many nanoseconds.
    Skew(u64),
    /// Tell whoever awaits this token.
    Post(u32),
    /// Go on when somebody has posted this token.
    Await(u32),
    /// Panic.
    Panic,
    /// Crash.
    Crash,
    /// Shut down and reset the machine.
    Reboot,
    /// Read what is not mapped.
    Fault,
    /// Never go on. Interrupts stay as they are.
    Hang,
    /// Never go on, interrupts off.
    Deaf,
    /// Send this CPU a non-maskable interrupt.
    Nmi,
    /// Interrupt all other CPUs, in every way there is.
    Storm,
    /// Start all other CPUs again, as a next kernel would, and say who came.
    Next,
    /// Leave out what the place is about.
    Skip,
    /// Let it fail.
    Refuse,
    /// Do it twice.
    Twice,
    /// Leave it out if no more than one CPU is online: what the kernels do that count.
    Count,
}

/// One staged fault.
#[derive(Debug)]
pub(crate) struct Rule {
    place: Place,
    detail: Option<u32>,
    cpu: Option<u32>,
    after: Option<u32>,
    skip: u32,
    always: bool,
    pub(crate) action: Action,
    hits: AtomicU32,
}

/// What is wrong with the text of a rule.
pub(crate) type Why = &'static str;

impl Rule {
    /// Reads one.
    pub(crate) fn parse(text: &str) -> Result<Self, Why> {
        let (at, action) = text.split_once(':').ok_or("no `:` between POINT and ACTION")?;
        let (at, always) = match at.strip_suffix('*') {
            Some(at) => (at, true),
            None => (at, false),
        };
        let (at, skip) = suffix(at, '+')?;
        let (at, after) = suffix(at, '?')?;
        let (at, cpu) = suffix(at, '@')?;
        let (at, detail) = suffix(at, '/')?;
        Ok(Self {
            place: place(at).ok_or("no such point")?,
            detail,
            cpu,
            after,
            skip: skip.unwrap_or(0),
            always,
            action: Action::parse(action)?,
            hits: AtomicU32::new(0),
        })
    }

    /// Whether it fires now that `cpu` is at `place`; `posted` says whether a token has been posted.
    pub(crate) fn fires(
        &self,
        (place, detail): (Place, u32),
        cpu: impl FnOnce() -> Option<u32>,
        posted: impl FnOnce(u32) -> bool,
    ) -> bool {
        let here = self.place == place && self.detail.is_none_or(|wanted| wanted == detail);
        if !here || !self.after.is_none_or(posted) || self.cpu.is_some() && self.cpu != cpu() {
            return false;
        }
        let hit = self.hits.fetch_add(1, Ordering::Relaxed);
        hit == self.skip || self.always && hit > self.skip
    }
}

/// Splits `text` at the last `mark`, behind which stands a number.
fn suffix(text: &str, mark: char) -> Result<(&str, Option<u32>), Why> {
    match text.rsplit_once(mark) {
        None => Ok((text, None)),
        Some((rest, number)) => Ok((rest, Some(number.parse().map_err(|_| "not a number")?))),
    }
}

impl Action {
    fn parse(text: &str) -> Result<Self, Why> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let value = value.ok_or("this action needs a value");
        Ok(match name {
            "delay" => Self::Delay(nanoseconds(value?)?),
            "skew" => Self::Skew(nanoseconds(value?)?),
            "post" => Self::Post(token(value?)?),
            "await" => Self::Await(token(value?)?),
            _ if value.is_ok() => return Err("no such action, or it takes no value"),
            "panic" => Self::Panic,
            "crash" => Self::Crash,
            "reboot" => Self::Reboot,
            "fault" => Self::Fault,
            "hang" => Self::Hang,
            "deaf" => Self::Deaf,
            "nmi" => Self::Nmi,
            "storm" => Self::Storm,
            "next" => Self::Next,
            "skip" => Self::Skip,
            "refuse" => Self::Refuse,
            "twice" => Self::Twice,
            "count" => Self::Count,
            _ => return Err("no such action"),
        })
    }
}

/// The longest wait that can be asked for: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// `5ms`, `1s`, `30us`, `100ns`, `100`.
pub(crate) fn nanoseconds(text: &str) -> Result<u64, Why> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return Err("a time ends with ns, us, ms or s"),
    };
    let number: u64 = digits.parse().map_err(|_| "not a time")?;
    let ns = number.saturating_mul(unit);
    if ns <= LONGEST_NS {
        Ok(ns)
    } else {
        Err("longer than a minute")
    }
}

/// How many tokens there are.
pub(crate) const TOKENS: usize = 32;

pub(crate) fn token(text: &str) -> Result<u32, Why> {
    let number: u32 = text.parse().map_err(|_| "not a token")?;
    if (number as usize) < TOKENS {
        Ok(number)
    } else {
        Err("there are 32 tokens, 0 to 31")
    }
}

/// All points by name.
pub(crate) const PLACES: &[(&str, Place)] = &[
    ("elected", Place::Elected),
    ("asked", Place::Asked),
    ("signalling", Place::Signalling),
    ("signalled", Place::Signalled),
    ("released", Place::Released),
    ("finishing", Place::Finishing),
    ("answering", Place::Answering),
    ("saved", Place::Saved),
    ("standing-by", Place::StandingBy),
    ("acknowledging", Place::Acknowledging),
    ("identify", Place::Identify),
    ("clock", Place::Clock),
    ("resync", Place::Resync),
    ("compare", Place::Compare),
    ("map", Place::Map),
    ("send", Place::Send),
    ("signal", Place::Signal),
    ("nmi", Place::Nmi),
    ("save-regs", Place::SaveRegs),
    ("quiesce", Place::Quiesce),
    ("park", Place::Park),
    ("cpu-off", Place::CpuOff),
    ("stop", Place::Stop),
    ("stopped", Place::Stopped),
    ("report", Place::Report),
    ("backtrace", Place::Backtrace),
    ("table", Place::Table),
    ("end", Place::End),
    ("shut-down", Place::ShutDown),
    ("reset", Place::Reset),
    ("power-off", Place::PowerOff),
    ("failed", Place::Failed),
    ("exception", Place::Exception),
    ("timer", Place::Timer),
    ("console", Place::Console),
    ("boot", Place::Boot),
    ("first-stack", Place::FirstStack),
    ("trampoline", Place::Trampoline),
    ("unasked", Place::Unasked),
    ("starting", Place::Starting),
    ("release", Place::Release),
    ("started", Place::Started),
    ("waiting", Place::Waiting),
    ("entry", Place::Entry),
    ("installed", Place::Installed),
    ("online", Place::Online),
    ("leaving", Place::Leaving),
    ("dying", Place::Dying),
    ("gone", Place::Gone),
];

fn place(name: &str) -> Option<Place> {
    PLACES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_and_fires_where_it_says() {
        let rule = Rule::parse("signal/2@3+1*:skip").unwrap();
        assert_eq!(rule.action, Action::Skip);
        let at = |detail, cpu| rule.fires((Place::Signal, detail), || Some(cpu), |_| false);
        assert!(!at(1, 3) && !at(2, 2), "another place is none of its business");
        assert_eq!([at(2, 3), at(2, 3), at(2, 3)], [false, true, true]);
    }

    #[test]
    fn without_a_star_it_fires_once() {
        let rule = Rule::parse("elected:delay=5ms").unwrap();
        assert_eq!(rule.action, Action::Delay(5_000_000));
        let fires = || rule.fires((Place::Elected, 0), || None, |_| false);
        assert_eq!([fires(), fires(), fires()], [true, false, false]);
    }

    #[test]
    fn a_token_is_waited_for() {
        let rule = Rule::parse("timer@1?4:panic").unwrap();
        let fires = |posted: u32| rule.fires((Place::Timer, 0), || Some(1), |token| token == posted);
        assert_eq!([fires(3), fires(4), fires(4)], [false, true, false]);
    }

    #[test]
    fn garbage_is_refused_in_words() {
        for text in [
            "",
            ":",
            "elected",
            "elected:",
            "elect:panic",
            "elected@:panic",
            "elected@x:panic",
            "elected@-1:panic",
            "elected@99999999999:panic",
            "elected:panic=1",
            "elected:delay",
            "elected:delay=",
            "elected:delay=ms",
            "elected:delay=5h",
            "elected:delay=2000s",
            "elected:delay=99999999999999999999",
            "elected:post=32",
            "elected:await=é",
            "é*:é",
            "elected**:panic",
        ] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_names_once() {
        for (at, (name, place)) in PLACES.iter().enumerate() {
            assert!(
                PLACES[..at]
                    .iter()
                    .all(|(other, same)| other != name && same != place),
                "{name}"
            );
        }
    }
}
