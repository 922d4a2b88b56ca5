//! What the documents say about the report is what the code says.

/// The first two columns of each row that begins with two numbers.
fn rows<'a>(text: &'a str, start: &'a str) -> Vec<(u32, u32)> {
    let number = |column: Option<&str>| column?.trim().parse().ok();
    let row = |line: &str| {
        let mut columns = line.strip_prefix(start)?.split('|');
        Some((number(columns.next())?, number(columns.next())?))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn the_report_is_as_the_book_says() {
    let book = include_str!("../../../docs/stop.md");
    let section = book
        .split_once("### Field by field")
        .and_then(|(_, rest)| rest.split_once("| reason | meaning |"))
        .map_or("", |(section, _)| section);
    // A test of the crate compares this with the code.
    let code = include_str!("../../../crates/smp-stop/src/report/layout.rs");
    assert_eq!(rows(section, "|"), rows(code, "//! |"));
    assert!(rows(section, "|").len() > 20);
}

#[test]
fn the_book_knows_every_reason() {
    let book = include_str!("../../../docs/stop.md");
    for code in 1..=u32::from(u8::MAX) {
        let Some(why) = smp_stop::Why::from_code(code) else {
            continue;
        };
        assert!(
            book.contains(&format!("| {why} | ")),
            "{why} is not in the table of reasons"
        );
    }
}
