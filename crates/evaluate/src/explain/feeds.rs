//! Which columns of the table feed which columns of a value.
//!
//! A feature of a model may be made of several columns (a ratio, a principal component) and several features of
//! one (its bins, its terms). Attributions belong to features; they are shared *equally* among the columns that
//! feed a feature, since the graph says that all of them count, not how much.

use ir::{Dim, Graph, Op, Origin, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// Place of the empty set.
const NONE: u32 = 0;

/// The columns that feed each column of each value of a graph.
#[derive(Debug)]
pub(crate) struct Feeds {
    /// Different sets of columns, each rising.
    sets: Vec<Vec<u32>>,
    /// By value: one set for all its columns, or one for each.
    of_value: Vec<Vec<u32>>,
}

impl Feeds {
    /// Walks the graph once; only its first `n_columns` inputs count as columns. Operators that work column by
    /// column keep columns apart, every other makes one of all that it takes. O(columns of all values).
    pub(crate) fn new(graph: &Graph, n_columns: usize) -> Feeds {
        let mut sets = Sets::default();
        sets.place(Vec::new());
        let mut of_value: Vec<Vec<u32>> = vec![vec![NONE]; graph.values().len()];
        for (value, feeds) in graph.values().iter().zip(&mut of_value) {
            if let Origin::Input(position) = value.origin
                && (position as usize) < n_columns
            {
                *feeds = vec![sets.place(vec![position])];
            }
        }
        for node in graph.nodes() {
            let inputs = || node.inputs.iter().map(|i| &of_value[i.0 as usize]);
            let made: Vec<u32> = match &node.op {
                Op::Columns(_) => {
                    let beside = |input: &ValueIdx| {
                        let feeds = &of_value[input.0 as usize];
                        (0..width_of(graph, *input)).map(|j| at(feeds, j)).collect::<Vec<u32>>()
                    };
                    node.inputs.iter().flat_map(beside).collect()
                }
                Op::Gather(_) => gathered(graph, &node.inputs, &of_value),
                Op::Arithmetic(_)
                | Op::Function(_)
                | Op::Comparison(_)
                | Op::IsNaN(_)
                | Op::Where(_)
                | Op::QuantizeLinear(_) => {
                    let width = inputs().map(Vec::len).max().unwrap_or(1);
                    (0..width).map(|j| sets.union(inputs().map(|feeds| at(feeds, j)).collect())).collect()
                }
                _ => vec![sets.union(inputs().flatten().copied().collect())],
            };
            for output in &node.outputs {
                of_value[output.0 as usize].clone_from(&made);
            }
        }
        Feeds { sets: sets.all, of_value }
    }

    /// The set that feeds column `j` of a value.
    pub(crate) fn set_of(&self, value: ValueIdx, j: usize) -> u32 {
        at(&self.of_value[value.0 as usize], j)
    }

    /// These for a part that is multiplied by a factor before it is added.
    pub(crate) fn times(&self, factor: f64) -> Weighed<'_> {
        Weighed { feeds: self, factor }
    }
}

/// The columns that feed a part, and what the part is multiplied by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighed<'f> {
    feeds: &'f Feeds,
    factor: f64,
}

impl Weighed<'_> {
    /// Adds `amount`, times the factor, to the columns of a set, in equal shares. What no column feeds is constant and
    /// has no amount.
    pub(crate) fn share(self, set: u32, amount: f64, columns: &mut [f64]) {
        let fed = &self.feeds.sets[set as usize];
        let each = amount * self.factor / fed.len().max(1) as f64;
        fed.iter().for_each(|&column| columns[column as usize] += each);
    }
}

fn at(feeds: &[u32], j: usize) -> u32 {
    feeds.get(j).or(feeds.first()).copied().unwrap_or(NONE)
}

/// Columns of a value: 1 of a vector.
fn width_of(graph: &Graph, value: ValueIdx) -> usize {
    match &graph.value(value).shape.0[..] {
        [_, Dim::Fixed(width)] => *width,
        _ => 1,
    }
}

/// The columns that a `Gather` picks.
fn gathered(graph: &Graph, inputs: &[ValueIdx], of_value: &[Vec<u32>]) -> Vec<u32> {
    let &[x, indices] = inputs else { return vec![NONE] };
    let feeds = &of_value[x.0 as usize];
    match graph.constant(indices).map(|c| c.data()) {
        Some(TensorData::I64(picked)) => {
            picked.iter().map(|&i| at(feeds, usize::try_from(i).unwrap_or_default())).collect()
        }
        _ => vec![at(feeds, 0)],
    }
}

/// Different sets, numbered as they come.
#[derive(Default)]
struct Sets {
    all: Vec<Vec<u32>>,
    known: BTreeMap<Vec<u32>, u32>,
}

impl Sets {
    fn place(&mut self, set: Vec<u32>) -> u32 {
        if let Some(&place) = self.known.get(&set) {
            return place;
        }
        let place = self.all.len() as u32;
        self.all.push(set.clone());
        self.known.insert(set, place);
        place
    }

    /// The set of all columns of these sets.
    fn union(&mut self, mut places: Vec<u32>) -> u32 {
        places.sort_unstable();
        places.dedup();
        if let [only] = places[..] {
            return only;
        }
        let mut set: Vec<u32> = places.iter().flat_map(|&p| self.all[p as usize].iter().copied()).collect();
        set.sort_unstable();
        set.dedup();
        self.place(set)
    }
}
