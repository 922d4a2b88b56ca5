//! Which ways are played, and which are refused.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    verb: Verb,
}

/// What `words` play, and what they leave out: the ways by name.
fn ways(words: &[&str]) -> [Vec<&'static str>; 2] {
    let verb = Line::parse_from(["scenario"].iter().chain(words)).verb;
    let plays = verb.plays(&verb.chosen().unwrap());
    let (plays, left_out) = playable(plays, verb.efi);
    let left_out: Vec<Play> = left_out.into_iter().map(|(play, _)| play).collect();
    [plays, left_out].map(|plays| plays.iter().map(|play| play.stage.label).collect())
}

#[test]
fn with_uefi_what_cannot_be_is_left_out_and_named() {
    let words = ["resync_skipped", "--arch", "i386"];
    let [all, none] = ways(&words);
    assert_eq!((all.len(), none.len()), (11, 0));
    let efi = [&words[..], &["--efi"]].concat();
    let [played, left_out] = ways(&efi);
    assert_eq!(
        played,
        ["up", "late_unseen", "after_unseen", "quark_unseen", "pae_late"]
    );
    assert_eq!(
        left_out,
        ["early", "late", "after", "pae", "pae_unseen", "reboot_unseen"]
    );
    let only = ["resync_skipped/reboot_unseen", "--efi"];
    let verb = Line::parse_from(["scenario"].iter().chain(&only)).verb;
    let error = verb.run(Install::Never).unwrap_err();
    assert_eq!(crate::exit::of_error(&error), Exit::Usage, "{error:#}");
}

/// OVMF lets CPUs run that nobody starts; a machine that resets is not audited.
#[test]
fn with_uefi_a_up_kernel_is_not_audited_among_cpus_that_it_never_starts() {
    let words = |arch| ["up_build", "--arch", arch, "--efi"];
    for arch in ["x86_64", "i386"] {
        let audited = ["panic", "twice", "crash_after_reboot"];
        assert_eq!(ways(&words(arch)), [vec!["reboot"], audited.to_vec()]);
    }
    let [played, left_out] = ways(&words("aarch64"));
    assert_eq!((played.len(), left_out.len()), (4, 0));
}

/// The way back to real mode ends at a BIOS.
#[test]
fn whoever_reboots_by_bios_says_so() {
    for stage in catalogue::all().iter().flat_map(|scenario| &scenario.stages) {
        let by_bios = [stage.run, stage.words]
            .iter()
            .any(|text| text.contains("reboot bios") || text.contains("reboot=b"));
        let refused = stage.not_by_efi.is_some();
        assert!(refused || !by_bios, "{}", stage.label);
        assert!(!refused || stage.boot != Some(Boot::Efi), "{}", stage.label);
    }
}
