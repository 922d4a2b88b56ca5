//! What an architecture adds in a UP build: nothing.

/// What an architecture adds in a UP build: nothing.
pub trait SmpArch {}

impl<A> SmpArch for A {}
