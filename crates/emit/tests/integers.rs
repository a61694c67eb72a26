//! Small integers and what becomes of scores, in source code as in the interpreter: every operator of the family, its
//! attributes at their ends, odd widths, missing cells and infinities.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
mod compiled;

use compiled::{check, proven};
use ir::digest::SplitMix64;
use ir::op::{
    ArgMax, Bin, Cascade, Cast, Columns, Gate, LeastCost, Link, LinkKind, NearestRows, QGemm, QuantizeLinear,
    RbfSums, ScoreCurve, Sum, Threshold, ToScores, Votes, VotesKind, WeightedSum,
};
use ir::{
    Card, ColumnKind, DType, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task, Tensor,
    TensorData, ValueIdx,
};
use smidgen_emit::{Program, Table};

/// A model while it is made: of five columns of numbers, one of them of whole ones.
struct Making {
    b: GraphBuilder,
    random: SplitMix64,
    columns: Vec<ValueIdx>,
    outputs: Vec<(OutputRole, ValueIdx)>,
}

/// Columns of every model here.
const N_COLUMNS: usize = 5;

fn dtype(column: usize) -> DType {
    if column == 3 { DType::I64 } else { DType::F64 }
}

impl Making {
    /// Each column has many edges, so that the rows of the self-test hold many numbers of any size, of both signs.
    fn new(seed: u64) -> Making {
        let mut b = GraphBuilder::new();
        let input = |at| b.input(&format!("c{at}"), dtype(at), Shape::rows()).unwrap();
        let columns: Vec<ValueIdx> = (0..N_COLUMNS).map(input).collect();
        for (at, &column) in columns.iter().enumerate() {
            let edges = (0..120).map(|i| (1i64 << (i / 8)) + (i % 8) * (1 << (i / 8)) / 8);
            let mut edges: Vec<i64> = edges.flat_map(|edge| [-edge, edge]).collect();
            edges.sort_unstable();
            edges.dedup();
            let edges = match dtype(at) {
                DType::I64 => TensorData::I64(edges),
                _ => TensorData::F64(edges.iter().map(|&edge| edge as f64 / 8.0).collect()),
            };
            let edges = b.constant(Tensor::vector(edges)).unwrap();
            b.node(Op::Bin(Bin), &[column, edges]).unwrap();
        }
        Making { b, random: SplitMix64::new(seed), columns, outputs: Vec::new() }
    }

    fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> ValueIdx {
        self.b.node(op, inputs).unwrap()
    }

    fn vector(&mut self, data: TensorData) -> ValueIdx {
        self.b.constant(Tensor::vector(data)).unwrap()
    }

    fn matrix(&mut self, dims: [usize; 2], data: TensorData) -> ValueIdx {
        self.b.constant(Tensor::try_new(dims.to_vec(), data).unwrap()).unwrap()
    }

    /// A number from `-most` to `most`.
    fn whole(&mut self, most: u32) -> i64 {
        i64::from(self.random.below(2 * most + 1)) - i64::from(most)
    }

    /// The first columns as numbers side by side.
    fn numbers(&mut self, n: usize) -> ValueIdx {
        let mut parts = self.columns[..n].to_vec();
        for (at, part) in parts.iter_mut().enumerate() {
            if dtype(at) == DType::I64 {
                *part = self.b.node(Op::Cast(Cast), &[*part]).unwrap();
            }
        }
        self.node(Op::Columns(Columns), &parts)
    }

    /// The first columns as small integers.
    fn small(&mut self, n: usize, bits: u8, scale: f64) -> ValueIdx {
        let x = self.numbers(n);
        let scale = self.vector(TensorData::F64(vec![scale; n]));
        self.node(Op::QuantizeLinear(QuantizeLinear { bits }), &[x, scale])
    }

    /// Pairs of multiplier and shift, first all multipliers.
    fn pairs(&mut self, pairs: &[(i64, i64)]) -> ValueIdx {
        let values = pairs.iter().map(|p| p.0).chain(pairs.iter().map(|p| p.1)).collect();
        self.matrix([2, pairs.len()], TensorData::I64(values))
    }

    /// A product with weights of at most this size.
    fn product(&mut self, x: ValueIdx, n: usize, most: u32, pairs: &[(i64, i64)]) -> ValueIdx {
        let weights = (0..n * pairs.len()).map(|_| self.whole(most) as i16).collect();
        let weights = self.matrix([n, pairs.len()], TensorData::I16(weights));
        let bias = pairs.iter().map(|_| self.whole(80_000_000) as i32).collect();
        let bias = self.vector(TensorData::I32(bias));
        let pairs = self.pairs(pairs);
        self.node(Op::QGemm(QGemm), &[x, weights, bias, pairs])
    }

    /// Scores of about `2^bits` in size and fewer, of all columns.
    fn scores(&mut self, n: usize, bits: i64) -> ValueIdx {
        let x = self.small(N_COLUMNS, 16, 0.125);
        // A sum takes 30 bits.
        self.product(x, N_COLUMNS, 12_000, &vec![(1 << 30, 60 - bits); n])
    }

    fn give(&mut self, role: OutputRole, value: ValueIdx) {
        self.outputs.push((role, value));
    }

    fn score(&mut self, value: ValueIdx) {
        self.give(OutputRole::Score, value);
    }

    fn finish(self, task: Task, n_classes: usize) -> Model {
        let values: Vec<ValueIdx> = self.outputs.iter().map(|o| o.1).collect();
        let inputs = (0..N_COLUMNS).map(|at| Input {
            name: format!("c{at}"),
            kind: ColumnKind::Number,
            dtype: dtype(at),
        });
        let signature = Signature {
            task,
            target: "target".to_string(),
            targets: Vec::new(),
            inputs: inputs.collect(),
            outputs: self.outputs.iter().map(|o| o.0).collect(),
            classes: (0..n_classes).map(|k| k.to_string()).collect(),
            positive: None,
            missing: Vec::new(),
            columns: Vec::new(),
            joined: None,
        };
        Model::try_new(self.b.finish(&values).unwrap(), signature, Card::default()).unwrap()
    }

    /// A model of scores alone.
    fn of_scores(self) -> Model {
        self.finish(Task::Regression, 0)
    }
}

/// Checks the source code of one model.
fn agrees(model: Model) {
    check(&[("model".to_string(), proven(model, 11))]);
}

fn link(kind: LinkKind, shift: i16, offset: i64) -> Op {
    Op::Link(Link { kind, shift, offset })
}

/// Names of the routines that a program calls, each once, in the order of their first calls.
fn routines(program: &Program) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for step in &program.steps {
        if !names.contains(&step.routine) {
            names.push(step.routine);
        }
    }
    names
}

#[test]
fn logistic_links_of_two_classes() {
    let mut m = Making::new(1);
    for shift in [0, 1, 2, 3, 12, 19, 20] {
        // From powers that round to nothing to all of 32 bits.
        for bits in [i64::from(shift) + 4, 31] {
            let score = m.scores(1, bits.min(31));
            let p = m.node(link(LinkKind::Logistic, shift, 0), &[score]);
            m.give(OutputRole::Probability, p);
        }
    }
    agrees(m.finish(Task::Binary, 2));
}

#[test]
fn softmax_links_of_few_and_of_many_classes() {
    for n in [2, 3, 9] {
        let mut m = Making::new(2);
        for shift in [0, 1, 2, 7, 20] {
            // Nearly equal scores, whose sum of powers takes more than 64 bits, and scores far apart.
            for bits in [i64::from(shift).max(1), i64::from(shift) + 5, 31] {
                let scores = m.scores(n, bits.min(31));
                let p = m.node(link(LinkKind::Softmax, shift, 0), &[scores]);
                m.give(OutputRole::Probability, p);
            }
        }
        agrees(m.finish(if n == 2 { Task::Binary } else { Task::Multiclass }, n));
    }
}

#[test]
fn shares_of_two_and_of_more_classes() {
    let mut m = Making::new(3);
    for (bits, offset) in [(31, 1), (10, 1_000), (31, 1 << 32), (31, 1 << 30), (20, 999_999)] {
        let score = m.scores(1, bits);
        let p = m.node(link(LinkKind::Share, 0, offset), &[score]);
        m.give(OutputRole::Probability, p);
    }
    agrees(m.finish(Task::Binary, 2));
    for n in [3, 5] {
        let mut m = Making::new(4);
        for bits in [2, 16, 31] {
            let scores = m.scores(n, bits);
            let p = m.node(link(LinkKind::Share, 0, 0), &[scores]);
            m.give(OutputRole::Probability, p);
        }
        agrees(m.finish(Task::Multiclass, n));
    }
}

#[test]
fn linear_links_at_the_ends_of_doubles() {
    let mut m = Making::new(5);
    let score = m.scores(1, 31);
    let cases = [
        (0, 0),
        (37, (1 << 61) + 12_345),
        (-40, -7),
        (1, -1),
        // Subnormal, at half of the least number, below it.
        (1_100, 5),
        (1_138, i64::MIN),
        (1_139, i64::MIN),
        (1_140, i64::MAX),
        // Beyond the largest number.
        (-1_000, i64::MAX),
        (-961, i64::MIN),
        (i16::MIN, 3),
        (i16::MAX, i64::MAX),
    ];
    for (shift, offset) in cases {
        let value = m.node(link(LinkKind::Linear, shift, offset), &[score]);
        m.give(OutputRole::Value, value);
    }
    // Small scores, of which some are minus the offset.
    let score = m.scores(1, 3);
    for offset in -3..=3 {
        let value = m.node(link(LinkKind::Linear, 2, offset), &[score]);
        m.give(OutputRole::Value, value);
    }
    agrees(m.finish(Task::Regression, 0));
}

#[test]
fn exponential_links_of_both_signs() {
    let mut m = Making::new(6);
    for shift in [0, 1, 2, 3, 11, 20] {
        for bits in [i64::from(shift) + 2, i64::from(shift) + 9, 31] {
            let score = m.scores(1, bits.min(31));
            let value = m.node(link(LinkKind::Exponential, shift, 0), &[score]);
            m.give(OutputRole::Value, value);
        }
    }
    agrees(m.finish(Task::Regression, 0));
}

#[test]
fn votes_of_every_kind() {
    let votes = |kind, shift, offset, bits| Op::Votes(Votes { kind, shift, offset, bits });
    let mut m = Making::new(7);
    for (at, bits) in [1, 15, 30].into_iter().enumerate() {
        for shift in [0, 2, 13, 20] {
            for size in [i64::from(shift) + 1, 31] {
                let score = m.scores(1, size.min(31));
                let made = m.node(votes(VotesKind::Logistic, shift, 0, bits), &[score]);
                m.score(made);
            }
        }
        let score = m.scores(1, 31);
        for op in [
            votes(VotesKind::Share, 0, [1, 3_000_000, 1 << 32][at], bits),
            votes(VotesKind::Share, 0, 1 << 30, bits),
            votes(VotesKind::Largest, 0, 0, bits),
        ] {
            let made = m.node(op, &[score]);
            m.score(made);
        }
    }
    agrees(m.of_scores());
    let mut m = Making::new(8);
    for n in [2, 3, 7] {
        for bits in [1, 16, 30] {
            for shift in [0, 2, 20] {
                for size in [i64::from(shift).max(1), 31] {
                    let scores = m.scores(n, size);
                    let made = m.node(votes(VotesKind::Softmax, shift, 0, bits), &[scores]);
                    m.score(made);
                }
            }
            for size in [2, 31] {
                let scores = m.scores(n, size);
                for kind in [VotesKind::Share, VotesKind::Largest] {
                    let made = m.node(votes(kind, 0, 0, bits), &[scores]);
                    m.score(made);
                }
            }
        }
    }
    agrees(m.of_scores());
}

#[test]
fn decisions_with_ties() {
    let mut m = Making::new(9);
    let few = m.scores(4, 2);
    let label = m.node(Op::ArgMax(ArgMax), &[few]);
    m.give(OutputRole::Label, label);
    let one = m.scores(1, 31);
    for above in [i32::MIN, -1, 0, 123_456_789, i32::MAX] {
        let label = m.node(Op::Threshold(Threshold { above }), &[one]);
        m.give(OutputRole::Label, label);
    }
    let p = m.node(link(LinkKind::Softmax, 1, 0), &[few]);
    let all_alike = vec![1.0; 16];
    let any = (0..16).map(|_| m.whole(1_000) as f64 / 7.0).collect();
    // Sums that overflow, to infinity and from there to what is no number.
    let huge = (0..16).map(|i| [1.7e308, -1.7e308, 1e-320, 3.0][(i * i + i / 4) % 4]).collect();
    for cost in [all_alike, any, huge, vec![f64::MAX; 16]] {
        let cost = m.matrix([4, 4], TensorData::F64(cost));
        let label = m.node(Op::LeastCost(LeastCost), &[p, cost]);
        m.give(OutputRole::Label, label);
    }
    agrees(m.finish(Task::Multiclass, 4));
}

#[test]
fn small_integers_of_any_bits_and_products() {
    let mut m = Making::new(10);
    // Least and largest shift and multiplier.
    let ends = [(1 << 30, 1), ((1 << 31) - 1, 62), ((1 << 31) - 1, 31), (1 << 30, 33), (1_431_655_765, 32)];
    for (n, bits, scale) in [(1, 2, 0.5), (3, 8, 0.004), (5, 16, 0.125), (4, 12, 1e-300), (5, 9, 77.5)] {
        let x = m.small(n, bits, scale);
        for (most, pairs) in [(127, &ends[..]), (12_000, &ends[..3]), (300, &ends[4..])] {
            let scores = m.product(x, n, most, pairs);
            m.score(scores);
        }
    }
    let model = m.of_scores();
    let program = Program::try_new(&model).unwrap();
    for routine in ["quantize", "product_i8", "product_i16"] {
        assert!(routines(&program).contains(&routine), "{routine}");
    }
    agrees(model);
}

#[test]
fn real_numbers_become_scores() {
    let mut m = Making::new(11);
    let x = m.numbers(N_COLUMNS);
    for shift in [-1_000, -20, -1, 0, 1, 3, 20, 1_000] {
        let scores = m.node(Op::ToScores(ToScores { shift }), &[x]);
        m.score(scores);
    }
    agrees(m.of_scores());
}

#[test]
fn sums_of_one_and_of_more_parts() {
    let mut m = Making::new(12);
    let parts: Vec<ValueIdx> = (0..5).map(|_| m.scores(3, 31)).collect();
    for n in [1, 2, 3, 5] {
        let scores = m.node(Op::Sum(Sum), &parts[..n]);
        m.score(scores);
    }
    // The same part twice.
    let scores = m.node(Op::Sum(Sum), &[parts[0], parts[0]]);
    m.score(scores);
    agrees(m.of_scores());
}

#[test]
fn weighted_sums_to_the_last_bit() {
    let far = WeightedSum::MAX_OFFSET;
    let mut m = Making::new(13);
    let members: Vec<ValueIdx> = (0..3).map(|_| m.scores(2, 31)).collect();
    let weigh = |m: &mut Making, shift, width, weights: &[i64], offsets: [i64; 2]| {
        let weights = m.matrix([3, width], TensorData::I64(weights.to_vec()));
        let offsets = m.vector(TensorData::I64(offsets.to_vec()));
        let inputs = [&members[..], &[weights, offsets]].concat();
        let scores = m.node(Op::WeightedSum(WeightedSum { shift }), &inputs);
        m.score(scores);
    };
    weigh(&mut m, 0, 1, &[1, 0, -1], [5, -5]);
    weigh(&mut m, 1, 1, &[3, 2, 1], [0, 1]);
    weigh(&mut m, 29, 2, &[1 << 29, 7, -(1 << 28), 1 << 29, 5, -1], [12_345, far / 3]);
    weigh(&mut m, 62, 1, &[1 << 30, 1 << 29, -(1 << 29)], [far, -far]);
    // Weights of which one takes more than 31 bits.
    weigh(&mut m, 31, 2, &[1 << 31, 0, 0, -(1 << 31), 0, 0], [0, -1]);
    weigh(&mut m, 62, 1, &[0, 1 << 31, 0], [far, -far]);
    agrees(m.of_scores());
}

#[test]
fn the_first_score_or_the_second() {
    let mut m = Making::new(14);
    let (one, two, three) = (m.scores(1, 12), m.scores(1, 31), m.scores(1, 3));
    let (some, others) = (m.scores(3, 4), m.scores(3, 31));
    let passed_on = 400;
    for (margin, offset) in [(0, 0), (1, 7), (700, -77), (1 << 31, i32::MIN), (Cascade::NEVER, i32::MAX)] {
        for [first, second] in [[one, two], [two, three]] {
            let scores = m.node(Op::Cascade(Cascade { margin, offset, passed_on }), &[first, second]);
            m.score(scores);
        }
        for [first, second] in [[some, others], [others, some]] {
            let scores = m.node(Op::Cascade(Cascade { margin, offset: 0, passed_on }), &[first, second]);
            m.score(scores);
        }
    }
    for gate in [one, two, three] {
        for [first, second] in [[two, one], [some, others]] {
            let scores = m.node(Op::Gate(Gate { passed_on }), &[gate, first, second]);
            m.score(scores);
        }
    }
    agrees(m.of_scores());
}

#[test]
fn curves_between_their_knots_and_beyond() {
    let mut m = Making::new(15);
    for (bits, most) in [(3, 4), (12, 2_000), (31, i32::MAX as u32 / 2)] {
        for n in [1, 4] {
            let scores = m.scores(n, bits);
            let (mut sizes, mut knots, mut values) = (Vec::new(), Vec::new(), Vec::new());
            for k in 0..n {
                let mut own: Vec<i32> = (0..1 + 4 * k).map(|_| m.whole(most) as i32).collect();
                own.sort_unstable();
                own.dedup();
                sizes.push(own.len() as i64);
                values.extend(own.iter().map(|_| m.whole(1_000_000_000) as i32 * 2));
                knots.extend(own);
            }
            let constants = [TensorData::I64(sizes), TensorData::I32(knots), TensorData::I32(values)];
            let [sizes, knots, values] = constants.map(|data| m.vector(data));
            let scores = m.node(Op::ScoreCurve(ScoreCurve), &[scores, sizes, knots, values]);
            m.score(scores);
        }
    }
    // The widest line there is, and its mirror.
    let scores = m.scores(2, 31);
    let ends = vec![i32::MIN, i32::MAX, i32::MIN, i32::MAX];
    let (sizes, knots) = (m.vector(TensorData::I64(vec![2, 2])), m.vector(TensorData::I32(ends)));
    let values = m.vector(TensorData::I32(vec![i32::MAX, i32::MIN, -3, i32::MAX]));
    let scores = m.node(Op::ScoreCurve(ScoreCurve), &[scores, sizes, knots, values]);
    m.score(scores);
    agrees(m.of_scores());
}

#[test]
fn near_rows_vote_alike_and_by_distance() {
    let mut m = Making::new(16);
    // Known rows of which many are equally far and some are met, in 8 bits and in 16.
    for (n, bits, scale, most, times) in [(1, 4, 0.5, 3, 2), (3, 8, 1.0, 2, 30), (5, 16, 0.125, 4, 5_000)] {
        let x = m.small(n, bits, scale);
        for (n_known, width, largest) in [(1, 1, 1_000), (60, 1, 2_000_000), (33, 4, 4_096)] {
            let known = (0..n_known * n).map(|_| m.whole(most) as i16 * times).collect();
            let known = m.matrix([n_known, n], TensorData::I16(known));
            for (k, by_distance) in [(1, false), (5, false), (5, true), (40, true), (1_000, true)] {
                let votes = (0..n_known * width).map(|_| m.whole(largest) as i32).collect();
                let votes = m.matrix([n_known, width], TensorData::I32(votes));
                let op = Op::NearestRows(NearestRows { k, by_distance });
                let scores = m.node(op, &[x, known, votes]);
                m.score(scores);
            }
            // Votes as large as they may be.
            let most = i32::MAX / 7;
            let votes = (0..n_known * width).map(|i| if i % 3 == 0 { -most } else { most }).collect();
            let votes = m.matrix([n_known, width], TensorData::I32(votes));
            for by_distance in [false, true] {
                let op = Op::NearestRows(NearestRows { k: 7, by_distance });
                let scores = m.node(op, &[x, known, votes]);
                m.score(scores);
            }
        }
    }
    let model = m.of_scores();
    let program = Program::try_new(&model).unwrap();
    for routine in ["nearest_i8", "nearest_i16", "add_votes_i16", "add_votes_i32"] {
        assert!(routines(&program).contains(&routine), "{routine}");
    }
    agrees(model);
}

#[test]
fn similarities_within_the_table_and_past_it() {
    let mut m = Making::new(17);
    for (n, bits, scale, most, times) in [(1, 4, 0.5, 7, 1), (4, 8, 1.0, 4, 30), (5, 16, 0.125, 6, 4_000)] {
        let x = m.small(n, bits, scale);
        for (n_vectors, width, step) in
            [(0, 1, 9), (1, 1, 0), (30, 3, 5), (30, 1, 15), (12, 2, 16), (9, 2, 31)]
        {
            let vectors = (0..n_vectors * n).map(|_| m.whole(most) as i16 * times).collect();
            let vectors = m.matrix([n_vectors, n], TensorData::I16(vectors));
            let weights = (0..n_vectors * width).map(|_| m.whole(32_767) as i16).collect();
            let weights = m.matrix([n_vectors, width], TensorData::I16(weights));
            let mut table: Vec<i32> = (0..20).map(|_| m.random.below(65_537) as i32).collect();
            table.extend([0, RbfSums::ONE]);
            table.sort_unstable_by(|a, b| b.cmp(a));
            let start = (0..width).map(|_| m.whole(1_000_000_000) as i32).collect();
            let [table, start] = [table, start].map(|data| m.vector(TensorData::I32(data)));
            let pairs = m.pairs(&vec![(1_431_655_765, 31); width]);
            for step in [step, 50] {
                let op = Op::RbfSums(RbfSums { step });
                let scores = m.node(op, &[x, vectors, weights, table, pairs, start]);
                m.score(scores);
            }
        }
    }
    let model = m.of_scores();
    let program = Program::try_new(&model).unwrap();
    for routine in ["similarities_i8", "similarities_i16"] {
        assert!(routines(&program).contains(&routine), "{routine}");
    }
    agrees(model);
}

/// A program takes no more memory than its rows that vote, and no wider tables than its numbers need.
#[test]
fn known_rows_take_bounded_memory_and_narrow_tables() {
    let program = |times: i16, k: u32| {
        let mut m = Making::new(18);
        let x = m.small(2, 16, 0.125);
        let known = m.matrix([50, 2], TensorData::I16((0..100).map(|i| (i - 50) * times).collect()));
        let votes = m.matrix([50, 1], TensorData::I32((0..50).map(|i| i * 600).collect()));
        let scores = m.node(Op::NearestRows(NearestRows { k, by_distance: true }), &[x, known, votes]);
        m.score(scores);
        Program::try_new(&m.of_scores()).unwrap()
    };
    let elements_of = |program: &Program| program.slots.iter().map(|slot| slot.length).sum::<usize>();
    assert_eq!(elements_of(&program(1, 9)) - elements_of(&program(1, 4)), 2 * 5);
    assert_eq!(elements_of(&program(1, 1_000)), elements_of(&program(1, 50)));
    let holds_i8 =
        |program: &Program| program.tables.iter().any(|t| matches!(t, Table::I8(v) if v.len() == 100));
    assert!(holds_i8(&program(2, 3)));
    assert!(!holds_i8(&program(3, 3)), "-150 takes 16 bits");
    assert!(program(3, 3).tables.iter().any(|t| matches!(t, Table::I16(v) if v.len() == 50)), "votes");
}
