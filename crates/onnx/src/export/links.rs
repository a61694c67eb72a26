//! `Link`: integer scores to probabilities, `float [N, K]`, and values, `double [N]`.
//!
//! The model computes links with integers, within half a step of single precision beside ties. Here they are computed in
//! doubles, which is far below that, and rounded once, so a probability is at most one step away.

use super::step::Step;
use crate::error::Error;
use ir::DType;
use ir::fixed::link::MAX_OFFSET;
use ir::fixed::power_of_two;
use ir::op::{Link, LinkKind};

pub(super) fn link(s: &mut Step<'_>, op: Link) -> Result<String, Error> {
    let scores = s.input(0)?;
    let width = s.width(0)?;
    let unit = power_of_two(-i32::from(op.shift));
    match op.kind {
        LinkKind::Logistic => {
            let real = real(s, &scores, unit);
            let (zero, one) = (s.w.double(0.0), s.w.double(1.0));
            // 1 / (1 + e^x) for both signs of x; an overflow gives 0, as it should.
            let minus = s.w.op("Sub", &[&zero, &real]);
            let sides = [real, minus].map(|x| {
                let power = s.w.op("Exp", &[&x]);
                let sum = s.w.op("Add", &[&one, &power]);
                s.w.op("Div", &[&one, &sum])
            });
            let both = s.w.side_by_side(&sides);
            Ok(s.w.cast(&both, DType::F32))
        }
        LinkKind::Softmax => {
            let largest = s.w.reduce("ReduceMax", &scores, true);
            let below = s.w.op("Sub", &[&scores, &largest]);
            let real = real(s, &below, unit);
            let powers = s.w.op("Exp", &[&real]);
            Ok(shares(s, &powers))
        }
        LinkKind::Share if width == 1 => {
            let offset = op.offset.clamp(1, MAX_OFFSET);
            let (least, most) = (s.w.int(-offset), s.w.int(offset));
            let score = s.w.op("Clip", &[&scores, &least, &most]);
            let votes = [s.w.op("Sub", &[&most, &score]), s.w.op("Add", &[&most, &score])];
            let votes = s.w.side_by_side(&votes);
            let votes = s.w.cast(&votes, DType::F64);
            let all = s.w.double(2.0 * offset as f64);
            let shares = s.w.op("Div", &[&votes, &all]);
            Ok(s.w.cast(&shares, DType::F32))
        }
        LinkKind::Share => {
            let zero = s.w.int(0);
            let votes = s.w.op("Max", &[&scores, &zero]);
            let all = s.w.reduce("ReduceSum", &votes, true);
            // Without any vote each class has one.
            let is_none = s.w.op("Equal", &[&all, &zero]);
            let one = s.w.int(1);
            let votes = s.w.op("Where", &[&is_none, &one, &votes]);
            let votes = s.w.cast(&votes, DType::F64);
            Ok(shares(s, &votes))
        }
        LinkKind::Linear => {
            if op.offset.checked_add(1 << 32).is_none() || op.offset.checked_sub(1 << 32).is_none() {
                return Err(s.refuse("an offset beyond 2^62", "bring the target nearer to 0"));
            }
            if op.shift.unsigned_abs() > 900 {
                return Err(s.refuse("a grid of 2^900 or finer", "scale the target"));
            }
            let offset = s.w.int(op.offset);
            let sum = s.w.op("Add", &[&scores, &offset]);
            // A sum within 2^63 is rounded once, to a double; a power of two changes no bit of it.
            let value = real(s, &sum, unit);
            Ok(s.w.as_rows(&value))
        }
        LinkKind::Exponential => {
            let real = real(s, &scores, unit);
            let power = s.w.op("Exp", &[&real]);
            let most = s.w.double(f64::MAX);
            let value = s.w.op("Min", &[&power, &most]);
            Ok(s.w.as_rows(&value))
        }
    }
}

/// Whole numbers times a power of two.
fn real(s: &mut Step<'_>, scores: &str, unit: f64) -> String {
    let scores = s.w.cast(scores, DType::F64);
    let unit = s.w.double(unit);
    s.w.op("Mul", &[&scores, &unit])
}

/// Each number divided by the sum of its row, in single precision.
fn shares(s: &mut Step<'_>, x: &str) -> String {
    let sum = s.w.reduce("ReduceSum", x, true);
    let shares = s.w.op("Div", &[x, &sum]);
    s.w.cast(&shares, DType::F32)
}
