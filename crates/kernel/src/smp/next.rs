//! What a next kernel does first, for a staged failure: it starts every other CPU again. There is no next kernel here, so the
//! owner of the stop does it in its place, once all is over, by the hardware's own means and on the usual way up. A CPU
//! that comes finds the gate shut, and parks once more.

use alloc::vec::Vec;
use core::fmt;

use records::Quoted;

use super::blocks;
use crate::arch::{Arch, BootBlock, InStep, StartError};
use crate::clock::{self, MS};
use crate::cpu::{self, CpuMask};
use crate::inject::{self, Effect, Place};
use crate::mm;
use crate::println;

/// How long a CPU may take until it runs Rust code, before it is asked again, and how often that is done.
const COMES_NS: u64 = 500 * MS;
const ATTEMPTS: u32 = 3;

/// Why a CPU did not come.
enum Lost {
    /// It could not be asked.
    Refused(StartError),
    /// It was asked, and not seen.
    Unseen,
}

/// Starts them, and says who came: `started=`; who did not: `lost=`, a line each; and who was not asked, because on this
/// architecture no kernel could start it: `left=`. On the owner of a complete stop, interrupts off.
pub(crate) fn start_all_again<A: Arch>() {
    let me = cpu::by_hardware::<A>();
    let (mut started, mut lost, mut left) = (CpuMask::EMPTY, CpuMask::EMPTY, CpuMask::EMPTY);
    let mut coming = blocks::all();
    coming.retain(|block| Some(block.cpu_id()) != me);
    coming.retain(|block| {
        let may = A::can_come_back(block.cpu_id()).is_ok();
        // The ids come from a mask of the same size, here and below.
        let _ = (!may).then(|| left.set(block.cpu_id()));
        may
    });
    // With an open door, under the generation that it had: who comes shows that, and no gate opens.
    // All are taken out of where they wait anyway.
    coming
        .iter()
        .for_each(|block| _ = block.renew(block.generation()));
    A::prepare_start(&coming);
    let outcomes = mm::enter_at_the_end::<A, _>(|tables| {
        A::prepare_entry(&blocks::all(), tables);
        let refusal = |block: &&'static BootBlock| ask::<A>(block, tables, 0).err();
        coming.iter().map(refusal).collect::<Vec<_>>()
    });
    let refused = match outcomes {
        Ok(refused) => refused,
        Err(why) => {
            let none = records::Next {
                why: Some(Quoted(&why)),
                ..records::Next::none()
            };
            return println!("{none}");
        }
    };
    for attempt in 1..=ATTEMPTS {
        let all = || {
            let mut asked = coming
                .iter()
                .zip(&refused)
                .filter(|(_, refused)| refused.is_none());
            asked.all(|(block, _)| block.is_alive())
        };
        clock::spin_until(COMES_NS, all);
        if all() || attempt == ATTEMPTS {
            break;
        }
        let unseen = coming.iter().filter(|block| !block.is_alive());
        // What is wrong now was so before, or shows in that the CPU does not come.
        let _ = mm::enter_at_the_end::<A, _>(|tables| {
            unseen.for_each(|block| {
                let _ = ask::<A>(block, tables, attempt);
            });
        });
    }
    for (block, refused) in coming.iter().zip(refused) {
        let why = match (refused, block.is_alive()) {
            (Some(why), _) => Lost::Refused(why),
            (None, false) => Lost::Unseen,
            (None, true) => {
                let _ = started.set(block.cpu_id());
                continue;
            }
        };
        println!("  CPU {}: {why}", block.cpu);
        let _ = lost.set(block.cpu_id());
    }
    let line = records::Next {
        started: &started,
        lost: &lost,
        left: &left,
        why: None::<Quoted<'_>>,
    };
    println!("{line}");
}

/// Releases one. Its stack and area are nobody's: all stand still.
fn ask<A: Arch>(block: &'static BootBlock, tables: &InStep, attempt: u32) -> Result<(), StartError> {
    match inject::at(Place::Starting, block.cpu) {
        // SAFETY: blocks are whole, and leaked.
        Effect::Go => unsafe { A::start(block, tables, attempt) },
        _ => Ok(()),
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "cannot be started: {why}"),
            Self::Unseen => f.write_str("was started, and does not come"),
        }
    }
}
