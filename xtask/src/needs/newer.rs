//! What only a newer QEMU can show. Tests that need it are skipped by name on an older one, and `doctor` says so.

use std::sync::OnceLock;

use serde::Serialize;

use super::tool;
use crate::arch::Arch;

/// Something that QEMU's emulation of CPUs (TCG) learned after [`tool::QEMU_MINIMUM`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newer {
    /// x86: the local APIC's x2APIC mode, and with it APIC ids above 254.
    X2apic,
    /// aarch64: non-maskable interrupts, FEAT_NMI of the CPU with GICv3.3.
    ArmNmi,
}

impl Newer {
    /// Everything, for `doctor`.
    pub const ALL: [Self; 2] = [Self::X2apic, Self::ArmNmi];

    /// The name in the manuals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X2apic => "x2APIC",
            Self::ArmNmi => "FEAT_NMI",
        }
    }

    /// What it is for, to end a sentence.
    pub const fn why(self) -> &'static str {
        match self {
            Self::X2apic => "to boot more than 255 x86 CPUs",
            Self::ArmNmi => "to stop aarch64 CPUs by a true NMI (GICv3.3)",
        }
    }

    /// The first version that has it, from QEMU's change log.
    pub const fn minimum(self) -> (u32, u32) {
        match self {
            Self::X2apic => (9, 0),
            Self::ArmNmi => (9, 1),
        }
    }

    /// An architecture whose emulator is to have it. All emulators of one version have the same.
    pub const fn arch(self) -> Arch {
        match self {
            Self::X2apic => Arch::X86_64,
            Self::ArmNmi => Arch::Aarch64,
        }
    }

    /// Why a machine of `arch` cannot show it here; `None` if it can.
    pub fn lacking(self, arch: Arch) -> Option<String> {
        self.lacking_in(arch, qemu_version(arch))
    }

    fn lacking_in(self, arch: Arch, found: Option<(u32, u32)>) -> Option<String> {
        let (qemu, name, (major, minor)) = (arch.qemu(), self.name(), self.minimum());
        match found {
            Some(found) if found >= self.minimum() => None,
            Some((a, b)) => Some(format!(
                "{name} needs QEMU {major}.{minor}, and {qemu} is {a}.{b}"
            )),
            None => Some(format!(
                "{name} needs QEMU {major}.{minor}, and {qemu} does not say what it is"
            )),
        }
    }
}

/// The version of the emulator of `arch` that PATH finds. Asked once: the same one boots everything.
pub fn qemu_version(arch: Arch) -> Option<(u32, u32)> {
    static KNOWN: [OnceLock<Option<(u32, u32)>>; Arch::ALL.len()] = [const { OnceLock::new() }; 3];
    *KNOWN[arch as usize].get_or_init(|| {
        let place = tool::on_path(arch.qemu())?;
        tool::version(&tool::first_line(place, &["--version"])?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_that_has_it_does_and_the_one_before_is_named() {
        let x2apic = |found| Newer::X2apic.lacking_in(Arch::I386, found);
        assert_eq!(x2apic(Some((9, 0))), None);
        assert_eq!(x2apic(Some((10, 0))), None);
        let why = x2apic(Some((8, 2))).unwrap();
        assert_eq!(why, "x2APIC needs QEMU 9.0, and qemu-system-i386 is 8.2");
        assert!(x2apic(None).unwrap().contains("does not say"));
    }

    #[test]
    fn what_every_supported_version_has_is_not_newer() {
        for newer in Newer::ALL {
            assert!(newer.minimum() > tool::QEMU_MINIMUM, "{}", newer.name());
        }
    }
}
