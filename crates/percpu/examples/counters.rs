//! A variable that each CPU has its own of. A host process has one CPU and no section of its own, so that this is what a
//! kernel for one CPU does; with the feature `smp`, and an area for each CPU, the same lines are right on many.

use std::sync::atomic::AtomicUsize;

use percpu::{Pin, ThisCpu, percpu};

percpu! {
    /// Interrupts taken.
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
}

/// A kernel reads its base register here: `gs`, `tp`, `TPIDR_EL1`.
struct Host;

// SAFETY: without the feature `smp` neither is called: the variable is the static it looks like.
unsafe impl ThisCpu for Host {
    fn base() -> usize {
        0
    }

    unsafe fn load_usize(_offset: usize) -> usize {
        0
    }
}

fn main() {
    // SAFETY: there is no other CPU to move to.
    let pin = unsafe { Pin::new() };
    for _ in 0..3 {
        TAKEN.store::<Host>(&pin, TAKEN.load::<Host>() + 1);
    }
    let all = (0..4).filter_map(|cpu| TAKEN.remote(cpu));
    println!(
        "{} interrupts here, {} CPUs in all",
        TAKEN.load::<Host>(),
        all.count()
    );
}
