//! Threads: numbered tasks in, results in task order out.

use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Looks for work, some ten microseconds in all, before a thread that stays awake offers its core to others.
const SPINS: u32 = 1000;
/// Looks for work after that before it sleeps between two.
const YIELDS: u32 = 100;
const NAP: Duration = Duration::from_micros(50);

/// A fixed number of worker threads.
pub struct Threads {
    pool: Option<rayon::ThreadPool>,
    n: usize,
}

/// Why worker threads could not be started.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "threads: the system gave none: {}; use fewer with --jobs", self.0)
    }
}

impl std::error::Error for Error {}

impl Threads {
    /// `n` worker threads; 0 means one for each core, 1 means the caller's own.
    ///
    /// # Errors
    /// The system refuses to start them.
    pub fn try_new(n: usize) -> Result<Threads, Error> {
        let n = if n == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { n };
        if n == 1 {
            return Ok(Threads::one());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
        Ok(Threads { pool: Some(pool.map_err(|e| Error(e.to_string()))?), n })
    }

    /// The caller's own thread.
    pub fn one() -> Threads {
        Threads { pool: None, n: 1 }
    }

    /// Number of threads.
    pub fn n(&self) -> usize {
        self.n
    }

    /// `f()` on one of the threads, while the others stay awake: for many short parallel parts in a row, since
    /// waking a thread takes longer than such a part. Within `f` nothing may wait for these threads but by their
    /// own methods.
    pub fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) if pool.current_thread_index().is_none() => pool.install(|| {
                let awake = Awake(Arc::new(AtomicBool::new(true)));
                let (leader, is_on) = (pool.current_thread_index(), awake.0.clone());
                // More than there are cores would only be in each other's way.
                let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
                pool.spawn_broadcast(move |at| {
                    if at.index() < n_cores && Some(at.index()) != leader {
                        stay_awake(&is_on);
                    }
                });
                f()
            }),
            _ => f(),
        }
    }

    /// `a()` and `b()`, at the same time where a thread is free.
    pub fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match &self.pool {
            Some(pool) => pool.join(a, b),
            None => (a(), b()),
        }
    }

    /// `f(0), f(1), .. f(n_tasks - 1)`, in that order, computed on all threads.
    pub fn map<T: Send>(&self, n_tasks: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        match &self.pool {
            Some(pool) if n_tasks > 1 => pool.install(|| (0..n_tasks).into_par_iter().map(f).collect()),
            _ => (0..n_tasks).map(f).collect(),
        }
    }

    /// `f(number, item)` for each item, which it may change.
    pub fn each<T: Send>(&self, items: &mut [T], f: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.pool {
            Some(pool) if items.len() > 1 => {
                pool.install(|| items.par_iter_mut().enumerate().for_each(|(i, item)| f(i, item)));
            }
            _ => items.iter_mut().enumerate().for_each(|(i, item)| f(i, item)),
        }
    }

    /// `f(first, chunk)` for consecutive chunks of at most `len` items, `first` the index of the
    /// chunk's first item.
    pub fn chunks<T: Send>(&self, items: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
        let len = len.max(1);
        match &self.pool {
            Some(pool) if items.len() > len => {
                pool.install(|| items.par_chunks_mut(len).enumerate().for_each(|(i, c)| f(i * len, c)));
            }
            _ => items.chunks_mut(len).enumerate().for_each(|(i, c)| f(i * len, c)),
        }
    }
}

/// Lets the threads sleep again when it is dropped.
struct Awake(Arc<AtomicBool>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Looks for work until told otherwise, ever more seldom while there is none: other programs want the core too.
fn stay_awake(is_on: &AtomicBool) {
    let mut idle = 0u32;
    while is_on.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            idle = 0;
            continue;
        }
        idle = idle.saturating_add(1);
        if idle < SPINS {
            std::hint::spin_loop();
        } else if idle < SPINS + YIELDS {
            std::thread::yield_now();
        } else {
            std::thread::sleep(NAP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_task_order() {
        for n in [1, 2, 3] {
            let threads = Threads::try_new(n).unwrap();
            assert_eq!(threads.map(100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
            let mut items = vec![0; 1001];
            threads.chunks(&mut items, 10, |first, chunk| {
                chunk.iter_mut().enumerate().for_each(|(i, x)| *x = first + i);
            });
            assert!(items.iter().enumerate().all(|(i, &x)| i == x));
        }
    }

    #[test]
    fn awake_threads_give_the_same_and_may_be_asked_within() {
        for n in [1, 2, 3] {
            let threads = Threads::try_new(n).unwrap();
            let sum = threads.within(|| {
                let parts = threads.map(50, |i| {
                    let (a, b) = threads.join(|| i, || threads.map(3, |j| i * j).iter().sum::<usize>());
                    a + b
                });
                threads.within(|| parts.iter().sum::<usize>())
            });
            assert_eq!(sum, (0..50).map(|i| 4 * i).sum::<usize>());
            let caught =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| threads.within(|| panic!())));
            assert!(caught.is_err());
            assert_eq!(threads.map(2, |i| i), [0, 1], "after a panic");
        }
    }
}
