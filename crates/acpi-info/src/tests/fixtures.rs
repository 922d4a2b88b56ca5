//! Tables of virtual machines, as their firmware left them in RAM.

use super::support::Machine;
use crate::*;

fn ids(info: &AcpiInfo) -> Vec<u64> {
    info.startable().map(|cpu| cpu.hw_id).collect()
}

fn io(address: u64, width: u8) -> Register {
    Register {
        space: Space::Io,
        address,
        width,
        offset: 0,
    }
}

#[test]
fn pc_with_q35_chipset() {
    for (name, cpus) in [("q35", 4), ("ovmf", 2)] {
        let info = Machine::load(name).read();
        let fixed = info.fixed.unwrap();
        assert_eq!(ids(&info), (0..cpus).collect::<Vec<_>>());
        assert_eq!((info.local_apic, info.has_8259), (Some(0xfee0_0000), true));
        assert_eq!(
            info.io_apics[..],
            [IoApic {
                id: 0,
                address: 0xfec0_0000,
                gsi_base: 0
            }]
        );
        assert_eq!((info.isa_irq(0).gsi, info.isa_irq(1).gsi), (2, 1));
        assert_eq!(
            (info.isa_irq(9).polarity, info.isa_irq(9).trigger),
            (Polarity::High, Trigger::Level)
        );
        assert_eq!(info.local_nmis[0].target, NmiTarget::All);
        assert_eq!(
            fixed.pm_timer,
            Some(PmTimer {
                register: io(0x608, 32),
                is_32bit: false
            })
        );
        assert_eq!(fixed.reset, Some((io(0xcf9, 8), 0xf)));
        assert_eq!(
            (fixed.pm1a_control, fixed.pm1b_control),
            (Some(io(0x604, 16)), None)
        );
        assert_eq!((fixed.acpi_enable, fixed.hw_reduced), (Some((0xb2, 2)), false));
        assert_eq!(info.s5, Some(SleepType { a: 0, b: 0 }));
        assert_eq!(info.hpet.unwrap().base, 0xfed0_0000);
        assert_eq!(info.pci_segments[0].base, 0xb000_0000);
        assert_eq!(
            (info.bad_checksums, info.entries_dropped, info.cpus_bad),
            (0, 0, 0)
        );
    }
}

#[test]
fn old_pc_with_sparse_ids_and_empty_sockets() {
    let info = Machine::load("sparse").read();
    assert_eq!(ids(&info), [0, 1, 2, 4]);
    assert_eq!(info.cpus_disabled, 2);
    assert_eq!(info.fixed.unwrap().reset, None, "ACPI 1.0 has no reset register");
}

#[test]
fn hardware_reduced_microvm() {
    let info = Machine::load("microvm").read();
    let fixed = info.fixed.unwrap();
    let memory = |address| Register {
        space: Space::Memory,
        address,
        width: 8,
        offset: 0,
    };
    assert!(fixed.hw_reduced && fixed.pm_timer.is_none() && fixed.pm1a_control.is_none());
    assert_eq!(fixed.sleep_control, Some(memory(0xfea0_0200)));
    assert_eq!(fixed.reset, Some((memory(0xfea0_0202), 0x42)));
    assert_eq!(info.s5, Some(SleepType { a: 5, b: 0 }));
    assert_eq!(info.io_apics.len(), 2);
    assert_eq!(info.io_apics[1].gsi_base, 24);
}

#[test]
fn arm_with_gicv3_and_gicv2() {
    let info = Machine::load("arm3").read();
    assert_eq!(ids(&info), [0, 1, 2]);
    assert_eq!(
        info.gic_distributor,
        Some(GicDistributor {
            base: 0x800_0000,
            version: 3
        })
    );
    assert_eq!(
        info.gic_redistributors[..],
        [Region {
            base: 0x80a_0000,
            len: 0xf6_0000
        }]
    );
    assert!(info.fixed.is_some_and(|f| f.psci && f.psci_hvc && f.hw_reduced));
    assert_eq!((info.s5, info.local_apic), (None, None));

    let info = Machine::load("arm2").read();
    assert_eq!(info.gic_distributor.unwrap().version, 2);
    assert!(matches!(
        info.cpus[1].kind,
        CpuKind::Gicc {
            interface: 0x801_0000,
            redistributor: 0
        }
    ));
}

#[test]
fn the_bios_area_is_searched() {
    assert_eq!(Machine::load("q35").find(), Some(Machine::load("q35").rsdp));
    assert_eq!(Machine::load("arm3").find(), None);
    let mut moved = Machine::load("q35");
    let rsdp = moved.chunks.remove(&moved.rsdp).unwrap();
    moved.chunks.insert(0x40e, [0xc0, 0x9f].to_vec());
    let mut ebda = [0; 1024].to_vec();
    ebda[0x20..][..rsdp.len()].copy_from_slice(&rsdp);
    moved.chunks.insert(0x9_fc00, ebda);
    assert_eq!(moved.find(), Some(0x9_fc20));
}
