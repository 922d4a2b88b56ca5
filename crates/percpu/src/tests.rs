extern crate std;

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "smp")]
use crate::PerCpu;
use crate::{Pin, ThisCpu};

std::thread_local! {
    static BASE: Cell<usize> = const { Cell::new(0) };
}

/// A host thread plays a CPU; its base register is a thread-local.
struct HostCpu;

// SAFETY: `BASE` is what the test installed on this thread, and a thread does not change under the read.
unsafe impl ThisCpu for HostCpu {
    fn base() -> usize {
        BASE.get()
    }

    unsafe fn load_usize(offset: usize) -> usize {
        // SAFETY: the caller vouches for the offset.
        unsafe { *core::ptr::with_exposed_provenance::<usize>(BASE.get() + offset) }
    }
}

#[cfg(not(feature = "smp"))]
#[test]
fn one_cpu_is_a_plain_static() {
    percpu! { static TICKS: AtomicUsize = AtomicUsize::new(7); }
    // SAFETY: a UP machine has no other CPU to move to.
    let pin = unsafe { Pin::new() };
    TICKS.store::<HostCpu>(&pin, 9);
    assert_eq!(TICKS.load::<HostCpu>(), 9);
    assert_eq!(TICKS.this::<HostCpu>(&pin).load(Ordering::Relaxed), 9);
    assert!(TICKS.remote(1).is_none() && crate::is_ready());
    assert_eq!(TICKS.remote(0).map(|t| t.load(Ordering::Relaxed)), Some(9));
}

#[cfg(feature = "smp")]
#[test]
fn each_cpu_has_its_copy_of_the_initial_values() {
    #[repr(C, align(64))]
    struct Section {
        first: PerCpu<AtomicUsize>,
        second: PerCpu<AtomicUsize>,
    }
    static SECTION: Section = Section {
        first: PerCpu::new(AtomicUsize::new(1)),
        second: PerCpu::new(AtomicUsize::new(2)),
    };
    let bytes = size_of::<Section>();
    crate::area::host::set((&raw const SECTION).expose_provenance(), bytes);
    assert!(!crate::is_ready() && SECTION.first.remote(0).is_none());

    for cpu in 0..3 {
        let area = std::vec![0u8; bytes + 64].leak();
        let base = area.as_mut_ptr().expose_provenance().next_multiple_of(64);
        // SAFETY: the vector is leaked, long enough and aligned by hand.
        unsafe { crate::setup_area(core::ptr::with_exposed_provenance_mut(base)) };
        crate::set_area(cpu, base);
    }
    let threads = (0..3).map(|cpu| {
        std::thread::spawn(move || {
            BASE.set(crate::area(cpu).unwrap());
            // SAFETY: the thread's base never changes.
            let pin = unsafe { Pin::new() };
            assert_eq!(SECTION.second.load::<HostCpu>(), 2);
            SECTION.second.store::<HostCpu>(&pin, 10 + cpu);
        })
    });
    threads.for_each(|t| t.join().unwrap());
    for cpu in 0..3 {
        assert_eq!(SECTION.first.remote(cpu).unwrap().load(Ordering::Relaxed), 1);
        assert_eq!(
            SECTION.second.remote(cpu).unwrap().load(Ordering::Relaxed),
            10 + cpu
        );
    }
    assert_eq!(
        SECTION.second.template.load(Ordering::Relaxed),
        2,
        "the template stays as it was"
    );
    assert!(crate::is_ready() && SECTION.second.remote(3).is_none() && crate::area(usize::MAX).is_none());
    crate::set_area(usize::MAX, 1);
}
