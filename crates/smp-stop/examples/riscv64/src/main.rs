//! A kernel that does nothing but stop: `smp-stop` on riscv64 in machine mode. README.md says what it shows.
#![no_std]
#![no_main]

mod machine;
mod uart;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

use smp_stop::smp::Engine;
use smp_stop::{CpuId, Generation, How, Outcome, Reason, RungKind, Stop};

use machine::{CPUS, Cpu, Frame};
use uart::println;

smp_stop::stop_area! {
    /// The memory of a stop. By this name gdb knows it: `x/32wx &STOP`.
    #[unsafe(no_mangle)]
    pub static STOP: CPUS;
}

/// What each CPU is to come online with, from the one that starts it; 0: it starts itself.
static STARTS: [AtomicU32; CPUS] = [const { AtomicU32::new(0) }; CPUS];
/// How many CPUs are online: for this story, not for the stop.
static ONLINE: AtomicU32 = AtomicU32::new(0);

/// The first CPU, once memory is in order.
#[unsafe(no_mangle)]
extern "C" fn boot_main() -> ! {
    println!("riscv64: {CPUS} CPUs, story {}", machine::story());
    STOP.set_cpus(CPUS);
    (0..CPUS as u32).for_each(|n| STOP.set_hw_id(CpuId::new(n), n.into()));
    let _ = STOP.word(CpuId::BOOT).map(|word| word.boot_cpu_online());
    for n in 1..CPUS {
        // From here on the CPU is in the account, though it has not executed anything yet.
        if machine::story() != 2
            && let Some(Ok(generation)) = STOP.word(CpuId::new(n as u32)).map(|word| word.begin_start())
        {
            STARTS[n].store(generation.get(), Ordering::Release);
        }
        machine::interrupt(n);
    }
    run(0)
}

/// Every other CPU, when it is let go.
#[unsafe(no_mangle)]
extern "C" fn secondary_main(n: usize) -> ! {
    let cpu = Cpu::here(None);
    let (engine, id) = (Engine::new(&STOP, &cpu), CpuId::new(n as u32));
    let generation = match STARTS[n].load(Ordering::Acquire) {
        0 => engine.begin_own_start(id),
        started => Generation::from_raw(started),
    };
    engine.come_online(id, generation);
    run(n)
}

/// What CPUs do until one of them fails.
fn run(n: usize) -> ! {
    ONLINE.fetch_add(1, Ordering::AcqRel);
    let is_deaf = (machine::story(), n) == (1, 3);
    if !is_deaf {
        machine::unmask_interrupts();
    }
    while is_deaf {
        core::hint::spin_loop();
    }
    let fails = if machine::story() == 2 { 2 } else { 1 };
    while n == fails {
        if ONLINE.load(Ordering::Acquire) as usize == CPUS {
            fail();
        }
        core::hint::spin_loop();
    }
    loop {
        // Found by a look where a signal was never sent: in the last story.
        if let Some(stop) = Engine::new(&STOP, &Cpu::here(None)).poll() {
            speak(&stop);
        }
        core::hint::spin_loop();
    }
}

fn fail() -> ! {
    match machine::story() {
        2 => machine::illegal_instruction(),
        // Words that have to be written: the compiler is not to know the number.
        3 => panic!("CPU {} is out of cheese", core::hint::black_box(1)),
        _ => panic!("out of cheese"),
    }
}

/// Every trap comes here, with the registers of the code it broke into.
#[unsafe(no_mangle)]
extern "C" fn trap(frame: &Frame) {
    let cpu = Cpu::here(Some(frame));
    let engine = Engine::new(&STOP, &cpu);
    if machine::is_software_interrupt() {
        machine::end_of_interrupt();
        // Some: the owner of a stop died, and this CPU had answered first.
        if let Some(stop) = engine.signalled(RungKind::Interrupt) {
            speak(&stop);
        }
        return;
    }
    engine.set_message(&format_args!(
        "exception {} at {:#x}",
        machine::cause(),
        frame.pc()
    ));
    speak(&engine.stop(Reason::Panic))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let cpu = Cpu::here(None);
    let engine = Engine::new(&STOP, &cpu);
    let stop = match info.message().as_str() {
        Some(words) => engine.stop_saying(Reason::Panic, words),
        None => {
            engine.set_message(&info.message());
            engine.stop(Reason::Panic)
        }
    };
    speak(&stop)
}

/// The owner's last words, and the end. The cause is in the area, whichever CPU it was that failed.
fn speak(stop: &Stop<'_>) -> ! {
    // One that comes a third time has failed in here.
    static TOLD: AtomicU32 = AtomicU32::new(0);
    if TOLD.fetch_add(1, Ordering::Relaxed) < 2 {
        if stop.how == How::TookOver {
            println!("the CPU that stopped the others died of it");
        }
        stop.report
            .rows()
            .filter_map(|row| Some((row.cpu, stop.report.message(row.cpu)?)))
            .for_each(|(cpu, words)| println!("panic of CPU {}: {words}", cpu.as_u32()));
        #[cfg(feature = "display")]
        println!("{}\n{}", stop.outcome, stop.report);
    }
    machine::exit(match stop.outcome {
        Outcome::Stopped => 0,
        Outcome::Partial { .. } => 3,
        Outcome::Unavailable { .. } => 4,
    });
    // Where the machine stays, a CPU that was silent may come back and have the higher reason.
    Engine::new(&STOP, &Cpu::here(None)).hold_on(|stop| speak(&stop))
}
