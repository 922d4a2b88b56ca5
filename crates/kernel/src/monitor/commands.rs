//! What the monitor can do.

use alloc::string::String;
use core::fmt::Write as _;
use core::sync::atomic::{AtomicUsize, Ordering};

use arrayvec::ArrayString;

use super::{bench, faults, hotplug, selftest, trace};
use crate::arch::Arch;
use crate::clock::MS;
use crate::cpu::{self, ACTIVE, CpuId, NR_CPUS, ONLINE, POSSIBLE, PRESENT};
use crate::power::{self, End};
use crate::{clock, console, efi, image, irq, mm, panic, params, percpu_areas, println, sched, smp, staging};

/// One command.
struct Command<A> {
    name: &'static str,
    /// Form of its arguments, empty for none.
    form: &'static str,
    help: &'static str,
    run: fn(&str) -> Result<(), &'static str>,
    arch: core::marker::PhantomData<A>,
}

struct Table<A>(A);

macro_rules! commands {
    ($($name:literal $form:literal $help:literal => $run:expr;)*) => {
        &[$(Command { name: $name, form: $form, help: $help, run: $run, arch: core::marker::PhantomData }),*]
    };
}

impl<A: Arch> Table<A> {
    const ALL: &'static [Command<A>] = commands! {
        "help" "" "this list" => |_| help::<A>();
        "version" "" "what this kernel is" => |_| version::<A>();
        "cpus" "" "the CPUs: state, hardware id, interrupts taken, and the four masks" => |_| cpus();
        "mem" "" "RAM: in all, used, free, left alone; heap, image, per-CPU areas" => |_| mem();
        "log" "" "the log ring" => |_| log();
        "trace" "[CPU[,CPU]]|WORDS" "what CPUs did, in order; or record what WORDS ask for, as trace= does" => trace::run;
        "threads" "" "all kernel threads" => |_| threads();
        "params" "" "parameters of the command line" => |_| list_params();
        "uptime" "" "seconds since the kernel's first instruction" => |_| uptime();
        "bench" "ipi|switch|lock|trace" "time a thread wake-up across CPUs, a thread switch, a lock, the recording of an event" => bench::run::<A>;
        "selftest" "" "test clock, scheduler, per-CPU variables, memory" => |_| selftest::run::<A>();
        "busy" "all|CPU[,CPU]" "keep CPUs busy with a spinning thread each, for ever" => busy::<A>;
        "irqsoff" "all|CPU[,CPU]" "make CPUs spin with interrupts off, for ever" => irqsoff::<A>;
        "offline" "CPU" "take a CPU off; its threads go on elsewhere" => hotplug::take_off::<A>;
        "online" "CPU" "bring a CPU on, back or for the first time" => hotplug::bring_on::<A>;
        "hotplug" "all|CPU[,CPU] CYCLES" "take CPUs off and bring them on again, time it, compare memory" => hotplug::cycle::<A>;
        "on" "CPU COMMAND" "run a command on another CPU" => on_cpu::<A>;
        "bg" "COMMAND" "run a command in the background" => background::<A>;
        "later" "MS CPU COMMAND" "run a command on a CPU so many milliseconds from now" => later::<A>;
        "sleep" "MS" "wait so many milliseconds" => sleep::<A>;
        "fault" "undef|null|write|exec|stack|canary|vectors" "make the kernel fail in that way" => faults::fault::<A>;
        "hang" "" "stop answering, with interrupts off" => |_| faults::hang::<A>();
        "triple-fault" "" "die without a word" => |_| A::die();
        "panic" "[WHY]" "panic" => panic_for;
        "crash" "[WHY]" "as panic, with the highest reason: takes over a stop that is under way" => |why| panic::crash::<A>(if why.is_empty() { "asked for by the monitor" } else { why });
        "halt" "" "stop all CPUs and stay" => |_| power::shut_down::<A>(End::Halt);
        "reboot" "[WAY]" "stop all CPUs and reset the machine" => reboot::<A>;
        "efivars" "" "the variables of an EFI: vendor, size, attributes, name" => |_| efi::list::<A>();
        "first" "COMMAND" "run a command if the machine was not reset since it was turned on" => first::<A>;
        "poweroff" "" "stop all CPUs and turn the machine off" => |_| power::shut_down::<A>(End::PowerOff);
    };
}

/// As most panics do, one without words of its own says what the image has, and need not write it first.
fn panic_for(why: &str) -> Outcome {
    match why {
        "" => panic!("asked for by the monitor"),
        why => panic!("{why}"),
    }
}

/// Executes one command. An empty line is none.
pub(crate) fn run_line<A: Arch>(line: &str) {
    let (name, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    if name.is_empty() {
        return;
    }
    if let Some(outcome) = staging::command::<A>(name, rest.trim(), run_line::<A>) {
        return outcome.unwrap_or_else(|why| println!("{name}: {why}"));
    }
    let Some(command) = Table::<A>::ALL.iter().find(|c| c.name == name) else {
        println!("{name}: no such command; help lists them");
        return;
    };
    if let Err(why) = (command.run)(rest.trim()) {
        println!("{name}: {why}");
        println!("usage: {name} {}", command.form);
    }
}

type Outcome = Result<(), &'static str>;

fn help<A: Arch>() -> Outcome {
    for c in Table::<A>::ALL {
        let blank = if c.form.is_empty() { "" } else { " " };
        println!(
            "  {}{blank}{:width$} {}",
            c.name,
            c.form,
            c.help,
            width = 40 - c.name.len() - blank.len()
        );
    }
    Ok(())
}

fn version<A: Arch>() -> Outcome {
    println!(
        "Standstill {} {} {}",
        env!("CARGO_PKG_VERSION"),
        A::NAME,
        smp::BUILD
    );
    println!("build-id {}", records::Hex(image::build_id()));
    Ok(())
}

fn cpus() -> Outcome {
    println!("  cpu  hardware id  state              ticks       ipis  area");
    for id in POSSIBLE.snapshot().iter() {
        let at = id.as_usize();
        let count = |counter: Option<&'static AtomicUsize>| counter.map_or(0, |c| c.load(Ordering::Relaxed));
        println!(
            "{:>5}  {:>11}  {:<14} {:>9} {:>10}  {:#x}",
            id.as_u32(),
            hw_column(id),
            cpu::word(id).state(),
            count(irq::TICKS.remote(at)),
            count(irq::IPIS.remote(at)),
            percpu::area(at).unwrap_or(0),
        );
    }
    for (name, mask) in [
        ("possible", &POSSIBLE),
        ("present", &PRESENT),
        ("online", &ONLINE),
        ("active", &ACTIVE),
    ] {
        println!("{name:>9}: {}", mask.snapshot());
    }
    Ok(())
}

/// A hardware id in a column.
fn hw_column(id: CpuId) -> ArrayString<18> {
    let mut text = ArrayString::new();
    // 64 bits in hexadecimal fit.
    let _ = match cpu::hw_id(id) {
        Some(hw) => write!(text, "{hw}"),
        None => text.write_str("?"),
    };
    text
}

fn mem() -> Outcome {
    let usage = mm::usage();
    println!("     RAM {:>10} KiB", usage.ram >> 10);
    println!("    used {:>10} KiB", usage.used() >> 10);
    println!("    free {:>10} KiB", usage.free >> 10);
    println!(
        "    left {:>10} KiB alone: beyond what this kernel can reach",
        usage.left >> 10
    );
    println!(
        "    heap {:>10} KiB taken from the page allocator",
        mm::heap_bytes() >> 10
    );
    println!("   image {:>10} KiB", image::range().len() >> 10);
    println!(
        " per CPU {:>10} bytes, at most {NR_CPUS} CPUs",
        percpu_areas::unit_bytes()
    );
    // In place: a copy would take most of this thread's stack.
    let memblock = mm::MEMBLOCK.lock();
    memblock
        .memory()
        .iter()
        .for_each(|r| println!("     ram {:#014x}-{:#014x}", r.start, r.end - 1));
    memblock
        .reserved()
        .iter()
        .for_each(|r| println!("reserved {:#014x}-{:#014x}", r.start, r.end - 1));
    Ok(())
}

fn log() -> Outcome {
    console::for_each_record(|record| println!("{record}"));
    Ok(())
}

fn threads() -> Outcome {
    println!("   id  cpu  state      switches  name");
    sched::for_each(|t| {
        println!(
            "{:>5} {:>4}  {:<8} {:>10}  {}",
            t.id,
            t.cpu().as_u32(),
            t.state(),
            t.switches(),
            t.name()
        );
    });
    Ok(())
}

fn list_params() -> Outcome {
    params::all().for_each(|p| println!("  {}", p.help));
    Ok(())
}

fn uptime() -> Outcome {
    let us = clock::now_ns() / 1000;
    println!("{}.{:06} s", us / 1_000_000, us % 1_000_000);
    Ok(())
}

fn sleep<A: Arch>(ms: &str) -> Outcome {
    let ms = ms.parse::<u32>().map_err(|_| "not a number of milliseconds")?;
    sched::sleep::<A>(u64::from(ms) * MS);
    Ok(())
}

fn busy<A: Arch>(which: &str) -> Outcome {
    for id in cpu::online_named(which)?.iter() {
        let spin = || loop {
            core::hint::spin_loop();
        };
        sched::spawn::<A>("busy", id, spin).map_err(|_| "out of memory")?;
    }
    Ok(())
}

/// Spins on each of the CPUs with interrupts off; returns when all of them do. This CPU cannot be one of them: it would not
/// come back.
fn irqsoff<A: Arch>(which: &str) -> Outcome {
    static DEAF: AtomicUsize = AtomicUsize::new(0);
    let mut cpus = cpu::online_named(which)?;
    let me = sched::current::<A>().map_or(cpu::BOOT_CPU, |thread| thread.cpu());
    cpus.clear(me);
    let before = DEAF.load(Ordering::Acquire);
    for id in cpus.iter() {
        let spin = || {
            let _off = irq::IrqOff::new();
            DEAF.fetch_add(1, Ordering::AcqRel);
            loop {
                core::hint::spin_loop();
            }
        };
        sched::spawn::<A>("irqsoff", id, spin).map_err(|_| "out of memory")?;
    }
    wait_for::<A>(|| DEAF.load(Ordering::Acquire) - before == cpus.count() as usize)
}

/// `reboot [WAY]`.
fn reboot<A: Arch>(way: &str) -> Outcome {
    if !way.is_empty() {
        power::choose_of::<A>(way)?;
    }
    power::shut_down::<A>(End::Reboot)
}

/// `first COMMAND`: a command line that resets the machine is read again after it.
fn first<A: Arch>(command: &str) -> Outcome {
    if power::boots::is_first() {
        run_line::<A>(command);
    }
    Ok(())
}

/// `on CPU COMMAND`.
fn on_cpu<A: Arch>(text: &str) -> Outcome {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let (which, command) = text.split_once(' ').ok_or("on which CPU, and what?")?;
    let id = cpu::online_named(which)?.first().ok_or("on which CPU?")?;
    let (command, before) = (String::from(command), DONE.load(Ordering::Acquire));
    let run = move || {
        run_line::<A>(&command);
        DONE.fetch_add(1, Ordering::AcqRel);
    };
    sched::spawn::<A>("on", id, run).map_err(|_| "out of memory")?;
    wait_for::<A>(|| DONE.load(Ordering::Acquire) != before)
}

/// `bg COMMAND`.
fn background<A: Arch>(command: &str) -> Outcome {
    let here = sched::current::<A>().map_or(cpu::BOOT_CPU, |thread| thread.cpu());
    let command = String::from(command);
    sched::spawn::<A>("bg", here, move || run_line::<A>(&command))
        .map(drop)
        .map_err(|_| "out of memory")
}

/// `later MS CPU COMMAND`: so that several CPUs can do something at the same time.
fn later<A: Arch>(text: &str) -> Outcome {
    let (ms, text) = text.split_once(' ').ok_or("when, on which CPU, and what?")?;
    let (which, command) = text.split_once(' ').ok_or("on which CPU, and what?")?;
    let ms = ms.parse::<u32>().map_err(|_| "not a number of milliseconds")?;
    let id = cpu::online_named(which)?.first().ok_or("on which CPU?")?;
    let (command, at) = (String::from(command), clock::now_ns() + u64::from(ms) * MS);
    let run = move || {
        sched::sleep::<A>(at.saturating_sub(clock::now_ns()));
        run_line::<A>(&command);
    };
    sched::spawn::<A>("later", id, run)
        .map(drop)
        .map_err(|_| "out of memory")
}

/// Looks every millisecond, for ten seconds.
fn wait_for<A: Arch>(done: impl Fn() -> bool) -> Outcome {
    let deadline = clock::now_ns() + 10_000 * MS;
    while !done() {
        if clock::now_ns() >= deadline {
            return Err("not done after 10 s; it may still come");
        }
        sched::sleep::<A>(MS);
    }
    Ok(())
}
