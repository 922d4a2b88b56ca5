//! From the first Rust instruction to the first thread: `start_kernel`, one step a line. The order is the documentation;
//! `docs/boot.md` gives the source of each step.

use core::ops::Range;

use ::trace::Phase;
use boot_info::{BootInfo, Memblock};

use crate::account::STOP;
use crate::arch::{Arch, HwId};
use crate::cpu::{self, BOOT_CPU, CpuId, NR_CPUS, POSSIBLE, PRESENT};
use crate::facts::{BOOT, PLATFORM};
use crate::inject::{self, Place};
use crate::mm::{self, Areas, Changed, EarlyRam, MEMBLOCK, Mapped, Stack, Synced, Unfit};
use crate::{
    banner, canary, clock, efi, hooks, info, monitor, params, percpu_areas, phase, power, println, sched,
    smp, staging, tick, trace, warning,
};

/// Boots. Called once, by the entry code of the boot CPU: on `init_stack`, at the addresses the image is linked for, with
/// interrupts off. Everything else is set up here.
#[inline(always)]
pub fn start_kernel<A: Arch>() -> ! {
    hooks::install::<A>();
    set_init_stack_end_magic();
    let hw = smp_setup_processor_id::<A>();
    canary::boot_init_stack_canary::<A>();
    boot::<A>(hw)
}

/// The rest, in a frame of its own: entered under the new canary.
#[inline(never)]
fn boot<A: Arch>(hw: HwId) -> ! {
    A::irq_save();
    staging::begin::<A>();
    trace::begin::<A>();
    clock::init::<A>();
    trace::set_clock(clock::scale());
    cpu::boot_cpu_init(hw);
    banner::print::<A>();
    let tables = setup_arch::<A>();
    params::parse_late(BOOT.lock().cmdline.as_str());
    setup_nr_cpu_ids::<A>();
    let tables = percpu_areas::setup::<A>(tables);
    mm_init::<A>();
    sched_init::<A>();
    let tables = irq_init::<A>(tables);
    time_init::<A>();
    let tables = efi::enter_virtual_mode::<A>(tables);
    efi::wall_clock::<A>();
    power::init::<A>();
    smp_init::<A>(tables);
    rest_init::<A>()
}

/// Which CPU this is, by hardware: needs nothing that is set up later.
fn smp_setup_processor_id<A: Arch>() -> HwId {
    A::hw_id()
}

fn set_init_stack_end_magic() {
    // SAFETY: the linker script makes the stack, and it has hardly been used.
    unsafe { canary::set_stack_end_magic(Stack::init().bottom()) }
}

/// A step of the boot begins: recorded, and a place at which a fault can be staged.
fn step<A: Arch>(phase: Phase, place: u32) {
    trace::phase::<A>(phase);
    inject::at(Place::Boot, place);
}

/// The machine: what the boot loader said, RAM and what of it is taken, the final page tables, firmware tables. Last, the
/// root tables that shadow the kernel's are brought in step, in every build.
fn setup_arch<A: Arch>() -> Synced<Mapped> {
    step::<A>(Phase::Machine, 1);
    phase::set(BOOT_CPU, &"setting up the machine (setup_arch)");
    let mut boot = BOOT.lock();
    let told = A::boot_info(&mut boot);
    // Without a word from the loader there is no command line either, and what holds before one is read goes on.
    if told.is_ok() || !boot.cmdline.as_str().is_empty() {
        params::parse_early::<A>(boot.cmdline.as_str());
    }
    report_boot(&boot);
    if let Err(why) = told {
        panic!("nothing to boot from: {why}");
    }
    if let Err(why) = setup_memblock::<A>(&mut boot) {
        panic!("{why}");
    }
    trace::phase::<A>(Phase::PageTables);
    let tables: Changed<Mapped> =
        mm::paging_init::<A>().unwrap_or_else(|why| panic!("too little memory: {why}"));
    efi::discover::<A>(&mut boot);
    power::boots::count::<A>();
    trace::phase::<A>(Phase::Firmware);
    let mut platform = PLATFORM.lock();
    if let Err(why) = A::discover(&boot, &mut platform) {
        warning!("firmware tables: {why}; going on with what is known");
    }
    tables.resync::<A>()
}

fn report_boot(boot: &BootInfo) {
    info!(
        "boot: loaded by {} ({:?} {:#x})",
        boot.loader.name(),
        boot.loader.protocol,
        boot.loader.version
    );
    info!("command line: {}", boot.cmdline.as_str());
    if boot.cmdline.truncated() {
        warning!(
            "command line: longer than {} bytes, the rest is lost",
            boot_info::CommandLine::CAPACITY
        );
    }
    for r in boot.memory.regions() {
        crate::debug!(
            "memory: {:#014x}-{:#014x} {:?}",
            r.start,
            r.end().saturating_sub(1),
            r.kind
        );
    }
}

/// RAM, then what is taken of it: image, initrd, and what the architecture knows of.
fn setup_memblock<A: Arch>(boot: &mut BootInfo) -> Result<(), Unfit> {
    let image = A::image_phys();
    boot.initrd = boot.initrd.clone().outside(&image);
    let mut memblock = MEMBLOCK.lock();
    memblock.grow_in(mm::growth::<A>());
    memblock.add_map(&boot.memory)?;
    mm::check_image(&memblock, &image)?;
    let trim = |memblock: &mut Memblock| {
        if let Some(limit) = params::mem_limit() {
            memblock.limit_total(limit);
            // It is in use, wherever the limit is.
            memblock.add(image.start, image.end - image.start)?;
        }
        mm::leave_unreachable::<A>(memblock)
    };
    trim(&mut memblock)?;
    memblock.reserve(image.start, image.end - image.start)?;
    boot.initrd.reserve_in(&mut memblock)?;
    if boot.memory.folded().any() {
        refine_memblock::<A>(boot, &image, &mut memblock);
        trim(&mut memblock)?;
    }
    match &boot.initrd {
        boot_info::Initrd::Absent => info!("initrd: none"),
        boot_info::Initrd::Present(at) => {
            info!("initrd: {} KiB at {:#x}", (at.end - at.start) >> 10, at.start)
        }
        boot_info::Initrd::Refused { start, len, why } => {
            warning!("initrd: {len} bytes at {start:#x} refused: {why}")
        }
    }
    let mut early = EarlyRam::new::<A>(&mut memblock);
    A::reserve(&mut early);
    power::boots::reserve(&mut early);
    let has_room = early.has(Unfit::ROOM);
    let (ram, taken) = (memblock.total(), memblock.reserved().total());
    info!("memory: {} KiB of RAM, {} KiB taken", ram >> 10, taken >> 10);
    // Fails early, and in words, if there is not even room for page tables.
    has_room.then_some(()).ok_or(Unfit::NoRoom { ram, taken })
}

/// The loader's map has more regions than [`BootInfo`] has room for. What that holds leaves no claim out, but RAM: so the map is
/// read once more, with tables as large as it takes.
fn refine_memblock<A: Arch>(boot: &BootInfo, image: &Range<u64>, memblock: &mut Memblock) {
    let folded = boot.memory.folded();
    let initrd = boot.initrd.range().unwrap_or(0..0);
    let refined = memblock.refine(
        &|seen, each| {
            A::memory_map(boot, seen, each)
                .unwrap_or_else(|why| panic!("the memory map was there and is not: {why}"))
        },
        &[image.clone(), initrd],
    );
    match refined {
        Ok(refined) => info!(
            "memory: a map of {} regions; the tables grew to {} entries",
            refined.regions, refined.capacity
        ),
        Err(why) => warning!(
            "memory: {} regions of a map of {}: {why}; {} claims take what lies between them along, and {} regions of \
             RAM are not used",
            boot.memory.regions().len(),
            boot.memory.count(),
            folded.claims,
            folded.ram
        ),
    }
}

/// Gives logical numbers to the CPUs the firmware lists: the boot CPU is 0, the rest in the order listed. What this build
/// or the command line has no room for stays off, and is named.
fn setup_nr_cpu_ids<A: Arch>() {
    step::<A>(Phase::CpuNumbers, 2);
    phase::set(BOOT_CPU, &"making per-CPU areas");
    let platform = PLATFORM.lock();
    let boot = cpu::hw_id(BOOT_CPU).unwrap_or(HwId(0));
    let limit = smp::cpu_limit().min(NR_CPUS);
    let mut secondaries = platform.cpus.iter().copied().filter(|hw| *hw != boot);
    for (hw, number) in secondaries.by_ref().take(limit - 1).zip(1..) {
        let cpu = CpuId::new(number);
        cpu::set_hw_id(cpu, hw);
        for mask in [&POSSIBLE, &PRESENT] {
            // The number is below NR_CPUS.
            let _ = mask.set(cpu);
        }
    }
    let possible = POSSIBLE.snapshot().count();
    // A stop looks at each CPU there may be, several times.
    STOP.area().set_cpus(possible as usize);
    info!(
        "cpu: {} listed by {}, {} possible{}",
        platform.cpus.len(),
        platform.cpu_source,
        possible,
        match platform.cpus_unknown {
            true => "; others are unknown, because the list is damaged",
            false => "",
        }
    );
    if platform.cpus_unknown {
        let source = platform.cpu_source;
        println!("{}", records::List { source, whole: "no" });
    }
    let mut left = secondaries.peekable();
    if left.peek().is_some() {
        warning!(
            "cpu: no room for {} more in this boot (limit {limit}); they stay off: {}",
            left.clone().count() + platform.cpus_dropped,
            Listed(left)
        );
    }
}

/// Hardware ids, the first few of them.
struct Listed<I>(I);

impl<I: Iterator<Item = HwId> + Clone> core::fmt::Display for Listed<I> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        const SHOWN: usize = 8;
        for hw in self.0.clone().take(SHOWN) {
            write!(f, "{hw} ")?;
        }
        f.write_str(if self.0.clone().nth(SHOWN).is_some() {
            "..."
        } else {
            ""
        })
    }
}

/// From the memblock to pages and a heap.
fn mm_init<A: Arch>() {
    step::<A>(Phase::Memory, 3);
    phase::set(BOOT_CPU, &"setting up memory, scheduler, interrupts and clock");
    mm::hand_over_memblock::<A>();
    let usage = mm::usage();
    info!(
        "mm: {} KiB of RAM, {} KiB free{}",
        usage.ram >> 10,
        usage.free >> 10,
        usage.left_alone()
    );
}

/// The context that has booted so far becomes the boot CPU's idle thread.
fn sched_init<A: Arch>() {
    step::<A>(Phase::Scheduler, 4);
    let idle = sched::new_idle(BOOT_CPU, Stack::init(), canary::boot_canary());
    sched::adopt_idle(BOOT_CPU, idle);
    sched::open(BOOT_CPU);
}

/// The interrupt controller, whose registers are mapped.
fn irq_init<A: Arch>(tables: Synced<Areas>) -> Synced<Areas> {
    step::<A>(Phase::Interrupts, 5);
    let init = || A::init_irqs();
    let (done, tables) = tables.change::<A, _>("interrupt controller", init);
    if let Err(why) = done {
        panic!("interrupt controller: {why}");
    }
    tables.resync::<A>()
}

fn time_init<A: Arch>() {
    step::<A>(Phase::Time, 6);
    if let Err(why) = clock::calibrate::<A>() {
        panic!("clock: {why}");
    }
    trace::set_clock(clock::scale());
    A::init_timer();
    info!("clock: counter at {} kHz", clock::hz() / 1000);
    tick::see_first::<A>();
}

/// All other CPUs. `tables` proves that they will find the kernel mapped.
fn smp_init<A: Arch>(tables: Synced<Areas>) {
    step::<A>(Phase::OtherCpus, 7);
    phase::set(BOOT_CPU, &"starting other CPUs");
    let method = PLATFORM.lock().start_method;
    smp::smp_init::<A>(method, tables);
}

/// The first thread, and the boot CPU's idle loop.
fn rest_init<A: Arch>() -> ! {
    step::<A>(Phase::FirstThread, 8);
    phase::set(BOOT_CPU, &"running threads");
    if sched::spawn::<A>("monitor", BOOT_CPU, monitor::main::<A>).is_err() {
        panic!("no memory for the first thread");
    }
    A::irq_enable();
    sched::idle::<A>(smp::leave_if_asked::<A>)
}
