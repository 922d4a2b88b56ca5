//! Root tables that shadow the kernel's, and the proof that they are in step.
//!
//! A starting CPU, a firmware call and the real-mode reboot run on a root table of their own (i386's
//! `initial_page_table`, x86_64's trampoline root). Its upper entries are copies of the kernel's, made once; entries the
//! kernel's root gains later are missing until somebody copies again. Linux lost such a copy twice. Here whoever is about
//! to run on a shadow must show a [`Synced`], which only [`resync`] makes, and which is worth nothing as soon as the
//! kernel's root has changed again.

use super::map::{top_generation, with_mapper};
use crate::arch::{Arch, ShadowRoot};
use crate::inject::{self, Place};

/// Proof that all shadow roots agreed with the kernel's root at one generation of its top-level entries.
#[derive(Debug)]
#[must_use = "whoever runs on a shadow root has to show it"]
pub struct Synced {
    generation: u64,
}

/// Copies the kernel's top-level entries to all shadow roots.
pub fn resync<A: Arch>() -> Synced {
    let generation = with_mapper::<A, _>(|mapper| {
        for (shadow, (from, to)) in each_copy(A::shadow_roots()) {
            if !inject::at(Place::Resync, 0).goes() {
                continue;
            }
            // SAFETY: shadow roots are whole tables of the kernel's format that nobody runs on just now.
            if let Err(error) = unsafe { mapper.copy_top_entries(shadow.root, from.start..from.end, to) } {
                panic!("shadow root {:#x}: {error}", shadow.root);
            }
        }
        top_generation()
    });
    A::tables_changed();
    Synced { generation }
}

impl Synced {
    /// The same proof, made anew after more has been mapped.
    pub fn renew<A: Arch>(self) -> Self {
        resync::<A>()
    }

    /// The run-time check before each use: the token is of the latest generation, and the tables really agree.
    ///
    /// # Panics
    /// If not, naming the phase, the slot and both entries: going on would be a triple fault without a word.
    pub fn assert_in_step<A: Arch>(&self, phase: &str) {
        let now = top_generation();
        assert!(
            self.generation == now,
            "{phase}: the kernel's root table has changed since the resync ({now})"
        );
        for (shadow, (from, to)) in each_copy(A::shadow_roots()) {
            let difference = with_mapper::<A, _>(|mapper| {
                // SAFETY: as in `resync`.
                unsafe { mapper.first_difference(shadow.root, from.start..from.end, to) }
            });
            match difference {
                Ok(None) => {}
                Ok(Some(d)) => panic!(
                    "{phase}: shadow root {:#x} lacks slot {}: kernel {:#x}, shadow {:#x}",
                    shadow.root, d.slot, d.ours, d.theirs
                ),
                Err(error) => panic!("{phase}: shadow root {:#x}: {error}", shadow.root),
            }
        }
    }
}

fn each_copy(
    roots: &'static [ShadowRoot],
) -> impl Iterator<Item = (&'static ShadowRoot, (crate::arch::Slots, usize))> {
    roots
        .iter()
        .flat_map(|root| root.copies.iter().map(move |copy| (root, *copy)))
}
