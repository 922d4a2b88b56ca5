//! More than one CPU: starting them, signals between them, parking.

use kernel::arch::{Arch, HwId};
use kernel::clock::{self, MS};
use kernel::smp::{BootBlock, Ipi, StartError};
use kernel::{irq, sched};

use crate::apic::LocalApic;
use crate::cpu;
use crate::irqflag;
use crate::vectors;

/// How long a CPU that needs it must be left alone between INIT and its start-up interrupt.
const INIT_SETTLES_NS: u64 = 10 * MS;

/// Handles `vector` if it is a signal from another CPU.
pub(crate) fn interrupt<A: Arch>(vector: u8) -> bool {
    match vector {
        vectors::RESCHED => sched::resched_interrupt::<A>(),
        vectors::STOP => kernel::smp::stop_interrupt::<A>(),
        _ => return false,
    }
    true
}

/// Releases the CPUs of `blocks` at real-mode page `page`, all of them before any is waited for.
///
/// Each attempt begins with INIT, to every CPU singly: it makes a CPU in any state listen, and drops an NMI that the
/// wait-for-SIPI state has latched, which would otherwise hit in real mode, on the firmware's vectors. Between INIT and
/// the start-up interrupt the Intel MP specification wants 10 ms; see [`init_must_settle`].
pub fn start<A: Arch>(
    blocks: &[&'static BootBlock],
    page: u8,
    attempt: u32,
    failed: &mut dyn FnMut(&'static BootBlock, StartError),
) {
    let Some(apic) = LocalApic::get() else { return };
    if attempt == 0 {
        each(blocks, failed, |id| apic.send_init(id).is_ok());
        if init_must_settle() {
            irq::wait_until::<A>(clock::now_ns() + INIT_SETTLES_NS, || false);
        }
    }
    // A second start-up interrupt is for those that slept through the first; a CPU that runs ignores it.
    each(blocks, failed, |id| apic.send_startup(id, page).is_ok());
}

fn each(
    blocks: &[&'static BootBlock],
    failed: &mut dyn FnMut(&'static BootBlock, StartError),
    mut send: impl FnMut(u32) -> bool,
) {
    for block in blocks {
        if !u32::try_from(block.hw.0).is_ok_and(&mut send) {
            failed(block, StartError::NotDelivered);
        }
    }
}

/// Whether INIT takes time. It did for CPUs whose APIC is a chip of its own or hangs on the serial APIC bus: the
/// Pentium (family 5) and the Netburst family (Intel's 15). From the P6 with a system bus on, and in all of AMD's since
/// the K8, the CPU is ready for the start-up interrupt as soon as INIT is delivered.
fn init_must_settle() -> bool {
    let intel = cpu::id()
        .get_vendor_info()
        .is_some_and(|vendor| vendor.as_str() == "GenuineIntel");
    matches!((cpu::family(), intel), (..6, _) | (15, true))
}

/// Interrupts one CPU. A signal that cannot be delivered is lost; who needs an answer waits for it with a deadline.
pub fn send_ipi(hw: HwId, ipi: Ipi) {
    let vector = match ipi {
        Ipi::Resched => vectors::RESCHED,
        Ipi::Stop => vectors::STOP,
    };
    if let (Some(apic), Ok(id)) = (LocalApic::get(), u32::try_from(hw.0)) {
        let _lost = apic.send(id, crate::apic::Delivery::Fixed(vector));
    }
}

/// Waits with interrupts off and every local source masked, for ever.
pub fn park() -> ! {
    irqflag::disable();
    if let Some(apic) = LocalApic::get() {
        apic.silence();
    }
    irqflag::halt_forever()
}
