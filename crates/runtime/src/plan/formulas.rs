//! Arithmetic over columns, step by step in registers: what constructed columns are made by.
//!
//! A node that the reference computes takes and makes tensors, which for a row alone costs twenty times what it computes.
//! Nodes whose inputs are columns, single numbers or such nodes need none: each is a step that fills a register, a number
//! a row, by the function that defines its operator.

use crate::numbers;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::{Arithmetic, Function};
use ir::{Column, DType, Graph, Node, Op, Origin, Shape, TensorData, Value, ValueIdx};

/// What a step takes.
#[derive(Clone, Copy, Debug)]
enum Operand {
    /// What an earlier step made.
    Register(usize),
    Number(f64),
}

/// What fills the register of its place.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A column as doubles, missing as NaN.
    Column(usize),
    Arithmetic(Arithmetic, Operand, Operand),
    Function(Function, usize),
}

/// Steps over columns, and what others take of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Formulas {
    steps: Vec<Step>,
    /// Values of the graph with their registers.
    made: Vec<(usize, usize)>,
}

/// Where a step takes a value of the graph from.
#[derive(Clone, Copy)]
enum Source {
    /// From nowhere: others make it.
    Other,
    /// A column that is given, by its place.
    Column(usize),
    Number(f64),
    Register(usize),
}

impl Formulas {
    /// Takes the nodes that are steps out of `nodes`; what `wanted` names, or other nodes take, is kept of them. A value that
    /// is `known` is the column of that place.
    pub(super) fn take(
        graph: &Graph,
        nodes: &mut Vec<Node>,
        wanted: &[usize],
        known: &[(usize, usize)],
    ) -> Formulas {
        let mut formulas = Formulas::default();
        let mut sources: Vec<Source> = graph.values().iter().map(source).collect();
        known.iter().for_each(|&(value, place)| sources[value] = Source::Column(place));
        let mut is_made = vec![false; sources.len()];
        nodes.retain(|node| match formulas.step(graph, node, &mut sources) {
            Some(value) => {
                is_made[value] = true;
                false
            }
            None => true,
        });
        let mut keep = |value: usize| match sources[value] {
            Source::Register(at) if is_made[value] => {
                is_made[value] = false;
                formulas.made.push((value, at));
            }
            _ => {}
        };
        wanted.iter().for_each(|value| keep(*value));
        nodes.iter().flat_map(|node| &node.inputs).for_each(|input| keep(input.0 as usize));
        formulas
    }

    /// Makes a step of a node; the value that it makes, none if it cannot be one.
    fn step(&mut self, graph: &Graph, node: &Node, sources: &mut [Source]) -> Option<usize> {
        let &[output] = &node.outputs[..] else { return None };
        let made = graph.value(output);
        if made.dtype != DType::F64 || made.shape != Shape::rows() {
            return None;
        }
        let register = match (&node.op, &node.inputs[..]) {
            (Op::Cast(_), &[x]) => self.register(x, sources)?,
            (Op::Function(op), &[x]) => {
                let x = self.register(x, sources)?;
                self.push(Step::Function(*op, x))
            }
            (Op::Arithmetic(op), &[a, b]) => {
                // Nothing is loaded for a node that is none.
                if [a, b].iter().any(|value| matches!(sources[value.0 as usize], Source::Other)) {
                    return None;
                }
                let (a, b) = (self.operand(a, sources)?, self.operand(b, sources)?);
                self.push(Step::Arithmetic(*op, a, b))
            }
            _ => return None,
        };
        sources[output.0 as usize] = Source::Register(register);
        Some(output.0 as usize)
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// The register of a value that is no number; a column is loaded once.
    fn register(&mut self, value: ValueIdx, sources: &mut [Source]) -> Option<usize> {
        let source = &mut sources[value.0 as usize];
        match *source {
            Source::Register(register) => Some(register),
            Source::Column(place) => {
                let register = self.push(Step::Column(place));
                *source = Source::Register(register);
                Some(register)
            }
            Source::Number(_) | Source::Other => None,
        }
    }

    fn operand(&mut self, value: ValueIdx, sources: &mut [Source]) -> Option<Operand> {
        match sources[value.0 as usize] {
            Source::Number(x) => Some(Operand::Number(x)),
            _ => self.register(value, sources).map(Operand::Register),
        }
    }

    /// Values that others take, each with its register.
    pub(super) fn made(&self) -> impl Iterator<Item = (usize, usize)> {
        self.made.iter().copied()
    }

    /// Places of the columns that it starts from.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| if let Step::Column(place) = step { Some(*place) } else { None })
    }

    /// Fills the registers, `[n_registers, n]`; none for columns of other dtypes.
    pub(super) fn run<'c>(
        &self,
        n: usize,
        registers: &mut Vec<f64>,
        column: &dyn Fn(usize) -> Option<Column<'c>>,
    ) -> Option<()> {
        registers.resize(self.steps.len() * n, 0.0);
        for (at, step) in self.steps.iter().enumerate() {
            let (before, behind) = registers.split_at_mut(at * n);
            let (before, out) = (&*before, &mut behind[..n]);
            let register = |at: usize| &before[at * n..][..n];
            match step {
                Step::Column(place) => numbers::fill(&column(*place)?, out)?,
                Step::Function(op, x) => numbers::apply(*op, register(*x), out),
                Step::Arithmetic(op, a, b) => {
                    let [a, b] = [a, b].map(|operand| match operand {
                        Operand::Register(at) => (register(*at), 1),
                        Operand::Number(x) => (core::slice::from_ref(x), 0),
                    });
                    numbers::combine(*op, a, b, out);
                }
            }
        }
        Some(())
    }
}

/// Where a step takes a value from that no step makes.
fn source(value: &Value) -> Source {
    match &value.origin {
        Origin::Input(place)
            if matches!(value.dtype, DType::F64 | DType::I64) && value.shape == Shape::rows() =>
        {
            Source::Column(*place as usize)
        }
        Origin::Constant(tensor) if tensor.dims().len() <= 1 => match tensor.data() {
            TensorData::F64(numbers) if numbers.len() == 1 => Source::Number(numbers[0]),
            _ => Source::Other,
        },
        _ => Source::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Operation;
    use crate::plan::Plan;
    use alloc::vec;
    use ir::forest::{Child, CodedFeature, Split, Test, Tree};
    use ir::op::{Bin, Cast, ForestOp};
    use ir::{Bits, ColumnData, Forest, GraphBuilder, Tensor};

    /// A forest over `sqrt(x + k)`, `1 / x` and a column: the nodes before it are steps, and all paths say the same.
    #[test]
    fn arithmetic_over_columns_needs_no_interpreter() {
        let mut b = GraphBuilder::new();
        let mut column = |name: &str, dtype| b.input(name, dtype, Shape::rows()).unwrap();
        let (k, x) = (column("k", DType::I64), column("x", DType::F64));
        let one = b.constant(Tensor::scalar(TensorData::F64(vec![1.0])).unwrap()).unwrap();
        let edges = b.constant(Tensor::vector(TensorData::F64(vec![-1.0, 0.25, 2.5]))).unwrap();
        let cast = b.node(Op::Cast(Cast), &[k]).unwrap();
        let sum = b.node(Op::Arithmetic(Arithmetic::Add), &[x, cast]).unwrap();
        let root = b.node(Op::Function(Function::Sqrt), &[sum]).unwrap();
        let inverse = b.node(Op::Arithmetic(Arithmetic::Div), &[one, x]).unwrap();
        let codes = [root, inverse, x].map(|value| b.node(Op::Bin(Bin), &[value, edges]).unwrap());
        let tree = |feature: u32| {
            let (left, right, test) = (Child::Leaf(0), Child::Leaf(1), Test::Greater(1));
            let split = Split { feature, test, missing_left: true, left, right };
            let leaves = vec![1 << (2 * feature), 2 << (2 * feature)];
            Tree { splits: vec![split], leaves, width: 1, ..Tree::default() }
        };
        let features = vec![CodedFeature { n_codes: 4, ordered: true }; 3];
        let forest = Forest::try_new(features, vec![0], (0..3).map(tree).collect()).unwrap().into();
        let scores = b.node(Op::Forest(ForestOp { forest }), &codes).unwrap();
        let graph = b.finish(&[scores]).unwrap();
        let plan = Plan::new(&graph).unwrap();
        let counts = plan.counts().single;
        assert!(counts.each().all(|(operation, n)| operation != Operation::CallNode || n == 0.0));
        let (n, bytes) = (70, [0b1110_1101; 9]);
        let k: Vec<i64> = (0..n).map(|i| (i * i) % 7 - 2).collect();
        let x: Vec<f64> = k.iter().map(|k| (k - 1) as f64 / 2.0).collect();
        let validity = || Bits::try_new(&bytes, 0, n as usize);
        let columns = [
            Column::try_new(ColumnData::I64(&k), validity()).unwrap(),
            Column::try_new(ColumnData::F64(&x), validity()).unwrap(),
        ];
        assert_eq!(plan.run(&columns).unwrap(), crate::reference::run(&graph, &columns).unwrap());
        for row in 0..n as usize {
            let alone = columns.map(|column| column.slice(row, 1).unwrap());
            assert_eq!(plan.run(&alone).unwrap(), crate::reference::run(&graph, &alone).unwrap());
        }
    }
}
