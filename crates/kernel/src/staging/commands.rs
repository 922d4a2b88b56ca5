//! Commands of the monitor that stage what one CPU alone cannot.

use alloc::string::String;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::arch::Arch;
use crate::clock::{self, MS};
use crate::inject::{PLACES, is_posted, post, token};
use crate::{cpu, irq, println, sched};

type Outcome = Result<(), &'static str>;

/// Runs the command `name`, if it is one of these. `run_line` runs any command of the monitor's.
pub(crate) fn command<A: Arch>(name: &str, rest: &str, run_line: fn(&str)) -> Option<Outcome> {
    match name {
        "points" => {
            PLACES
                .iter()
                .for_each(|(name, place)| println!("  {name:<14} {place:?}"));
            Some(Ok(()))
        }
        "post" => Some(token(rest).map(post)),
        "await" => Some(token(rest).and_then(sleep_until::<A>)),
        "later" => Some(later::<A>(rest, true, run_line)),
        "later-off" => Some(later::<A>(rest, false, run_line)),
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
fn later<A: Arch>(text: &str, interrupts: bool, run_line: fn(&str)) -> Outcome {
    static SPINNING: AtomicUsize = AtomicUsize::new(0);
    let mut words = text.splitn(3, ' ');
    let (Some(which), Some(when), Some(command)) = (words.next(), words.next(), words.next()) else {
        return Err("on which CPU, after which token, and what?");
    };
    let id = cpu::online_named(which)?.first().ok_or("on which CPU?")?;
    let (when, command) = (token(when)?, String::from(command));
    let before = SPINNING.load(Ordering::Acquire);
    let run = move || {
        let off = (!interrupts).then(irq::IrqOff::new);
        SPINNING.fetch_add(1, Ordering::AcqRel);
        clock::spin_until(u64::MAX, || is_posted(when));
        run_line(&command);
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
