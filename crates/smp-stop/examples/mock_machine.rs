//! A machine of six threads, one of which panics: `cargo run -p smp-stop --example mock_machine`.
//!
//! CPU 1 idles, CPU 2 has its interrupts off, CPU 3 is on its way up and arrives while the machine is being stopped, CPU 4
//! was started and is dead, CPU 5 was never started. What a kernel does with an interrupt controller is done here with two
//! flags per CPU.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use smp_stop::smp::{Bound, Engine, Rung, SignalError, SmpStopOps, Targets};
use smp_stop::{CpuId, Generation, Reason, Registers, RungKind, StopOps};

const CPUS: usize = 6;

smp_stop::stop_area! {
    /// The memory of a stop, and its report.
    static STOP: CPUS;
}

/// The interrupt controller: what is pending for each CPU.
static INTERRUPT: [AtomicBool; CPUS] = [const { AtomicBool::new(false) }; CPUS];
static NMI: [AtomicBool; CPUS] = [const { AtomicBool::new(false) }; CPUS];

/// The executing CPU.
struct Cpu {
    id: CpuId,
    boot: Instant,
}

impl StopOps for Cpu {
    fn mask_interrupts(&self) {
        // A thread takes its interrupts by looking; see `run`.
    }

    fn this_cpu(&self) -> Option<CpuId> {
        Some(self.id)
    }

    fn hw_id(&self) -> u64 {
        0x100 + u64::from(self.id.as_u32())
    }

    fn now(&self) -> u64 {
        self.boot.elapsed().as_nanos() as u64
    }

    fn relax(&self) {
        thread::yield_now();
    }

    fn save_regs(&self, out: &mut Registers) {
        // A kernel's handler has the frame it saved on entry.
        let n = u64::from(self.id.as_u32());
        out.begin(0, 0x1000 + 0x10 * n, 0x8000_0000 - n, 0x8000_0100 - n);
    }

    fn quiesce(&self) {
        // Caches written back, local interrupt controller off: nothing to do for a thread.
    }

    fn park(&self) -> ! {
        loop {
            thread::park();
        }
    }
}

impl SmpStopOps for Cpu {
    fn rungs(&self) -> &[Rung] {
        const BOUND: Bound = Bound::ms_us(50, 1_000);
        const RUNGS: [Rung; 2] = [
            Rung {
                kind: RungKind::Interrupt,
                bound: BOUND,
            },
            Rung {
                kind: RungKind::NonMaskable,
                bound: BOUND,
            },
        ];
        &RUNGS
    }

    fn signal(&self, rung: usize, targets: &Targets<'_>) -> Result<(), SignalError> {
        let pending = if rung == 0 { &INTERRUPT } else { &NMI };
        for target in targets.iter() {
            pending[target.as_usize()].store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl Cpu {
    fn new(n: usize, boot: Instant) -> Self {
        let id = CpuId::new(n as u32);
        STOP.area().set_hw_id(id, 0x100 + n as u64);
        Self { id, boot }
    }

    /// Through the gate, then whatever a CPU does until it is stopped.
    fn run(&self, generation: Generation, interrupts_on: bool) -> ! {
        let engine = Engine::new(&STOP, self);
        engine.come_online(self.id, generation);
        let n = self.id.as_usize();
        loop {
            let nmi = NMI[n].swap(false, Ordering::Acquire);
            let taken = match () {
                () if nmi => engine.signalled(RungKind::NonMaskable),
                () if interrupts_on && INTERRUPT[n].swap(false, Ordering::Acquire) => {
                    engine.signalled(RungKind::Interrupt)
                }
                () => None,
            };
            if let Some(stop) = taken {
                // The owner died, and this CPU stood by: it ends the machine now.
                println!("{}", stop.report);
                std::process::exit(1);
            }
            thread::yield_now();
        }
    }
}

/// Starts CPU `n`, which is at the gate after so long.
fn start(n: usize, boot: Instant, after: Duration, interrupts_on: bool) {
    let word = STOP
        .area()
        .word(CpuId::new(n as u32))
        .expect("there is room for it");
    let generation = word.begin_start().expect("nobody stops the machine yet");
    thread::spawn(move || {
        let cpu = Cpu::new(n, boot);
        thread::sleep(after);
        cpu.run(generation, interrupts_on)
    });
}

fn main() {
    let boot = Instant::now();
    let area = STOP.area();
    area.set_cpus(CPUS);
    let cpu = Cpu::new(0, boot);
    let word = area.word(cpu.id).expect("the boot CPU has a word");
    word.boot_cpu_online().expect("it is the first");

    start(1, boot, Duration::ZERO, true);
    start(2, boot, Duration::ZERO, false);
    start(3, boot, Duration::from_millis(120), true);
    start(4, boot, Duration::from_secs(3_600), true);
    thread::sleep(Duration::from_millis(100));

    let stop = Engine::new(&STOP, &cpu).stop(Reason::Panic);
    println!("{}\n\n{}", stop.outcome, stop.report);
}
