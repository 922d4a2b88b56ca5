//! What a CPU stops for, in its own words: bounded text in its slot.
//!
//! A CPU that panics has something to say, and may never come to say it: it is second, or it owns the stop and dies of it.
//! Its message lies in its slot, so that the CPU which takes over, a debugger and a next kernel find it. Text that was in
//! the kernel's image from the beginning needs no copy: for it there is a pointer, which costs four stores on the way to a
//! stop.

use core::fmt::{self, Write as _};
use core::ops::Deref;

use crate::area::Slot;
use crate::mutants::mutant;
use crate::sync::{AtomicU32, Info64, Ordering, Shared, const_fn};

/// Bytes of a message that are kept.
pub const MESSAGE_LEN: usize = 128;

/// A message, cut to [`MESSAGE_LEN`] bytes at a character's end. Displays on one line: what would begin another, or speak
/// to the terminal, is shown as a space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message {
    bytes: [u8; MESSAGE_LEN],
    len: u8,
}

impl Message {
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; MESSAGE_LEN],
        len: 0,
    };

    /// As much of `text` as there is room for.
    pub(crate) fn cut(text: &str) -> Self {
        let mut message = Self::EMPTY;
        message.add(text);
        message
    }

    /// What memory holds: as far as it is text.
    pub(crate) fn from_memory(bytes: &[u8]) -> Self {
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => bytes
                .get(..error.valid_up_to())
                .and_then(|valid| core::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        Self::cut(text)
    }

    /// In pieces of so many characters.
    #[cfg(feature = "display")]
    pub(crate) fn parts(&self, width: usize) -> impl Iterator<Item = Self> {
        let mut left = &**self;
        core::iter::from_fn(move || {
            let end = left.char_indices().nth(width).map_or(left.len(), |(at, _)| at);
            let (part, rest) = left.split_at_checked(end)?;
            left = rest;
            (!part.is_empty()).then(|| Self::cut(part))
        })
    }

    /// Whether all of `text` fitted in.
    fn add(&mut self, text: &str) -> bool {
        let at = usize::from(self.len);
        let room = self.bytes.get_mut(at..).unwrap_or_default();
        let mut len = text.len().min(room.len());
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        if let (Some(place), Some(part)) = (room.get_mut(..len), text.as_bytes().get(..len)) {
            place.copy_from_slice(part);
            self.len += len as u8;
        }
        len == text.len()
    }
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text).then_some(()).ok_or(fmt::Error)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars()
            .try_for_each(|c| f.write_char(if c.is_control() { ' ' } else { c }))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A slot's part that is about the message.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Place {
    /// Whether the text is in the slot: a value of [`crate::area::saved`], or [`crate::report::WHOLE`].
    pub(crate) state: AtomicU32,
    /// How many bytes of it.
    pub(crate) len: AtomicU32,
    /// Where text lies that needs no copy.
    pub(crate) static_at: Info64,
    /// How many bytes of that; 0 if there is none.
    pub(crate) static_len: AtomicU32,
}

impl Place {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                state: AtomicU32::new(0),
                len: AtomicU32::new(0),
                static_at: Info64::new(),
                static_len: AtomicU32::new(0),
            }
        }
    }
}

/// Text in a slot.
pub(crate) type Text = Shared<[u8; MESSAGE_LEN]>;

impl Slot {
    /// Points to a message that lives as long as the machine. The first one of a CPU stays. On the slot's CPU alone.
    #[inline(always)]
    pub(crate) fn point_to(&self, text: &'static str) {
        let place = &self.message;
        if place.static_len.load(Ordering::Relaxed) == 0 {
            place.static_at.set(text.as_ptr().expose_provenance() as u64);
            place.static_len.store(text.len() as u32, Ordering::Release);
        }
    }

    /// Keeps a message. The first one of a CPU stays, for a later one tells what came of it. On the slot's CPU alone.
    pub(crate) fn keep(&self, what: &dyn fmt::Display) {
        let place = &self.message;
        if place.state.load(Ordering::Relaxed) != crate::area::saved::NONE {
            return;
        }
        place.state.store(crate::area::saved::WRITING, Ordering::Relaxed);
        let mut message = Message::EMPTY;
        // An error says that there was more of it than fits.
        let _ = write!(message, "{what}");
        if mutant!(WordsEarly) {
            place.state.store(crate::report::WHOLE, Ordering::Release);
        }
        // SAFETY: the slot is the executing CPU's, which comes here once; the text is not read before WHOLE (I4).
        unsafe { self.text.with_mut(|text| *text = message.bytes) };
        place.len.store(message.len.into(), Ordering::Relaxed);
        place.state.store(crate::report::WHOLE, Ordering::Release);
    }

    /// The message, if there is one.
    pub(crate) fn message(&self) -> Option<Message> {
        let place = &self.message;
        if place.state.load(Ordering::Acquire) == crate::report::WHOLE {
            let len = (place.len.load(Ordering::Relaxed) as usize).min(MESSAGE_LEN);
            // SAFETY: WHOLE was seen with acquire, and the text is not written after that (I4).
            let bytes = unsafe { self.text.with(|text| *text) };
            return Some(Message::from_memory(bytes.get(..len)?));
        }
        self.pointed_to().map(Message::cut)
    }

    /// Address and length of a message that was not copied.
    pub(crate) fn message_place(&self) -> Option<(u64, u32)> {
        let len = self.message.static_len.load(Ordering::Acquire);
        (len > 0).then(|| (self.message.static_at.get(), len))
    }

    fn pointed_to(&self) -> Option<&'static str> {
        let (at, len) = self.message_place()?;
        let first = core::ptr::with_exposed_provenance::<u8>(usize::try_from(at).ok()?);
        // SAFETY: the length was seen with acquire, and `point_to` stored it after the address of a text of that length, once
        // and for all; the text lives for ever.
        let bytes = unsafe { core::slice::from_raw_parts(first, len as usize) };
        // SAFETY: the bytes are those of a `str`.
        Some(unsafe { core::str::from_utf8_unchecked(bytes) })
    }
}

const _: () = assert!(size_of::<Place>() == 20 || cfg!(any(feature = "loom", feature = "shuttle")));
const _: () = assert!(MESSAGE_LEN <= u8::MAX as usize);

#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests {
    extern crate std;
    use std::{format, string::String};

    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        let long = "ä".repeat(100);
        assert_eq!(&*Message::cut(&long), "ä".repeat(64));
        let odd = String::from("x") + &long;
        assert_eq!(Message::cut(&odd).len(), 127);
        assert_eq!(&*Message::cut("short"), "short");
    }

    #[test]
    fn what_memory_holds_is_read_as_far_as_it_is_text() {
        assert_eq!(&*Message::from_memory(b"good\xff more"), "good");
        assert_eq!(&*Message::from_memory(&[0xff]), "");
        assert_eq!(Message::from_memory(&[b'x'; 300]).len(), MESSAGE_LEN);
    }

    #[test]
    fn a_message_is_one_line_and_says_nothing_to_a_terminal() {
        let text = Message::cut("left != right\n left: 1\x1b[2J");
        assert_eq!(format!("{text}"), "left != right  left: 1 [2J");
    }

    #[test]
    fn the_first_message_stays_whichever_way_it_came() {
        let slot = Slot::new();
        assert_eq!(slot.message(), None);
        slot.point_to("in the image");
        slot.point_to("later");
        assert_eq!(slot.message().as_deref(), Some("in the image"));
        slot.keep(&format_args!("written by {}", 1));
        slot.keep(&"later");
        assert_eq!(slot.message().as_deref(), Some("written by 1"));
        slot.keep(&"x".repeat(1000));
        assert_eq!(slot.message().as_deref(), Some("written by 1"));
    }

    #[test]
    fn more_than_fits_is_cut_and_nothing_else_is_lost() {
        let slot = Slot::new();
        slot.keep(&format_args!("{}{}", "y".repeat(100), "z".repeat(100)));
        let message = slot.message().unwrap();
        assert_eq!(message.len(), MESSAGE_LEN);
        assert!(message.ends_with(&"z".repeat(28)) && message.contains("yz"));
    }

    /// A message that fails while it is written: its CPU goes on without.
    #[test]
    fn a_message_that_fails_is_none() {
        struct Fails;
        impl fmt::Display for Fails {
            fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
                std::panic::panic_any(())
            }
        }
        let slot = Slot::new();
        let slot = std::panic::AssertUnwindSafe(&slot);
        assert!(std::panic::catch_unwind(|| slot.keep(&Fails)).is_err());
        slot.keep(&"the failure itself");
        assert_eq!(slot.message(), None);
    }
}
