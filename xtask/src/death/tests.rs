//! Deaths made by hand: registers as QEMU prints them, and memory with tables in it.

use super::*;
use crate::guest::image::{self, tests::elf};
use crate::guest::memory::{Cache, tests::Fake};
use crate::guest::registers;

/// i386: the kernel's root is behind the image, maps the image and, in slot 964, something that `initial_page_table` lacks.
fn memory() -> Fake {
    let mut fake = Fake::default();
    fake.write(0x40_1000, &elf().sections[0].bytes);
    let image_page = (0xf000_0000_u32 >> 22) as u64 * 4;
    for root in [0x40_2000, 0x50_0000] {
        // Present, writable, 4 MiB.
        fake.write(root + image_page, &0x40_00e3_u32.to_le_bytes());
    }
    fake.write(0x50_0000 + 964 * 4, &0xc0_00e3_u32.to_le_bytes());
    // kernel::mm::map::ROOT
    fake.write(0x40_1100, &0x50_0000_u32.to_le_bytes());
    // mov %eax,%fs
    fake.write(0x40_0010, &[0x8e, 0xe0]);
    fake
}

/// A CPU that loads FS from a GDT at 0xf1001298, without vectors.
const STARTING: &str = "\
CPU#0
EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000000
ESI=00000000 EDI=00000000 EBP=00000000 ESP=f0000f00
EIP=f0000020 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1
CR0=80010033 CR2=00000000 CR3=00500000 CR4=00000010
CPU#1
EAX=00000020 EBX=00000000 ECX=00000000 EDX=00000000
ESI=00000000 EDI=00000000 EBP=00000000 ESP=f0000f00
EIP=f0000010 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0
CS =0010 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]
GDT=     f1001298 00000027
IDT=     00001048 00000017
CR0=80010033 CR2=f10012b8 CR3=00402000 CR4=00000010
";

fn explained(text: &str, fake: &mut Fake, end: End) -> Death {
    let (elf, cpus) = (elf(), registers::parse(text));
    let memory = Cache::new(fake);
    let spaces: Vec<Space> = cpus.iter().map(|cpu| cpu.space(Arch::I386)).collect();
    let found = image::find(&elf, &memory, &spaces);
    let image = match &found {
        Found::Ours(image) => Some(image),
        _ => None,
    };
    let guest = Guest {
        arch: Arch::I386,
        memory: &memory,
        cpus: &cpus,
        image,
        symbols: None,
    };
    explain(&guest, &found, end)
}

#[test]
fn a_lost_resync_is_named() {
    let death = explained(STARTING, &mut memory(), End::TripleFault);
    assert_eq!(death.cpu, Some(1));
    assert!(
        death
            .summary
            .contains("0xf10012b8 is not mapped, slot 964 of initial_page_table is empty"),
        "{}",
        death.summary
    );
    let text = death.lines.join("\n");
    for said in [
        "instruction: mov %eax,%fs",
        "it needs selector 0x20 of the GDT: reads 0xf10012b8, which is not mapped: page fault (14)",
        "page directory at 0x402000, slot 964: 0x0   <- nothing here",
        "the kernel's root table (0x500000) has 0xc000e3 in slot 964",
        "the resync after that mapping is missing",
        "page fault: not delivered: the IDT ends at 0x17, there is no gate 14",
        "double fault: not delivered: the IDT ends at 0x17, there is no gate 8",
        "  CPU 0: halted pc=0xf0000020",
    ] {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
    }
}

#[test]
fn a_table_that_lacks_what_the_kernels_lacks_too_is_not_out_of_step() {
    let mut fake = memory();
    fake.write(0x50_0000 + 964 * 4, &[0; 4]);
    let text = explained(STARTING, &mut fake, End::TripleFault).lines.join("\n");
    assert!(text.contains("the kernel's root table lacks it too"), "{text}");
    assert!(!text.contains("resync"), "{text}");
}

#[test]
fn another_kernel_gets_no_names() {
    let mut fake = memory();
    fake.write(0x40_1010, &[0xcd]);
    let death = explained(STARTING, &mut fake, End::TripleFault);
    let text = death.lines.join("\n");
    assert!(text.contains("the kernel in memory is build cdab"), "{text}");
    assert!(!text.contains("initial_page_table"), "{text}");
    assert_eq!(death.cpu, Some(1), "what the registers say holds all the same");
}

#[test]
fn a_machine_in_order_has_no_suspect() {
    let mut fake = memory();
    // A table with room for all gates, and every gate leads to code; the GDT is there.
    fake.write(0x40_2000 + 964 * 4, &0xc0_00e3_u32.to_le_bytes());
    for vector in 0..32 {
        fake.write(0x40_0800 + 8 * vector, &[0x10, 0, 0x10, 0, 0, 0x8e, 0, 0xf0]);
    }
    let text = STARTING.replace("IDT=     00001048 00000017", "IDT=     f0000800 000007ff");
    let death = explained(&text, &mut fake, End::TripleFault);
    assert_eq!(death.cpu, None, "{death:?}");
    assert!(death.summary.contains("not known"), "{}", death.summary);
    let reset = explained(&text, &mut fake, End::Reset);
    assert!(
        reset.summary.contains("only CPU 1 was running"),
        "{}",
        reset.summary
    );
}

#[test]
fn registers_that_make_no_sense_are_looked_at_all_the_same() {
    for text in [
        "",
        "CPU#0\n",
        "CPU#0\nEIP=ffffffff\nCR0=ffffffff CR3=ffffffff CR4=ffffffff\nEFER=ffffffff\n",
    ] {
        for end in [End::TripleFault, End::Reset, End::Loop(0), End::Loop(7)] {
            explained(text, &mut Fake::default(), end);
        }
    }
}
