//! A boot that leaves a root table out of step does not compile.

/// The cases: `passes.rs` compiles, the others fail with the words that stand next to them.
#[test]
fn leaving_the_resync_out_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/resync/passes.rs");
    cases.compile_fail("tests/resync/left_out_*.rs");
    cases.compile_fail("tests/resync/proof_*.rs");
}
