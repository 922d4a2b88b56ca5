//! Prints the page about records for the book: `cargo run -p records --example page > docs/records.md`.

use std::fmt::Write as _;

/// The page. It is compared with the one in the book by a test.
pub fn page() -> String {
    let mut page = String::from(
        "# What the kernel tells the host\n\n\
         A record is a line of the console that begins with `@`: a kind, and fields `key=value` in this order. A value is a word\n\
         without blanks, or text between double quotes, which holds neither a quote nor the end of a line. Sets of CPUs are lists as\n\
         Linux has them, `0-3,7`. A reader passes over fields that it does not know. Everything else on the console is for people,\n\
         and no verdict rests on it.\n\n\
         The types are in [`crates/records`](../crates/records/src/kinds.rs), which prints and reads them; this page is made from them.\n",
    );
    for (kind, doc, fields) in records::catalogue() {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## `@{kind}`\n\n{}\n\n| field | says |\n|---|---|\n",
            doc.trim()
        );
        for field in fields {
            let _ = writeln!(page, "| `{}` | {} |", field.name, field.doc.trim());
        }
    }
    page
}

#[cfg_attr(test, expect(dead_code, reason = "the test wants the page alone"))]
fn main() {
    print!("{}", page());
}
