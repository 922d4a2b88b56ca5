//! `trace=`.

use core::sync::atomic::{AtomicU32, Ordering};

use ::trace::Groups;
use boot_info::cmdline::{Param, ValueError, parse_u64};

use super::TRACE;

/// The word of the command line.
pub(crate) const PARAM: Param = Param {
    name: "trace",
    help: "trace=WORD[,WORD]  record more than CPUs' lives: ipi, switch, irqoff[:MICROSECONDS] (default 1000), all; or off",
    parse: |value| choose(value.ok_or(ValueError::Missing)?).map_err(ValueError::Other),
};

const DEFAULT_LIMIT_US: u32 = 1000;

/// Times with interrupts off are recorded from so many microseconds on.
static LIMIT_US: AtomicU32 = AtomicU32::new(DEFAULT_LIMIT_US);

/// That limit in nanoseconds.
pub(super) fn irq_off_limit() -> u64 {
    u64::from(LIMIT_US.load(Ordering::Relaxed)) * 1000
}

/// Chooses what is recorded from now on: all that the words ask for or, if one makes no sense, what it was.
///
/// # Errors
/// A sentence that names the choices.
pub(crate) fn choose(words: &str) -> Result<(), &'static str> {
    let mut groups = Groups::LIFE;
    let mut limit = DEFAULT_LIMIT_US;
    for word in words.split(',') {
        groups = match word.split_once(':').unwrap_or((word, "")) {
            ("off", "") if words == "off" => Groups::NONE,
            ("life", "") => groups,
            ("ipi", "") => groups.with(Groups::IPI),
            ("switch", "") => groups.with(Groups::SWITCH),
            ("all", "") => groups.with(Groups::ALL),
            ("irqoff", us) => {
                limit = microseconds(us).ok_or("irqoff:N takes 1 to 1000000 microseconds")?;
                groups.with(Groups::IRQ_OFF)
            }
            _ => return Err("the choices are life, ipi, switch, irqoff[:MICROSECONDS], all, or off alone"),
        };
    }
    LIMIT_US.store(limit, Ordering::Relaxed);
    TRACE.set_groups(groups);
    Ok(())
}

fn microseconds(text: &str) -> Option<u32> {
    match text {
        "" => Some(DEFAULT_LIMIT_US),
        text => u32::try_from(parse_u64(text).ok()?)
            .ok()
            .filter(|us| (1..=1_000_000).contains(us)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_or_refused_as_a_whole() {
        let after = |words: &str| {
            let outcome = choose(words);
            (outcome.is_ok(), TRACE.groups(), irq_off_limit())
        };
        let life = Groups::LIFE;
        assert_eq!(after("life"), (true, life, 1_000_000));
        assert_eq!(
            after("irqoff:5,ipi"),
            (true, life.with(Groups::IPI).with(Groups::IRQ_OFF), 5000)
        );
        for wrong in [
            "",
            "x",
            "switch,x",
            "off,ipi",
            "irqoff:0",
            "irqoff:x",
            "ipi:3",
            "irqoff:1000001",
        ] {
            assert!(!after(wrong).0, "{wrong}");
            assert_eq!(irq_off_limit(), 5000, "{wrong} changes nothing");
        }
        assert_eq!(after("off"), (true, Groups::NONE, 1_000_000));
        assert_eq!(after("all"), (true, Groups::ALL, 1_000_000));
    }
}
