//! Where tables live.

/// Memory for tables.
///
/// # Safety
/// For as long as a [`Mapper`](crate::Mapper) uses the tables:
/// - [`alloc_table`](Self::alloc_table) returns pages that are zeroed and that nobody else uses;
/// - [`table_ptr`](Self::table_ptr), for a table from `alloc_table`, for the root, and for every table linked
///   below it, points to the table's bytes: readable, writable, aligned for its entries, and always the same.
pub unsafe trait TableMemory {
    /// A zeroed page for a table, or nothing if memory is short. It is never given back.
    ///
    /// Returns its physical address, page aligned and low enough for the format (a legacy i386 table has to
    /// lie below 4 GiB).
    fn alloc_table(&mut self) -> Option<u64>;

    /// Where the table at this physical address can be reached.
    fn table_ptr(&self, pa: u64) -> *mut u8;
}

// SAFETY: the trait's promises are those of what is referred to.
unsafe impl<M: TableMemory + ?Sized> TableMemory for &mut M {
    fn alloc_table(&mut self) -> Option<u64> {
        (**self).alloc_table()
    }

    fn table_ptr(&self, pa: u64) -> *mut u8 {
        (**self).table_ptr(pa)
    }
}
