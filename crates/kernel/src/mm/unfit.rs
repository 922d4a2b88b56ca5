//! Why a machine's memory is not enough to boot, in sentences.

use core::fmt;
use core::ops::Range;

use boot_info::Memblock;
use boot_info::memblock::Error;

/// Why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The memory map is too long.
    Map(Error),
    /// Not all of the image lies in RAM that the map knows of.
    Image {
        /// Physical addresses of the image.
        image: Range<u64>,
        /// Bytes of RAM in the map.
        ram: u64,
        /// Where that ends.
        end: u64,
    },
    /// Less than [`Unfit::ROOM`] is free where page tables can lie.
    NoRoom {
        /// Bytes of RAM.
        ram: u64,
        /// Bytes that are taken, RAM or not.
        taken: u64,
    },
}

impl Unfit {
    /// Bytes in a row that must be free when the final page tables are built: for those, and for the first of all else.
    pub(crate) const ROOM: u64 = 512 << 10;
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self::Map(error)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(error) => write!(f, "the memory map does not fit: {error}"),
            Self::Image { image, ram, end } => write!(
                f,
                "the kernel's image, {:#x}-{:#x}, lies outside of RAM: the memory map has {} KiB, up to {:#x}",
                image.start,
                image.end - 1,
                ram >> 10,
                end.saturating_sub(1)
            ),
            Self::NoRoom { ram, taken } => write!(
                f,
                "too little memory: {} KiB of RAM, {} KiB of it taken, and no {} KiB in a row are free for page tables",
                ram >> 10,
                taken >> 10,
                Self::ROOM >> 10
            ),
        }
    }
}

/// Whether the image lies in RAM.
///
/// # Errors
/// [`Unfit::Image`].
pub(crate) fn check_image(memblock: &Memblock, image: &Range<u64>) -> Result<(), Unfit> {
    if memblock.is_memory(image.start, image.end - image.start) {
        return Ok(());
    }
    Err(Unfit::Image {
        image: image.clone(),
        ram: memblock.total(),
        end: memblock.end_of_ram(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_outside_of_ram_is_called_that() {
        let mut memblock = Memblock::new();
        memblock.add(0x10_0000, 0x100_0000).unwrap();
        assert_eq!(check_image(&memblock, &(0x20_0000..0x30_0000)), Ok(()));
        for image in [0..0x10_0001, 0x100_0000..0x110_0001, 0x4000_0000..0x4000_1000] {
            let why = check_image(&memblock, &image).unwrap_err().to_string();
            let rest = "lies outside of RAM: the memory map has 16384 KiB, up to 0x10fffff";
            assert!(why.contains(rest), "{why}");
            assert!(why.contains(&format!("image, {:#x}-", image.start)), "{why}");
        }
    }

    #[test]
    fn too_little_memory_is_called_that() {
        let why = Unfit::NoRoom {
            ram: 3 << 20,
            taken: 1 << 20,
        };
        let why = why.to_string();
        assert!(
            why.starts_with("too little memory: 3072 KiB of RAM, 1024 KiB"),
            "{why}"
        );
    }
}
