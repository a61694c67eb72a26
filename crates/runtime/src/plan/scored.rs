//! Graphs of integer scores: a forest, or a sum of parts, and what becomes of it; or several such, combined.
//!
//! A part has its engine where there is one; the reference computes what has none. Rows run in blocks, each through a
//! [`stage`]: all codes of a block come first, then all rows of small integers, then the parts ([`members`]).
//! [`lowering`] makes stages of a graph.

mod gathered;
mod lowering;
mod members;
mod stage;

use super::ending::{Ending, score_of};
use super::nodes::fail;
use super::rows::width_of;
use crate::cost::{Counts, Operation, Rows};
use crate::engine::{BLOCK, Trees};
use crate::error::{Error, Kind};
use alloc::vec;
use alloc::vec::Vec;
use ir::{Column, DType, Graph, Node, Tensor, TensorData, ValueIdx};
use lowering::Lowered;
use stage::{Stage, StageRoom};

/// Scores of rows, and links of them.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    stage: Stage,
    endings: Vec<Ending>,
}

impl Scored {
    /// # Errors
    /// `Unsupported` names a node that these engines cannot run.
    pub(super) fn new(graph: &Graph, known: &[(usize, usize)]) -> Result<Scored, Error> {
        let score = graph.outputs().first().map(|&output| score_of(graph, output));
        let score = score
            .filter(|&score| graph.value(score).dtype == DType::I32)
            .filter(|&score| width_of(graph, score).is_some_and(|width| width > 0))
            .ok_or_else(|| refuse_graph(graph))?;
        let stage = Lowered::new(graph, known).stage(score)?;
        let ending = |&output: &ValueIdx| {
            Ending::of(graph, output, score).map_err(|node| node.map_or_else(|| refuse_graph(graph), refuse))
        };
        let endings = graph.outputs().iter().map(ending).collect::<Result<_, _>>()?;
        Ok(Scored { stage, endings })
    }

    pub(super) fn n_codes(&self) -> usize {
        self.stage.n_codes()
    }

    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        self.stage.count(rows, counts);
        self.endings.iter().for_each(|ending| ending.count(self.stage.scores.width, counts));
        if rows == Rows::Single {
            counts.add(Operation::CallPart, self.endings.len());
        }
    }

    pub(super) fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        let width = self.stage.scores.width;
        let mut outputs: Vec<TensorData> = self.endings.iter().map(|e| e.empty(n_rows, width)).collect();
        let most = BLOCK.min(n_rows);
        let mut scores = vec![0i32; width * most];
        let mut room = StageRoom::new(&self.stage, most, Trees::stride(n_rows));
        let mut first = 0;
        while first < n_rows {
            let n = BLOCK.min(n_rows - first);
            let scores = &mut scores[..n * width];
            self.stage.scores_into((columns, first, n), None, &mut room, scores)?;
            for (ending, output) in self.endings.iter().zip(&mut outputs) {
                ending.write(scores, width, first, output);
            }
            first += n;
        }
        let shaped = self.endings.iter().zip(outputs);
        let shaped = shaped.map(|(ending, data)| Tensor::try_new(ending.dims(n_rows, width), data));
        shaped.collect::<Option<_>>().ok_or_else(fail)
    }
}

fn refuse(node: &Node) -> Error {
    let op = node.op.payload().name();
    Kind::Unsupported { node: node.name.clone(), op, engine: "walking" }.into()
}

/// Outputs that are not made of one score.
fn refuse_graph(graph: &Graph) -> Error {
    match graph.outputs().first().and_then(|&output| graph.maker(output)) {
        Some(node) => refuse(node),
        None => {
            let (op, engine) = ("outputs without a score", "walking");
            Kind::Unsupported { node: "graph".into(), op, engine }.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::members::{Made, Part, Scores, Step, TreeColumn};
    use super::*;
    use crate::engine::bins::Bins;
    use crate::plan::rows::{CodeStep, RowStep};
    use ir::forest::{Child, CodedFeature, Split, Test, Tree};
    use ir::op::{
        Arithmetic, Bin, Cascade, Cast, Columns, ForestOp, Gate, Gather, OneHot, QGemm, QuantizeLinear,
        ScoreCurve, Sum, Tables, ToScores, Votes, VotesKind, WeightedSum,
    };
    use ir::{ColumnData, Forest, GraphBuilder, Op, Shape};

    /// The shape of a linear model: nothing of it is left to the reference.
    #[test]
    fn a_linear_model_has_engines_throughout() {
        let mut b = GraphBuilder::new();
        let n = b.input("n", DType::I64, Shape::rows()).unwrap();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let constant = |dims: &[usize], data| Tensor::try_new(dims.to_vec(), data).unwrap();
        let edges = constant(&[1], TensorData::F64(vec![0.5]));
        let centers = constant(&[4], TensorData::F64(vec![1.0, 2.0, 0.0, 0.0]));
        let scales = constant(&[4], TensorData::F64(vec![0.5; 4]));
        let weights = constant(&[4, 1], TensorData::I16(vec![3, -4, 5, 6]));
        let bias = constant(&[1], TensorData::I32(vec![7]));
        let pairs = constant(&[2, 1], TensorData::I64(vec![1 << 30, 30]));
        let sizes = constant(&[1], TensorData::I64(vec![2]));
        let terms = constant(&[1, 2], TensorData::I64(vec![0, -1]));
        let values = constant(&[4, 1], TensorData::I32(vec![1, 2, 3, 4]));
        let all = [edges, centers, scales, weights, bias, pairs, sizes, terms, values];
        let [edges, centers, scales, weights, bias, pairs, sizes, terms, values] =
            all.map(|tensor| b.constant(tensor).unwrap());
        let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let hot = b.node(Op::OneHot(OneHot { depth: 2 }), &[codes]).unwrap();
        let cast = b.node(Op::Cast(Cast), &[n]).unwrap();
        let rows = b.node(Op::Columns(Columns), &[cast, x, hot]).unwrap();
        let away = b.node(Op::Arithmetic(Arithmetic::Sub), &[rows, centers]).unwrap();
        let small = b.node(Op::QuantizeLinear(QuantizeLinear { bits: 8 }), &[away, scales]).unwrap();
        let product = b.node(Op::QGemm(QGemm), &[small, weights, bias, pairs]).unwrap();
        let tables = b.node(Op::Tables(Tables { shift: 3 }), &[codes, sizes, terms, values]).unwrap();
        let score = b.node(Op::Sum(Sum), &[tables, product]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        assert!(scored.stage.prelude.is_none());
        let Made::Parts(parts) = &scored.stage.scores.made else { panic!("one member") };
        assert!(matches!(parts[..], [Part::LookUp(_), Part::Product { rows: 0, .. }]));
        assert!(matches!(scored.stage.rows[..], [RowStep::Quantized { .. }]));
        assert_eq!(scored.n_codes(), 1, "tables and columns share codes");
    }

    /// Of an ensemble nothing is left to the reference either: a forest that votes, tables and a forest behind a curve.
    #[test]
    fn members_have_engines_throughout() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let mut constant = |dims: &[usize], data| {
            let tensor = Tensor::try_new(dims.to_vec(), data).unwrap();
            b.constant(tensor).unwrap()
        };
        let edges = constant(&[1], TensorData::F64(vec![0.5]));
        let sizes = constant(&[1], TensorData::I64(vec![2]));
        let terms = constant(&[1, 2], TensorData::I64(vec![0, -1]));
        let values = constant(&[4, 1], TensorData::I32(vec![1, 2, 3, 4]));
        let knots = constant(&[2], TensorData::I32(vec![0, 9]));
        let heights = constant(&[2], TensorData::I32(vec![5, -5]));
        let weights = constant(&[2, 1], TensorData::I64(vec![3, -4]));
        let offsets = constant(&[1], TensorData::I64(vec![7]));
        let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let features = vec![CodedFeature { n_codes: 2, ordered: true }];
        let forest = Forest::try_new(features, vec![1], Vec::new()).unwrap().into();
        let forest = b.node(Op::Forest(ForestOp { forest }), &[codes]).unwrap();
        let votes = Votes { kind: VotesKind::Logistic, shift: 3, offset: 0, bits: 9 };
        let votes = b.node(Op::Votes(votes), &[forest]).unwrap();
        let tables = b.node(Op::Tables(Tables { shift: 3 }), &[codes, sizes, terms, values]).unwrap();
        let sum = b.node(Op::Sum(Sum), &[tables, forest]).unwrap();
        let curve = b.node(Op::ScoreCurve(ScoreCurve), &[sum, sizes, knots, heights]).unwrap();
        let weighted = Op::WeightedSum(WeightedSum { shift: 2 });
        let weighted = b.node(weighted, &[votes, curve, weights, offsets]).unwrap();
        let hard = Votes { kind: VotesKind::Largest, shift: 0, offset: 0, bits: 1 };
        let score = b.node(Op::Votes(hard), &[weighted]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        assert!(scored.stage.prelude.is_none());
        let Scores { made: Made::Weighted { members, .. }, steps, width: 1 } = &scored.stage.scores else {
            panic!("several members")
        };
        assert!(matches!(steps[..], [Step::Votes(_)]));
        let [voting, curved] = &members[..] else { panic!("two members") };
        assert!(matches!(voting.steps[..], [Step::Votes(_)]));
        assert!(matches!(curved.steps[..], [Step::Curve { .. }]));
        let [Made::Parts(voting), Made::Parts(curved)] = [&voting.made, &curved.made] else {
            panic!("members of parts")
        };
        assert!(matches!(voting[..], [Part::Trees { first: 0, .. }]));
        assert!(matches!(curved[..], [Part::LookUp(_), Part::Trees { first: 1, .. }]));
    }

    /// The second stage of a cascade takes codes and scores of the first one, and makes what is its own.
    #[test]
    fn a_second_stage_takes_what_the_first_one_has() {
        let mut b = GraphBuilder::new();
        let [x, y] = ["x", "y"].map(|name| b.input(name, DType::F64, Shape::rows()).unwrap());
        let mut constant = |dims: &[usize], data| {
            let tensor = Tensor::try_new(dims.to_vec(), data).unwrap();
            b.constant(tensor).unwrap()
        };
        let edges = constant(&[1], TensorData::F64(vec![0.5]));
        let sizes = constant(&[2], TensorData::I64(vec![2, 2]));
        let terms = constant(&[2, 2], TensorData::I64(vec![0, -1, 1, -1]));
        let values = constant(&[7, 1], TensorData::I32(vec![1, 2, 3, 4, 5, 6, 7]));
        let weights = constant(&[2, 1], TensorData::I64(vec![3, -4]));
        let offsets = constant(&[1], TensorData::I64(vec![7]));
        let [of_x, of_y] = [x, y].map(|column| b.node(Op::Bin(Bin), &[column, edges]).unwrap());
        let features = vec![CodedFeature { n_codes: 2, ordered: true }];
        let forest = Forest::try_new(features, vec![1], Vec::new()).unwrap().into();
        let forest = b.node(Op::Forest(ForestOp { forest }), &[of_x]).unwrap();
        let tables = Op::Tables(Tables { shift: 3 });
        let tables = b.node(tables, &[of_x, of_y, sizes, terms, values]).unwrap();
        let weighted = Op::WeightedSum(WeightedSum { shift: 2 });
        let second = b.node(weighted, &[forest, tables, weights, offsets]).unwrap();
        let op = Op::Cascade(Cascade { margin: 9, offset: 0, passed_on: 0 });
        let score = b.node(op, &[forest, second]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        let Made::Cascade { first, second, .. } = &scored.stage.scores.made else { panic!("two stages") };
        assert!(matches!(&first.made, Made::Parts(parts) if matches!(parts[..], [Part::Trees { .. }])));
        let Made::Weighted { members, .. } = &second.scores.made else { panic!("several members") };
        let [Made::Parts(known), Made::Parts(own)] = [&members[0].made, &members[1].made] else {
            panic!("members of parts")
        };
        assert!(matches!(known[..], [Part::Before(0)]) && matches!(own[..], [Part::LookUp(_)]));
        let places = |codes: &[CodeStep]| codes.iter().map(CodeStep::taken).collect::<Vec<_>>();
        assert_eq!((places(&scored.stage.codes), places(&second.codes)), (vec![None], vec![Some(0), None]));
        assert!(scored.stage.prelude.is_none() && second.prelude.is_none());
        assert_eq!(scored.n_codes(), 3);
    }

    /// Both stages behind a gate have engines, and take codes that the gate has.
    #[test]
    fn a_gate_parts_rows_for_two_stages() {
        let mut b = GraphBuilder::new();
        let [x, y] = ["x", "y"].map(|name| b.input(name, DType::F64, Shape::rows()).unwrap());
        let edges = b.constant(Tensor::vector(TensorData::F64(vec![0.5]))).unwrap();
        let [of_x, of_y] = [x, y].map(|column| b.node(Op::Bin(Bin), &[column, edges]).unwrap());
        let mut forest = |leaf: i32, codes: &[ValueIdx]| {
            let features = codes.iter().map(|_| CodedFeature { n_codes: 2, ordered: true }).collect();
            let (left, right) = (Child::Leaf(0), Child::Leaf(1));
            let split = Split { feature: 0, test: Test::Greater(0), missing_left: true, left, right };
            let tree = Tree { first_output: 0, width: 1, splits: vec![split], leaves: vec![leaf, -leaf] };
            let forest = Forest::try_new(features, vec![0], vec![tree]).unwrap().into();
            b.node(Op::Forest(ForestOp { forest }), codes).unwrap()
        };
        let (gate, first, second) = (forest(-1, &[of_x]), forest(5, &[of_y]), forest(70, &[of_y, of_x]));
        let score = b.node(Op::Gate(Gate { passed_on: 250 }), &[gate, first, second]).unwrap();
        let graph = b.finish(&[score]).unwrap();
        let scored = Scored::new(&graph, &[]).unwrap();
        let Made::Gate { stages, .. } = &scored.stage.scores.made else { panic!("a gate") };
        for stage in stages.iter() {
            assert!(stage.prelude.is_none() && matches!(&stage.scores.made, Made::Parts(_)));
        }
        let places = |codes: &[CodeStep]| codes.iter().map(CodeStep::taken).collect::<Vec<_>>();
        assert_eq!((places(&stages[0].codes), places(&stages[1].codes)), (vec![None], vec![None, Some(0)]));
        assert_eq!(scored.n_codes(), 4);
        // Rows of both stages in a block, of one alone, and the second stage at a quarter of its cost.
        for (least, most) in [(-1.0, 2.0), (0.6, 2.0), (-1.0, 0.4)] {
            let cell = |row: u32, of: u32| least + (most - least) * f64::from(row * of % 101) / 100.0;
            let cells = [37, 11].map(|of| (0..700).map(|row| cell(row, of)).collect::<Vec<f64>>());
            let columns = [0, 1].map(|at| Column::try_new(ColumnData::F64(&cells[at]), None).unwrap());
            let expected = crate::reference::run(&graph, &columns).unwrap();
            assert_eq!(scored.run(&columns, 700).unwrap(), expected, "{least} {most}");
        }
    }

    /// A column of doubles as scores, beside a forest, a sum of both, and sums of sums; some are named twice, and more of
    /// them stand within each other than have an engine.
    #[test]
    fn weighted_sums_within_each_other_are_those_of_the_reference() {
        for (n_sums, twice) in [(1, false), (5, false), (5, true), (lowering::DEEPEST + 9, false)] {
            let mut b = GraphBuilder::new();
            let x = b.input("x", DType::F64, Shape::rows()).unwrap();
            let mut constant = |dims: &[usize], data| {
                let tensor = Tensor::try_new(dims.to_vec(), data).unwrap();
                b.constant(tensor).unwrap()
            };
            let edges = constant(&[1], TensorData::F64(vec![0.5]));
            let weights = constant(&[2, 1], TensorData::I64(vec![3, -2]));
            let one = constant(&[1, 1], TensorData::I64(vec![5]));
            let offsets = constant(&[1], TensorData::I64(vec![7]));
            let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
            let features = vec![CodedFeature { n_codes: 2, ordered: true }];
            let forest = Forest::try_new(features, vec![40], Vec::new()).unwrap().into();
            let forest = b.node(Op::Forest(ForestOp { forest }), &[codes]).unwrap();
            let number = b.node(Op::Columns(Columns), &[x]).unwrap();
            let number = b.node(Op::ToScores(ToScores { shift: 4 }), &[number]).unwrap();
            let mut score = b.node(Op::Sum(Sum), &[forest, number]).unwrap();
            for at in 0..n_sums {
                let second = if twice { score } else { forest };
                let sum = Op::WeightedSum(WeightedSum { shift: 1 + (at % 2) as u8 });
                let sum = b.node(sum, &[score, second, weights, offsets]).unwrap();
                // One alone, and one beside a part.
                let alone = Op::WeightedSum(WeightedSum { shift: 2 });
                let alone = b.node(alone, &[sum, one, offsets]).unwrap();
                score = b.node(Op::Sum(Sum), &[alone, number]).unwrap();
            }
            let graph = b.finish(&[score]).unwrap();
            let scored = Scored::new(&graph, &[]).unwrap();
            assert!(matches!(&scored.stage.scores.made, Made::Parts(_)));
            let cells: Vec<f64> = (0..700).map(|row| f64::from(row) * 0.37 - 90.0).collect();
            let columns = [Column::try_new(ColumnData::F64(&cells), None).unwrap()];
            let expected = crate::reference::run(&graph, &columns).unwrap();
            assert_eq!(scored.run(&columns, 700).unwrap(), expected, "{n_sums} {twice}");
            assert_eq!(scored.run(&[columns[0].slice(3, 1).unwrap()], 1).unwrap()[0].dims(), [1, 1]);
        }
    }

    /// Trees over scores run on the scores of engines.
    #[test]
    fn trees_ask_scores_of_engines() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let mut constant = |tensor| b.constant(tensor).unwrap();
        let edges = constant(Tensor::vector(TensorData::F64(vec![0.5])));
        let more = constant(Tensor::vector(TensorData::F64(vec![-3.0, 0.0])));
        let first = constant(Tensor::scalar(TensorData::I64(vec![0])).unwrap());
        let code = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let forest = |n_codes: &[u16]| {
            let features = n_codes.iter().map(|&n_codes| CodedFeature { n_codes, ordered: true }).collect();
            Op::Forest(ForestOp { forest: Forest::try_new(features, vec![1], Vec::new()).unwrap().into() })
        };
        let member = b.node(forest(&[2]), &[code]).unwrap();
        let numbers = b.node(Op::Cast(Cast), &[member]).unwrap();
        let number = b.node(Op::Gather(Gather), &[numbers, first]).unwrap();
        let coded = b.node(Op::Bin(Bin), &[number, more]).unwrap();
        let score = b.node(forest(&[3, 2]), &[coded, code]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        let Made::Trees { members, columns, .. } = &scored.stage.scores.made else { panic!("trees") };
        let [Scores { made: Made::Parts(parts), .. }] = &members[..] else { panic!("one member") };
        assert!(matches!(parts[..], [Part::Trees { first: 0, .. }]));
        let expected = [
            TreeColumn::Score {
                member: 0,
                output: 0,
                bins: Bins::new(&TensorData::F64(vec![-3.0, 0.0])).unwrap(),
            },
            TreeColumn::Code(0),
        ];
        assert_eq!(alloc::format!("{columns:?}"), alloc::format!("{expected:?}"));
        assert!(scored.stage.prelude.is_none());
        assert_eq!(scored.n_codes(), 2);
    }
}
