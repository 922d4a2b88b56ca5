//! The planned ends: power off, reboot, halt. Other CPUs are stopped first; the last line says what happens.

use core::fmt;

use smp_stop::Reason;

use crate::arch::Arch;
use crate::stop;
use crate::{console, cpu, println};

/// How the kernel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine is turned off.
    PowerOff,
    /// The machine is reset.
    Reboot,
    /// The kernel failed.
    Panic,
    /// All CPUs stay stopped.
    Halt,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOff => "poweroff",
            Self::Reboot => "reboot",
            Self::Panic => "panic",
            Self::Halt => "halt",
        })
    }
}

/// The last line the kernel prints.
pub(crate) fn announce(end: End) {
    println!("@end how={end}");
}

/// Ends the kernel in a planned way.
pub fn shut_down<A: Arch>(end: End) -> ! {
    let stop = stop::stop::<A>(Reason::Reboot, None);
    console::seize(cpu::by_hardware::<A>());
    if !stop.is_complete() {
        println!("{}", stop.report);
    }
    println!("{stop}");
    announce(end);
    match end {
        End::PowerOff => A::power_off(),
        End::Reboot | End::Panic => A::reset(),
        End::Halt => {}
    }
    if end != End::Halt {
        println!("{end} did not happen: the machine stays halted");
    }
    A::halt()
}
