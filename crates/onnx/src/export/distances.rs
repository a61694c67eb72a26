//! `NearestRows` and `RbfSums`: rows compared with known rows, exact.
//!
//! A squared distance is `|x|^2 - 2 x r + |r|^2`. Cells are below 2^15 and rows shorter than 2^16, so each part is a whole
//! number below 2^49 and doubles hold it whatever the order of the sum.

use super::products::{requantized, small};
use super::scores::clamped;
use super::step::Step;
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::DType;
use ir::op::{NearestRows, RbfSums};

/// `[N, M]` of whole doubles: squared distances to the constant at `position`, `[M, F]`.
fn distances(s: &mut Step<'_>, position: usize) -> Result<String, Error> {
    let x = s.input(0)?;
    let (known, width, n) = (s.i16s(position)?, s.width(0)?, s.dims(position)?.first().copied().unwrap_or(0));
    let square = |v: &i16| i64::from(*v) * i64::from(*v);
    let sizes: Vec<f64> =
        known.chunks_exact(width.max(1)).map(|row| row.iter().map(square).sum::<i64>() as f64).collect();
    let mut turned = Vec::with_capacity(known.len());
    for column in 0..width {
        turned.extend(known.iter().skip(column).step_by(width));
    }
    let turned = small(s, &[width, n], &turned);
    let sizes = s.w.doubles(&[1, n], &sizes);
    let own = s.w.op("Mul", &[&x, &x]);
    let own = s.w.reduce("ReduceSum", &own, true);
    let product = s.w.op("MatMul", &[&x, &turned]);
    let twice = s.w.op("Add", &[&product, &product]);
    let rest = s.w.op("Sub", &[&own, &twice]);
    Ok(s.w.op("Add", &[&rest, &sizes]))
}

pub(super) fn nearest_rows(s: &mut Step<'_>, op: NearestRows) -> Result<String, Error> {
    let (votes, dims) = (s.i32s(2)?, s.dims(2)?);
    let &[n_known, width] = dims else {
        return Err(s.broken("the shape of the votes"));
    };
    let n = (op.k as usize).min(n_known);
    if n > 1 << 15 && op.by_distance {
        return Err(s.refuse("more than 32768 weighted neighbours", "fit with fewer neighbours"));
    }
    let distances = distances(s, 1)?;
    let k = s.w.ints(&[1], &[wide(n)]);
    // Of equal ones the first comes first, by ONNX's definition.
    let attributes = vec![("axis", Attribute::Int(1)), ("largest", Attribute::Int(0))];
    let (near, rows) = s.w.pair("TopK", &[&distances, &k], attributes);
    let votes: Vec<i64> = votes.iter().map(|&v| v.into()).collect();
    let votes = s.w.ints(&[n_known, width], &votes);
    let votes = s.w.gather(&votes, &rows, 0);
    if !op.by_distance {
        let sum = s.w.reduce("ReduceSum", &votes, false);
        return Ok(clamped(s, &sum));
    }
    // Each voter weighs floor(2^30 / floor(sqrt d)), where one is at distance 0 only those do, with 1.
    let (zero, one) = (s.w.double(0.0), s.w.double(1.0));
    let is_zero = s.w.op("Equal", &[&near, &zero]);
    let nearest = s.w.reduce("ReduceMin", &near, true);
    let any_zero = s.w.op("Equal", &[&nearest, &zero]);
    let far = s.w.op("Max", &[&near, &one]);
    let root = s.w.op("Sqrt", &[&far]);
    let root = s.w.op("Floor", &[&root]);
    let most = s.w.double(f64::from(1 << 30));
    let weight = s.w.op("Div", &[&most, &root]);
    let weight = s.w.op("Floor", &[&weight]);
    let at_zero = s.w.cast(&is_zero, DType::F64);
    let weight = s.w.op("Where", &[&any_zero, &at_zero, &weight]);
    let weight = s.w.cast(&weight, DType::I64);
    let total = s.w.reduce("ReduceSum", &weight, true);
    let axes = s.w.ints(&[1], &[2]);
    let weight = s.w.op("Unsqueeze", &[&weight, &axes]);
    let products = s.w.op("Mul", &[&weight, &votes]);
    let sum = s.w.reduce("ReduceSum", &products, false);
    // n sum / total, half up, without leaving 63 bits: of the whole quotient and of the rest apart.
    let rest = s.w.op("Mod", &[&sum, &total]);
    let whole = s.w.op("Sub", &[&sum, &rest]);
    let whole = s.w.op("Div", &[&whole, &total]);
    let (n_voters, twice_n) = (wide(n), wide(2 * n));
    let (n_voters, twice_n) = (s.w.int(n_voters), s.w.int(twice_n));
    let whole = s.w.op("Mul", &[&whole, &n_voters]);
    let of_rest = s.w.op("Mul", &[&rest, &twice_n]);
    let of_rest = s.w.op("Add", &[&of_rest, &total]);
    let twice = s.w.op("Add", &[&total, &total]);
    let of_rest = s.w.floor_divide(&of_rest, &twice);
    let score = s.w.op("Add", &[&whole, &of_rest]);
    Ok(clamped(s, &score))
}

pub(super) fn rbf_sums(s: &mut Step<'_>, op: RbfSums) -> Result<String, Error> {
    // A difference of entries is at most 2^16, so its product with a part of a step is below 2^62.
    if op.step > 46 {
        return Err(s.refuse("a similarity in steps of 2^47 or more", "fit with a smaller gamma"));
    }
    let (coefficients, dims) = (s.i16s(2)?, s.dims(2)?);
    let (table, start) = (s.i32s(3)?, s.i32s(5)?);
    let distances = distances(s, 1)?;
    // Two entries of 0 stand behind the table's end.
    let n = table.len();
    let mut table: Vec<i64> = table.iter().map(|&v| v.into()).collect();
    table.extend([0, 0]);
    let falls: Vec<i64> = table.windows(2).map(|p| p[0] - p[1]).chain([0]).collect();
    let unit = s.w.double((1i64 << op.step) as f64);
    let at = s.w.op("Div", &[&distances, &unit]);
    let at = s.w.op("Floor", &[&at]);
    let before = s.w.op("Mul", &[&at, &unit]);
    let part = s.w.op("Sub", &[&distances, &before]);
    let end = s.w.double(n as f64);
    let at = s.w.op("Min", &[&at, &end]);
    let (at, part) = (s.w.cast(&at, DType::I64), s.w.cast(&part, DType::I64));
    let [here, fall] = [&table, &falls].map(|values| {
        let values = s.w.ints(&[values.len()], values);
        s.w.gather(&values, &at, 0)
    });
    let fallen = s.w.op("Mul", &[&fall, &part]);
    let unit = s.w.int(1 << op.step);
    // Both are not negative, so division rounds down.
    let fallen = s.w.op("Div", &[&fallen, &unit]);
    let similarity = s.w.op("Sub", &[&here, &fallen]);
    let similarity = s.w.cast(&similarity, DType::F64);
    // Sums of sizes are below 2^31 2^16.
    let coefficients = small(s, dims, coefficients);
    let sum = s.w.op("MatMul", &[&similarity, &coefficients]);
    let sum = s.w.cast(&sum, DType::I64);
    let (half, one) = (s.w.int(1 << 15), s.w.int(1 << 16));
    let sum = s.w.op("Add", &[&sum, &half]);
    let acc = s.w.floor_divide(&sum, &one);
    let scores = requantized(s, &acc, 4)?;
    let start: Vec<i64> = start.iter().map(|&v| v.into()).collect();
    let start = s.w.ints(&[1, start.len()], &start);
    let scores = s.w.op("Add", &[&scores, &start]);
    Ok(clamped(s, &scores))
}
