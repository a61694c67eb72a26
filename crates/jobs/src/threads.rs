//! Threads: numbered tasks in, results in task order out.

use rayon::prelude::*;

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
}
