use proptest::prelude::*;

use super::*;

fn words(line: &str) -> Vec<(&str, Option<&str>)> {
    Params::new(line).map(|a| (a.name, a.value)).collect()
}

#[test]
fn splits_as_linux_does() {
    assert_eq!(
        words("  a  b=c\td= \n"),
        [("a", None), ("b", Some("c")), ("d", Some(""))]
    );
    assert_eq!(words(r#"run="a;b" x"#), [("run", Some("a;b")), ("x", None)]);
    assert_eq!(words(r#""run=a b" x"#), [("run", Some("a b")), ("x", None)]);
    assert_eq!(
        words(r#"dyndbg="file a.c +p; b""#),
        [("dyndbg", Some("file a.c +p; b"))]
    );
    assert_eq!(
        words(r#"a=b"c d"e"#),
        [("a", Some(r#"b"c d"e"#))],
        "inner quotes only keep blanks"
    );
    assert_eq!(
        words("a=b=c =d ="),
        [("a", Some("b=c")), ("", Some("d")), ("", Some(""))]
    );
    assert_eq!(
        words(r#"run="open to the end"#),
        [("run", Some("open to the end"))]
    );
    assert_eq!(words(r#"" "#), [(" ", None)], "an open quote holds the blank");
    assert_eq!(words(r#""" """"#), [("", None), ("\"", None)]);
    assert!(!Params::new(r#"a="b c"#).next().unwrap().closed);
}

fn refuse(_: Option<&str>) -> Result<(), ValueError> {
    Err(ValueError::Other("never"))
}

#[test]
fn reports_everything_it_does_not_handle() {
    let table = [
        Param {
            name: "nr_cpus",
            help: "",
            parse: |v| parse_u64(v.ok_or(ValueError::Missing)?).map(drop),
        },
        Param {
            name: "bad",
            help: "",
            parse: refuse,
        },
    ];
    let mut seen = Vec::new();
    let line = "nr-cpus=4 nr_cpus bad=1 foo=bar loose -- init args=1 -- x";
    parse_args(line, &[&table], &mut |e| seen.push(e));
    assert_eq!(seen.len(), 5);
    assert!(matches!(
        seen[0],
        Event::Bad {
            why: ValueError::Missing,
            ..
        }
    ));
    assert!(matches!(seen[1], Event::Bad { why: ValueError::Other("never"), arg } if arg.value == Some("1")));
    assert!(matches!(seen[2], Event::Unknown(a) if a.raw == "foo=bar"));
    assert!(matches!(seen[3], Event::Unknown(a) if a.raw == "loose"));
    assert_eq!(seen[4], Event::ForInit("init args=1 -- x"));
}

#[test]
fn an_open_quote_is_reported_and_still_handled() {
    let mut seen = Vec::new();
    parse_args(r#"x="a b"#, &[], &mut |e| seen.push(e));
    assert!(matches!(seen[..], [Event::OpenQuote(_), Event::Unknown(a)] if a.value == Some("a b")));
}

#[test]
fn numbers_and_sizes() {
    assert_eq!(parse_u64("42"), Ok(42));
    assert_eq!(parse_u64("0x2a"), Ok(42));
    assert_eq!(parse_u64("052"), Ok(42));
    assert_eq!(parse_u64("0"), Ok(0));
    assert_eq!(parse_u64("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(parse_u64("18446744073709551616"), Err(ValueError::TooLarge));
    for bad in ["", "x", "-1", "+1", "0x", "é"] {
        assert_eq!(parse_u64(bad), Err(ValueError::NotANumber), "{bad}");
    }
    assert_eq!(parse_u64("4k"), Err(ValueError::TrailingText));
    assert_eq!(parse_size("4k"), Ok(4096));
    assert_eq!(parse_size("16E"), Err(ValueError::TooLarge));
    assert_eq!(memparse("64M@1G"), Ok((64 << 20, "@1G")));
    assert_eq!(memparse("1€"), Ok((1, "€")));
}

#[test]
fn bools_and_lists() {
    for yes in [None, Some("1"), Some("y"), Some("Yes"), Some("on"), Some("true")] {
        assert_eq!(parse_bool(yes), Ok(true));
    }
    for no in ["0", "n", "OFF", "false"] {
        assert_eq!(parse_bool(Some(no)), Ok(false));
    }
    for bad in ["", "o", "maybe", "2"] {
        assert_eq!(parse_bool(Some(bad)), Err(ValueError::NotABool));
    }
    assert_eq!(list("a,, b ,c,").collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn the_buffer_truncates_loudly_and_cleans() {
    let mut line = CommandLine::EMPTY;
    line.set(b"quiet\0rest");
    assert_eq!((line.as_str(), line.truncated()), ("quiet", false));
    line.set(b"a\tb\x01c\xffd");
    assert_eq!(line.as_str(), "a b?c?d");
    line.set("é=1".as_bytes());
    assert_eq!(line.as_str(), "é=1");
    line.set(&[b'x'; CommandLine::CAPACITY + 1]);
    assert_eq!(
        (line.as_bytes().len(), line.truncated()),
        (CommandLine::CAPACITY, true)
    );
    let mut cut = [b'x'; CommandLine::CAPACITY + 1];
    cut[CommandLine::CAPACITY - 1..].copy_from_slice("é".as_bytes());
    line.set(&cut);
    assert!(
        line.truncated() && line.as_str().ends_with("x?"),
        "a letter cut in half"
    );
}

proptest! {
    #[test]
    fn any_text_is_split_into_words_that_rebuild_it(line in r#"[a-c=" \t\n_é-]{0,60}"#) {
        let mut rebuilt = String::new();
        for arg in Params::new(&line) {
            rebuilt.push_str(arg.raw);
            prop_assert!(!arg.raw.is_empty());
            prop_assert!(arg.value.is_none_or(|v| arg.raw.contains(v)));
        }
        let strip = |s: &str| s.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
        prop_assert_eq!(strip(&rebuilt), strip(&line));
    }

    #[test]
    fn what_is_quoted_comes_back(name in "[a-z_]{1,8}", value in "[a-z;= é]{0,20}") {
        let outer = format!("x \"{name}={value}\" y");
        let inner = format!("x {name}=\"{value}\" y");
        for line in [outer, inner] {
            let arg = Params::new(&line).nth(1).unwrap();
            prop_assert_eq!((arg.name, arg.value), (name.as_str(), Some(value.as_str())));
        }
    }

    #[test]
    fn any_bytes_become_text(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let mut line = CommandLine::EMPTY;
        line.set(&bytes);
        prop_assert_eq!(line.as_str().len(), line.as_bytes().len());
        prop_assert!(!line.as_str().bytes().any(|b| b.is_ascii_control()));
        let _ = line.params().count();
    }

    #[test]
    fn sizes_never_panic(text in "\\PC{0,12}") {
        let _ = (memparse(&text), parse_bool(Some(&text)), list(&text).count());
    }
}
