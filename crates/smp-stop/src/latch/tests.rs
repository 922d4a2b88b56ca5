use super::*;
use cpumask::CpuId;

fn cpu(n: u32) -> Owner {
    Owner::of(Some(CpuId::new(n)), || n.into())
}

fn first(latch: &Latch, n: u32, reason: Reason) -> Ticket {
    match latch.claim(cpu(n), reason) {
        Claim::First(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_claim_holds_and_an_equal_one_loses() {
    let latch = Latch::new();
    assert_eq!(latch.hold(), None);
    let ticket = first(&latch, 3, Reason::Panic);
    assert!(latch.honours(ticket));
    assert_eq!(latch.claim(cpu(4), Reason::Panic), Claim::Lost);
    assert_eq!(latch.claim(cpu(4), Reason::Reboot), Claim::Lost);
    assert_eq!(latch.hold().unwrap().owner.cpu(), Some(CpuId::new(3)));
}

#[test]
fn a_higher_reason_takes_the_latch_and_voids_the_ticket() {
    let latch = Latch::new();
    let reboot = first(&latch, 0, Reason::Reboot);
    latch.advance(reboot, Phase::Done).unwrap();
    let Claim::Raised(crash) = latch.claim(cpu(1), Reason::Crash) else {
        panic!("a crash is more than a reboot");
    };
    assert!(latch.honours(crash) && !latch.honours(reboot));
    assert_eq!(latch.advance(reboot, Phase::Done), Err(Lost));
    let hold = latch.hold().unwrap();
    assert_eq!(
        (hold.reason, hold.phase),
        (Reason::Crash, Phase::Stopping),
        "all is to be done again"
    );
}

#[test]
fn the_owner_comes_again_and_may_raise_its_own_reason_but_not_lower_it() {
    let latch = Latch::new();
    let ticket = first(&latch, 0, Reason::Panic);
    assert_eq!(
        latch.claim(cpu(0), Reason::Reboot),
        Claim::Again(ticket, Phase::Stopping)
    );
    assert_eq!(latch.hold().unwrap().reason, Reason::Panic);
    latch.advance(ticket, Phase::Done).unwrap();
    assert_eq!(
        latch.claim(cpu(0), Reason::Crash),
        Claim::Again(ticket, Phase::Done)
    );
    assert_eq!(latch.hold().unwrap().reason, Reason::Crash);
    assert_eq!(latch.claim(cpu(1), Reason::Crash), Claim::Lost);
}

#[test]
fn one_stands_by_and_takes_over_once() {
    let latch = Latch::new();
    assert!(!latch.stand_by(), "there is nobody to stand by for");
    first(&latch, 0, Reason::Panic);
    assert!(latch.stand_by());
    assert!(!latch.stand_by());
    let seen = latch.hold().unwrap();
    let ticket = latch.take_over(seen, cpu(2)).unwrap();
    assert!(latch.honours(ticket));
    assert_eq!(latch.take_over(seen, cpu(3)), Err(Lost));
    assert_eq!(latch.take_over(latch.hold().unwrap(), cpu(3)), Err(Lost), "once");
    assert!(!latch.stand_by());
}

#[test]
fn an_owner_that_is_done_is_not_taken_over_from() {
    let latch = Latch::new();
    let ticket = first(&latch, 0, Reason::Panic);
    let seen = latch.hold().unwrap();
    latch.advance(ticket, Phase::Released).unwrap();
    assert_eq!(latch.take_over(seen, cpu(1)), Err(Lost));
    assert!(!latch.stand_by());
}

#[test]
fn phases_do_not_go_back() {
    let latch = Latch::new();
    let ticket = first(&latch, 0, Reason::Panic);
    latch.advance(ticket, Phase::Done).unwrap();
    latch.advance(ticket, Phase::Released).unwrap();
    assert_eq!(latch.hold().unwrap().phase, Phase::Done);
}

#[test]
fn whoever_stands_by_goes_on_when_the_latch_passes_on() {
    let latch = Latch::new();
    first(&latch, 0, Reason::Reboot);
    assert!(latch.stand_by());
    latch.claim(cpu(1), Reason::Panic);
    assert!(latch.hold().unwrap().deputy && !latch.stand_by());
}

#[test]
fn a_cpu_without_a_number_is_known_by_its_hardware_id() {
    let latch = Latch::new();
    let stranger = Owner::of(None, || 0x0000_0081_0000_0100);
    assert_eq!(
        (stranger.cpu(), stranger),
        (None, Owner::of(None, || 0x0000_0081_0000_0100))
    );
    assert_ne!(stranger, Owner::of(None, || 0x0000_0081_0000_0101));
    assert!(matches!(latch.claim(stranger, Reason::Panic), Claim::First(_)));
    assert!(matches!(latch.claim(stranger, Reason::Panic), Claim::Again(..)));
    assert_eq!(latch.claim(cpu(0x100), Reason::Panic), Claim::Lost);
    assert_eq!(Owner::of(Some(CpuId::new(70_000)), || 7).cpu(), None);
}

#[test]
fn every_hold_packs_and_unpacks() {
    for raw in (0..=u32::MAX).step_by(4093) {
        if let Some(hold) = Hold::from_raw(raw) {
            assert_eq!(Hold::from_raw(hold.pack()), Some(hold));
        }
    }
    assert_eq!(Hold::from_raw(0), None);
}
