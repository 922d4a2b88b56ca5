//! The planned ends: power off, reboot, halt. Other CPUs are stopped first; the last line says what happens.

pub(crate) mod boots;
mod ways;

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use smp_stop::Reason;
pub(crate) use ways::{announce_way, choose, choose_of, power_off, reboot, reset};

use crate::arch::Arch;
use crate::inject::{self, Place};
use crate::stop::{self, Planned};
use crate::{console, cpu, phase, println};

/// Once firmware can be asked: which boot this is, and whether this machine can be reset in the way that was chosen.
pub(crate) fn init<A: Arch>() {
    boots::ask_firmware::<A>();
    ways::check_choice::<A>();
}

/// How the kernel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine is turned off.
    PowerOff = 1,
    /// The machine is reset.
    Reboot,
    /// The kernel failed.
    Panic,
    /// All CPUs stay stopped.
    Halt,
}

impl End {
    /// What the stop is to be called.
    const fn planned(self) -> Planned {
        match self {
            Self::PowerOff => Planned::PowerOff,
            Self::Reboot | Self::Panic => Planned::Reboot,
            Self::Halt => Planned::Halt,
        }
    }

    /// As in the record.
    const fn name(self) -> &'static str {
        match self {
            Self::PowerOff => "poweroff",
            Self::Reboot => "reboot",
            Self::Panic => "panic",
            Self::Halt => "halt",
        }
    }
}

/// Whether the last word has been said of a kernel that stays as it is, or that failed.
static IS_OVER: AtomicU8 = AtomicU8::new(ON);
const ON: u8 = 0;
const STAYS: u8 = 1;
const FAILED: u8 = 2;

/// The last line the kernel prints, but for `@way` before each way to reset the machine that it tries.
///
/// What comes after it touches as little as it can: devices are brought to rest before, because one that is not what firmware
/// says may fault. Should something fault all the same, [`is_over`] keeps it from being told.
pub(crate) fn announce(end: End) {
    println!("{}", records::End { how: end.name() });
    let over = match end {
        End::Halt => STAYS,
        End::Panic => FAILED,
        End::PowerOff | End::Reboot => ON,
    };
    IS_OVER.store(over, Ordering::Relaxed);
}

/// The end after which nothing is to be said any more, if it has come.
pub(crate) fn is_over() -> Option<End> {
    match IS_OVER.load(Ordering::Relaxed) {
        STAYS => Some(End::Halt),
        FAILED => Some(End::Panic),
        _ => None,
    }
}

/// Brings the executing CPU's devices to rest, for good. Once: if that is what a kernel fails of, it goes on without.
pub(crate) fn quiesce<A: Arch>() {
    static TRIED: AtomicBool = AtomicBool::new(false);
    if !TRIED.swap(true, Ordering::Relaxed) {
        A::quiesce();
    }
}

/// Ends the kernel in a planned way.
pub fn shut_down<A: Arch>(end: End) -> ! {
    // For the CPU that takes over if this one dies; of several that are on their way, the one that owns the stop says it last.
    end.planned().note();
    let stop = stop::stop::<A>(Reason::Reboot, None, None);
    end.planned().note();
    phase::enter::<A>(match end {
        End::PowerOff => &"powering the machine off",
        End::Reboot | End::Panic => &"rebooting the machine",
        End::Halt => &"halting the machine",
    });
    inject::at(Place::ShutDown, 0);
    console::seize(cpu::by_hardware::<A>());
    if !stop.is_complete() || inject::is_staged() {
        stop.print_account();
    }
    println!("{stop}");
    if end == End::Halt {
        quiesce::<A>();
    }
    announce(end);
    match end {
        End::PowerOff if inject::at(Place::PowerOff, 0).goes() => power_off::<A>(),
        End::Reboot | End::Panic if inject::at(Place::Reset, 0).goes() => reboot::<A>(),
        _ => {}
    }
    if end != End::Halt {
        inject::at(Place::Failed, 0);
        println!("{} did not happen: the machine stays halted", end.name());
    }
    A::halt()
}
