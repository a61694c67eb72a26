//! Random integer scores that are no forest: tables, products, neighbours, similarities, and their sums; what becomes of
//! scores: curves, votes, members weighed together, cascades and gates.

use super::models::random_forest;
use super::numbers;
use ir::digest::SplitMix64;
use ir::fixed::Requantize;
use ir::forest::CodedFeature;
use ir::op::{
    Arithmetic, Bin, Cascade, Cast, Columns, ForestOp, Gate, Gather, MatMul, NearestRows, OneHot, QGemm,
    QuantizeLinear, RbfSums, ScoreCurve, Sum, Tables, ToScores, Votes, VotesKind, WeightedSum,
};
use ir::{DType, GraphBuilder, Op, Tensor, TensorData, ValueIdx};

fn matrix(b: &mut GraphBuilder, dims: [usize; 2], data: TensorData) -> ValueIdx {
    b.constant(Tensor::try_new(dims.to_vec(), data).unwrap()).unwrap()
}

fn whole(random: &mut SplitMix64, most: u32) -> i64 {
    i64::from(random.below(2 * most + 1)) - i64::from(most)
}

/// Scores `[N, n_outputs]` of coded columns and of columns as they are.
pub fn made(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    coded: &[(ValueIdx, CodedFeature)],
    columns: &[(ValueIdx, DType)],
    n_outputs: usize,
) -> ValueIdx {
    let mut parts = Vec::new();
    if !coded.is_empty() && random.below(2) == 0 {
        parts.push(tables(random, b, coded, n_outputs));
    }
    for _ in 0..random.below(6).saturating_sub(3) {
        let features = coded.iter().map(|c| c.1).collect();
        let forest = random_forest(random, features, n_outputs as u32).into();
        let codes: Vec<ValueIdx> = coded.iter().map(|c| c.0).collect();
        parts.push(b.node(Op::Forest(ForestOp { forest }), &codes).unwrap());
    }
    let (rows, n) = rows(random, b, coded, columns);
    let centers = (0..n).map(|_| [0.0, -2.5, 1e300, 12.0][random.below(4) as usize]).collect();
    let centers = b.constant(Tensor::vector(TensorData::F64(centers))).unwrap();
    let away = match random.below(3) {
        0 => rows,
        1 => b.node(Op::Arithmetic(Arithmetic::Add), &[rows, centers]).unwrap(),
        _ => b.node(Op::Arithmetic(Arithmetic::Sub), &[rows, centers]).unwrap(),
    };
    let scale = (0..n).map(|_| [1e-300, 0.004, 1.0, 77.5][random.below(4) as usize]).collect();
    let scale = b.constant(Tensor::vector(TensorData::F64(scale))).unwrap();
    let quantize = QuantizeLinear { bits: 2 + random.below(15) as u8 };
    let x = b.node(Op::QuantizeLinear(quantize), &[away, scale]).unwrap();
    let kinds = 1 + random.below(7);
    if kinds & 1 != 0 {
        parts.push(product(random, b, x, n, n_outputs));
    }
    if kinds & 2 != 0 {
        parts.push(neighbours(random, b, x, n, n_outputs));
    }
    if kinds & 4 != 0 {
        parts.push(similarities(random, b, x, n, n_outputs));
    }
    if random.below(3) == 0 {
        let w = (0..n * n_outputs).map(|_| whole(random, 1000) as f64 / 64.0).collect();
        let w = matrix(b, [n, n_outputs], TensorData::F64(w));
        let real = b.node(Op::MatMul(MatMul), &[rows, w]).unwrap();
        let shift = random.below(40) as i16 - 20;
        parts.push(b.node(Op::ToScores(ToScores { shift }), &[real]).unwrap());
    }
    match parts[..] {
        [only] => only,
        _ => b.node(Op::Sum(Sum), &parts).unwrap(),
    }
}

/// A polygon for each column of scores.
pub fn curved(random: &mut SplitMix64, b: &mut GraphBuilder, score: ValueIdx, n_outputs: u32) -> ValueIdx {
    let (mut sizes, mut knots, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..n_outputs {
        let most = [4, 2_000_000, i32::MAX as u32 / 2][random.below(3) as usize];
        let mut own: Vec<i32> = (0..1 + random.below(9)).map(|_| whole(random, most) as i32).collect();
        own.sort_unstable();
        own.dedup();
        sizes.push(own.len() as i64);
        values.extend(own.iter().map(|_| whole(random, 1_000_000_000) as i32 * 2));
        knots.extend(own);
    }
    let constants = [TensorData::I64(sizes), TensorData::I32(knots), TensorData::I32(values)];
    let [sizes, knots, values] = constants.map(|data| b.constant(Tensor::vector(data)).unwrap());
    b.node(Op::ScoreCurve(ScoreCurve), &[score, sizes, knots, values]).unwrap()
}

/// The votes of scores.
pub fn voted(random: &mut SplitMix64, b: &mut GraphBuilder, score: ValueIdx, n_outputs: u32) -> ValueIdx {
    let powers = if n_outputs == 1 { VotesKind::Logistic } else { VotesKind::Softmax };
    let kind = [powers, VotesKind::Share, VotesKind::Largest][random.below(3) as usize];
    let shift = if kind == powers { random.below(21) as i16 } else { 0 };
    let has_offset = kind == VotesKind::Share && n_outputs == 1;
    let offset = if has_offset { 1 + i64::from(random.below(1 << 30)) } else { 0 };
    let bits = 1 + random.below(30) as u8;
    b.node(Op::Votes(Votes { kind, shift, offset, bits }), &[score]).unwrap()
}

/// Members, some behind curves or votes or both, weighed together.
pub fn weighed(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    members: &[ValueIdx],
    n_outputs: u32,
) -> ValueIdx {
    let mut inputs = Vec::new();
    for &member in members {
        let mut score = member;
        for _ in 0..random.below(3) {
            let becomes = if random.below(2) == 0 { curved } else { voted };
            score = becomes(random, b, score, n_outputs);
        }
        inputs.push(score);
    }
    let n_outputs = n_outputs as usize;
    let per_member = if random.below(2) == 0 { 1 } else { n_outputs };
    // The largest that four members may have.
    let most = [3, 2000, 1 << 29][random.below(3) as usize];
    let weights = (0..members.len() * per_member).map(|_| whole(random, most)).collect();
    inputs.push(matrix(b, [members.len(), per_member], TensorData::I64(weights)));
    let offset = |random: &mut SplitMix64| {
        let drop = 3 + random.below(61);
        random.next_word().cast_signed() >> drop
    };
    let offsets = (0..n_outputs).map(|_| offset(random)).collect();
    inputs.push(b.constant(Tensor::vector(TensorData::I64(offsets))).unwrap());
    let any = random.below(63) as u8;
    let shift = [0, 11, 29, any][random.below(4) as usize];
    b.node(Op::WeightedSum(WeightedSum { shift }), &inputs).unwrap()
}

/// Makes scores of columns that it knows.
pub type Making<'m> = &'m dyn Fn(&mut SplitMix64, &mut GraphBuilder) -> ValueIdx;

/// A first score of one member, behind a curve or not, or of several, and a second one where it is not sure: of others,
/// or of the first and others, or another cascade.
pub fn cascaded(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    made: Making<'_>,
    n_outputs: u32,
    deep: u32,
) -> ValueIdx {
    let mut members = vec![made(random, b)];
    let first = match random.below(3) {
        0 => members[0],
        1 => {
            members[0] = curved(random, b, members[0], n_outputs);
            members[0]
        }
        _ => {
            members.push(made(random, b));
            weighed(random, b, &members, n_outputs)
        }
    };
    let second = match random.below(5) {
        0 => made(random, b),
        1 => first,
        2 if deep > 0 => cascaded(random, b, made, n_outputs, deep - 1),
        2 | 3 => {
            members.push(made(random, b));
            weighed(random, b, &members, n_outputs)
        }
        _ => {
            let other = made(random, b);
            weighed(random, b, &[other, first], n_outputs)
        }
    };
    let most = [1, 50_000, 3_000_000, u32::MAX][random.below(4) as usize];
    let margin = if random.below(8) == 0 { Cascade::NEVER } else { random.below(most).into() };
    let offset = if n_outputs == 1 { whole(random, 500_000) as i32 } else { 0 };
    let op = Cascade { margin, offset, passed_on: random.below(1001) as u16 };
    b.node(Op::Cascade(op), &[first, second]).unwrap()
}

/// A score of one output that says which of two scores a row takes: of a member each, of the same one, or of one and of
/// several with it.
pub fn gated(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    (gate, made): (Making<'_>, Making<'_>),
    n_outputs: u32,
) -> ValueIdx {
    let (gate, first) = (gate(random, b), made(random, b));
    let second = match random.below(4) {
        0 => first,
        1 => {
            let other = made(random, b);
            weighed(random, b, &[other, first], n_outputs)
        }
        _ => made(random, b),
    };
    let stages = if random.below(2) == 0 { [first, second] } else { [second, first] };
    let op = Gate { passed_on: random.below(1001) as u16 };
    b.node(Op::Gate(op), &[gate, stages[0], stages[1]]).unwrap()
}

/// Trees that ask scores of some members, and coded columns now and then.
pub fn stacked(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    members: &[ValueIdx],
    coded: &[(ValueIdx, CodedFeature)],
    (n_outputs, n_made): (u32, u32),
) -> ValueIdx {
    let (mut codes, mut features) = (Vec::new(), Vec::new());
    for _ in 0..1 + random.below(6) {
        if !coded.is_empty() && random.below(4) == 0 {
            let (code, feature) = coded[random.below(coded.len() as u32) as usize];
            codes.push(code);
            features.push(feature);
            continue;
        }
        let member = members[random.below(members.len() as u32) as usize];
        let numbers = b.node(Op::Cast(Cast), &[member]).unwrap();
        let at = Tensor::scalar(TensorData::I64(vec![random.below(n_outputs).into()])).unwrap();
        let at = b.constant(at).unwrap();
        let number = b.node(Op::Gather(Gather), &[numbers, at]).unwrap();
        let most = [5, 100_000, 3_000_000][random.below(3) as usize];
        let n_edges = random.below(20) as usize;
        // Halves lie between scores.
        let mut edges: Vec<f64> = (0..n_edges).map(|_| whole(random, most) as f64 / 2.0).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        features.push(CodedFeature { n_codes: edges.len() as u16 + 1, ordered: true });
        let edges = b.constant(Tensor::vector(TensorData::F64(edges))).unwrap();
        codes.push(b.node(Op::Bin(Bin), &[number, edges]).unwrap());
    }
    let forest = random_forest(random, features, n_made).into();
    b.node(Op::Forest(ForestOp { forest }), &codes).unwrap()
}

/// Columns side by side `f64 [N, n]`: as given, cast, computed, and a column a code.
fn rows(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    coded: &[(ValueIdx, CodedFeature)],
    columns: &[(ValueIdx, DType)],
) -> (ValueIdx, usize) {
    let mut n = 0;
    let mut parts = Vec::new();
    for _ in 0..1 + random.below(6) {
        let (column, dtype) = columns[random.below(columns.len() as u32) as usize];
        let (codes, feature) = coded[random.below(coded.len() as u32) as usize];
        let mut width = 1;
        parts.push(match (random.below(4), dtype) {
            (0, DType::F64) => column,
            (1, DType::F64 | DType::I64) => b.node(Op::Cast(Cast), &[column]).unwrap(),
            (2, _) => {
                let depth = (1 + random.below(3)).min(feature.n_codes.into());
                width = depth as usize;
                b.node(Op::OneHot(OneHot { depth }), &[codes]).unwrap()
            }
            _ => numbers::made(random, b, column, dtype),
        });
        n += width;
    }
    (b.node(Op::Columns(Columns), &parts).unwrap(), n)
}

fn tables(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    coded: &[(ValueIdx, CodedFeature)],
    n_outputs: usize,
) -> ValueIdx {
    // A size below the number of codes: codes past it count as missing.
    let sizes: Vec<i64> = coded.iter().map(|c| i64::from(c.1.n_codes) - i64::from(random.below(2))).collect();
    let column = |random: &mut SplitMix64| i64::from(random.below(coded.len() as u32));
    let n_terms = random.below(5) as usize;
    let mut terms = Vec::new();
    for _ in 0..n_terms {
        terms.push(column(random));
        terms.push(if random.below(2) == 0 { -1 } else { column(random) });
    }
    let shift = random.below(12) as u8;
    let n_values = Tables::terms(&sizes, &terms).unwrap().1;
    let values = (0..n_values * n_outputs).map(|_| whole(random, 300_000_000 >> shift) as i32).collect();
    let mut inputs: Vec<ValueIdx> = coded.iter().map(|c| c.0).collect();
    inputs.push(b.constant(Tensor::vector(TensorData::I64(sizes))).unwrap());
    inputs.push(matrix(b, [n_terms, 2], TensorData::I64(terms)));
    inputs.push(matrix(b, [n_values, n_outputs], TensorData::I32(values)));
    b.node(Op::Tables(Tables { shift }), &inputs).unwrap()
}

fn requantize(random: &mut SplitMix64, b: &mut GraphBuilder, n_outputs: usize) -> ValueIdx {
    let pairs: Vec<Requantize> = (0..n_outputs)
        .map(|_| {
            Requantize::of(f64::from(1 + random.below(1000)) * 0.5f64.powi(random.below(20) as i32)).unwrap()
        })
        .collect();
    let values = pairs.iter().map(|p| p.multiplier()).chain(pairs.iter().map(|p| p.shift())).collect();
    matrix(b, [2, n_outputs], TensorData::I64(values))
}

fn product(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    x: ValueIdx,
    n: usize,
    n_outputs: usize,
) -> ValueIdx {
    // So small that no sum of products reaches 2^31.
    let w = (0..n * n_outputs).map(|_| whole(random, 60_000 / n as u32) as i16).collect();
    let w = matrix(b, [n, n_outputs], TensorData::I16(w));
    let bias = (0..n_outputs).map(|_| whole(random, 80_000_000) as i32).collect();
    let bias = b.constant(Tensor::vector(TensorData::I32(bias))).unwrap();
    let pairs = requantize(random, b, n_outputs);
    b.node(Op::QGemm(QGemm), &[x, w, bias, pairs]).unwrap()
}

fn neighbours(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    x: ValueIdx,
    n: usize,
    n_outputs: usize,
) -> ValueIdx {
    let n_known = 1 + if random.below(4) == 0 { random.below(300) } else { random.below(12) } as usize;
    // Few distinct numbers: distances of 0 and equal ones occur.
    let known = (0..n_known * n).map(|_| whole(random, 3) as i16 * 250).collect();
    let known = matrix(b, [n_known, n], TensorData::I16(known));
    let votes = (0..n_known * n_outputs).map(|_| whole(random, 1_000_000) as i32).collect();
    let votes = matrix(b, [n_known, n_outputs], TensorData::I32(votes));
    let op = NearestRows {
        k: [1 + random.below(15), 1000][usize::from(random.below(8) == 0)],
        by_distance: random.below(2) == 0,
    };
    b.node(Op::NearestRows(op), &[x, known, votes]).unwrap()
}

fn similarities(
    random: &mut SplitMix64,
    b: &mut GraphBuilder,
    x: ValueIdx,
    n: usize,
    n_outputs: usize,
) -> ValueIdx {
    let n_vectors = if random.below(4) == 0 { random.below(300) } else { random.below(9) } as usize;
    let vectors = (0..n_vectors * n).map(|_| whole(random, 4) as i16 * 100).collect();
    let vectors = matrix(b, [n_vectors, n], TensorData::I16(vectors));
    let c = (0..n_vectors * n_outputs).map(|_| whole(random, 32_767) as i16).collect();
    let c = matrix(b, [n_vectors, n_outputs], TensorData::I16(c));
    let mut table: Vec<i32> = (0..2 + random.below(40)).map(|_| random.below(65_537) as i32).collect();
    table.sort_unstable_by(|a, b| b.cmp(a));
    let table = b.constant(Tensor::vector(TensorData::I32(table))).unwrap();
    let pairs = requantize(random, b, n_outputs);
    let start = (0..n_outputs).map(|_| whole(random, 1_000_000_000) as i32).collect();
    let start = b.constant(Tensor::vector(TensorData::I32(start))).unwrap();
    let step = [0, 9, 14, 30, 31, 50][random.below(6) as usize];
    b.node(Op::RbfSums(RbfSums { step }), &[x, vectors, c, table, pairs, start]).unwrap()
}
