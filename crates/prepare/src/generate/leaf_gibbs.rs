//! `leaf_gibbs`: rows whose cells are drawn, group by group, from rows in the same leaf of a tree.

use super::{GenerateInput, Generator, GeneratorEntry, MadeCells, TIMES};
use crate::coded::Coded;
use crate::error::Error;
use crate::neighbours::thinned;
use ir::digest::SplitMix64;
use ir::forest::{MISSING, Tree};
use jobs::{Budget, Cancel, Clock, Ctx, Silent, Threads};
use params::{ParamSpec, Params, Range, Value};
use trees::{AverageParams, Draw, Rows, Target, average};

/// The line of the table.
pub(super) static ENTRY: GeneratorEntry = GeneratorEntry {
    name: "leaf_gibbs",
    doc: "training rows whose cells are drawn anew from rows that a tree puts into the same leaf",
    spec: SPEC,
    generator: &LeafGibbs,
};

const SPEC: &[ParamSpec] = &[
    TIMES,
    ParamSpec {
        name: "rounds",
        aliases: &[],
        default: Value::Int(1),
        range: Range::Int { low: 1, high: 20 },
        doc: "how often each group of columns is drawn anew",
    },
];

/// Trees of the forest.
const N_TREES: usize = 16;
/// Leaves of a tree.
const MAX_LEAVES: usize = 31;
/// Rows (weights) of a leaf.
const MIN_LEAF_ROWS: f64 = 5.0;
/// The share of the columns that a split looks at, so that trees differ.
const COLUMN_SHARE: f64 = 0.5;
/// Rows that trees are grown on, at most.
const MOST_GROWN: usize = 50_000;

/// Each made row is a training row whose groups are drawn anew, `rounds` times each, in random order: a group's cells are
/// those of another training row, any as likely, in the leaf that the made row, as it is by then, reaches in a tree of a
/// small forest, any tree as likely. So cells are drawn from about their distribution given all others, as far as that
/// matters to what the teacher says, which the trees are grown on: 16 trees of 31 leaves, each on a bootstrap sample of
/// at most 50,000 training rows, half of the columns at each split. A tree learns what the teacher says of one class;
/// trees are dealt to classes in turn, the most probable ones first.
/// O(trees rows columns) for the forest, O(made rows rounds groups) walks for the rows.
/// # Source  Gibbs sampling as in Fakoor et al., FAST-DAD, NeurIPS 2020, section 4, with leaves in the place of a
/// learnt conditional density; our own.
struct LeafGibbs;

impl Generator for LeafGibbs {
    fn make(&self, input: &GenerateInput<'_>, params: &Params) -> Result<MadeCells, Error> {
        let rows = input.training_rows();
        let starts = input.starts(&rows, rows.len(), params);
        if starts.is_empty() {
            return Ok(MadeCells::of(input, &starts, |_, _, _| {}));
        }
        let leaves = leaves(input, &rows)?;
        let rounds = params.int("rounds");
        let table = input.coded();
        Ok(MadeCells::of(input, &starts, |made, _, from| {
            let mut random = SplitMix64::new(input.seed.derive(ENTRY.name, made as u64).0);
            let mut order: Vec<usize> = (0..from.len()).collect();
            for _ in 0..rounds {
                random.shuffle(&mut order);
                for &group in &order {
                    let tree = &leaves[random.below(N_TREES as u32) as usize];
                    let alike = tree.rows_of(table, |column| from[input.group_of[column]]);
                    from[group] = another(alike, from[group], &mut random);
                }
            }
        }))
    }
}

/// Any of some rows but `row`, each as likely; `row` where there is no other.
fn another(rows: &[u32], row: u32, random: &mut SplitMix64) -> u32 {
    let n = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let first = random.below(n);
    let at = match rows.get(first as usize) {
        Some(&drawn) if drawn == row => (first + 1 + random.below(n.saturating_sub(1))) % n.max(1),
        _ => first,
    };
    rows.get(at as usize).copied().unwrap_or(row)
}

/// A tree with the training rows in its leaves.
struct Leaves {
    tree: Tree,
    rows: Vec<Vec<u32>>,
}

impl Leaves {
    fn new(tree: Tree, table: Coded<'_>, training: &[u32]) -> Leaves {
        let rows = vec![Vec::new(); tree.splits.len() + 1];
        let mut leaves = Leaves { tree, rows };
        for &row in training {
            let leaf = leaves.reached(table, |_| row);
            leaves.rows[leaf].push(row);
        }
        leaves
    }

    /// The leaf of a row whose columns are those of the rows that `row_of` gives.
    fn reached(&self, table: Coded<'_>, row_of: impl Fn(usize) -> u32) -> usize {
        let code = |feature: u32| {
            let column = feature as usize;
            let code = table.code(column, row_of(column));
            if code == table.missing(column) { MISSING } else { code }
        };
        self.tree.leaf(code) as usize
    }

    /// The training rows in that leaf.
    fn rows_of(&self, table: Coded<'_>, row_of: impl Fn(usize) -> u32) -> &[u32] {
        &self.rows[self.reached(table, row_of)]
    }
}

/// The forest.
fn leaves(input: &GenerateInput<'_>, rows: &[u32]) -> Result<Vec<Leaves>, Error> {
    let grown_on = thinned(rows, MOST_GROWN, input.seed.derive("grown", 0));
    let outputs = by_size(input, &grown_on);
    let n_columns = input.coded().n_columns();
    let params = AverageParams {
        n_trees: 1,
        max_leaves: MAX_LEAVES,
        max_depth: 0,
        min_leaf_rows: MIN_LEAF_ROWS,
        draw: Draw::Bootstrap,
        // A little more, so that the product with the number of columns does not round down.
        column_share: COLUMN_SHARE + 0.5 / n_columns.max(1) as f64,
        random_thresholds: false,
        smoothing: 0.0,
        leaf_bits: 16,
        with_floats: false,
        keeps_trees: true,
    };
    let grow = |at: usize| -> Result<Leaves, Error> {
        let output = outputs[at % outputs.len()];
        let values: Vec<f64> =
            input.targets.iter().skip(output).step_by(input.n_outputs.max(1)).copied().collect();
        let (one, budget, cancel) = (Threads::one(), Budget::work(Clock::start(), 0), Cancel::new());
        let ctx = Ctx { threads: &one, budget: &budget, cancel: &cancel, progress: &Silent };
        let seed = input.seed.derive("tree", at as u64);
        let on = Rows { train: grown_on.clone(), others: Vec::new() };
        let target = Target::Values(&values);
        let grown = average(input.codes, &target, input.row_weights, on, &params, seed, &ctx)?;
        let tree = grown.trees.into_iter().next().unwrap_or_default();
        Ok(Leaves::new(tree, input.coded(), rows))
    };
    input.threads.map(N_TREES, grow).into_iter().collect()
}

/// Outputs that trees are grown on: as many as there are trees at most, those of the largest sums over the rows first.
fn by_size(input: &GenerateInput<'_>, rows: &[u32]) -> Vec<usize> {
    let n = input.n_outputs.max(1);
    let sum = |output: usize| rows.iter().map(|&row| input.targets[row as usize * n + output]).sum::<f64>();
    let mut sums: Vec<(usize, f64)> = (0..n).map(|output| (output, sum(output))).collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    sums.into_iter().map(|(output, _)| output).take(N_TREES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Table, ordered};
    use crate::generate::laws::{Making, make};

    #[test]
    fn another_row_of_a_leaf_is_any_but_the_own_one() {
        let mut random = SplitMix64::new(3);
        let mut counts = [0usize; 5];
        for _ in 0..4000 {
            counts[another(&[0, 1, 2, 3, 4], 2, &mut random) as usize] += 1;
        }
        assert_eq!(counts[2], 0);
        // 1,000 each, of deviation 27.
        assert!(counts.iter().enumerate().all(|(row, n)| row == 2 || n.abs_diff(1000) < 140), "{counts:?}");
        assert_eq!(another(&[7], 7, &mut random), 7);
        assert_eq!(another(&[7], 3, &mut random), 7);
        assert_eq!(another(&[], 3, &mut random), 3);
    }

    /// The teacher's step at code 8 of the first column, which every tree finds: the made row stays on its side, and
    /// the second column, which says nothing, is drawn from all rows.
    #[test]
    fn leaves_keep_what_the_teacher_sees() {
        let n_rows = 512u32;
        let table = Table {
            encoders: vec![ordered(16), ordered(16)],
            codes: vec![
                (0..n_rows).map(|row| (row % 16) as u8).collect(),
                (0..n_rows).map(|row| (row / 32) as u8).collect(),
            ],
            numbers: vec![None, None],
            weights: None,
            n_rows: n_rows as usize,
        };
        let rows: Vec<u32> = (0..n_rows).collect();
        let side = |row: u32| row % 16 >= 8;
        let targets: Vec<f64> = rows.iter().map(|&row| f64::from(side(row))).collect();
        let making = Making { group_of: &[0, 1], targets: &targets, rows: &rows, ..Making::default() };
        let made = make(&ENTRY, &table, &[("times", "4"), ("rounds", "3")], making).unwrap();
        assert!(made.n_rows() > 1900, "{}", made.n_rows());
        let stay = (0..made.n_rows()).filter(|&at| side(made.start[at]) == side(made.from[0][at])).count();
        assert!(stay as f64 > 0.97 * made.n_rows() as f64, "{stay} of {}", made.n_rows());
        let is_far = |&at: &usize| (made.start[at] / 32).abs_diff(made.from[1][at] / 32) > 4;
        let far = (0..made.n_rows()).filter(is_far).count();
        assert!(far as f64 > 0.3 * made.n_rows() as f64, "{far} of {}", made.n_rows());
    }
}
