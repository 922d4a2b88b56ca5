//! The shadow roots themselves: the kernel's entries are copied to them, and compared.

use core::fmt;

use paging::{Difference, MapError, Space};

use super::map::{Tables, reader_of};
use crate::arch::{Arch, ShadowRoot};
use crate::inject::{self, Place};

/// Copies the kernel's top-level entries to all shadow roots. `number` is the phase's.
pub(super) fn copy<A: Arch>(kernel: &Tables<A>, number: u32) {
    if !inject::at(Place::Resync, number).goes() {
        return;
    }
    for shadow in A::shadow_roots() {
        for (from, to) in shadow.copies {
            // SAFETY: shadow roots are whole tables of the kernel's format that nobody runs on just now.
            let copied = unsafe { kernel.copy_top_entries(shadow.root, from.start..from.end, *to) };
            if let Err(error) = copied {
                panic!("{}: {error}", shadow.name);
            }
        }
    }
    A::tables_changed();
}

/// Why nobody may run on a shadow root.
#[derive(Debug)]
pub struct Mismatch {
    shadow: &'static ShadowRoot,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// An entry is not the kernel's; the slot it should be copied to.
    Entry(Difference, usize),
    /// An address that will be used leads elsewhere, or nowhere.
    Address(usize),
    /// The two tables cannot be compared.
    Shape(MapError),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShadowRoot { name, root, .. } = self.shadow;
        write!(f, "shadow root {name} at {root:#x} ")?;
        match &self.why {
            Why::Entry(d, to) => write!(
                f,
                "is out of step: slot {} is {:#x} in the kernel's root, and slot {to} here is {:#x}",
                d.slot, d.ours, d.theirs
            ),
            Why::Address(va) => write!(f, "does not map {va:#x}, which is in use, as the kernel's does"),
            Why::Shape(error) => write!(f, "cannot be compared: {error}"),
        }
    }
}

/// Whether all shadow roots agree with the kernel's: entry by entry, and in where the running stack, the running code and
/// the addresses `needed` lead. The second can only fail where the first looks at too few entries. `number` is the phase's.
pub(super) fn compare<A: Arch>(kernel: &Tables<A>, number: u32, needed: &[usize]) -> Result<(), Mismatch> {
    if !inject::at(Place::Compare, number).goes() {
        return Ok(());
    }
    for shadow in A::shadow_roots() {
        let why = first_difference::<A>(kernel, shadow).or_else(|| first_lost::<A>(kernel, shadow, needed));
        if let Some(why) = why {
            return Err(Mismatch { shadow, why });
        }
    }
    Ok(())
}

fn first_difference<A: Arch>(kernel: &Tables<A>, shadow: &ShadowRoot) -> Option<Why> {
    shadow.copies.iter().find_map(|(from, to)| {
        // SAFETY: as in `copy`; this only looks.
        match unsafe { kernel.first_difference(shadow.root, from.start..from.end, *to) } {
            Ok(None) => None,
            Ok(Some(d)) => Some(Why::Entry(d, d.slot - from.start + to)),
            Err(error) => Some(Why::Shape(error)),
        }
    })
}

fn first_lost<A: Arch>(kernel: &Tables<A>, shadow: &ShadowRoot, needed: &[usize]) -> Option<Why> {
    let leads = |tables: &Tables<A>, va| tables.translate(va as u64).map(|to| to.pa);
    let there = reader_of::<A>(shadow.root);
    let here = compare::<A> as *const ();
    [A::frame_pointer(), here.addr()]
        .iter()
        .chain(needed)
        .find(|va| leads(kernel, **va) != leads(&there, **va))
        .map(|va| Why::Address(*va))
}
