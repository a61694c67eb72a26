//! What an even grid costs.

use super::levels::Affine;
use crate::statistics::Piece;
use ir::fixed::math::{exp, log};
use ir::fixed::round_ties_even;

/// `sum |x - level(x)|^power / unit^power` over values, those of a piece lying evenly in it.
#[derive(Clone, Debug)]
pub struct Distortion {
    /// The largest first: where much is cut off, the first ones tell.
    pieces: Vec<Piece>,
    power: f64,
    unit: f64,
}

impl Distortion {
    /// Of values in pieces, none of which holds numbers of both signs; `power >= 1`, `unit > 0`.
    pub fn new(mut pieces: Vec<Piece>, power: f64, unit: f64) -> Distortion {
        pieces.sort_by(|a, b| b.size().total_cmp(&a.size()));
        Distortion { pieces, power, unit }
    }

    /// What a grid costs; if that is more than `most`, some number above it. Distances are integrated over each piece,
    /// not sampled, so steps finer than a piece count right. Within some steps of double precision; O(pieces).
    pub fn of(&self, affine: &Affine, most: f64) -> f64 {
        let power = self.power;
        let step = f64::from(affine.scale());
        let low = f64::from(affine.low()) - f64::from(affine.zero_point());
        let high = f64::from(affine.high()) - f64::from(affine.zero_point());
        let level = |steps: f64| round_ties_even(steps).clamp(low, high);
        // The integral of |u - level(u)|^power from 0 to u: each whole level adds the same.
        let of_level = 2.0 * to_the(0.5, power + 1.0) / (power + 1.0);
        let integral = |steps: f64| {
            let nearest = level(steps);
            let rest = steps - nearest;
            let part = to_the(rest.abs(), power + 1.0) / (power + 1.0);
            nearest * of_level + if rest < 0.0 { -part } else { part }
        };
        let per_step = to_the(step / self.unit, power);
        let mut sum = 0.0;
        // The last end and the integral there, on either side of zero: most pieces go on where another ended.
        let mut ends = [(0.0, 0.0); 2];
        for piece in &self.pieces {
            let (from, to) = (piece.low / step, piece.high / step);
            let mean = if to > from {
                let [negative, positive] = &mut ends;
                let (end, near, far) =
                    if piece.low < 0.0 { (negative, to, from) } else { (positive, from, to) };
                let at_far = if end.0 == far { end.1 } else { integral(far) };
                *end = (near, integral(near));
                (at_far - end.1).abs() / (to - from)
            } else {
                to_the((from - level(from)).abs(), power)
            };
            sum += piece.count as f64 * mean;
            if sum * per_step > most {
                break;
            }
        }
        sum * per_step
    }
}

/// `x^power` for `x >= 0`.
fn to_the(x: f64, power: f64) -> f64 {
    if power == 2.0 {
        x * x
    } else if power == 3.0 {
        x * x * x
    } else if x == 0.0 {
        0.0
    } else {
        exp(power * log(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{IntegerFormat, Levels};
    use crate::observe::Range;
    use crate::rounding::Rounding;

    #[test]
    fn as_of_many_values_in_each_piece() {
        let pieces = [
            Piece { low: -3.0, high: -1.1, count: 2 },
            Piece { low: 0.0, high: 0.0, count: 5 },
            Piece { low: 0.3, high: 0.3, count: 4 },
            Piece { low: 0.4, high: 2.9, count: 3 },
        ];
        for bits in [2, 4, 8] {
            for format in [IntegerFormat::weights(bits).unwrap(), IntegerFormat::activations(bits).unwrap()] {
                let affine = Affine::of_range(Range::try_new(-1.7, 2.0).unwrap(), &format);
                for power in [1.0, 2.0, 2.4] {
                    let mut direct = 0.0;
                    for piece in pieces {
                        const N: i32 = 20_000;
                        for i in 0..N {
                            let x =
                                piece.low + (piece.high - piece.low) * (f64::from(i) + 0.5) / f64::from(N);
                            let x = x as f32;
                            let code = Levels::Affine(affine).code(x, 0, &Rounding::HALF_EVEN);
                            let distance = f64::from((x - affine.value(code)).abs());
                            direct += piece.count as f64 * distance.powf(power) / f64::from(N);
                        }
                    }
                    let of_unit = |unit| Distortion::new(pieces.to_vec(), power, unit);
                    let got = of_unit(1.0).of(&affine, f64::INFINITY);
                    assert!((got / direct - 1.0).abs() < 1e-3, "{format:?} {power}: {got} {direct}");
                    let halved = of_unit(2.0).of(&affine, f64::INFINITY);
                    assert!((halved * 2f64.powf(power) / got - 1.0).abs() < 1e-12);
                    assert_eq!(of_unit(1.0).of(&affine, got), got);
                    assert!(of_unit(1.0).of(&affine, 0.5 * got) > 0.5 * got);
                }
            }
        }
    }
}
