//! The contract of the Transform family: what learners get of the columns.
//!
//! A transform is fitted on rows and gives derived columns; a derived column is a recipe for nodes,
//! and the runtime computes it, for training as for prediction: there is no second `transform`.
//! Derived columns are doubles in which NaN is missing. Nothing here sees the target: members that
//! do are fitted inside the folds.

use ir::{Column, GraphBuilder, Input, ValueIdx};

/// The columns of a table.
pub struct TransformInput<'a> {
    /// What they are.
    pub inputs: &'a [Input],
    /// Their cells, in chunks of rows.
    pub columns: &'a [Vec<Column<'a>>],
}

/// A derived column.
pub struct Derived {
    /// Columns of the table that it is made of.
    pub uses: Vec<usize>,
    /// Name for people, such as `month of "sold"`.
    pub name: String,
    /// How it becomes nodes.
    pub part: Box<dyn Lower>,
}

/// How a derived column becomes nodes.
pub trait Lower: Send + Sync {
    /// Appends nodes; `columns` are the graph's inputs for `Derived::uses`, in that order. Gives an
    /// `f64 [N]`.
    ///
    /// # Errors
    /// The graph refuses a node.
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error>;
}

/// A transform fits.
pub trait Transform: Sync {
    /// Looks at the rows and gives the derived columns that may help a learner.
    /// Exact: the same rows give the same derived columns on any machine.
    fn fit(&self, input: &TransformInput<'_>) -> Vec<Derived>;
}

/// One line of the table.
pub struct TransformEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// The transform.
    pub transform: &'static dyn Transform,
}
