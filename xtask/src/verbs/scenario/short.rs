//! The short list.

use super::Mutant;
use crate::arch::Arch;
use crate::scenario::{self, Play, catalogue};

/// A scenario and a way to stage it.
type Way = (&'static str, &'static str);

/// Played as they are, wherever they can be: a handful on each architecture, and the two deaths of a UP kernel on i386 by a
/// table that is out of step.
const SHORT: [Way; 9] = [
    ("panic_on_starting_2cpu", "before_the_gate"),
    ("double_panic", "interrupts_off"),
    ("reboot_then_crash", "in_the_wait"),
    ("crash_then_reboot", "before_the_signal"),
    ("irq_off_forever", ""),
    ("fault_while_saving_regs", "saving"),
    ("park_page_survives", "overwritten"),
    ("resync_skipped", "quark_unseen"),
    ("resync_skipped", "reboot_unseen"),
];

/// Played by a kernel that is wrong, which must be found out. A CPU that is off needs no park page, so on aarch64 memory
/// is overwritten under CPUs that wait there.
const CONTROLS: [(Way, &[Arch], Mutant); 4] = [
    (SHORT[0], &Arch::ALL, Mutant::Count),
    (SHORT[1], &Arch::ALL, Mutant::Liar),
    (SHORT[6], &[Arch::X86_64, Arch::I386], Mutant::ParkPage),
    (
        ("park_page_survives", "overwritten_and_woken"),
        &[Arch::Aarch64],
        Mutant::ParkPage,
    ),
];

/// What every `cargo xtask test` plays.
pub fn short() -> Vec<Play> {
    let plays = scenario::plays(&catalogue::all(), &Arch::ALL, 1, 1);
    let way = |play: &Play| (play.scenario, play.stage.label);
    let right = plays.iter().filter(|play| SHORT.contains(&way(play))).cloned();
    let wrong = CONTROLS.iter().flat_map(|(staged, archs, mutant)| {
        let is_meant = move |play: &&Play| way(play) == *staged && archs.contains(&play.arch);
        plays.iter().filter(is_meant).map(|play| control(play, *mutant))
    });
    right.chain(wrong).collect()
}

fn control(play: &Play, mutant: Mutant) -> Play {
    let mut play = Play {
        control: true,
        ..play.clone()
    };
    mutant.inflict(&mut play);
    play
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_list_is_on_every_architecture_with_its_controls() {
        for arch in Arch::ALL {
            let of_arch: Vec<Play> = short().into_iter().filter(|play| play.arch == arch).collect();
            let everywhere = of_arch.iter().filter(|play| play.number != 56);
            assert_eq!(everywhere.count(), 10, "{arch}");
            assert_eq!(of_arch.iter().filter(|play| play.control).count(), 3, "{arch}");
        }
    }

    #[test]
    fn it_has_the_deaths_by_a_table_out_of_step() {
        let all = short();
        let unseen: Vec<&str> = all
            .iter()
            .filter(|play| play.arch == Arch::I386 && play.number == 56)
            .map(|play| play.stage.label)
            .collect();
        assert_eq!(unseen, ["quark_unseen", "reboot_unseen"]);
    }
}
