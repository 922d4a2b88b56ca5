//! The book's page about records is the one that the types make.

#[path = "../examples/page.rs"]
mod page;

#[test]
fn the_page_is_that_of_the_types() {
    // Cargo starts tests in their package's folder.
    let book = std::fs::read_to_string("../../docs/records.md").unwrap();
    assert_eq!(
        book,
        page::page(),
        "cargo run -p records --example page > docs/records.md"
    );
}
