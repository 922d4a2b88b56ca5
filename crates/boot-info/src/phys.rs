//! Reading physical memory through the caller's eyes.

/// How a reader gets at physical memory: `(address, length)` to bytes, or `None` where that range
/// is not mapped as a whole. The function decides what exists; readers never form an address
/// themselves.
pub type PhysMap<'f, 'm> = &'f dyn Fn(u64, usize) -> Option<&'m [u8]>;

/// How much of a string is asked for at once. Strings end anywhere, so a reader must not demand
/// that a whole maximum-length buffer be mapped: it asks up to the next multiple of this.
const CHUNK: u64 = 4096;

/// Feeds the bytes of the NUL-terminated string at `start` to `sink`, at most `max` of them.
///
/// Returns how the string ended, so that truncation is never silent.
pub(crate) fn read_cstr(phys: PhysMap, start: u64, max: usize, sink: &mut dyn FnMut(&[u8])) -> StrEnd {
    let mut at = start;
    let mut left = max;
    while left > 0 {
        let to_boundary = CHUNK - at % CHUNK;
        let len = left.min(to_boundary as usize);
        let Some(chunk) = phys(at, len).and_then(|bytes| bytes.get(..len)) else {
            return StrEnd::Unmapped;
        };
        if let Some(nul) = chunk.iter().position(|&b| b == 0) {
            sink(&chunk[..nul]);
            return StrEnd::Terminated;
        }
        sink(chunk);
        left -= len;
        let Some(next) = at.checked_add(len as u64) else {
            return StrEnd::Unmapped;
        };
        at = next;
    }
    StrEnd::TooLong
}

/// How a string read by [`read_cstr`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrEnd {
    /// At its NUL, as it should.
    Terminated,
    /// No NUL within the maximum.
    TooLong,
    /// It ran into memory the caller does not map.
    Unmapped,
}

/// Copies a plain structure out of physical memory.
pub(crate) fn read<T: zerocopy::FromBytes>(phys: PhysMap, at: u64) -> Option<T> {
    let bytes = phys(at, size_of::<T>())?;
    T::read_from_prefix(bytes).ok().map(|(value, _)| value)
}
