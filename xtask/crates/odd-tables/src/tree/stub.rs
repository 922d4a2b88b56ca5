//! What jumps to an arm64 Image as a loader does.

use super::{BLOB_AT, IMAGE_AT};

/// Code that puts the blob's address into x0, zeros into x1 to x3, and jumps to the image (Linux,
/// `Documentation/arch/arm64/booting.rst`). QEMU, which loads all three to where they belong, then adds nothing to the tree.
#[must_use]
pub fn stub() -> Vec<u8> {
    /// Where the two addresses stand, in words from the start.
    const LITERALS: u32 = 8;
    let literal = |register: u32, at: u32, word: u32| 0x5800_0000 | (word - at) << 5 | register; // ldr xN, =word
    let clear = |register: u32| 0xaa1f_03e0 | register; // mov xN, xzr
    let code = [
        literal(0, 0, LITERALS),
        literal(4, 1, LITERALS + 2),
        clear(1),
        clear(2),
        clear(3),
        0xd61f_0080, // br x4
        0xd503_201f, // nop
        0xd503_201f,
    ];
    let code = code.iter().flat_map(|word| word.to_le_bytes());
    let addresses = [BLOB_AT, IMAGE_AT].into_iter().flat_map(u64::to_le_bytes);
    code.chain(addresses).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_what_an_assembler_makes_of_it() {
        let words: Vec<u32> = super::stub()
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        assert_eq!(
            words,
            [
                0x5800_0100,
                0x5800_0124,
                0xaa1f_03e1,
                0xaa1f_03e2,
                0xaa1f_03e3,
                0xd61f_0080,
                0xd503_201f,
                0xd503_201f,
                0x4800_0000,
                0,
                0x4020_0000,
                0
            ]
        );
    }
}
