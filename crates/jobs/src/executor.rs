//! Where tasks run: on this machine, or on others.

/// Runs tasks that are bytes in and bytes out, so that they may run anywhere.
pub trait Executor {
    /// Runs tasks and tells what came of each, by its place among them, in any order; starts no more once `heard` says
    /// false. A task that got lost is not told of.
    fn run(&self, tasks: &[Vec<u8>], heard: &mut dyn FnMut(usize, Vec<u8>) -> bool);
}

/// Runs tasks one after the other here, each on all threads.
pub struct InTurn<'a> {
    work: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

impl<'a> InTurn<'a> {
    /// `work` is what becomes of a task.
    pub fn new(work: &'a dyn Fn(&[u8]) -> Vec<u8>) -> InTurn<'a> {
        InTurn { work }
    }
}

impl Executor for InTurn<'_> {
    fn run(&self, tasks: &[Vec<u8>], heard: &mut dyn FnMut(usize, Vec<u8>) -> bool) {
        for (at, task) in tasks.iter().enumerate() {
            if !heard(at, (self.work)(task)) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_until_nobody_wants_more() {
        let double = |task: &[u8]| [task, task].concat();
        let tasks: Vec<Vec<u8>> = vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()];
        let mut got = Vec::new();
        InTurn::new(&double).run(&tasks, &mut |at, made| {
            got.push((at, made));
            at < 1
        });
        assert_eq!(got, [(0, b"aa".to_vec()), (1, b"bb".to_vec())]);
    }
}
