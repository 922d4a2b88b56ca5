//! Commands of the monitor that stage what one CPU alone cannot.

use alloc::string::String;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::act::{is_posted, post, wait};
use super::rule::{PLACES, token};
use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::monitor::commands::{cpu_argument, run_line};
use crate::{irq, println, sched};

type Outcome = Result<(), &'static str>;

/// Runs the command `name`, if it is one of these.
pub(crate) fn command<A: Arch>(name: &str, rest: &str) -> Option<Outcome> {
    match name {
        "points" => {
            PLACES
                .iter()
                .for_each(|(name, place)| println!("  {name:<14} {place:?}"));
            Some(Ok(()))
        }
        "post" => Some(token(rest).map(post)),
        "await" => Some(token(rest).and_then(sleep_until::<A>)),
        "later" => Some(later::<A>(rest, true)),
        "later-off" => Some(later::<A>(rest, false)),
        "stay" => {
            stay();
            Some(Ok(()))
        }
        _ => None,
    }
}

/// Sleeps until the token is posted.
fn sleep_until<A: Arch>(token: u32) -> Outcome {
    let deadline = clock::now_ns() + 10_000 * MS;
    while !is_posted(token) {
        if clock::now_ns() >= deadline {
            return Err("nobody posted it within 10 s");
        }
        sched::sleep::<A>(MS);
    }
    Ok(())
}

/// Never comes back; the script's next command is not run, and no prompt comes.
fn stay() {
    loop {
        core::hint::spin_loop();
    }
}

/// `later CPU TOKEN COMMAND`: on that CPU, spins until the token is posted, then runs the command. With `later-off`
/// interrupts are off meanwhile, and stay off. Returns once it spins.
fn later<A: Arch>(text: &str, interrupts: bool) -> Outcome {
    static SPINNING: AtomicUsize = AtomicUsize::new(0);
    let mut words = text.splitn(3, ' ');
    let (Some(which), Some(when), Some(command)) = (words.next(), words.next(), words.next()) else {
        return Err("on which CPU, after which token, and what?");
    };
    let id = cpu_argument(which)?.first().ok_or("on which CPU?")?;
    let (when, command) = (token(when)?, String::from(command));
    let before = SPINNING.load(Ordering::Acquire);
    let run = move || {
        let off = (!interrupts).then(irq::IrqOff::new);
        SPINNING.fetch_add(1, Ordering::AcqRel);
        wait(u64::MAX, || is_posted(when));
        run_line::<A>(&command);
        drop(off);
    };
    sched::spawn::<A>("later", id, run).map_err(|_| "out of memory")?;
    let deadline = clock::now_ns() + 10_000 * MS;
    while SPINNING.load(Ordering::Acquire) == before {
        if clock::now_ns() >= deadline {
            return Err("that CPU does not get to it");
        }
        sched::sleep::<A>(MS);
    }
    Ok(())
}
