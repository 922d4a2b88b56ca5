//! The proof that the root tables which shadow the kernel's are in step with it.
//!
//! A starting CPU, a firmware call and the real-mode reboot run on a root table of their own (i386's
//! `initial_page_table`, x86_64's `trampoline_pgd`). Its upper entries are copies of the kernel's; entries the kernel's root
//! gains later are missing until somebody copies again. Linux lost such a copy twice. Here it cannot be left out:
//!
//! - Who maps memory during boot has a [`Synced`] and gives it up ([`Synced::change`]). All that is left is a [`Changed`],
//!   and all that can be done with it is [`Changed::resync`], which copies and gives a [`Synced`] of the next phase.
//! - Steps of the boot take and give these by value. The step behind wants the next phase's proof, in every build, so a
//!   step that leaves the copy out does not compile.
//! - Who runs on a shadow root shows an [`InStep`]. There is one only inside [`Synced::enter`], which holds the lock that
//!   changes to the tables need, and has compared the tables just before.
//!
//! `docs/i386-resync.md` tells the story.

use core::fmt::Display;
use core::marker::PhantomData;

use super::map::{reader, top_generation, with_mapper};
use super::phase::{Phase, Running};
use super::shadow::{self, Mismatch};
use crate::arch::{Arch, InStep};

/// The kernel's root table may have entries that the shadow roots lack.
#[derive(Debug)]
#[must_use = "whoever comes next wants the proof that only `resync` gives"]
pub struct Changed<P> {
    phase: PhantomData<P>,
}

/// Proof that all shadow roots agreed with the kernel's root when it had the entries of phase `P`.
#[derive(Debug)]
#[must_use = "whoever runs on a shadow root has to show it"]
pub struct Synced<P> {
    /// How often top-level entries had changed by then.
    generation: u64,
    phase: PhantomData<P>,
}

impl<P: Phase> Changed<P> {
    /// By whoever changes the tables.
    pub(super) const fn new() -> Self {
        Self { phase: PhantomData }
    }

    /// Copies the kernel's top-level entries to all shadow roots.
    pub fn resync<A: Arch>(self) -> Synced<P> {
        let generation = with_mapper::<A, _>(|kernel| {
            shadow::copy::<A>(kernel, P::NUMBER);
            top_generation()
        });
        let phase = PhantomData;
        Synced { generation, phase }
    }
}

/// A proof for a running system, in which any CPU may map something at any time.
pub fn resync<A: Arch>() -> Synced<Running> {
    Changed::new().resync::<A>()
}

impl<P: Phase> Synced<P> {
    /// Gives the proof up and calls `map`, which may map memory. `doing` says what for.
    ///
    /// # Panics
    /// If the proof was none, as [`Self::enter`].
    pub fn change<A: Arch, R>(self, doing: impl Display, map: impl FnOnce() -> R) -> (R, Changed<P::Next>) {
        self.enter::<A, _>(doing, &[], |_| ());
        (map(), Changed::new())
    }

    /// Compares all shadow roots with the kernel's and calls `run`, which may run on one of them or send a CPU there:
    /// interrupts off, and whoever wants to change the tables waits. `run` does not map memory, and does not take long. The
    /// addresses `needed` must lead to the same places in all roots; the running stack must in any case.
    ///
    /// In a running system a proof that is out of date is renewed first.
    ///
    /// # Panics
    /// If the tables do not agree, naming `doing`, the slot and both entries. Going on would be a triple fault without a word.
    pub fn enter<A: Arch, R>(
        &self,
        doing: impl Display,
        needed: &[usize],
        run: impl FnOnce(&InStep) -> R,
    ) -> R {
        let mut changes = 0;
        let result = with_mapper::<A, _>(|kernel| {
            changes = top_generation() - self.generation;
            if changes > 0 && !P::ALONE {
                shadow::copy::<A>(kernel, P::NUMBER);
            }
            shadow::compare::<A>(kernel, P::NUMBER, needed)?;
            Ok::<_, Mismatch>(run(&InStep::proven()))
        });
        // Not with the lock held: the way down may want to run on a shadow root, too.
        match result {
            Ok(result) => result,
            Err(why) => panic!("{doing}: {why}; {changes} top-level entries changed since the resync"),
        }
    }
}

/// Copies, compares, and calls `run` as [`Synced::enter`] does, for the very last steps of a kernel: all other CPUs stand
/// still, perhaps in the middle of a change. So no lock is taken, and there is no panic.
///
/// # Errors
/// The tables do not agree; `run` was not called.
pub fn enter_at_the_end<A: Arch, R>(run: impl FnOnce(&InStep) -> R) -> Result<R, Mismatch> {
    let kernel = reader::<A>();
    shadow::copy::<A>(&kernel, Running::NUMBER);
    shadow::compare::<A>(&kernel, Running::NUMBER, &[])?;
    Ok(run(&InStep::proven()))
}
