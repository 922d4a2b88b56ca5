//! Exceptions nobody handles.

use core::fmt;

use smp_stop::Reason;

use super::overflow::{StackOwner, guard_page_owner};
use super::{Cause, die, nesting};
use crate::arch::Arch;
use crate::inject::{self, Place};
use crate::stop::FillRegisters;

/// What the vectors know of an exception, in words no architecture owns.
pub struct Exception<'a> {
    /// Its name: `page fault`, `data abort`.
    pub name: &'a str,
    /// The instruction that did it, or the one after.
    pub pc: usize,
    /// Stack pointer at that moment.
    pub sp: usize,
    /// Frame pointer at that moment.
    pub frame: usize,
    /// The address that could not be used, where the exception is about one.
    pub address: Option<usize>,
    /// Fills in the registers of the code it happened in, for the report.
    pub fill: FillRegisters<'a>,
    /// All registers, to be printed as they are, in lines; program counters as `pc=0x...`.
    pub registers: &'a dyn fmt::Display,
}

impl fmt::Debug for Exception<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#x}", self.name, self.pc)
    }
}

/// Reports an exception and ends the kernel. An access to a stack's guard page is called what it is.
pub fn fatal<A: Arch>(exception: &Exception<'_>) -> ! {
    // First of all: what follows may fault, too.
    let failure = nesting::enter::<A>();
    let overflow = if failure.is_deep() {
        None
    } else {
        inject::at(Place::Exception, 0);
        let near = [exception.address.unwrap_or(0), exception.sp];
        near.into_iter().find_map(guard_page_owner::<A>)
    };
    let what = Story { overflow, exception };
    die::<A>(
        failure,
        &Cause {
            reason: Reason::Panic,
            what: &what,
            words: None,
            at: None,
            exception: Some(exception),
        },
        exception.frame,
    )
}

/// What happened, in a sentence.
struct Story<'a> {
    overflow: Option<StackOwner>,
    exception: &'a Exception<'a>,
}

impl fmt::Display for Story<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exception {
            name, pc, address, ..
        } = self.exception;
        match (&self.overflow, address) {
            (Some(owner), _) => write!(f, "stack overflow: {owner} ran into its guard page ({name})"),
            (None, Some(at)) => write!(f, "{name} at pc={pc:#x}, address {at:#x}"),
            (None, None) => write!(f, "{name} at pc={pc:#x}"),
        }
    }
}
