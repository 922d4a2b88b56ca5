//! A CPU's registers, as one fixed block that only its architecture understands.

use core::fmt;

/// Words a block has room for: 31 general registers of the largest architecture, and a few of the system's.
pub const REGISTER_WORDS: usize = 36;

/// The registers of one CPU. Program counter, stack and frame pointer have places of their own, so that a backtrace
/// needs no architecture; the rest are words in the order the architecture chose, named by `machine`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    machine: u32,
    len: u32,
    pc: u64,
    sp: u64,
    fp: u64,
    words: [u64; REGISTER_WORDS],
}

impl Registers {
    /// A block with nothing in it.
    pub const EMPTY: Self = Self {
        machine: 0,
        len: 0,
        pc: 0,
        sp: 0,
        fp: 0,
        words: [0; REGISTER_WORDS],
    };

    /// Starts the block anew. `machine` says how to read the words: by convention the ELF `e_machine` number.
    pub fn begin(&mut self, machine: u16, pc: u64, sp: u64, fp: u64) {
        (self.machine, self.len) = (machine.into(), 0);
        (self.pc, self.sp, self.fp) = (pc, sp, fp);
    }

    /// Bit of `machine`: see [`Self::set_own`].
    pub(crate) const OWN: u32 = 1 << 16;

    /// Says that these are the registers of the code that saves them, for want of a frame: the program counter is that of
    /// `save_regs` or of its caller, and tells nothing about what the CPU did. A report shows none for the owner then.
    pub fn set_own(&mut self) {
        self.machine |= Self::OWN;
    }

    /// Whether they are.
    pub const fn is_own(&self) -> bool {
        self.machine & Self::OWN != 0
    }

    /// Adds a word; one past [`REGISTER_WORDS`] is dropped.
    pub fn push(&mut self, word: u64) {
        if let Some(slot) = self.words.get_mut(self.len as usize) {
            *slot = word;
            self.len += 1;
        }
    }

    /// Adds words; those past [`REGISTER_WORDS`] are dropped. In one piece where they fit: every CPU that stops does this.
    #[inline(always)]
    pub fn extend<const N: usize>(&mut self, words: &[u64; N]) {
        let room = self.words.get_mut(self.len as usize..).unwrap_or_default();
        match room.first_chunk_mut::<N>() {
            Some(place) => {
                copy(place, words);
                self.len += N as u32;
            }
            None => words.iter().for_each(|word| self.push(*word)),
        }
    }

    /// How to read the words.
    pub const fn machine(&self) -> u32 {
        self.machine & (Self::OWN - 1)
    }

    /// Program counter.
    pub const fn pc(&self) -> u64 {
        self.pc
    }

    /// Stack pointer.
    pub const fn sp(&self) -> u64 {
        self.sp
    }

    /// Frame pointer: where a walk over the stack begins.
    pub const fn fp(&self) -> u64 {
        self.fp
    }

    /// All words, in the architecture's order.
    pub fn words(&self) -> &[u64] {
        self.words.get(..self.len as usize).unwrap_or(&self.words)
    }
}

/// Copies in pieces of sizes that the compiler knows, none of them more than the four words for which it needs no call on any
/// architecture. Of a loop it would make one.
#[inline(always)]
fn copy(to: &mut [u64], from: &[u64]) {
    const { assert!(REGISTER_WORDS < 40) };
    let rest = sixteen(sixteen((to, from)));
    piece::<1>(piece::<2>(piece::<4>(rest)));
}

/// What is still to be copied, and where to.
type Rest<'a, 'b> = (&'a mut [u64], &'b [u64]);

#[inline(always)]
fn sixteen<'a, 'b>(rest: Rest<'a, 'b>) -> Rest<'a, 'b> {
    piece::<4>(piece::<4>(piece::<4>(piece::<4>(rest))))
}

/// Copies `N` words if there are so many.
#[inline(always)]
fn piece<'a, 'b, const N: usize>((to, from): Rest<'a, 'b>) -> Rest<'a, 'b> {
    if to.len().min(from.len()) < N {
        return (to, from);
    }
    let ((to, to_rest), (from, from_rest)) = (to.split_at_mut(N), from.split_at(N));
    to.copy_from_slice(from);
    (to_rest, from_rest)
}

impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc={:#x} sp={:#x} fp={:#x}", self.pc, self.sp, self.fp)
    }
}
