//! A plan: a graph scheduled for speed.
//!
//! Rows run in blocks small enough for the caches. A graph of integer scores, a forest or a sum of other
//! parts, is [`scored`]: codes and small integers of a block, then the parts, then the links. Every other graph
//! is interpreted, block by block. A plan holds everything that can be prepared (sorted keys, hash tables, node
//! arrays) and nothing that changes, so any number of threads may share one.

mod ending;
mod formulas;
mod nodes;
mod rows;
mod scored;

use crate::cost::{Counts, Operation, RowCounts, Rows};
use crate::error::Error;
use crate::reference::{Asked, check_inputs};
use alloc::boxed::Box;
use alloc::vec::Vec;
use ir::{Column, Graph, Op, Tensor};
use nodes::{Interpreted, WholeTable};
use scored::Scored;

/// A graph ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    inputs: Vec<Asked>,
    whole: Option<WholeTable>,
    schedule: Schedule,
}

#[derive(Clone, Debug)]
enum Schedule {
    Scored(Box<Scored>),
    Interpreted(Box<Interpreted>),
}

impl Plan {
    /// Schedules a graph of integer scores and links, or any graph without a forest.
    ///
    /// # Errors
    /// `Unsupported` names the node that this engine cannot run.
    pub fn new(graph: &Graph) -> Result<Plan, Error> {
        let whole = WholeTable::new(graph)?;
        let known = whole.as_ref().map_or(Vec::new(), |w| w.known(graph.inputs().len()));
        let has_forest = graph.nodes().iter().any(|n| matches!(n.op, Op::Forest(_)));
        let schedule = match Scored::new(graph, &known) {
            Ok(scored) => Schedule::Scored(Box::new(scored)),
            Err(error) if has_forest => return Err(error),
            Err(_) => Schedule::Interpreted(Box::new(Interpreted::new(graph, &known))),
        };
        Ok(Plan { inputs: Asked::all(graph), whole, schedule })
    }

    /// Outputs for these columns, in the order of the graph's outputs; equal to the reference
    /// interpreter's byte for byte.
    ///
    /// # Errors
    /// Columns that do not fit the graph's inputs.
    pub fn run(&self, columns: &[Column<'_>]) -> Result<Vec<Tensor>, Error> {
        let n_rows = check_inputs(&self.inputs, columns)?;
        let Some(whole) = &self.whole else { return self.schedule.run(columns, n_rows) };
        let made = whole.run(columns, n_rows)?;
        let all: Vec<Column<'_>> = columns.iter().copied().chain(made.columns()).collect();
        self.schedule.run(&all, n_rows)
    }

    /// True if rows hang on other rows, so that a table must be handed over whole.
    pub fn sees_other_rows(&self) -> bool {
        self.whole.is_some()
    }

    /// The operations of a row, in a batch and alone.
    pub fn counts(&self) -> RowCounts {
        RowCounts { batch: self.counts_of(Rows::Many), single: self.counts_of(Rows::Single) }
    }

    fn counts_of(&self, rows: Rows) -> Counts {
        let mut counts = Counts::default();
        counts.add(Operation::Row, 1);
        if rows == Rows::Single {
            counts.add(Operation::Call, 1);
            counts.add(Operation::CallColumn, self.inputs.len());
        }
        match &self.schedule {
            Schedule::Scored(scored) => scored.count(rows, &mut counts),
            Schedule::Interpreted(nodes) => nodes.count(rows, &mut counts),
        }
        if let Some(whole) = &self.whole {
            whole.count(rows, &mut counts);
        }
        counts
    }

    /// Number of coded columns, that is of inputs of forests and tables; 0 of a graph that is interpreted.
    pub fn n_columns(&self) -> usize {
        match &self.schedule {
            Schedule::Scored(scored) => scored.n_codes(),
            Schedule::Interpreted(_) => 0,
        }
    }
}

impl Schedule {
    fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        match self {
            Schedule::Scored(scored) => scored.run(columns, n_rows),
            Schedule::Interpreted(nodes) => nodes.run(columns, n_rows),
        }
    }
}
