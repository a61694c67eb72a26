//! `Sum`, `WeightedSum`, `Cascade`, `Gate`, `Votes`, `ScoreCurve`, `ToScores`: integer scores, `int64 [N, K]`, exact.

use super::step::Step;
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::DType;
use ir::fixed::link::MAX_OFFSET;
use ir::fixed::power_of_two;
use ir::op::{Cascade, ToScores, Votes, VotesKind, WeightedSum};

/// Clamps to the range of a score.
pub(super) fn clamped(s: &mut Step<'_>, x: &str) -> String {
    let (least, most) = (s.w.int(i32::MIN.into()), s.w.int(i32::MAX.into()));
    s.w.op("Clip", &[x, &least, &most])
}

pub(super) fn sum(s: &mut Step<'_>) -> Result<String, Error> {
    let mut sum = s.input(0)?;
    for position in 1..s.node.inputs.len() {
        let more = s.input(position)?;
        sum = s.w.op("Add", &[&sum, &more]);
    }
    Ok(clamped(s, &sum))
}

/// ONNX's `Sum` is of floats, so products are added one by one. No sum leaves 63 bits, in any order.
pub(super) fn weighted_sum(s: &mut Step<'_>, op: WeightedSum) -> Result<String, Error> {
    let n_members = s.node.inputs.len().saturating_sub(2);
    let (weights, offsets) = (s.i64s(n_members)?, s.i64s(n_members + 1)?);
    let unit = 1i64 << op.shift.min(WeightedSum::MAX_SHIFT);
    // Offsets and the half that rounds up.
    let starts: Vec<i64> = offsets.iter().map(|b| b.saturating_add(unit >> 1)).collect();
    let mut sum = s.w.ints(&[1, starts.len()], &starts);
    for (position, own) in WeightedSum::by_member(weights, n_members).enumerate() {
        let scores = s.input(position)?;
        let own = s.w.ints(&[1, own.len()], own);
        let product = s.w.op("Mul", &[&scores, &own]);
        sum = s.w.op("Add", &[&sum, &product]);
    }
    if unit > 1 {
        let unit = s.w.int(unit);
        sum = s.w.floor_divide(&sum, &unit);
    }
    Ok(clamped(s, &sum))
}

/// Both scores are computed, then one is taken: ONNX chooses cells, not rows to compute.
pub(super) fn cascade(s: &mut Step<'_>, op: Cascade) -> Result<String, Error> {
    let (first, second) = (s.input(0)?, s.input(1)?);
    let sureness = if s.width(0)? == 1 {
        let offset = s.w.int(op.offset.into());
        let away = s.w.op("Sub", &[&first, &offset]);
        s.w.op("Abs", &[&away])
    } else {
        let two = s.w.ints(&[1], &[2]);
        let attributes = vec![("axis", Attribute::Int(1))];
        let (largest, _) = s.w.pair("TopK", &[&first, &two], attributes);
        let [one, other] = [0, 1].map(|at| {
            let at = s.w.ints(&[1], &[at]);
            s.w.gather(&largest, &at, 1)
        });
        s.w.op("Sub", &[&one, &other])
    };
    let margin = s.w.int(op.margin);
    let is_sure = s.w.op("GreaterOrEqual", &[&sureness, &margin]);
    Ok(s.w.op("Where", &[&is_sure, &first, &second]))
}

/// As a cascade: both scores are computed, then one is taken.
pub(super) fn gate(s: &mut Step<'_>) -> Result<String, Error> {
    let (gate, first, second) = (s.input(0)?, s.input(1)?, s.input(2)?);
    let zero = s.w.int(0);
    let takes_first = s.w.op("GreaterOrEqual", &[&gate, &zero]);
    Ok(s.w.op("Where", &[&takes_first, &first, &second]))
}

/// Shares and the largest; an exponential has no exact form, and what is not exact must not come before a score.
pub(super) fn votes(s: &mut Step<'_>, op: Votes) -> Result<String, Error> {
    let scores = s.input(0)?;
    let width = s.width(0)?;
    let all = 1i64 << op.bits.min(30);
    match op.kind {
        VotesKind::Logistic | VotesKind::Softmax => {
            Err(s.refuse("an exponential as an integer", "average log odds instead of probabilities"))
        }
        VotesKind::Share if width == 1 => {
            let offset = op.offset.clamp(1, MAX_OFFSET);
            let (least, most) = (s.w.int(-offset), s.w.int(offset));
            let score = s.w.op("Clip", &[&scores, &least, &most]);
            // Halves: twice the votes, and one.
            let (twice, by) = (s.w.int(2 * all), s.w.int(2 * offset));
            let votes = s.w.op("Mul", &[&score, &twice]);
            let votes = s.w.op("Add", &[&votes, &most]);
            Ok(s.w.floor_divide(&votes, &by))
        }
        VotesKind::Share => {
            let (zero, one, n) = (s.w.int(0), s.w.int(1), s.w.int(wide(width)));
            let votes = s.w.op("Max", &[&scores, &zero]);
            let sum = s.w.reduce("ReduceSum", &votes, true);
            // Without any vote each class has one.
            let is_none = s.w.op("Equal", &[&sum, &zero]);
            let votes = s.w.op("Where", &[&is_none, &one, &votes]);
            let sum = s.w.op("Where", &[&is_none, &n, &sum]);
            let twice = s.w.int(2 * all);
            let votes = s.w.op("Mul", &[&votes, &twice]);
            let votes = s.w.op("Add", &[&votes, &sum]);
            let by = s.w.op("Add", &[&sum, &sum]);
            // Neither is negative, so that a quotient cut off is the floor.
            Ok(s.w.op("Div", &[&votes, &by]))
        }
        VotesKind::Largest if width == 1 => {
            let zero = s.w.int(0);
            let is_second = s.w.op("Greater", &[&scores, &zero]);
            let (second, first) = (s.w.int(all), s.w.int(-all));
            Ok(s.w.op("Where", &[&is_second, &second, &first]))
        }
        VotesKind::Largest => {
            // A double holds every score; the first of equals is ONNX's default.
            let scores = s.w.cast(&scores, DType::F64);
            let attributes = vec![("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(1))];
            let first = s.w.with("ArgMax", &[&scores], attributes);
            let classes: Vec<i64> = (0..wide(width)).collect();
            let classes = s.w.ints(&[1, width], &classes);
            let is_first = s.w.op("Equal", &[&first, &classes]);
            let (all, none) = (s.w.int(all), s.w.int(0));
            Ok(s.w.op("Where", &[&is_first, &all, &none]))
        }
    }
}

pub(super) fn to_scores(s: &mut Step<'_>, op: ToScores) -> Result<String, Error> {
    let x = s.number(0)?;
    let unit = s.w.double(power_of_two(op.shift.into()));
    let scaled = s.w.op("Mul", &[&x, &unit]);
    let rounded = rounded(s, &scaled, i32::MIN.into(), i32::MAX.into());
    Ok(s.w.cast(&rounded, DType::I64))
}

/// Doubles rounded, ties to even, within two bounds; NaN gives 0.
pub(super) fn rounded(s: &mut Step<'_>, x: &str, least: f64, most: f64) -> String {
    let whole = s.w.op("Round", &[x]);
    let (least, most) = (s.w.double(least), s.w.double(most));
    let whole = s.w.op("Clip", &[&whole, &least, &most]);
    let (is_missing, zero) = (s.w.op("IsNaN", &[x]), s.w.double(0.0));
    s.w.op("Where", &[&is_missing, &zero, &whole])
}

pub(super) fn curve(s: &mut Step<'_>) -> Result<String, Error> {
    let scores = s.input(0)?;
    let (sizes, mut knots, mut values) = (s.i64s(1)?, s.i32s(2)?, s.i32s(3)?);
    let mut columns = Vec::new();
    for (column, &size) in (0i64..).zip(sizes) {
        let size = usize::try_from(size).unwrap_or(0).min(knots.len());
        let (own_knots, other_knots) = knots.split_at(size);
        let (own_values, other_values) = values.split_at(size.min(values.len()));
        (knots, values) = (other_knots, other_values);
        let at = s.w.ints(&[1], &[column]);
        let score = s.w.gather(&scores, &at, 1);
        columns.push(polygon(s, &score, own_knots, own_values)?);
    }
    Ok(s.w.side_by_side(&columns))
}

/// A column `[N, 1]` by a polygon: in each segment `v + ((s - k) dv) / dk`, rounded, ties to even.
fn polygon(s: &mut Step<'_>, score: &str, knots: &[i32], values: &[i32]) -> Result<String, Error> {
    let wide = |v: &i32| i64::from(*v);
    let (knots, values): (Vec<i64>, Vec<i64>) =
        (knots.iter().map(wide).collect(), values.iter().map(wide).collect());
    // Segment 0 is before the first knot, the last one behind the last: flat, of length 1.
    let step = |v: &[i64]| v.windows(2).map(|p| p[1] - p[0]).collect::<Vec<i64>>();
    let (widths, rises) = (step(&knots), step(&values));
    let too_long = |(width, rise): (&i64, &i64)| width.checked_mul(2 * rise.abs() + 2).is_none();
    if widths.iter().zip(&rises).any(too_long) {
        return Err(s.refuse("a segment of a curve beyond 2^62", "use another calibrator, or none"));
    }
    let Some((&first, &last)) = knots.first().zip(knots.last()) else { return Ok(score.to_string()) };
    let n = knots.len();
    let (low, high) = (s.w.int(first), s.w.int(last));
    let inside = s.w.op("Clip", &[score, &low, &high]);
    let all = s.w.ints(&[1, n], &knots);
    let at_or_above = s.w.op("GreaterOrEqual", &[&inside, &all]);
    let at_or_above = s.w.cast(&at_or_above, DType::I64);
    // 1 to n, since the score is not below the first knot.
    let count = s.w.reduce("ReduceSum", &at_or_above, true);
    let one = s.w.int(1);
    let segment = s.w.op("Sub", &[&count, &one]);
    let behind = |mut v: Vec<i64>, end: i64| {
        v.push(end);
        v
    };
    let (widths, rises) = (behind(widths, 1), behind(rises, 0));
    let [knot, value, rise, width] = [&knots, &values, &rises, &widths].map(|table| {
        let table = s.w.ints(&[n], table);
        s.w.gather(&table, &segment, 0)
    });
    let from = s.w.op("Sub", &[&inside, &knot]);
    let product = s.w.op("Mul", &[&from, &rise]);
    let rest = s.w.op("Mod", &[&product, &width]);
    let floor = s.w.op("Sub", &[&product, &rest]);
    let floor = s.w.op("Div", &[&floor, &width]);
    let floor = s.w.op("Add", &[&value, &floor]);
    let two = s.w.int(2);
    let twice = s.w.op("Mul", &[&rest, &two]);
    let is_more = s.w.op("Greater", &[&twice, &width]);
    let is_half = s.w.op("Equal", &[&twice, &width]);
    let parity = s.w.op("Mod", &[&floor, &two]);
    let is_odd = s.w.op("Equal", &[&parity, &one]);
    let to_even = s.w.op("And", &[&is_half, &is_odd]);
    let up = s.w.op("Or", &[&is_more, &to_even]);
    let up = s.w.cast(&up, DType::I64);
    Ok(s.w.op("Add", &[&floor, &up]))
}
