//! Root tables that shadow the kernel's and are not in step with it.

use super::{Scenario, Stage, X86, scenario, stage};
use crate::arch::Arch;
use crate::scenario::expect::{Expect, death, panic, poweroff};

const I386: &[Arch] = &[Arch::I386];

pub fn scenarios() -> Vec<Scenario> {
    let stages = [seen(), unseen()].concat();
    vec![scenario(
        56,
        "resync_skipped",
        "a resync of the tables that CPUs and firmware start on is left out, or something is mapped after it",
        "the kernel's tables; none of the engine's business",
        &[],
        stages,
    )]
}

/// The comparison before each use finds it.
fn seen() -> Vec<Stage> {
    let out_of_step = || {
        panic()
            .early()
            .owner(vec![0])
            .clue("is out of step: slot ")
            .alone()
    };
    vec![
        stage("early", 2, out_of_step().clue("per-CPU areas: shadow root "))
            .on(X86, None)
            .inject("resync/0:skip"),
        stage(
            "late",
            2,
            out_of_step().clue("interrupt controller: shadow root "),
        )
        .on(X86, None)
        .inject("resync/1*:skip")
        .words("nopae"),
        // The stacks of CPU 1 are mapped last, after the resync that follows the interrupt controller's registers.
        stage("after", 2, out_of_step())
            .on(I386, None)
            .inject("map*:twice,resync/1+2*:skip")
            .words("nopae"),
        stage("pae", 2, out_of_step().clue("slot 3 here is 0x0"))
            .on(I386, None)
            .inject("resync*:skip"),
        stage("up", 1, out_of_step().clue("the per-CPU area: shadow root "))
            .on(X86, None)
            .inject("resync*:skip")
            .up(),
    ]
}

/// The comparison is left out, too: the machine dies, and is looked at from outside.
fn unseen() -> Vec<Stage> {
    let explained = || {
        death()
            .early()
            .says("initial_page_table")
            .says("the two are out of step: the resync after that mapping is missing")
    };
    let lost = || explained().says("triple fault of CPU 1 in smp_high");
    let lost_alone = || {
        explained()
            .says("triple fault of CPU 0 in ")
            .says("slot 3 of initial_page_table is empty")
    };
    let blind = |label, expect: Expect| stage(label, 2, expect).on(I386, None).panic(-1);
    vec![
        // The bug of 2017: the first access to the GDT after LGDT.
        blind("late_unseen", lost().says("selector 0x20 of the GDT"))
            .inject("resync/1*:skip,compare*:skip")
            .words("nopae"),
        blind("after_unseen", lost().says("instruction: push"))
            .inject("map*:twice,resync/1+2*:skip,compare*:skip")
            .words("nopae"),
        blind("pae_unseen", lost().says("slot 3 of initial_page_table is empty"))
            .inject("resync*:skip,compare*:skip")
            .not_by_efi("firmware is the first to run on the table there, as in quark_unseen"),
        // The board of 2017: one CPU, UEFI, and the first to run on the table is firmware.
        stage(
            "quark_unseen",
            1,
            lost_alone().says("; it was: calling firmware: SetVirtualAddressMap"),
        )
        .on(I386, None)
        .inject("resync*:skip,compare*:skip")
        .panic(-1)
        .up()
        .efi(),
        // Up and running; and down by a table that nobody needed before.
        stage(
            "reboot_unseen",
            1,
            Expect {
                ready: true,
                ends: 1,
                ..lost_alone()
            }
            .says("; it was: rebooting the machine")
            .says("@way name=bios"),
        )
        .on(I386, None)
        .inject("resync*:skip,compare*:skip")
        .panic(-1)
        .run("reboot bios")
        .up()
        .not_by_efi("it takes a BIOS"),
        // With PAE all of the kernel is one entry, and after the first resync none can be lost.
        blind("pae_late", poweroff())
            .inject("resync/1*:skip,resync/2*:skip")
            .run("poweroff"),
    ]
}
