//! What is known of odd machines, and verdicts on them.

use super::*;

#[test]
fn every_kind_is_known_to_odd_tables() {
    for (odd, ..) in all() {
        assert!(odd.right().is_some() && odd.tables("").is_some(), "{}", odd.name);
    }
}

#[test]
fn memory_that_is_given_out_is_found() {
    let text = "     ram 0x000000001000-0x000000008fff\nreserved 0x000000002000-0x000000003fff\n";
    let one = |held: Range<u64>, text| kept(std::slice::from_ref(&held), text);
    assert_eq!(kept(&[0x2000..0x4000, 0x9000..0xa000], text), Ok(()));
    assert!(one(0x2000..0x4001, text).unwrap_err().starts_with("0x4000"));
    assert!(one(0x1fff..0x2000, text).is_err());
    assert!(one(0x2000..0x3000, "").is_err());
}

#[test]
fn what_is_said_twice_or_never_is_wrong() {
    assert_eq!(said(&["b"], "abc\nx"), Ok(()));
    assert!(said(&["b"], "abc\nb").is_err());
    assert!(said(&["b"], "ac").is_err());
}

#[test]
fn a_list_that_is_not_whole_is_said_to_be() {
    let list = [Record::parse("@list source=MADT whole=no").unwrap()];
    assert_eq!(listed_whole(true, &list), Ok(()));
    assert_eq!(listed_whole(false, &[]), Ok(()));
    assert!(listed_whole(false, &list).is_err() && listed_whole(true, &[]).is_err());
}

#[test]
fn a_panic_comes_once_and_for_its_reason() {
    let records = |lines: &[&str]| {
        lines
            .iter()
            .filter_map(|line| Record::parse(line))
            .collect::<Vec<_>>()
    };
    let one = "@panic cpu=0 why=\"external abort at pc=0x1\"";
    assert_eq!(panicked("external abort", &records(&[one])), Ok(()));
    assert!(panicked("external abort", &records(&[one, one])).is_err());
    assert!(panicked("lie in RAM", &records(&[one])).is_err());
    assert!(panicked("lie in RAM", &records(&[])).is_err());
}
