//! Operators on doubles as source code: each of them, at its corners, in every form that its operands may take.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
mod compiled;

use compiled::{check, proven};
use ir::digest::SplitMix64;
use ir::op::{
    ArgMax, Arithmetic, BSpline, Bin, Cast, Columns, Comparison, Function, Gather, ImputeNeighbours,
    Interpolate, IsNaN, MatMul, Reduce, ToScores, Where,
};
use ir::{
    Card, ColumnKind, DType, Dim, GraphBuilder, Input, Model, Nature, Op, OutputRole, Shape, Signature, Task,
    Tensor, TensorData, ValueIdx,
};
use smidgen_emit::Program;

/// A model that makes columns, on its way.
struct Making {
    b: GraphBuilder,
    inputs: Vec<Input>,
    outputs: Vec<(String, ValueIdx)>,
}

impl Making {
    /// Columns of numbers. Rows of the self-test are drawn beside these corners, since what first takes a column takes
    /// them beside it.
    fn new(columns: &[(DType, &[f64])]) -> (Making, Vec<ValueIdx>) {
        let mut b = GraphBuilder::new();
        let names: Vec<String> = (0..columns.len()).map(|i| format!("x{i}")).collect();
        let inputs = names.iter().zip(columns);
        let values: Vec<ValueIdx> =
            inputs.map(|(name, (dtype, _))| b.input(name, *dtype, Shape::rows()).unwrap()).collect();
        let inputs = names.iter().zip(columns).map(|(name, (dtype, _))| Input {
            name: name.clone(),
            kind: ColumnKind::Number,
            dtype: *dtype,
        });
        let mut m = Making { b, inputs: inputs.collect(), outputs: Vec::new() };
        for (&column, (dtype, corners)) in values.iter().zip(columns) {
            if *dtype == DType::F64 {
                let corners = m.doubles(corners);
                m.node_out("polygon", Op::Interpolate(Interpolate), &[column, corners, corners]);
            } else {
                let edges = corners.iter().map(|&x| x as i64).collect();
                let edges = m.b.constant(Tensor::vector(TensorData::I64(edges))).unwrap();
                m.node_out("codes", Op::Bin(Bin), &[column, edges]);
            }
        }
        (m, values)
    }

    fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> ValueIdx {
        self.b.node(op, inputs).unwrap()
    }

    fn node_out(&mut self, name: &str, op: Op, inputs: &[ValueIdx]) -> ValueIdx {
        let made = self.node(op, inputs);
        self.give(name, made);
        made
    }

    fn doubles(&mut self, values: &[f64]) -> ValueIdx {
        self.tensor(&[values.len()], values)
    }

    fn tensor(&mut self, dims: &[usize], values: &[f64]) -> ValueIdx {
        self.b.constant(Tensor::try_new(dims.to_vec(), TensorData::F64(values.to_vec())).unwrap()).unwrap()
    }

    fn columns(&mut self, columns: &[ValueIdx]) -> ValueIdx {
        self.node(Op::Columns(Columns), columns)
    }

    /// The model with rows that prove it, as one of several.
    fn proven(self) -> [(String, Model); 1] {
        [("numbers".to_string(), proven(self.finish(), 11))]
    }

    /// An output `[N]`, or each column of `[N, K]`.
    fn give(&mut self, name: &str, value: ValueIdx) {
        let cast = match self.b.dtype(value).unwrap() {
            DType::F64 => value,
            _ => self.node(Op::Cast(Cast), &[value]),
        };
        let width = match self.b.shape(cast).unwrap().0[..] {
            [_, Dim::Fixed(width)] => width,
            _ => return self.outputs.push((format!("{} {name}", self.outputs.len()), cast)),
        };
        for k in 0..width {
            let at = self.b.constant(Tensor::scalar(TensorData::I64(vec![k as i64])).unwrap()).unwrap();
            let column = self.node(Op::Gather(Gather), &[cast, at]);
            self.outputs.push((format!("{} {name} {k}", self.outputs.len()), column));
        }
    }

    fn finish(self) -> Model {
        let values: Vec<ValueIdx> = self.outputs.iter().map(|o| o.1).collect();
        let signature = Signature {
            task: Task::Transform,
            target: String::new(),
            targets: Vec::new(),
            inputs: self.inputs,
            outputs: vec![OutputRole::Column; values.len()],
            classes: Vec::new(),
            positive: None,
            missing: Vec::new(),
            columns: self.outputs.into_iter().map(|o| o.0).collect(),
            joined: None,
        };
        Model::try_new(self.b.finish(&values).unwrap(), signature, Card::default()).unwrap()
    }
}

/// Numbers where functions turn, rising.
const CORNERS: &[f64] = &[
    -1e300,
    -1e7,
    -1e6,
    -709.0,
    -708.0,
    -100.25,
    -3.0,
    -2.0,
    -1.5,
    -1.0,
    -0.5,
    -1e-3,
    -1e-300,
    0.0,
    1e-310,
    1e-17,
    0.024,
    0.075,
    0.3,
    0.5,
    0.7,
    0.925,
    0.999_999,
    1.0,
    1.2,
    1.414,
    1.45,
    2.0,
    2.5,
    3.0,
    4.0,
    9.0,
    100.5,
    333.3,
    708.5,
    709.0,
    709.5,
    709.782,
    710.0,
    1500.0,
    20_000.0,
    1e6,
    1_000_001.5,
    123_456_789.0,
    4_503_599_627_370_495.5,
    4_503_599_627_370_496.0,
    1e19,
    1e100,
    1.5e308,
];

/// Few numbers, so that two columns are often equal.
const FEW: &[f64] = &[-2.0, -1.0, 0.0, 1.0, 3.0];

#[test]
fn functions() {
    // Beside corners, many numbers of which few are short.
    let dense: Vec<f64> = (1..200).map(|i| f64::from(i * i) / 997.0).collect();
    let (mut m, x) = Making::new(&[(DType::F64, CORNERS), (DType::F64, &dense), (DType::F64, FEW)]);
    let matrix = m.columns(&[x[1], x[0], x[2]]);
    for &op in Function::ALL {
        m.node_out("of a column", Op::Function(op), &[x[0]]);
        m.node_out("of a matrix", Op::Function(op), &[matrix]);
    }
    // Angles, and probabilities in both tails.
    let scale = m.doubles(&[0.013]);
    let angle = m.node(Op::Arithmetic(Arithmetic::Mul), &[x[0], scale]);
    for op in [Function::Sin, Function::Cos, Function::Exp] {
        m.node_out("of an angle", Op::Function(op), &[angle]);
    }
    let sizes = m.node(Op::Function(Function::Abs), &[angle]);
    let negative = m.node(Op::Function(Function::Neg), &[sizes]);
    let tail = m.node(Op::Function(Function::Exp), &[negative]);
    m.node_out("of a tail", Op::Function(Function::NormalQuantile), &[tail]);
    check(&m.proven());
}

/// Every pair of forms that operands take, through one node each.
fn pairs(m: &mut Making, x: &[ValueIdx], op: &Op) {
    let matrix = m.columns(&[x[0], x[1], x[2]]);
    let other = m.columns(&[x[1], x[2], x[0]]);
    let narrow = m.columns(&[x[2]]);
    let one = m.doubles(&[1.0]);
    let scalar = m.tensor(&[], &[0.0]);
    let row = m.doubles(&[1.0, -0.0, f64::NAN]);
    let flat = m.tensor(&[1, 3], &[f64::INFINITY, 3.0, -1.0]);
    for inputs in [
        [x[0], x[1]],
        [x[0], x[0]],
        [x[1], one],
        [one, x[1]],
        [x[1], scalar],
        [scalar, x[1]],
        [matrix, other],
        [matrix, narrow],
        [narrow, matrix],
        [matrix, one],
        [one, matrix],
        [matrix, row],
        [row, matrix],
        [matrix, flat],
        [flat, matrix],
        [narrow, flat],
        [row, narrow],
    ] {
        m.node_out(op.payload().name(), op.clone(), &inputs);
    }
}

#[test]
fn arithmetic() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::F64, FEW), (DType::F64, CORNERS)]);
    for &op in Arithmetic::ALL {
        pairs(&mut m, &x, &Op::Arithmetic(op));
    }
    check(&m.proven());
}

#[test]
fn comparisons() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::F64, FEW), (DType::F64, CORNERS)]);
    for &op in Comparison::ALL {
        pairs(&mut m, &x, &Op::Comparison(op));
    }
    m.node_out("of a column", Op::IsNaN(IsNaN), &[x[0]]);
    let matrix = m.columns(&x);
    m.node_out("of a matrix", Op::IsNaN(IsNaN), &[matrix]);
    check(&m.proven());
}

#[test]
fn choices() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::F64, CORNERS)]);
    let matrix = m.columns(&[x[0], x[1], x[0]]);
    let narrow = m.columns(&[x[1]]);
    let (one, row) = (m.doubles(&[7.0]), m.doubles(&[0.5, f64::NAN, -0.0]));
    let of_column = m.node(Op::IsNaN(IsNaN), &[x[0]]);
    let of_matrix = m.node(Op::Comparison(Comparison::Less), &[matrix, one]);
    let of_narrow = m.node(Op::Comparison(Comparison::Greater), &[narrow, one]);
    for inputs in [
        [of_column, x[0], x[1]],
        [of_column, one, x[1]],
        [of_column, x[1], one],
        [of_column, one, one],
        [of_matrix, matrix, row],
        [of_matrix, row, matrix],
        [of_matrix, narrow, one],
        [of_matrix, one, row],
        [of_narrow, matrix, narrow],
        [of_narrow, row, matrix],
        [of_narrow, narrow, one],
    ] {
        m.node_out("chosen", Op::Where(Where), &inputs);
    }
    check(&m.proven());
}

#[test]
fn matrices() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::F64, CORNERS), (DType::I64, &[-5.0, 7.0])]);
    let whole = m.node(Op::Cast(Cast), &[x[2]]);
    let pair = m.columns(&[x[1], whole]);
    let matrix = m.columns(&[x[0], pair, x[0], pair]);
    m.give("side by side", matrix);
    let narrow = m.columns(&[x[0]]);
    for &op in Reduce::ALL {
        for rows in [matrix, pair, narrow] {
            m.node_out("reduced", Op::Reduce(op), &[rows]);
        }
    }
    let at = m.b.constant(Tensor::vector(TensorData::I64(vec![5, 0, 0, 3, 1]))).unwrap();
    m.node_out("gathered", Op::Gather(Gather), &[matrix, at]);
    // Tables of whole numbers, of single and of double precision; then one with NaN and infinities.
    let mut random = SplitMix64::new(3);
    for (scale, width) in [(1.0, 1), (0.125, 4), (0.1, 3)] {
        let w: Vec<f64> = (0..6 * width).map(|_| (f64::from(random.below(2001)) - 1000.0) * scale).collect();
        let w = m.tensor(&[6, width], &w);
        m.node_out("product", Op::MatMul(MatMul), &[matrix, w]);
    }
    let w = m.tensor(&[2, 3], &[0.0, f64::NAN, f64::INFINITY, 1.0, -1e300, -0.0]);
    m.node_out("product", Op::MatMul(MatMul), &[pair, w]);
    check(&m.proven());
}

#[test]
fn curves() {
    let (mut m, x) = Making::new(&[(DType::F64, CORNERS), (DType::F64, &[-2.0, 0.1, 0.5, 5.0])]);
    for (knots, values) in [
        (vec![-2.0, 0.1, 5.0], vec![7.0, -1.0, 3.3]),
        (vec![0.5], vec![2.5]),
        (vec![-1.0, 0.0, 1.0, 3.0], vec![-32_767.0, 32_767.0, -30_000.0, -32_767.0]),
        (vec![-9.0, -1.0, 0.0, 1.0, 700.0], vec![4.0, 3.0, 3.0, 1.0, -1e3]),
        (vec![-0.5, 0.25], vec![0.125, f64::from(f32::MAX)]),
    ] {
        let (knots, values) = (m.doubles(&knots), m.doubles(&values));
        for &column in &x {
            m.node_out("polygon", Op::Interpolate(Interpolate), &[column, knots, values]);
        }
    }
    check(&m.proven());
}

#[test]
fn splines() {
    let near: Vec<f64> = (0..60).map(|i| f64::from(i) * 0.21 - 4.0).collect();
    let (mut m, x) = Making::new(&[(DType::F64, &near)]);
    for (degree, n) in [(0, 2), (0, 9), (1, 4), (1, 9), (2, 9), (3, 9), (3, 8), (10, 22), (10, 25)] {
        let knots: Vec<f64> = (0..n).map(|i| f64::from(i * i) / 7.0 - 3.0).collect();
        let knots = m.doubles(&knots);
        m.node_out("spline", Op::BSpline(BSpline { degree }), &[x[0], knots]);
    }
    check(&m.proven());
}

/// Rows with neighbours in a table whose cells are a small whole number times `scale`, some missing, the last rows as
/// given.
fn neighbours(scale: f64, last: &[f64]) -> Model {
    let corners: Vec<f64> = (0..18).map(|i| (f64::from(i) / 2.0 - 4.0) * scale).collect();
    let column = (DType::F64, &corners[..]);
    let (mut m, x) = Making::new(&[column, column, column]);
    let rows = m.columns(&x);
    let mut random = SplitMix64::new(12);
    let cell = |random: &mut SplitMix64| match random.below(6) {
        0 => f64::INFINITY,
        _ => (f64::from(random.below(9)) - 4.0) * scale,
    };
    let mut reference: Vec<f64> = (0..90).map(|_| cell(&mut random)).collect();
    reference.extend(last);
    let reference = m.tensor(&[reference.len() / 3, 3], &reference);
    let (scales, fill) = (m.doubles(&[1.0, 0.3, 1e-2]), m.doubles(&[-1.0, -2.0, -3.0]));
    for (k, by_distance) in [(1, false), (5, false), (5, true), (100, true), (u32::MAX, false)] {
        let op = ImputeNeighbours { k, by_distance };
        m.node_out("imputed", Op::ImputeNeighbours(op), &[rows, reference, scales, fill]);
    }
    m.finish()
}

#[test]
fn neighbours_of_rows() {
    let none = f64::INFINITY;
    let tables: [(&str, f64, &[f64]); 3] = [
        ("whole numbers, and a row that lacks all", 1.0, &[none, none, none]),
        ("single precision, and a row of -0", 0.5, &[-0.0, -0.0, none]),
        (
            "rows so far away that squares and sums overflow",
            0.1,
            &[1e300, f64::MAX, 2.0, -1e300, f64::MAX, 3.0, -none, 0.1, 0.2],
        ),
    ];
    let models = tables.map(|(name, scale, last)| (name.to_string(), proven(neighbours(scale, last), 11)));
    check(&models);
}

#[test]
fn casts() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::I64, &[-1e18, -3.0, 0.0, 9e15])]);
    m.node_out("column", Op::Cast(Cast), &[x[0]]);
    let whole = m.node_out("whole numbers", Op::Cast(Cast), &[x[1]]);
    m.node_out("doubles", Op::Cast(Cast), &[whole]);
    let edges = m.doubles(FEW);
    m.node_out("codes", Op::Bin(Bin), &[x[0], edges]);
    let rows = m.columns(&[x[0], whole]);
    let zero = m.doubles(&[0.0]);
    m.node_out("truths", Op::Comparison(Comparison::Less), &[rows, zero]);
    check(&m.proven());
}

#[test]
fn casts_of_scores() {
    let (mut m, x) = Making::new(&[(DType::F64, FEW), (DType::F64, &[-50.0, -1.0, 0.25, 7.0])]);
    let rows = m.columns(&x);
    let scores = m.node_out("scores", Op::ToScores(ToScores { shift: 3 }), &[rows]);
    let at = m.b.constant(Tensor::vector(TensorData::I64(vec![1, 0, 1]))).unwrap();
    m.node_out("gathered", Op::Gather(Gather), &[scores, at]);
    m.node_out("labels", Op::ArgMax(ArgMax), &[scores]);
    check(&m.proven());
}

#[test]
fn what_has_no_row_of_its_own_is_refused() {
    let refused = |op: Op, expected: &str, inputs: fn(&mut Making, ValueIdx) -> Vec<ValueIdx>| {
        let (mut m, x) = Making::new(&[(DType::F64, FEW)]);
        let inputs = inputs(&mut m, x[0]);
        let name = op.payload().name();
        m.node(op, &inputs);
        let error = Program::try_new(&m.finish()).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.nature(), Nature::Unsupported);
        assert!(text.contains(&format!("({name}): {expected} is not supported")), "{text}");
    };
    let (across, alone) = ("a broadcast that pairs a row with other rows", "an operation on constants alone");
    let add = || Op::Arithmetic(Arithmetic::Add);
    refused(add(), alone, |m, _| vec![m.doubles(&[1.0]), m.doubles(&[2.0])]);
    refused(Op::Function(Function::Exp), alone, |m, _| vec![m.doubles(&[1.0])]);
    refused(add(), across, |m, x| vec![m.columns(&[x]), x]);
    refused(Op::Comparison(Comparison::Less), across, |m, x| vec![x, m.tensor(&[1, 1], &[0.0])]);
    refused(add(), across, |m, x| vec![x, m.tensor(&[3, 1], &[0.0, 1.0, 2.0])]);
    refused(Op::Where(Where), "a constant condition", |m, x| {
        let holds = m.b.constant(Tensor::vector(TensorData::Bool(vec![true]))).unwrap();
        vec![holds, x, m.doubles(&[1.0])]
    });
}

/// Flags under which gcc computes doubles otherwise are refused by what stands above routines, others are not.
#[test]
fn compilers_that_change_doubles_are_refused() {
    let prelude = include_str!("../src/routines/doubles_prelude.h.txt");
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("sum.c");
    let sum = "double sm_sum(double a, double b, double c);\n\
        double sm_sum(double a, double b, double c) { return a * b + c; }\n";
    let compiled = |flags: &str, prelude: &str| {
        std::fs::write(&source, format!("#include <stdint.h>\n{prelude}{sum}")).unwrap();
        let mut gcc = std::process::Command::new("gcc");
        gcc.args(["-ffreestanding", "-Wall", "-Wextra", "-Werror", "-pedantic", "-S", "-o", "-"]);
        let output = gcc.args(flags.split(' ')).arg(&source).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    for flags in ["-std=c99", "-std=c99 -O3", "-std=gnu11 -O2", "-std=c99 -ffp-contract=fast"] {
        assert!(compiled(flags, prelude).is_some(), "{flags}");
    }
    let mut refused = vec![
        "-ffast-math",
        "-Ofast",
        "-ffinite-math-only",
        "-freciprocal-math",
        "-fno-signed-zeros",
        "-fsingle-precision-constant",
    ];
    if cfg!(target_arch = "x86_64") {
        assert!(compiled("-m32 -msse2 -mfpmath=sse", prelude).is_some());
        refused.extend(["-m32 -mno-sse", "-m32 -mfpmath=387"]);
        let is_fused = |flags, prelude| compiled(flags, prelude).unwrap().contains("fmadd");
        for flags in ["-std=gnu11 -O2 -mfma", "-std=c99 -O2 -mfma -ffp-contract=fast"] {
            assert!(is_fused(flags, "") && !is_fused(flags, prelude), "{flags}");
        }
    }
    for flags in refused {
        assert!(compiled(flags, "").is_some() && compiled(flags, prelude).is_none(), "{flags}");
    }
}
