use super::*;

fn started() -> (CpuWord, Generation) {
    let word = CpuWord::new();
    let generation = word.begin_start().unwrap();
    (word, generation)
}

#[test]
fn a_start_that_is_awaited_comes_online_once() {
    let (word, generation) = started();
    assert_eq!(word.come_online(generation), Ok(()));
    assert_eq!(word.state(), CpuState::Online);
    assert!(word.come_online(generation).is_err());
    assert!(word.begin_start().is_err());
}

#[test]
fn a_stop_closes_the_gate() {
    let (word, generation) = started();
    assert_eq!(word.ask().origin, Origin::Starting);
    assert_eq!(
        word.come_online(generation).unwrap_err().found.state,
        CpuState::StopReq
    );
    word.park();
    assert_eq!(word.state(), CpuState::Parked);
}

#[test]
fn a_late_cpu_of_a_revoked_start_is_refused_even_after_a_second_start() {
    let (word, first) = started();
    assert_eq!(word.revoke(first), Ok(()));
    assert_eq!(word.come_online(first).unwrap_err().found.state, CpuState::Lost);
    assert!(
        word.begin_start().is_err(),
        "a lost CPU may be anywhere: it is not started again"
    );

    let (word, first) = started();
    word.come_online(first).unwrap();
    word.begin_offline().unwrap();
    word.go_off().unwrap();
    let second = word.begin_start().unwrap();
    assert_ne!(first, second);
    assert!(word.come_online(first).is_err());
    assert!(word.revoke(first).is_err());
    assert_eq!(word.come_online(second), Ok(()));
}

#[test]
fn a_revoke_that_comes_second_is_refused() {
    let (word, generation) = started();
    word.come_online(generation).unwrap();
    assert_eq!(word.revoke(generation).unwrap_err().found.state, CpuState::Online);
}

#[test]
fn registers_are_saved_once() {
    let (word, generation) = started();
    word.come_online(generation).unwrap();
    assert!(!word.view().is_asked());
    let asked = word.ask();
    assert_eq!((asked.state, asked.origin), (CpuState::StopReq, Origin::Online));
    assert_eq!(word.ask(), asked, "asking twice changes nothing");
    assert!(word.view().is_asked());
    assert_eq!(word.begin_answer(), Ok(()));
    assert!(word.begin_answer().is_err() && !word.view().is_asked());
}

#[test]
fn a_cpu_that_is_off_needs_no_stop() {
    let word = CpuWord::new();
    assert_eq!(word.ask().state, CpuState::Off);
    assert_eq!(word.state(), CpuState::Off);
}

#[test]
fn a_stop_bars_later_starts_of_cpus_that_are_off() {
    let word = CpuWord::new();
    assert_eq!(word.ask().state, CpuState::Off);
    assert_eq!(word.begin_start().unwrap_err().found.origin, Origin::Barred);
    assert!(!word.view().was_released());
}

#[test]
fn a_refused_start_leaves_a_cpu_that_was_never_there() {
    let (word, first) = started();
    assert_eq!(word.cancel_start(first), Ok(()));
    assert_eq!(word.state(), CpuState::Off);
    assert!(word.come_online(first).is_err());
    let second = word.begin_start().unwrap();
    assert!(
        word.come_online(first).is_err(),
        "the firmware lied, and its CPU comes late"
    );
    assert_eq!(word.come_online(second), Ok(()));
}

#[test]
fn a_request_keeps_what_the_cpu_was() {
    let origin = |word: &CpuWord| {
        word.ask();
        word.view().origin
    };
    let (word, generation) = started();
    assert_eq!(origin(&word), Origin::Starting);
    assert_eq!(
        word.view().generation,
        generation,
        "and which start of it this is"
    );

    let (word, generation) = started();
    word.revoke(generation).unwrap();
    assert_eq!(origin(&word), Origin::Lost);

    let (word, generation) = started();
    word.come_online(generation).unwrap();
    assert_eq!(origin(&word), Origin::Online);

    let (word, generation) = started();
    word.come_online(generation).unwrap();
    word.begin_offline().unwrap();
    assert_eq!(origin(&word), Origin::Dying);
    assert!(word.go_off().is_err(), "it has to park now");
}

#[test]
fn an_answer_needs_no_request_and_comes_once() {
    let (word, generation) = started();
    word.come_online(generation).unwrap();
    assert_eq!(word.begin_answer(), Ok(()));
    assert_eq!(word.view().origin, Origin::Online);
    assert!(word.begin_answer().is_err());
    assert_eq!(word.ask().state, CpuState::Saving);
    word.saved();
    assert!(word.view().has_answered());
    assert!(word.begin_answer().is_err());
    word.park();
    assert!(word.begin_answer().is_err());
}

#[test]
fn hardware_may_say_that_a_silent_cpu_is_off() {
    let (word, _) = started();
    word.off_by_hardware();
    assert_eq!(
        word.state(),
        CpuState::Starting,
        "only one that was asked is looked at"
    );
    word.ask();
    word.off_by_hardware();
    assert_eq!(word.state(), CpuState::Off);
    assert!(word.begin_start().is_err());
}

#[test]
fn the_generation_wraps_and_is_never_that_of_a_cpu_that_was_never_started() {
    let last = Generation::from_raw(u32::MAX);
    assert_eq!(last.get(), 0x00ff_ffff);
    assert_eq!(last.next().get(), 1);
}

#[test]
fn every_word_packs_and_unpacks() {
    for raw in 0..=0xfff {
        match View::from_raw(raw) {
            Some(view) => assert_eq!(view.pack(), raw),
            None => assert_eq!(
                View::unpack(raw).state,
                CpuState::Lost,
                "a word of nonsense may be any CPU's"
            ),
        }
    }
}

#[test]
fn a_boot_cpu_that_goes_off_was_released_and_can_be_started() {
    let word = CpuWord::new();
    assert!(!word.view().was_released());
    word.boot_cpu_online().unwrap();
    assert!(word.boot_cpu_online().is_err());
    word.begin_offline().unwrap();
    word.go_off().unwrap();
    assert!(
        word.view().was_released(),
        "a stop has to ask the hardware about it"
    );
    let generation = word.begin_start().unwrap();
    assert_eq!(word.come_online(generation), Ok(()));
}
