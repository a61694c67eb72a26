//! `Interpolate` and `BSpline`: functions over knots, in doubles and in the order of the model, so exact.

use super::step::Step;
use crate::error::Error;
use crate::writer::wide;
use ir::DType;
use ir::op::BSpline;

/// `[N]` of `int64`: how many knots are at or below `x [N]`, NaN counting none.
fn at_or_below(s: &mut Step<'_>, x: &str, knots: &[f64]) -> String {
    let column = s.w.as_column(x);
    let knots = s.w.doubles(&[1, knots.len()], knots);
    let is = s.w.op("GreaterOrEqual", &[&column, &knots]);
    let is = s.w.cast(&is, DType::F32);
    // At most 65,536 knots: single precision counts them.
    let n = s.w.reduce("ReduceSum", &is, false);
    s.w.cast(&n, DType::I64)
}

/// Within two bounds; NaN stays.
fn inside(s: &mut Step<'_>, x: &str, least: f64, most: f64) -> String {
    let (least, most) = (s.w.double(least), s.w.double(most));
    let is_below = s.w.op("Less", &[x, &least]);
    let x = s.w.op("Where", &[&is_below, &least, x]);
    let is_above = s.w.op("Greater", &[&x, &most]);
    s.w.op("Where", &[&is_above, &most, &x])
}

pub(super) fn interpolate(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.number(0)?;
    let (knots, values) = (s.doubles(1)?, s.doubles(2)?);
    let Some((&first, &last)) = knots.first().zip(knots.last()) else {
        return Err(s.broken("a polygon"));
    };
    let x = inside(s, &x, first, last);
    let count = at_or_below(s, &x, knots);
    // Segment 0 is met by NaN alone; the last one is the last knot itself, flat.
    let n = knots.len();
    let differences = |v: &[f64]| v.windows(2).map(|p| p[1] - p[0]).collect::<Vec<f64>>();
    let around = |begin: f64, v: &[f64], end: Option<f64>| {
        let mut all = vec![begin];
        all.extend_from_slice(v);
        all.extend(end);
        all
    };
    let tables = [
        around(first, knots, None),
        around(0.0, values, None),
        around(0.0, &differences(values), Some(0.0)),
        around(1.0, &differences(knots), Some(1.0)),
    ];
    let [knot, value, rise, width] = tables.map(|table| {
        let table = s.w.doubles(&[n + 1], &table);
        s.w.gather(&table, &count, 0)
    });
    let from = s.w.op("Sub", &[&x, &knot]);
    let product = s.w.op("Mul", &[&from, &rise]);
    let step = s.w.op("Div", &[&product, &width]);
    Ok(s.w.op("Add", &[&value, &step]))
}

pub(super) fn b_spline(s: &mut Step<'_>, op: BSpline) -> Result<String, Error> {
    let x = s.number(0)?;
    let knots = s.doubles(1)?;
    let d = usize::from(op.degree);
    let n = s.made_width()?;
    let (Some(&least), Some(&most), Some(range)) = (knots.get(d), knots.get(n), knots.get(d..=n)) else {
        return Err(s.broken("the knots"));
    };
    let x = inside(s, &x, least, most);
    // The interval `knots[at] <= x < knots[at + 1]`, the last one closed on the right.
    let count = at_or_below(s, &x, range);
    let (low, high, shift) = (s.w.int(1), s.w.int(wide(n - d)), s.w.int(wide(d) - 1));
    let count = s.w.op("Clip", &[&count, &low, &high]);
    let at = s.w.op("Add", &[&count, &shift]);
    let all = s.w.doubles(&[knots.len()], knots);
    let knot = |s: &mut Step<'_>, shift: i64| {
        let shift = s.w.int(shift);
        let at = s.w.op("Add", &[&at, &shift]);
        s.w.gather(&all, &at, 0)
    };
    let (mut left, mut right) = (vec![String::new()], vec![String::new()]);
    for j in 1..=wide(d) {
        let (below, above) = (knot(s, 1 - j), knot(s, j));
        left.push(s.w.op("Sub", &[&x, &below]));
        right.push(s.w.op("Sub", &[&above, &x]));
    }
    let zero = s.w.double(0.0);
    // 1, and NaN for NaN.
    let nothing = s.w.op("Sub", &[&x, &x]);
    let one = s.w.double(1.0);
    let mut values = vec![s.w.op("Add", &[&nothing, &one])];
    for j in 1..=d {
        let mut saved = zero.clone();
        for r in 0..j {
            let both = s.w.op("Add", &[&right[r + 1], &left[j - r]]);
            let share = s.w.op("Div", &[&values[r], &both]);
            let from_right = s.w.op("Mul", &[&right[r + 1], &share]);
            values[r] = s.w.op("Add", &[&saved, &from_right]);
            saved = s.w.op("Mul", &[&left[j - r], &share]);
        }
        values.push(saved);
    }
    // Each value stands in the column of its interval; NaN in all of them.
    let places: Vec<i64> = (0..n).map(wide).collect();
    let places = s.w.ints(&[1, n], &places);
    let mut out = s.w.as_column(&nothing);
    for (r, value) in values.iter().enumerate() {
        let shift = s.w.int(wide(r) - wide(d));
        let column = s.w.op("Add", &[&at, &shift]);
        let column = s.w.as_column(&column);
        let is_here = s.w.op("Equal", &[&column, &places]);
        let value = s.w.as_column(value);
        let value = s.w.op("Where", &[&is_here, &value, &zero]);
        out = s.w.op("Add", &[&out, &value]);
    }
    Ok(out)
}
