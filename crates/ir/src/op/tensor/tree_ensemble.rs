//! `TreeEnsemble`: scores of a forest with real thresholds.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, floats, misfit, one, word};
use crate::op::Attrs;
use crate::real_forest::Precision;
use crate::{DType, Dim, RealForest, Shape};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "TreeEnsemble";

/// What becomes of the leaves that a row reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their sum divided by the number of trees.
    Average,
    /// The least.
    Min,
    /// The largest.
    Max,
}

impl Aggregate {
    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Sum => "SUM",
            Aggregate::Average => "AVERAGE",
            Aggregate::Min => "MIN",
            Aggregate::Max => "MAX",
        }
    }
}

/// What ONNX-ML's operators of trees have in common: leaves by [`RealForest`], brought together, then the initial scores
/// added. Sums are in doubles, tree by tree, and rounded once to the dtype of the output. An output that no tree adds to
/// is its initial score.
///
/// Input: `[n_rows, n_features]`, or `[n_features]` for one row; `f32` if the forest compares in single precision, `f64` if
/// in double. NaN is missing. Output: `[n_rows, n_outputs]` of that dtype.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeEnsemble {
    /// The trees.
    pub forest: Box<RealForest>,
    /// What becomes of the leaves.
    pub aggregate: Aggregate,
}

impl TreeEnsemble {
    /// Scores of a row: `cell(feature)` is its number, NaN where it is missing.
    pub fn scores(&self, cell: impl Fn(u32) -> f64) -> Vec<f64> {
        let n_outputs = self.forest.initial_scores().len();
        let mut sums = vec![0f64; n_outputs];
        let mut met = vec![false; n_outputs];
        for tree in self.forest.trees() {
            let values = tree.values(tree.leaf(self.forest.precision(), &cell));
            let first = tree.first_output as usize;
            for ((sum, met), &value) in sums[first..].iter_mut().zip(&mut met[first..]).zip(values) {
                *sum = match self.aggregate {
                    Aggregate::Min if *met => sum.min(value),
                    Aggregate::Max if *met => sum.max(value),
                    Aggregate::Min | Aggregate::Max => value,
                    Aggregate::Sum | Aggregate::Average => *sum + value,
                };
                *met = true;
            }
        }
        let n_trees = self.forest.trees().len().max(1) as f64;
        let divisor = if self.aggregate == Aggregate::Average { n_trees } else { 1.0 };
        sums.iter().zip(self.forest.initial_scores()).map(|(sum, initial)| sum / divisor + initial).collect()
    }
}

impl Payload for TreeEnsemble {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let forest = Attr::RealForest(self.forest.clone());
        vec![("forest", forest), ("aggregate_function", word(self.aggregate.name()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        floats(NAME, "input", x)?;
        let dtype = match self.forest.precision() {
            Precision::Single => DType::F32,
            Precision::Double => DType::F64,
        };
        if x.dtype != dtype {
            return Err(misfit(NAME, "input", dtype.name(), &x.describe()));
        }
        let n_outputs = Dim::Fixed(self.forest.initial_scores().len());
        let Some(axes) = x.shape.axes() else { return one(dtype, Shape(vec![Dim::Unknown, n_outputs])) };
        let (rows, features) = match axes {
            [features] => (Dim::Fixed(1), features),
            [rows, features] => (rows.clone(), features),
            _ => return Err(misfit(NAME, "input", "1 or 2 axes", &x.describe())),
        };
        let least = self.forest.n_features() as usize;
        if matches!(features, Dim::Fixed(n) if *n < least) {
            return Err(misfit(NAME, "features of the input", &alloc::format!("{least} or more"), features));
        }
        one(dtype, Shape(vec![rows, n_outputs]))
    }
}

impl Stored for TreeEnsemble {
    fn parse(name: &str, attrs: &Attrs) -> Found<TreeEnsemble> {
        (name == NAME).then(|| {
            let all = [Aggregate::Sum, Aggregate::Average, Aggregate::Min, Aggregate::Max];
            Ok(TreeEnsemble {
                forest: Box::new(attrs.real_forest(NAME, "forest")?.clone()),
                aggregate: attrs.one_of(NAME, "aggregate_function", &all, |a| a.name())?,
            })
        })
    }
}
