//! The trampoline: what secondary CPUs run below 1 MiB until they are where the kernel is.
//!
//! Its code is `trampoline.s` and, per kernel, `entry/smp.s`. The kernel links it as a blob; [`install`] makes the copy that
//! runs. The room for it, which must lie below 1 MiB and begin a page, is laid out as
//!
//! | | |
//! | --- | --- |
//! | the blob | one page |
//! | root table | one page: a copy, used where the root itself lies above 4 GiB and a CPU in 32-bit mode cannot name it |
//! | slots | 16 bytes for each CPU |

use core::fmt;
use core::mem::{offset_of, size_of};

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Where a CPU looks for the fields of the blob's header; all addresses are relative to the blob until it is installed.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
pub struct Header {
    jump: [u8; 8],
    /// GDT with flat 32-bit code at 0x08, the kernel's code at 0x10, data at 0x18.
    pub gdt: TablePointer,
    /// IDT for CPUs that are parked.
    pub idt: TablePointer,
    /// From real mode to protected mode.
    pub protected: FarPointer,
    /// To where paging is on.
    pub paged: FarPointer,
    /// Back to protected mode without paging, to park.
    pub leave: FarPointer,
    /// The root table to turn paging on with.
    pub root: u32,
    /// CR4 to turn paging on with.
    pub cr4: u32,
    /// Bits to set in EFER before that; unused on CPUs without it.
    pub efer: u32,
    /// How many slots there are.
    pub slots: u32,
    /// Address of the first slot.
    pub table: u32,
    /// What a CPU must have to start so: bits 0 to 15 as in CPUID.1:EDX, bits 16 to 31 as in CPUID.80000001H:EDX.
    pub needs: u32,
    /// Bits to set in `IA32_APIC_BASE` before anything else, 0 for none: a CPU whose APIC is still in xAPIC mode takes what
    /// is sent to the low byte of its id, or to 255, for its own.
    pub apic: u32,
    /// The IDT: vectors 0 to 2.
    pub gates: [Gate; 3],
}

/// As LGDT and LIDT read it, after two bytes that keep the base aligned.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
pub struct TablePointer {
    unused: u16,
    /// Bytes less one.
    pub limit: u16,
    /// Linear address.
    pub base: u32,
}

/// As an indirect far jump with 32-bit operand size reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
pub struct FarPointer {
    /// Linear address; the segments are flat.
    pub offset: u32,
    /// Selector of the code segment.
    pub selector: u16,
    unused: u16,
}

/// A 32-bit interrupt gate (SDM Vol. 3A, 6.11).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
pub struct Gate {
    low: u16,
    selector: u16,
    access: u16,
    high: u16,
}

/// One CPU that may come: its APIC id, and where its boot block is mapped.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes)]
pub struct Slot {
    /// The x2APIC id, or what there is of it.
    pub apic_id: u32,
    /// The CPU's own note: [`Slot::CAME`], [`Slot::WAITS`], or what of [`Header::needs`] it lacks and parks for; 0 before.
    pub note: u32,
    /// Virtual address of the block, in the tables of [`Start::root`] and in those the block names; 0 if there is none.
    pub block: u64,
}

impl Slot {
    /// The CPU has come, and its APIC is in the machine's mode. No feature that a CPU can lack has this bit, nor the next.
    pub const CAME: u32 = 1;
    /// It found no block, and halts in the trampoline.
    pub const WAITS: u32 = 2;

    /// The slot of the CPU with this APIC id.
    pub const fn new(apic_id: u32, block: u64) -> Self {
        Self {
            apic_id,
            note: 0,
            block,
        }
    }
}

/// What secondary CPUs start with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Physical address of a root table that maps the kernel, and the trampoline to itself.
    pub root: u64,
    /// The same table as the kernel sees it.
    pub root_page: &'a [u8; PAGE],
    /// The boot CPU's CR4; only the bits that paging itself needs are taken.
    pub cr4: u32,
    /// The boot CPU's EFER, 0 if it has none; only LME and NXE are taken.
    pub efer: u32,
    /// The mode of the machine's APICs, as bits of `IA32_APIC_BASE`; 0 to leave a CPU's APIC as it is.
    pub apic: u32,
}

/// Bytes in a page.
pub const PAGE: usize = 4096;
const ROOT_AT: usize = PAGE;
/// Where the slots lie in the room.
pub const SLOTS_AT: usize = 2 * PAGE;
/// CR4: PSE, PAE, PGE.
const CR4_PAGING: u32 = 1 << 4 | 1 << 5 | 1 << 7;
/// EFER: LME, NXE.
const EFER_PAGING: u32 = 1 << 8 | 1 << 11;
/// Each of these bits, and the feature's in [`Header::needs`].
const CR4_NEEDS: [(u32, u32); 3] = [(1 << 4, 1 << 3), (1 << 5, 1 << 6), (1 << 7, 1 << 13)];
/// Likewise.
const EFER_NEEDS: [(u32, u32); 2] = [(1 << 8, 1 << 29), (1 << 11, 1 << 20)];

const _: () = assert!(size_of::<Header>() == 0x64 && size_of::<Slot>() == 16);
const _: () = assert!(offset_of!(Header, gdt) == 8 && offset_of!(Header, gates) == 0x4c);
const _: () = assert!(offset_of!(Slot, note) == 4 && offset_of!(Slot, block) == 8);

/// The trampoline as the kernel is linked with it.
#[cfg(target_os = "none")]
pub fn blob() -> &'static [u8] {
    unsafe extern "C" {
        static smp_trampoline_start: u8;
        static smp_trampoline_end: u8;
    }
    let start = &raw const smp_trampoline_start;
    let bytes = (&raw const smp_trampoline_end).addr() - start.addr();
    // SAFETY: the assembler lays these bytes out between the two labels, in read-only data.
    unsafe { core::slice::from_raw_parts(start, bytes) }
}

/// The host's test program is linked with none.
#[cfg(not(target_os = "none"))]
pub fn blob() -> &'static [u8] {
    &[]
}

/// Bytes of room that [`install`] takes for this many CPUs.
pub const fn room(cpus: usize) -> usize {
    SLOTS_AT + cpus * size_of::<Slot>()
}

/// Features by their bits in [`Header::needs`], named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking(pub u32);

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u32, &str); 5] = [(3, "PSE"), (6, "PAE"), (13, "PGE"), (20, "NX"), (29, "LM")];
        let missing = NAMES.iter().filter(|(bit, _)| self.0 >> bit & 1 != 0);
        missing.enumerate().try_for_each(|(n, (_, name))| {
            f.write_str(if n == 0 { "" } else { ", " })?;
            f.write_str(name)
        })
    }
}

/// The room cannot hold the trampoline: too small, not a page below 1 MiB; or the blob is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit;

/// Writes the trampoline to `to`, which lies at physical address `at`. A CPU may then be sent to page `at >> 12`.
///
/// May be called again, with CPUs parked in the code that lies there: every byte of it is stored as it is.
///
/// # Errors
/// [`DoesNotFit`]; nothing has been written.
pub fn install(
    blob: &[u8],
    to: &mut [u8],
    at: u32,
    start: &Start<'_>,
    slots: &[Slot],
) -> Result<(), DoesNotFit> {
    let fits =
        at.is_multiple_of(PAGE as u32) && at as usize + to.len() <= 1 << 20 && room(slots.len()) <= to.len();
    if !fits || blob.len() > PAGE {
        return Err(DoesNotFit);
    }
    let header = placed(blob, at, start, slots.len() as u32)?;
    let (head, code) = to[..blob.len()].split_at_mut(size_of::<Header>());
    head.copy_from_slice(header.as_bytes());
    code.copy_from_slice(&blob[size_of::<Header>()..]);
    to[ROOT_AT..][..PAGE].copy_from_slice(start.root_page);
    for (to, slot) in to[SLOTS_AT..].chunks_exact_mut(size_of::<Slot>()).zip(slots) {
        to.copy_from_slice(slot.as_bytes());
    }
    Ok(())
}

/// The header as it must be at address `at`.
fn placed(blob: &[u8], at: u32, start: &Start<'_>, slots: u32) -> Result<Header, DoesNotFit> {
    let (mut header, _) = Header::read_from_prefix(blob).map_err(|_| DoesNotFit)?;
    for base in [&mut header.gdt.base, &mut header.idt.base] {
        *base += at;
    }
    for far in [&mut header.protected, &mut header.paged, &mut header.leave] {
        far.offset += at;
    }
    for gate in &mut header.gates {
        let handler = at + u32::from(gate.low);
        (gate.low, gate.high) = (handler as u16, (handler >> 16) as u16);
    }
    header.root = u32::try_from(start.root).unwrap_or(at + ROOT_AT as u32);
    header.cr4 = start.cr4 & CR4_PAGING;
    header.efer = start.efer & EFER_PAGING;
    header.needs = needs(header.cr4, CR4_NEEDS) | needs(header.efer, EFER_NEEDS);
    header.slots = slots;
    header.apic = start.apic;
    header.table = at + SLOTS_AT as u32;
    Ok(header)
}

/// The features of the bits that are set.
fn needs<const N: usize>(register: u32, features: [(u32, u32); N]) -> u32 {
    let of = |(bit, feature)| if register & bit == 0 { 0 } else { feature };
    features.into_iter().map(of).sum()
}

#[cfg(test)]
mod tests;
