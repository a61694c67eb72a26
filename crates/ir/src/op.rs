//! Operators: a closed set, one payload a file.
//!
//! A payload says its name, its attributes (which drive the file format and the printer) and what
//! it makes of its inputs' dtypes and shapes. What it *computes* is the reference interpreter's.

mod argmax;
mod arithmetic;
mod attrs;
mod b_spline;
mod bag_gather;
mod bag_gemm;
mod bag_weigh;
mod bin;
mod cascade;
mod cast;
mod choose;
mod codes;
mod columns;
mod comparison;
mod forest;
mod function;
mod gate;
mod gather;
mod hash_bucket;
mod hash_tokens;
mod impute_neighbours;
mod interpolate;
mod is_nan;
mod label_encoder;
mod least_cost;
mod link;
mod matmul;
mod nearest_rows;
#[cfg(not(feature = "networks"))]
mod no_tensor;
mod one_hot;
mod past;
mod q_gemm;
mod quantize_linear;
mod rbf_sums;
mod reduce;
mod related;
mod respell;
mod score_curve;
mod sum;
mod tables;
#[cfg(feature = "networks")]
pub mod tensor;
mod text_part;
mod threshold;
mod time_part;
mod to_scores;
mod tokens;
mod votes;
mod weighted_sum;

pub use argmax::ArgMax;
pub use arithmetic::Arithmetic;
pub use attrs::{Attr, Attrs};
pub use b_spline::BSpline;
pub use bag_gather::BagGather;
pub use bag_gemm::BagGemm;
pub use bag_weigh::{BagNorm, BagWeigh, TermFrequency};
pub use bin::Bin;
pub use cascade::Cascade;
pub use cast::Cast;
pub use choose::Where;
pub use codes::Codes;
pub use columns::Columns;
pub use comparison::Comparison;
pub use forest::ForestOp;
pub use function::Function;
pub use gate::Gate;
pub use gather::Gather;
pub use hash_bucket::HashBucket;
pub use hash_tokens::HashTokens;
pub use impute_neighbours::ImputeNeighbours;
pub use interpolate::Interpolate;
pub use is_nan::IsNaN;
pub use label_encoder::LabelEncoder;
pub use least_cost::LeastCost;
pub use link::{Link, LinkKind};
pub use matmul::MatMul;
pub use nearest_rows::NearestRows;
#[cfg(not(feature = "networks"))]
pub use no_tensor::TensorOp;
pub use one_hot::OneHot;
pub use past::{Past, PastKind};
pub use q_gemm::QGemm;
pub use quantize_linear::QuantizeLinear;
pub use rbf_sums::{RbfParts, RbfSums};
pub use reduce::Reduce;
pub use related::{Related, RelatedKind, RelatedPlaces, Timed};
pub use respell::Respell;
pub use score_curve::ScoreCurve;
pub use sum::Sum;
pub use tables::{TableTerm, Tables};
#[cfg(feature = "networks")]
pub use tensor::TensorOp;
pub use text_part::TextPart;
pub use threshold::Threshold;
pub use time_part::TimePart;
pub use to_scores::ToScores;
pub use tokens::Tokens;
pub use votes::{Votes, VotesKind};
pub use weighted_sum::WeightedSum;

use crate::fixed::Requantize;
use crate::{DType, Dim, Error, Kind, Shape, Tensor, TensorData};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What an operator knows of one of its inputs before any data arrives.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// Storage type.
    pub dtype: DType,
    /// Shape.
    pub shape: &'a Shape,
    /// The value itself, if it is a constant.
    pub constant: Option<&'a Tensor>,
    /// The lengths that it holds as numbers, if it is a list of lengths of other values.
    pub lengths: Option<&'a [Dim]>,
    /// True for a column that the caller gives.
    pub is_given: bool,
}

impl Operand<'_> {
    /// Dtype and shape as messages show them: `i32 [N, 3]`.
    fn describe(&self) -> String {
        alloc::format!("{} {}", self.dtype, self.shape)
    }
}

/// What every operator says of itself.
pub trait Payload {
    /// Name, as printed and as stored.
    fn name(&self) -> &'static str;
    /// Attributes, in the order in which they are printed and stored.
    fn attrs(&self) -> Vec<(&'static str, Attr)>;
    /// Dtypes and shapes of the outputs for these inputs.
    ///
    /// # Errors
    /// `Node` without the node's name, which the caller adds.
    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error>;
    /// True if every machine computes the same bits.
    fn is_exact(&self) -> bool {
        true
    }
    /// True if a row of the output hangs on that row of the inputs alone.
    fn is_row_wise(&self) -> bool {
        true
    }
}

/// Makes an operator from its stored attributes.
type Parse = fn(&Attrs) -> Result<Op, Error>;

/// An operator and its attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Numbers to codes.
    Bin(Bin),
    /// Categories to codes.
    Codes(Codes),
    /// Trees over codes.
    Forest(ForestOp),
    /// Integer scores to probabilities or values.
    Link(Link),
    /// Index of the largest score.
    ArgMax(ArgMax),
    /// One score against a threshold.
    Threshold(Threshold),
    /// The class of the least expected cost.
    LeastCost(LeastCost),
    /// A point in time to one of its parts.
    TimePart(TimePart),
    /// A number to a double.
    Cast(Cast),
    /// Two doubles to one.
    Arithmetic(Arithmetic),
    /// One double to one.
    Function(Function),
    /// Two doubles to a truth.
    Comparison(Comparison),
    /// Where a number is missing.
    IsNaN(IsNaN),
    /// One of two numbers.
    Where(Where),
    /// Columns side by side.
    Columns(Columns),
    /// Some columns of a matrix.
    Gather(Gather),
    /// Rows times a matrix.
    MatMul(MatMul),
    /// A row to one number.
    Reduce(Reduce),
    /// A piecewise linear function.
    Interpolate(Interpolate),
    /// Codes to one column a code.
    OneHot(OneHot),
    /// Categories to numbers.
    LabelEncoder(LabelEncoder),
    /// Categories to buckets.
    HashBucket(HashBucket),
    /// What earlier rows of the table say.
    Past(Past),
    /// What the rows of a second table say.
    Related(Related),
    /// Missing numbers from the nearest rows.
    ImputeNeighbours(ImputeNeighbours),
    /// Categories to other categories.
    Respell(Respell),
    /// A number to the values of B-splines.
    BSpline(BSpline),
    /// Text to a number.
    TextPart(TextPart),
    /// Text to a bag of terms.
    Tokens(Tokens),
    /// Text to a bag of buckets.
    HashTokens(HashTokens),
    /// Counts of a bag to weights.
    BagWeigh(BagWeigh),
    /// Some ids of a bag as columns.
    BagGather(BagGather),
    /// Bags times a matrix.
    BagGemm(BagGemm),
    /// Numbers to small integers.
    QuantizeLinear(QuantizeLinear),
    /// Integer rows times an integer matrix.
    QGemm(QGemm),
    /// Sums of looked-up integers.
    Tables(Tables),
    /// Scores added up.
    Sum(Sum),
    /// Scores of members, weighed and added up.
    WeightedSum(WeightedSum),
    /// A first score where it is sure, else a second one.
    Cascade(Cascade),
    /// A first score or a second one, as a third score says.
    Gate(Gate),
    /// Scores to probabilities as integers.
    Votes(Votes),
    /// Scores by a polygon.
    ScoreCurve(ScoreCurve),
    /// Real numbers to integer scores.
    ToScores(ToScores),
    /// Votes of the nearest known rows.
    NearestRows(NearestRows),
    /// Weighted similarities to known rows.
    RbfSums(RbfSums),
    /// An operator of a network, on tensors of any rank.
    Tensor(Box<TensorOp>),
}

/// Every operator of tables: its stored name and how it is read back.
pub const OPS: &[(&str, Parse)] = &[
    (argmax::NAME, |a| ArgMax::parse(a).map(Op::ArgMax)),
    (bin::NAME, |a| Bin::parse(a).map(Op::Bin)),
    (codes::NAME, |a| Codes::parse(a).map(Op::Codes)),
    (forest::NAME, |a| ForestOp::parse(a).map(Op::Forest)),
    (link::NAME, |a| Link::parse(a).map(Op::Link)),
    (least_cost::NAME, |a| LeastCost::parse(a).map(Op::LeastCost)),
    (threshold::NAME, |a| Threshold::parse(a).map(Op::Threshold)),
    (time_part::NAME, |a| TimePart::parse(a).map(Op::TimePart)),
    (Arithmetic::Add.stored(), |a| Arithmetic::Add.parse(a).map(Op::Arithmetic)),
    (Arithmetic::Sub.stored(), |a| Arithmetic::Sub.parse(a).map(Op::Arithmetic)),
    (Arithmetic::Mul.stored(), |a| Arithmetic::Mul.parse(a).map(Op::Arithmetic)),
    (Arithmetic::Div.stored(), |a| Arithmetic::Div.parse(a).map(Op::Arithmetic)),
    (Arithmetic::Min.stored(), |a| Arithmetic::Min.parse(a).map(Op::Arithmetic)),
    (Arithmetic::Max.stored(), |a| Arithmetic::Max.parse(a).map(Op::Arithmetic)),
    (Function::Abs.stored(), |a| Function::Abs.parse(a).map(Op::Function)),
    (Function::Neg.stored(), |a| Function::Neg.parse(a).map(Op::Function)),
    (Function::Sqrt.stored(), |a| Function::Sqrt.parse(a).map(Op::Function)),
    (Function::Exp.stored(), |a| Function::Exp.parse(a).map(Op::Function)),
    (Function::Log.stored(), |a| Function::Log.parse(a).map(Op::Function)),
    (Function::Sin.stored(), |a| Function::Sin.parse(a).map(Op::Function)),
    (Function::Cos.stored(), |a| Function::Cos.parse(a).map(Op::Function)),
    (Function::Floor.stored(), |a| Function::Floor.parse(a).map(Op::Function)),
    (Function::Sign.stored(), |a| Function::Sign.parse(a).map(Op::Function)),
    (Function::NormalQuantile.stored(), |a| Function::NormalQuantile.parse(a).map(Op::Function)),
    (Comparison::Equal.stored(), |a| Comparison::Equal.parse(a).map(Op::Comparison)),
    (Comparison::Less.stored(), |a| Comparison::Less.parse(a).map(Op::Comparison)),
    (Comparison::LessOrEqual.stored(), |a| Comparison::LessOrEqual.parse(a).map(Op::Comparison)),
    (Comparison::Greater.stored(), |a| Comparison::Greater.parse(a).map(Op::Comparison)),
    (Comparison::GreaterOrEqual.stored(), |a| Comparison::GreaterOrEqual.parse(a).map(Op::Comparison)),
    (Reduce::Sum.stored(), |a| Reduce::Sum.parse(a).map(Op::Reduce)),
    (Reduce::Max.stored(), |a| Reduce::Max.parse(a).map(Op::Reduce)),
    (Reduce::L1.stored(), |a| Reduce::L1.parse(a).map(Op::Reduce)),
    (Reduce::L2.stored(), |a| Reduce::L2.parse(a).map(Op::Reduce)),
    (cast::NAME, |a| Cast::parse(a).map(Op::Cast)),
    (is_nan::NAME, |a| IsNaN::parse(a).map(Op::IsNaN)),
    (choose::NAME, |a| Where::parse(a).map(Op::Where)),
    (columns::NAME, |a| Columns::parse(a).map(Op::Columns)),
    (gather::NAME, |a| Gather::parse(a).map(Op::Gather)),
    (matmul::NAME, |a| MatMul::parse(a).map(Op::MatMul)),
    (interpolate::NAME, |a| Interpolate::parse(a).map(Op::Interpolate)),
    (one_hot::NAME, |a| OneHot::parse(a).map(Op::OneHot)),
    (label_encoder::NAME, |a| LabelEncoder::parse(a).map(Op::LabelEncoder)),
    (hash_bucket::NAME, |a| HashBucket::parse(a).map(Op::HashBucket)),
    (past::NAME, |a| Past::parse(a).map(Op::Past)),
    (related::NAME, |a| Related::parse(a).map(Op::Related)),
    (impute_neighbours::NAME, |a| ImputeNeighbours::parse(a).map(Op::ImputeNeighbours)),
    (respell::NAME, |a| Respell::parse(a).map(Op::Respell)),
    (b_spline::NAME, |a| BSpline::parse(a).map(Op::BSpline)),
    (text_part::NAME, |a| TextPart::parse(a).map(Op::TextPart)),
    (tokens::NAME, |a| Tokens::parse(a).map(Op::Tokens)),
    (hash_tokens::NAME, |a| HashTokens::parse(a).map(Op::HashTokens)),
    (bag_weigh::NAME, |a| BagWeigh::parse(a).map(Op::BagWeigh)),
    (bag_gather::NAME, |a| BagGather::parse(a).map(Op::BagGather)),
    (bag_gemm::NAME, |a| BagGemm::parse(a).map(Op::BagGemm)),
    (quantize_linear::NAME, |a| QuantizeLinear::parse(a).map(Op::QuantizeLinear)),
    (q_gemm::NAME, |a| QGemm::parse(a).map(Op::QGemm)),
    (tables::NAME, |a| Tables::parse(a).map(Op::Tables)),
    (to_scores::NAME, |a| ToScores::parse(a).map(Op::ToScores)),
    (score_curve::NAME, |a| ScoreCurve::parse(a).map(Op::ScoreCurve)),
    (sum::NAME, |a| Sum::parse(a).map(Op::Sum)),
    (weighted_sum::NAME, |a| WeightedSum::parse(a).map(Op::WeightedSum)),
    (cascade::NAME, |a| Cascade::parse(a).map(Op::Cascade)),
    (gate::NAME, |a| Gate::parse(a).map(Op::Gate)),
    (votes::NAME, |a| Votes::parse(a).map(Op::Votes)),
    (nearest_rows::NAME, |a| NearestRows::parse(a).map(Op::NearestRows)),
    (rbf_sums::NAME, |a| RbfSums::parse(a).map(Op::RbfSums)),
];

impl Op {
    /// What the operator says of itself.
    pub fn payload(&self) -> &dyn Payload {
        match self {
            Op::Bin(p) => p,
            Op::Codes(p) => p,
            Op::Forest(p) => p,
            Op::Link(p) => p,
            Op::ArgMax(p) => p,
            Op::Threshold(p) => p,
            Op::LeastCost(p) => p,
            Op::TimePart(p) => p,
            Op::Cast(p) => p,
            Op::Arithmetic(p) => p,
            Op::Function(p) => p,
            Op::Comparison(p) => p,
            Op::IsNaN(p) => p,
            Op::Where(p) => p,
            Op::Columns(p) => p,
            Op::Gather(p) => p,
            Op::MatMul(p) => p,
            Op::Reduce(p) => p,
            Op::Interpolate(p) => p,
            Op::OneHot(p) => p,
            Op::LabelEncoder(p) => p,
            Op::HashBucket(p) => p,
            Op::Past(p) => p,
            Op::Related(p) => p,
            Op::ImputeNeighbours(p) => p,
            Op::Respell(p) => p,
            Op::BSpline(p) => p,
            Op::TextPart(p) => p,
            Op::Tokens(p) => p,
            Op::HashTokens(p) => p,
            Op::BagWeigh(p) => p,
            Op::BagGather(p) => p,
            Op::BagGemm(p) => p,
            Op::QuantizeLinear(p) => p,
            Op::QGemm(p) => p,
            Op::Tables(p) => p,
            Op::Sum(p) => p,
            Op::WeightedSum(p) => p,
            Op::Cascade(p) => p,
            Op::Gate(p) => p,
            Op::Votes(p) => p,
            Op::ScoreCurve(p) => p,
            Op::ToScores(p) => p,
            Op::NearestRows(p) => p,
            Op::RbfSums(p) => p,
            Op::Tensor(p) => p.payload(),
        }
    }

    /// The operator of tables of a stored name and attributes; for those of networks see
    /// `TensorOp::parse`.
    ///
    /// # Errors
    /// `Unknown` for another name or for an attribute that the operator does not have, `Node` for
    /// attributes that do not fit.
    pub fn parse(name: &str, attrs: &Attrs) -> Result<Op, Error> {
        let known = OPS.iter().find(|(n, _)| *n == name);
        let (_, parse) =
            known.ok_or_else(|| Kind::Unknown { what: alloc::format!("operator \"{name}\"") })?;
        let op = parse(attrs)?;
        attrs.all_known(name, op.payload())?;
        Ok(op)
    }
}

/// A `Node` error; the node's name is added where it is known.
fn misfit(op: &'static str, what: &str, expected: &str, got: &dyn core::fmt::Display) -> Error {
    Kind::Node {
        node: String::new(),
        op,
        what: what.to_owned(),
        expected: expected.to_owned(),
        got: got.to_string(),
    }
    .into()
}

/// Largest width of a computed matrix.
const MAX_WIDTH: usize = 1 << 16;

/// `[rows, width]`, if the width is one that a machine should compute.
fn wide(op: &'static str, rows: &Dim, width: usize) -> Result<Shape, Error> {
    if width > MAX_WIDTH {
        return Err(misfit(op, "width", "at most 65536", &width));
    }
    Ok(Shape(alloc::vec![rows.clone(), Dim::Fixed(width)]))
}

/// The attributes of an operator on `k` neighbours.
fn of_neighbours(k: u32, by_distance: bool) -> Vec<(&'static str, Attr)> {
    let weights = if by_distance { "distance" } else { "uniform" };
    alloc::vec![("k", Attr::Int(k.into())), ("weights", Attr::Word(weights.to_string()))]
}

/// A tensor of doubles.
fn doubles(op: &'static str, operand: &Operand<'_>) -> Result<(), Error> {
    if operand.dtype == DType::F64 { Ok(()) } else { Err(misfit(op, "input", "f64", &operand.describe())) }
}

/// Rows and width of bags.
fn bag<'a>(op: &'static str, operand: &Operand<'a>) -> Result<(&'a Dim, usize), Error> {
    match (operand.dtype, &operand.shape.0[..]) {
        (DType::Bag, [rows, Dim::Fixed(width)]) => Ok((rows, *width)),
        _ => Err(misfit(op, "bags", "bag [N, V]", &operand.describe())),
    }
}

/// The constant pairs of multiplier and shift of `n` outputs.
fn requantize(op: &'static str, operand: &Operand<'_>, n: usize) -> Result<(), Error> {
    let values = match (operand.constant.map(Tensor::data), &operand.shape.0[..]) {
        (Some(TensorData::I64(v)), [Dim::Fixed(2), Dim::Fixed(m)]) if *m == n => v,
        _ => {
            let expected = alloc::format!("a constant i64 [2, {n}]");
            return Err(misfit(op, "requantize", &expected, &operand.describe()));
        }
    };
    let (multipliers, shifts) = values.split_at(n);
    let pairs = multipliers.iter().zip(shifts);
    match pairs.into_iter().find(|(m, s)| Requantize::try_new(**m, **s).is_none()) {
        None => Ok(()),
        Some((m, s)) => {
            let got = alloc::format!("{m} and {s}");
            Err(misfit(op, "requantize", "multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62", &got))
        }
    }
}

/// The common shape of two tensors as numpy has it: axes are aligned at the last; a missing axis and an
/// axis of length 1 are repeated.
fn broadcast(op: &'static str, a: &Operand<'_>, b: &Operand<'_>) -> Result<Shape, Error> {
    let rank = a.shape.rank().max(b.shape.rank());
    let axis = |shape: &Shape, i: usize| {
        (i + shape.rank()).checked_sub(rank).map_or(Dim::Fixed(1), |at| shape.0[at].clone())
    };
    let mut dims = Vec::with_capacity(rank);
    for i in 0..rank {
        dims.push(match (axis(a.shape, i), axis(b.shape, i)) {
            (x, y) if x == y => x,
            (Dim::Fixed(1), y) => y,
            (x, Dim::Fixed(1)) => x,
            _ => return Err(misfit(op, "shapes", &a.describe(), &b.describe())),
        });
    }
    match &dims[..] {
        [rows, Dim::Fixed(width)] => wide(op, rows, *width),
        _ => Ok(Shape(dims)),
    }
}

/// Exactly `N` inputs.
fn arity<'a, 'b, const N: usize>(
    op: &'static str,
    inputs: &'a [Operand<'b>],
) -> Result<&'a [Operand<'b>; N], Error> {
    inputs.try_into().map_err(|_| misfit(op, "inputs", &N.to_string(), &inputs.len()))
}
