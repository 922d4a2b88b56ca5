//! Randomness from the CPU.

use core::arch::asm;

use crate::cpu::{self, Features};
use crate::regs::rdtsc;

/// RDRAND fails when asked faster than the source gives; ten tries are the manual's advice (SDM Vol. 1, 7.3.17.1).
const TRIES: u32 = 10;

macro_rules! hardware_random {
    ($name:ident, $insn:literal) => {
        /// One word of the instruction named; `None` if it keeps failing. The CPU must have it.
        fn $name() -> Option<usize> {
            for _ in 0..TRIES {
                let (word, ok): (usize, u8);
                // SAFETY: callers check the CPU's features; the instruction changes a register and the flags.
                unsafe { asm!(concat!($insn, " {}"), "setc {}", out(reg) word, out(reg_byte) ok, options(nomem, nostack)) };
                if ok != 0 {
                    return Some(word);
                }
            }
            None
        }
    };
}

hardware_random!(rdrand, "rdrand");
hardware_random!(rdseed, "rdseed");

/// Spreads every bit of `word` over all (the finaliser of 64-bit MurmurHash3).
const fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ word >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}

/// The best there is: RDSEED, else RDRAND, mixed with the TSC, which is all a Pentium has. Never waits.
pub fn word() -> usize {
    let seed = cpu::has(Features::RDSEED).then(rdseed).flatten();
    let random = seed.or_else(|| cpu::has(Features::RDRAND).then(rdrand).flatten());
    (mix(rdtsc()) ^ mix(random.unwrap_or(0) as u64 ^ 0x9e37_79b9_7f4a_7c15)) as usize
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_differ() {
        let words: [usize; 8] = core::array::from_fn(|_| super::word());
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn mixing_is_a_permutation_with_known_values() {
        assert_eq!(super::mix(0), 0);
        assert_ne!(super::mix(1), super::mix(2));
        assert!(super::mix(1).count_ones() > 16);
    }
}
