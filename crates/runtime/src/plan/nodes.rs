//! Nodes that a plan has no engine for: the reference computes them, block by block.
//!
//! [`Prelude`] is what stands between the columns and their codes; [`Interpreted`] a whole graph without
//! a forest; [`WholeTable`] what hangs on other rows, which is computed before the blocks.

use super::formulas::Formulas;
use crate::bags;
use crate::cost::{Counts, Operation, Rows};
use crate::engine::vocabulary::Vocabulary;
use crate::error::{Error, Kind};
use crate::reference::{Held, evaluate_by, output};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use ir::{Column, ColumnData, Dim, Graph, Node, Op, Origin, Tensor, TensorData, ValueIdx};

/// Some nodes of a graph, and the columns that they start from.
#[derive(Clone, Debug, Default)]
pub(super) struct Prelude {
    /// Nodes that need no interpreter, which come first.
    formulas: Formulas,
    /// Slots of what others take of them, with the register of each.
    registers: Vec<(usize, usize)>,
    /// The others, on slots in place of values.
    nodes: Vec<Node>,
    /// By node: the prepared vocabulary of `Tokens`.
    vocabularies: Vec<Option<Vocabulary>>,
    /// Slots of constants.
    constants: Vec<(usize, Arc<Tensor>)>,
    /// Slots of columns, with the place of each.
    columns: Vec<(usize, usize)>,
    /// By value of the graph: its slot, if the nodes have to do with it. A call holds slots alone, which are few.
    slots: Vec<Option<u32>>,
    n_slots: usize,
    counts: Counts,
}

/// Values of some rows.
pub(super) struct Computed<'p> {
    slots: &'p [Option<u32>],
    held: Vec<Option<Held<'p>>>,
}

impl<'p> Computed<'p> {
    /// A value of the graph.
    pub(super) fn get(&self, value: usize) -> Option<&Held<'p>> {
        let slot = (*self.slots.get(value)?)?;
        self.held.get(slot as usize)?.as_ref()
    }
}

impl Prelude {
    /// The nodes that the values `wanted` hang on; a value that is `known` is the column of that place.
    pub(super) fn new(graph: &Graph, wanted: &[usize], known: &[(usize, usize)]) -> Prelude {
        let mut needed = vec![false; graph.values().len()];
        wanted.iter().for_each(|&w| needed[w] = true);
        let mut prelude = Prelude::default();
        let mut is_known_value = vec![false; graph.values().len()];
        known.iter().for_each(|(k, _)| is_known_value[*k] = true);
        for node in graph.nodes().iter().rev() {
            let is_known = node.outputs.iter().any(|o| is_known_value[o.0 as usize]);
            if !is_known && node.outputs.iter().any(|o| needed[o.0 as usize]) {
                node.inputs.iter().for_each(|i| needed[i.0 as usize] = true);
                prelude.nodes.push(node.clone());
            }
        }
        prelude.nodes.reverse();
        prelude.nodes.iter().for_each(|node| count(graph, node, &mut prelude.counts));
        prelude.formulas = Formulas::take(graph, &mut prelude.nodes, wanted, known);
        needed.fill(false);
        let inputs = prelude.nodes.iter().flat_map(|node| &node.inputs).map(|input| input.0 as usize);
        wanted.iter().copied().chain(inputs).for_each(|value| needed[value] = true);
        let vocabulary = |node: &Node| match (&node.op, graph.constant(*node.inputs.get(1)?)?.data()) {
            (Op::Tokens(_), TensorData::Str(terms)) => Some(Vocabulary::new(terms)),
            _ => None,
        };
        prelude.vocabularies = prelude.nodes.iter().map(vocabulary).collect();
        for node in &prelude.nodes {
            node.outputs.iter().for_each(|o| needed[o.0 as usize] = true);
        }
        prelude.slots = vec![None; needed.len()];
        for (at, value) in graph.values().iter().enumerate().filter(|(at, _)| needed[*at]) {
            let slot = prelude.n_slots;
            prelude.slots[at] = Some(slot as u32);
            prelude.n_slots += 1;
            match &value.origin {
                Origin::Input(column) => prelude.columns.push((slot, *column as usize)),
                Origin::Constant(tensor) => prelude.constants.push((slot, tensor.clone())),
                Origin::Node(_) => {}
            }
        }
        let Prelude { formulas, registers, nodes, columns, slots, .. } = &mut prelude;
        registers.extend(formulas.made().filter_map(|(value, at)| Some((slots[value]? as usize, at))));
        columns.extend(known.iter().filter_map(|&(k, place)| Some((slots[k]? as usize, place))));
        for value in nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().chain(&mut node.outputs)) {
            // Whatever a node takes or makes has a slot.
            value.0 = slots[value.0 as usize].unwrap_or(value.0);
        }
        prelude
    }

    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        counts.add_all(&self.counts);
        if rows == Rows::Single {
            counts.add(Operation::CallNode, self.nodes.len());
        }
    }

    /// Places of the columns that the nodes start from.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|(_, place)| *place).chain(self.formulas.columns())
    }

    /// The computed values of rows `first..first + n`; some of them stay in `registers`.
    pub(super) fn run<'p>(
        &'p self,
        columns: &[Column<'p>],
        (first, n): (usize, usize),
        registers: &'p mut Vec<f64>,
    ) -> Result<Computed<'p>, Error> {
        self.run_on(n, registers, &|column| columns[column].slice(first, n))
    }

    fn run_on<'p>(
        &'p self,
        n: usize,
        registers: &'p mut Vec<f64>,
        column: &dyn Fn(usize) -> Option<Column<'p>>,
    ) -> Result<Computed<'p>, Error> {
        self.formulas.run(n, registers, column).ok_or_else(fail)?;
        let mut held: Vec<Option<Held<'p>>> = (0..self.n_slots).map(|_| None).collect();
        for &(slot, at) in &self.registers {
            let made = Column::try_new(ColumnData::F64(&registers[at * n..][..n]), None);
            held[slot] = made.map(Held::Column);
        }
        for &(slot, place) in &self.columns {
            held[slot] = column(place).map(Held::Column);
        }
        for (slot, tensor) in &self.constants {
            held[*slot] = Some(Held::Constant(tensor));
        }
        evaluate_by(&self.nodes, &mut held, n, |at, inputs| {
            match (&inputs.node.op, &self.vocabularies[at]) {
                (Op::Tokens(op), Some(table)) => {
                    bags::tokens(inputs, *op, |terms, term| table.find(terms, term)).map(Held::Made)
                }
                _ => inputs.evaluate(),
            }
        })?;
        Ok(Computed { slots: &self.slots, held })
    }
}

/// What the interpreter does for a row: values that it makes, products of a matrix, texts that it parts.
fn count(graph: &Graph, node: &Node, counts: &mut Counts) {
    let is_text = matches!(node.op, Op::Tokens(_) | Op::HashTokens(_) | Op::TextPart(_));
    counts.add(Operation::ComputedText, usize::from(is_text));
    let cells = |value: &ValueIdx| {
        let dims = graph.value(*value).shape.0.iter();
        let fixed = dims.map(|dim| if let Dim::Fixed(n) = dim { *n } else { 1 });
        fixed.fold(1usize, usize::saturating_mul)
    };
    // Rows times a matrix read it whole.
    let of_matrix = match node.op {
        Op::MatMul(_) | Op::QGemm(_) | Op::NearestRows(_) | Op::RbfSums(_) => {
            node.inputs.iter().skip(1).map(cells).max().unwrap_or(0)
        }
        _ => 0,
    };
    counts.add(Operation::Product, of_matrix);
    counts.add(Operation::ComputedCell, node.outputs.iter().map(cells).sum());
}

/// The values that hang on other rows of the tables: computed once for all rows, they are columns to the rest.
#[derive(Clone, Debug)]
pub(super) struct WholeTable {
    nodes: Prelude,
    /// The values, by place behind the columns of the graph. Those with several columns are cut into rows.
    values: Vec<usize>,
}

/// Columns that were computed for all rows.
pub(super) struct WholeColumns(Vec<Tensor>);

impl WholeColumns {
    pub(super) fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        self.0.iter().filter_map(|t| match t.data() {
            TensorData::F64(v) => Column::try_new(ColumnData::F64(v), None),
            _ => None,
        })
    }
}

impl WholeTable {
    /// None if every node is row by row.
    ///
    /// # Errors
    /// An output that hangs on other rows and has several columns.
    pub(super) fn new(graph: &Graph) -> Result<Option<WholeTable>, Error> {
        // Of a matrix its columns are taken, which are gathered one by one.
        let is_whole = |node: &Node| !node.op.payload().is_row_wise();
        let mut seen = vec![false; graph.values().len()];
        let mut values = Vec::new();
        for node in graph.nodes() {
            let takes_matrix =
                node.inputs.iter().any(|i| seen[i.0 as usize] && graph.value(*i).shape.rank() > 1);
            if !is_whole(node) && !takes_matrix {
                continue;
            }
            for output in &node.outputs {
                seen[output.0 as usize] = true;
                if graph.value(*output).shape.rank() == 1 {
                    values.push(output.0 as usize);
                }
            }
        }
        let is_matrix = |o: &ValueIdx| seen[o.0 as usize] && graph.value(*o).shape.rank() > 1;
        if let Some(output) = graph.outputs().iter().find(|o| is_matrix(o)) {
            let (node, op) = (graph.value(*output).name.clone(), "a matrix over other rows as output");
            return Err(Kind::Unsupported { node, op, engine: "interpreting" }.into());
        }
        if values.is_empty() {
            return Ok(None);
        }
        Ok(Some(WholeTable { nodes: Prelude::new(graph, &values, &[]), values }))
    }

    /// The values with the places that they have behind `n_inputs` columns.
    pub(super) fn known(&self, n_inputs: usize) -> Vec<(usize, usize)> {
        self.values.iter().enumerate().map(|(i, &value)| (value, n_inputs + i)).collect()
    }

    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        self.nodes.count(rows, counts);
    }

    pub(super) fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<WholeColumns, Error> {
        let mut registers = Vec::new();
        let computed = self.nodes.run_on(n_rows, &mut registers, &|column| Some(columns[column]))?;
        let made = self.values.iter().map(|&value| {
            let made = output(computed.get(value));
            made.filter(|tensor| matches!(tensor.data(), TensorData::F64(_))).ok_or_else(fail)
        });
        Ok(WholeColumns(made.collect::<Result<_, _>>()?))
    }
}

/// Rows of a block: enough that a node costs little beside its rows.
const ROWS: usize = 1024;

/// A graph without a forest.
#[derive(Clone, Debug)]
pub(super) struct Interpreted {
    nodes: Prelude,
    outputs: Vec<usize>,
}

impl Interpreted {
    pub(super) fn new(graph: &Graph, known: &[(usize, usize)]) -> Interpreted {
        let outputs: Vec<usize> = graph.outputs().iter().map(|o| o.0 as usize).collect();
        Interpreted { nodes: Prelude::new(graph, &outputs, known), outputs }
    }

    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        self.nodes.count(rows, counts);
    }

    pub(super) fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        let mut all: Vec<Option<Tensor>> = self.outputs.iter().map(|_| None).collect();
        let mut first = 0;
        loop {
            let n = ROWS.min(n_rows - first);
            let mut registers = Vec::new();
            let computed = self.nodes.run(columns, (first, n), &mut registers)?;
            for (&at, all) in self.outputs.iter().zip(&mut all) {
                let held = computed.get(at);
                let part = output(held).ok_or_else(fail)?;
                *all = Some(match (all.take(), held) {
                    (Some(same), Some(Held::Constant(_))) => same,
                    (None, _) => part,
                    (Some(rows), _) => rows.below(part).ok_or_else(fail)?,
                });
            }
            first += n;
            if first >= n_rows {
                break;
            }
        }
        all.into_iter().collect::<Option<_>>().ok_or_else(fail)
    }
}

pub(super) fn fail() -> Error {
    let (op, engine) = ("an output that has no rows", "interpreting");
    Kind::Unsupported { node: "graph".into(), op, engine }.into()
}
