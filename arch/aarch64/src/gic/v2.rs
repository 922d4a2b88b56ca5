//! GICv2 (Arm IHI 0048B).
//!
//! The registers are described here and not taken from `arm-gic`, whose GICv2 part suits one secure CPU: setting one
//! interrupt's priority clears its three neighbours', there are no target registers, an SGI's sender is taken for
//! part of its number, and with security extensions it enables a group that the non-secure side cannot.

#[cfg(feature = "smp")]
pub(super) mod smp;

use core::ptr;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use boot_info::fdt::Gic;
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};

use super::{priority, sgi};
use crate::{Aarch64, cpu};

register_structs! {
    /// The distributor. Arrays are banked per CPU for interrupts 0 to 31.
    Distributor {
        (0x000 => ctlr: ReadWrite<u32>),
        (0x004 => typer: ReadOnly<u32>),
        (0x008 => _reserved0),
        (0x080 => igroupr: [ReadWrite<u32>; 32]),
        (0x100 => isenabler: [ReadWrite<u32>; 32]),
        (0x180 => icenabler: [ReadWrite<u32>; 32]),
        (0x200 => _reserved1),
        (0x280 => icpendr: [ReadWrite<u32>; 32]),
        (0x300 => _reserved2),
        (0x380 => icactiver: [ReadWrite<u32>; 32]),
        (0x400 => ipriorityr: [ReadWrite<u8>; 1020]),
        (0x7fc => _reserved3),
        (0x800 => itargetsr: [ReadWrite<u8>; 1020]),
        (0xbfc => _reserved4),
        (0xc00 => icfgr: [ReadWrite<u32>; 64]),
        (0xd00 => _reserved5),
        (0xf00 => sgir: WriteOnly<u32>),
        (0xf04 => _reserved6),
        (0xf10 => cpendsgir: [ReadWrite<u32>; 4]),
        (0xf20 => _reserved7),
        (0x1000 => @END),
    },
    /// The CPU interface; each CPU sees its own at the same address.
    CpuInterface {
        (0x00 => ctlr: ReadWrite<u32>),
        (0x04 => pmr: ReadWrite<u32>),
        (0x08 => bpr: ReadWrite<u32>),
        (0x0c => iar: ReadOnly<u32>),
        (0x10 => eoir: WriteOnly<u32>),
        (0x14 => @END),
    }
}

static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
static CPU_INTERFACE: AtomicUsize = AtomicUsize::new(0);

/// Interface bit of each CPU by its Aff0, as the CPU itself read it; a GICv2 has no more than eight.
static INTERFACE: [AtomicU8; 8] = [const { AtomicU8::new(0) }; 8];

fn aff0(mpidr: u64) -> usize {
    mpidr as usize % INTERFACE.len()
}

fn distributor() -> &'static Distributor {
    // SAFETY: `init` mapped the registers for good before the version became known; volatile, shared accesses.
    unsafe { &*ptr::with_exposed_provenance(DISTRIBUTOR.load(Ordering::Relaxed)) }
}

fn cpu_interface() -> &'static CpuInterface {
    // SAFETY: as above.
    unsafe { &*ptr::with_exposed_provenance(CPU_INTERFACE.load(Ordering::Relaxed)) }
}

pub(super) fn init(gic: &Gic) -> Result<(), &'static str> {
    let dist = gic.distributor().ok_or("the GICv2 has no distributor")?;
    let interface = gic.cpu_interface().ok_or("the GICv2 has no CPU interface")?;
    let map = |part, pa| kernel::mm::ioremap::<Aarch64>(part, pa, 0x1000);
    let dist = map("GICv2's distributor", dist.base)?;
    let interface = map("GICv2's CPU interface", interface.base)?;
    DISTRIBUTOR.store(dist.expose_provenance(), Ordering::Relaxed);
    CPU_INTERFACE.store(interface.expose_provenance(), Ordering::Relaxed);

    let gicd = distributor();
    gicd.ctlr.set(0);
    for block in 1..=(gicd.typer.get() as usize & 0x1f) {
        gicd.icenabler[block].set(u32::MAX);
        gicd.icpendr[block].set(u32::MAX);
        gicd.icactiver[block].set(u32::MAX);
    }
    // Bit 0 enables what this side of the GIC sees: group 1 from the non-secure side, group 0 where there is one side
    // only. Groups are left alone: all 0 at reset in the latter case, and not ours to change in the former.
    gicd.ctlr.set(1);
    Ok(())
}

pub(super) fn init_cpu() -> Result<(), &'static str> {
    let gicd = distributor();
    gicd.icenabler[0].set(u32::MAX);
    gicd.icpendr[0].set(u32::MAX);
    gicd.icactiver[0].set(u32::MAX);
    // A byte for each SGI, a bit for each sender.
    gicd.cpendsgir.iter().for_each(|reg| reg.set(u32::MAX));
    for n in sgi::ALL {
        gicd.ipriorityr[n as usize].set(sgi::priority(n));
        gicd.isenabler[0].set(1 << n);
    }
    // The target registers of its own SGIs tell a CPU which interface it has.
    INTERFACE[aff0(cpu::mpidr_affinity())].store(gicd.itargetsr[0].get(), Ordering::Release);
    let gicc = cpu_interface();
    gicc.pmr.set(u32::from(priority::MASK_OPEN));
    gicc.bpr.set(0);
    gicc.ctlr.set(1);
    Ok(())
}

pub(super) fn enable(intid: u32, edge: bool) {
    let (gicd, n) = (distributor(), intid as usize);
    let (shift, config) = (2 * (n % 16) + 1, &gicd.icfgr[n / 16]);
    config.set(config.get() & !(1 << shift) | u32::from(edge) << shift);
    gicd.ipriorityr[n].set(priority::NORMAL);
    gicd.isenabler[n / 32].set(1 << (n % 32));
}

pub(super) fn enable_shared(intid: u32, edge: bool) -> Result<(), &'static str> {
    let lines = 32 * ((distributor().typer.get() & 0x1f) + 1);
    if intid >= lines.min(1020) {
        return Err("the GIC has no such interrupt");
    }
    // The targets of interrupts 0 to 31 read as the executing CPU.
    let here = distributor().itargetsr[0].get();
    distributor().itargetsr[intid as usize].set(here);
    enable(intid, edge);
    Ok(())
}

pub(super) fn acknowledge() -> u32 {
    cpu_interface().iar.get()
}

pub(super) fn end(raw: u32) {
    cpu_interface().eoir.set(raw);
}

pub(super) fn quiesce_cpu() {
    distributor().icenabler[0].set(u32::MAX);
    cpu_interface().ctlr.set(0);
}
