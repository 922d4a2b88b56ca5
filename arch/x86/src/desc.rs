//! Descriptor encodings of 32-bit protected mode (SDM Vol. 3A, 3.4.5, 6.11 and ch. 7).

/// A segment or gate descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Descriptor(pub u64);

/// Access byte: present, ring 0, code, readable, accessed.
const CODE: u64 = 0x9b;
/// Access byte: present, ring 0, data, writable, accessed. Accessed already, so that the CPU need not write the table.
const DATA: u64 = 0x93;
/// Access byte: present, ring 0, 32-bit TSS, not busy.
const TSS: u64 = 0x89;
/// Access byte: present, ring 0, 32-bit interrupt gate.
const INTERRUPT_GATE: u64 = 0x8e;
/// Access byte: present, ring 0, task gate.
const TASK_GATE: u64 = 0x85;

/// Flags: limit counts pages, 32-bit segment.
const PAGES_32BIT: u64 = 0xc;

impl Descriptor {
    /// The unusable first entry of a GDT.
    pub const NULL: Self = Self(0);
    /// All 4 GiB as 32-bit code.
    pub const FLAT_CODE: Self = Self::segment(0, 0xf_ffff, CODE, PAGES_32BIT);
    /// All 4 GiB as data.
    pub const FLAT_DATA: Self = Self::data_at(0);

    const fn segment(base: u32, limit: u32, access: u64, flags: u64) -> Self {
        let (base, limit) = (base as u64, limit as u64);
        Self(
            (limit & 0xffff)
                | (base & 0xff_ffff) << 16
                | access << 40
                | (limit >> 16 & 0xf) << 48
                | flags << 52
                | (base >> 24) << 56,
        )
    }

    /// Data whose offset 0 is at `base`; no limit, so offsets wrap around the address space.
    pub const fn data_at(base: u32) -> Self {
        Self::segment(base, 0xf_ffff, DATA, PAGES_32BIT)
    }

    /// An available TSS of `bytes` bytes at `base`.
    pub const fn tss(base: u32, bytes: u32) -> Self {
        Self::segment(base, bytes - 1, TSS, 0)
    }

    /// Enters `handler` in segment `code` with interrupts off.
    pub const fn interrupt_gate(code: u16, handler: u32) -> Self {
        let handler = handler as u64;
        Self((handler & 0xffff) | (code as u64) << 16 | INTERRUPT_GATE << 40 | (handler >> 16) << 48)
    }

    /// Switches to the task of TSS `selector`.
    pub const fn task_gate(selector: u16) -> Self {
        Self((selector as u64) << 16 | TASK_GATE << 40)
    }
}

/// A 32-bit task-state segment, in the order of the manual. A hardware task switch saves the running task's registers
/// in its own and loads the next one's; `cr3` is loaded but never saved.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub struct TaskState {
    pub link: u32,
    pub ring_stacks: [u32; 6],
    pub cr3: u32,
    pub eip: u32,
    pub eflags: u32,
    pub eax: u32,
    pub ecx: u32,
    pub edx: u32,
    pub ebx: u32,
    pub esp: u32,
    pub ebp: u32,
    pub esi: u32,
    pub edi: u32,
    pub es: u32,
    pub cs: u32,
    pub ss: u32,
    pub ds: u32,
    pub fs: u32,
    pub gs: u32,
    pub ldt: u32,
    pub trap: u16,
    /// Offset of the I/O permission bitmap; past the end means there is none.
    pub io_bitmap: u16,
}

const _: () = assert!(size_of::<TaskState>() == 104);

impl TaskState {
    /// No task yet, and no I/O bitmap.
    pub const EMPTY: Self = Self {
        link: 0,
        ring_stacks: [0; 6],
        cr3: 0,
        eip: 0,
        eflags: 0,
        eax: 0,
        ecx: 0,
        edx: 0,
        ebx: 0,
        esp: 0,
        ebp: 0,
        esi: 0,
        edi: 0,
        es: 0,
        cs: 0,
        ss: 0,
        ds: 0,
        fs: 0,
        gs: 0,
        ldt: 0,
        trap: 0,
        io_bitmap: 104,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_segments_are_the_values_everybody_knows() {
        assert_eq!(Descriptor::FLAT_CODE.0, 0x00cf_9b00_0000_ffff);
        assert_eq!(Descriptor::FLAT_DATA.0, 0x00cf_9300_0000_ffff);
    }

    #[test]
    fn bases_and_limits_are_spread_as_the_manual_says() {
        assert_eq!(Descriptor::data_at(0x1234_5678).0, 0x12cf_9334_5678_ffff);
        assert_eq!(Descriptor::tss(0xf123_4568, 104).0, 0xf100_8923_4568_0067);
        assert_eq!(Descriptor::segment(0, 0xabcde, DATA, 0).0, 0x000a_9300_0000_bcde);
    }

    #[test]
    fn gates() {
        assert_eq!(
            Descriptor::interrupt_gate(0x10, 0xf012_3456).0,
            0xf012_8e00_0010_3456
        );
        assert_eq!(Descriptor::task_gate(0x30).0, 0x0000_8500_0030_0000);
    }

    #[test]
    fn task_state_fields_are_where_the_cpu_looks() {
        use core::mem::offset_of;
        let offsets = [
            (offset_of!(TaskState, ring_stacks), 4),
            (offset_of!(TaskState, cr3), 28),
            (offset_of!(TaskState, eip), 32),
            (offset_of!(TaskState, esp), 56),
            (offset_of!(TaskState, es), 72),
            (offset_of!(TaskState, gs), 92),
            (offset_of!(TaskState, io_bitmap), 102),
        ];
        assert!(offsets.iter().all(|(found, wanted)| found == wanted));
        assert_eq!(TaskState::EMPTY.io_bitmap, 104);
    }
}
