//! The executing side of a CPU: a stack of its own, which another CPU takes over from at every step.
//!
//! All `unsafe` of the simulator is here.

use std::cell::Cell;
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use crate::cpu::Cpu;
use crate::world::World;

const STACK_BYTES: usize = 64 << 10;

/// The stacks of a machine's CPUs, kept from one schedule to the next.
#[derive(Default)]
pub struct Stacks(Vec<DefaultStack>);

/// The CPUs of one schedule.
pub struct Fibers<'w> {
    world: &'w World,
    fibers: Vec<Coroutine<(), (), ()>>,
    stacks: &'w mut Stacks,
}

/// Where a CPU gives way to others. Set while its fiber exists.
pub struct GiveWay(Cell<*const Yielder<(), ()>>);

impl Default for GiveWay {
    /// Of a CPU without a fiber.
    fn default() -> Self {
        Self(Cell::new(ptr::null()))
    }
}

impl GiveWay {
    /// Lets other CPUs run, until it is this one's turn again. To be called on the CPU's own fiber.
    pub fn give_way(&self) {
        // SAFETY: `Fibers` sets it at the start of the fiber this is called on, and the yielder lives as long as that.
        let yielder = unsafe { self.0.get().as_ref() };
        if let Some(yielder) = yielder {
            yielder.suspend(());
        }
    }
}

impl<'w> Fibers<'w> {
    /// A fiber for each CPU of `world`, which runs `program` when it is its turn.
    pub fn new(world: &'w World, stacks: &'w mut Stacks, program: fn(&Cpu<'_>)) -> Self {
        let fibers = (0..world.cpus())
            .map(|n| {
                let stack = stacks
                    .0
                    .pop()
                    .unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("memory for a stack"));
                let main = move |yielder: &Yielder<(), ()>, ()| {
                    world.give_way(n).0.set(yielder);
                    program(&Cpu::new(world, n));
                    world.give_way(n).0.set(ptr::null());
                };
                // SAFETY: the world outlives `self`, whose drop ends every fiber.
                unsafe { Coroutine::with_stack_unchecked(stack, main) }
            })
            .collect();
        Self {
            world,
            fibers,
            stacks,
        }
    }

    /// Lets CPU `n` run until it gives way.
    pub fn step(&mut self, n: usize) {
        if let Some(fiber) = self.fibers.get_mut(n)
            && !fiber.done()
        {
            fiber.resume(());
        }
    }
}

impl Drop for Fibers<'_> {
    fn drop(&mut self) {
        for (n, mut fiber) in self.fibers.drain(..).enumerate() {
            // SAFETY: what is left on a CPU's stack are references and plain data: nothing that a program or a hook holds
            // across a step has anything to drop.
            unsafe { fiber.force_reset() };
            self.world.give_way(n).0.set(ptr::null());
            self.stacks.0.push(fiber.into_stack());
        }
    }
}
