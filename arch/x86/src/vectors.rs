//! Which vector means what. Priorities follow the upper four bits: the higher, the sooner (SDM Vol. 3A, 11.8.3).

/// First vector that is not an exception. The masked 8259s are moved here, so that a spurious interrupt of theirs is
/// told from an exception.
pub const LEGACY_BASE: u8 = 0x20;
/// The serial console.
pub const CONSOLE: u8 = 0x34;
/// The local APIC's timer.
pub const TIMER: u8 = 0xec;
/// Another CPU asks this one to look at its run queue.
pub const RESCHED: u8 = 0xfc;
/// Another CPU asks this one to stop: above all else that can be masked.
pub const STOP: u8 = 0xfd;
/// The local APIC saw an error.
pub const APIC_ERROR: u8 = 0xfe;
/// An interrupt went away while it was being delivered; never acknowledged. The low four bits must be ones on old APICs.
pub const SPURIOUS: u8 = 0xff;

/// The exceptions that push an error code (SDM Vol. 3A, table 6-1): 8, 10-14, 17, 21, 29, 30.
pub const WITH_ERROR_CODE: u32 = 1 << 8 | 0b11111 << 10 | 1 << 17 | 1 << 21 | 0b11 << 29;

/// Non-maskable interrupt.
pub const NMI: u8 = 2;
/// A fault while another was being delivered: on these kernels nearly always a stack that ran over.
pub const DOUBLE_FAULT: u8 = 8;
/// Page fault.
pub const PAGE_FAULT: u8 = 14;
/// Machine check.
pub const MACHINE_CHECK: u8 = 18;

/// The manual's name of an exception.
pub const fn exception_name(vector: u8) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug",
        2 => "NMI",
        3 => "breakpoint",
        4 => "overflow",
        5 => "bound range exceeded",
        6 => "invalid opcode",
        7 => "device not available",
        8 => "double fault",
        9 => "coprocessor segment overrun",
        10 => "invalid TSS",
        11 => "segment not present",
        12 => "stack-segment fault",
        13 => "general protection fault",
        14 => "page fault",
        16 => "x87 floating-point error",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD floating-point error",
        20 => "virtualization exception",
        21 => "control protection exception",
        28 => "hypervisor injection exception",
        29 => "VMM communication exception",
        30 => "security exception",
        _ => "reserved exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_pushed_by_these_only() {
        let with: [u8; 10] = [8, 10, 11, 12, 13, 14, 17, 21, 29, 30];
        assert!((0..32).all(|v| (WITH_ERROR_CODE >> v & 1 == 1) == with.contains(&v)));
    }

    #[test]
    fn priorities_are_as_the_stop_needs_them() {
        const { assert!(STOP > RESCHED && RESCHED > TIMER && TIMER > CONSOLE) };
        const { assert!(CONSOLE >= LEGACY_BASE + 16) };
        assert_eq!(SPURIOUS & 0xf, 0xf);
    }
}
