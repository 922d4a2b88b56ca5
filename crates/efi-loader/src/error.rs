//! Why nothing is booted.

use core::fmt;

/// What is wrong with what the file carries, or with the machine. Each is a sentence for the firmware's console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The loader's own headers, as firmware left them in memory, make no sense.
    NoHeaders,
    /// There is no section `.linux`.
    NoKernel,
    /// A section reaches beyond the file.
    CutOff,
    /// `.linux` is no bzImage.
    NotBzImage,
    /// `.linux` is no arm64 Image.
    NotImage,
    /// The kernel's header contradicts itself.
    BadHeader,
    /// The kernel must be loaded at an address of its own choice.
    NotRelocatable,
    /// A 32-bit kernel, and 64-bit firmware.
    Only32,
    /// A 64-bit kernel, and 32-bit firmware.
    Only64,
    /// The kernel is longer or shorter than its header says.
    KernelCutOff,
    /// More than the kernel takes.
    CommandLineTooLong,
    /// The firmware's device tree cannot be read.
    BadTree,
    /// No free memory where the kernel could be.
    NoRoom,
    /// No free memory for the initial RAM disk.
    NoRoomForInitrd,
    /// The firmware refuses a call that always works.
    Firmware,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHeaders => "the loader cannot read its own headers",
            Self::NoKernel => "the file carries no kernel: it has no section .linux",
            Self::CutOff => "a section reaches beyond the end of the file",
            Self::NotBzImage => "the section .linux is no bzImage",
            Self::NotImage => "the section .linux is no arm64 Image",
            Self::BadHeader => "the kernel's header contradicts itself",
            Self::NotRelocatable => "the kernel cannot be loaded where there is room",
            Self::Only32 => "the kernel is a 32-bit one, and this firmware is 64-bit",
            Self::Only64 => "the kernel is a 64-bit one, and this firmware is 32-bit",
            Self::KernelCutOff => "the kernel is cut off: it is shorter than its header says",
            Self::CommandLineTooLong => "the command line is longer than the kernel takes",
            Self::BadTree => "the firmware's device tree is damaged",
            Self::NoRoom => "there is no free memory where the kernel could be",
            Self::NoRoomForInitrd => "there is no free memory for the initial RAM disk",
            Self::Firmware => "the firmware refuses to say what it must know",
        })
    }
}

impl core::error::Error for Error {}
