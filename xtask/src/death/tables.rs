//! Where in which table the page is lacking.

use paging::{Decoded, Step};

use super::Guest;
use crate::guest::space::{Root, Space, Walk};

/// What the root table at `pa` is called.
pub fn root_name(guest: &Guest<'_>, pa: u64) -> Option<String> {
    if let Some(name) = guest.image.and_then(|image| image.name_of(pa)) {
        return Some(name.to_owned());
    }
    (guest.kernel_root() == Some(pa)).then(|| "the kernel's root table".to_owned())
}

fn root_line(guest: &Guest<'_>, root: Root) -> String {
    let name = root_name(guest, root.pa).unwrap_or_else(|| "a table without a name".into());
    format!("root {:#x}: {name}", root.pa)
}

/// The walk, a line for each table, and what is wrong with it.
pub fn describe(guest: &Guest<'_>, space: Space, walk: &Walk) -> Vec<String> {
    let Some(root) = walk.root else {
        return vec!["paging is off".into()];
    };
    let mut lines = vec![format!("walk of {:#x}, {}", walk.va, root_line(guest, root))];
    if walk.steps.is_empty() {
        lines.push("  that is no address of these tables".into());
    }
    lines.extend(walk.steps.iter().map(|step| step_line(root, step)));
    lines.extend(comparison(guest, space, walk));
    lines
}

fn step_line(root: Root, step: &Step) -> String {
    let meaning = match step.decoded {
        Decoded::Table(_) => "",
        Decoded::Absent => "   <- nothing here",
        Decoded::Leaf(_) => "   <- mapped",
    };
    format!(
        "  {} at {:#x}, slot {}: {:#x}{meaning}",
        root.level_name(step.level),
        step.table,
        step.slot,
        step.entry
    )
}

/// If another root than the kernel's lacks what the kernel's has: that it was not brought in step.
fn comparison(guest: &Guest<'_>, space: Space, walk: &Walk) -> Vec<String> {
    let (Some(root), None) = (walk.root, walk.page) else {
        return Vec::new();
    };
    let Some(kernel) = guest
        .kernel_space(space)
        .and_then(|kernel| kernel.root(walk.va))
        .filter(|kernel| kernel.pa != root.pa)
    else {
        return Vec::new();
    };
    let theirs = kernel.walk(guest.memory, walk.va);
    let name = root_name(guest, kernel.pa).unwrap_or_default();
    let differ = theirs
        .steps
        .iter()
        .zip(&walk.steps)
        .find(|(theirs, ours)| theirs.decoded != Decoded::Absent && ours.decoded == Decoded::Absent);
    match (theirs.page, differ) {
        (Some(page), Some((step, _))) => vec![
            format!(
                "  {name} ({:#x}) has {:#x} in slot {} of that {}: {:#x} leads to {:#x} there",
                kernel.pa,
                step.entry,
                step.slot,
                kernel.level_name(step.level),
                walk.va,
                page.pa
            ),
            "  so the two are out of step: the resync after that mapping is missing".into(),
        ],
        (Some(page), None) => vec![format!("  in {name} it leads to {:#x}", page.pa)],
        (None, _) => vec![format!("  {name} lacks it too")],
    }
}

/// The lacking entry in a few words: `slot 964 of initial_page_table`.
pub fn gap(guest: &Guest<'_>, walk: &Walk) -> Option<String> {
    let root = walk.root?;
    let step = walk.steps.last().filter(|_| walk.page.is_none())?;
    let name = root_name(guest, root.pa).unwrap_or_else(|| format!("root {:#x}", root.pa));
    if step.table == root.pa {
        return Some(format!("slot {} of {name} is empty", step.slot));
    }
    let level = root.level_name(step.level);
    Some(format!("slot {} of the {level} below {name} is empty", step.slot))
}
