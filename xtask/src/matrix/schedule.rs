//! Runs things side by side: small ones as many as there are places, a big one on as many as it needs.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Free places.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, count: usize) {
        let free = self.freed.wait_while(self.lock(), |free| *free < count);
        *free.unwrap_or_else(PoisonError::into_inner) -= count;
    }

    fn give(&self, count: usize) {
        *self.lock() += count;
        self.freed.notify_all();
    }
}

/// Does `work` on each of `items`, on `places` at a time, where an item needs `weight` places or, if that is more than
/// there are, all of them. Heavy items go first, so that none is left for the end. The results come in any order.
///
/// Each item has a thread of its own from start to end: what it starts dies with it.
pub fn run<T: Send, R: Send>(
    items: Vec<T>,
    places: usize,
    weight: impl Fn(&T) -> usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let limit = places.max(1);
    let mut weighed: Vec<(usize, T)> = items
        .into_iter()
        .map(|item| (weight(&item).clamp(1, limit), item))
        .collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let places = Places {
        free: Mutex::new(limit),
        freed: Condvar::new(),
    };
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let mut waiting = VecDeque::from(weighed);
        while let Some((weight, item)) = waiting.pop_front() {
            places.take(weight);
            let (places, results, work) = (&places, &results, &work);
            scope.spawn(move || {
                let result = work(item);
                results
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(result);
                places.give(weight);
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_are_done_and_never_too_many_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut done = run(
            (1..=20_usize).collect(),
            3,
            |item| *item % 5,
            |item| {
                let weight = (item % 5).clamp(1, 3);
                let here = now.fetch_add(weight, Ordering::SeqCst) + weight;
                most.fetch_max(here, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(2));
                now.fetch_sub(weight, Ordering::SeqCst);
                item
            },
        );
        done.sort_unstable();
        assert_eq!(done, (1..=20).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert!(most.load(Ordering::SeqCst) >= 2, "nothing ran side by side");
    }

    #[test]
    fn no_places_are_one_place() {
        assert_eq!(run(vec![1, 2], 0, |_| 9, |item| item), [1, 2]);
    }
}
