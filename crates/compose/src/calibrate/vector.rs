//! `vector`: a line for each class on its score.
//!
//! Classes that are said too often or too rarely are put right, besides the temperature.

use super::calibrator::{Calibrator, CalibratorEntry, ScoredRows};
use super::temperature::inverse_temperature;
use ir::Task;
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};
use recipe::Curve;

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "l2",
    aliases: &[],
    default: Value::Real(1.0),
    range: Range::Real { low: 1e-6, high: 1e6 },
    doc: "what holds each class's line near the temperature's, in rows",
}];

/// The line of the table.
pub(super) static ENTRY: CalibratorEntry = CalibratorEntry {
    name: "vector",
    doc: "a scale and an offset for each class's score",
    tasks: &[Task::Multiclass],
    spec: SPEC,
    calibrator: &Vector,
};

const MAX_STEPS: usize = 100;
/// A step that gains less, relative to the sum of weights, is the last.
const LEAST_GAIN: f64 = 1e-9;

struct Vector;

impl Calibrator for Vector {
    /// Scores `a_k s_k + b_k`, `a_k >= 0`, that minimise the log loss and `l2 / 2 sum_k ((a_k - 1 / T)^2 + b_k^2)`, from
    /// the temperature `T` on; the penalty keeps the lines of classes without rows finite. Steps of all classes at
    /// once, by twice the Hessian's 2 by 2 block of each class, which bounds the whole one, halved until the loss falls.
    /// O(n_rows n_classes) a step.
    /// # Source  Guo, Pleiss, Sun & Weinberger, ICML 2017, section 4.2. Deviations: the penalty; `a_k >= 0`.
    fn fit(&self, rows: &ScoredRows, params: &Params) -> Vec<Curve> {
        let prior = inverse_temperature(rows);
        let (l2, n) = (params.real("l2"), rows.n_outputs());
        let mut lines = vec![[prior, 0.0]; n];
        let (mut loss, mut slopes) = evaluate(rows, &lines, prior, l2);
        let all: f64 = rows.row_weights().iter().sum();
        for _ in 0..MAX_STEPS {
            let step: Vec<[f64; 2]> = lines.iter().zip(&slopes).map(|(line, s)| s.step(*line)).collect();
            let mut share = 1.0;
            let better = loop {
                let moved = lines
                    .iter()
                    .zip(&step)
                    .map(|(l, s)| [(l[0] - share * s[0]).max(0.0), l[1] - share * s[1]]);
                let next: Vec<[f64; 2]> = moved.collect();
                let (there, next_slopes) = evaluate(rows, &next, prior, l2);
                if there < loss {
                    break Some((next, there, next_slopes));
                }
                share *= 0.5;
                if share < 1e-4 {
                    break None;
                }
            };
            let Some((next, there, next_slopes)) = better else { break };
            let gain = loss - there;
            (lines, loss, slopes) = (next, there, next_slopes);
            if gain <= LEAST_GAIN * all {
                break;
            }
        }
        lines.into_iter().map(|[scale, offset]| Curve::Line { scale, offset }).collect()
    }
}

/// Gradient and block of the Hessian of one class.
#[derive(Clone, Copy)]
struct Slopes {
    gradient: [f64; 2],
    aa: f64,
    ab: f64,
    bb: f64,
}

impl Slopes {
    /// What is taken away from a line; its scale is left where it would fall below 0.
    fn step(&self, line: [f64; 2]) -> [f64; 2] {
        let [a, b] = self.gradient;
        let determinant = self.aa * self.bb - self.ab * self.ab;
        let step = [(self.bb * a - self.ab * b) / determinant, (self.aa * b - self.ab * a) / determinant];
        if line[0] - step[0] < 0.0 { [line[0], (b - self.ab * line[0]) / self.bb] } else { step }
    }
}

/// Loss with the penalty, and the slopes of each class.
fn evaluate(rows: &ScoredRows, lines: &[[f64; 2]], prior: f64, l2: f64) -> (f64, Vec<Slopes>) {
    let penalty = |line: &[f64; 2]| 0.5 * l2 * ((line[0] - prior).powi(2) + line[1].powi(2));
    let mut loss: f64 = lines.iter().map(penalty).sum();
    let start = |line: &[f64; 2]| Slopes {
        gradient: [l2 * (line[0] - prior), l2 * line[1]],
        aa: l2,
        ab: 0.0,
        bb: l2,
    };
    let mut slopes: Vec<Slopes> = lines.iter().map(start).collect();
    let mut p = vec![0.0; lines.len()];
    let each = rows.scores().chunks_exact(lines.len()).zip(rows.labels()).zip(rows.row_weights());
    for ((scores, &label), weight) in each {
        p.iter_mut().zip(scores).zip(lines).for_each(|((p, s), [a, b])| *p = a * s + b);
        let largest = p.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
        let of_label = p[label as usize] - largest;
        p.iter_mut().for_each(|p| *p = math::exp(*p - largest));
        let sum: f64 = p.iter().sum();
        loss += weight * (math::log(sum) - of_label);
        for (k, ((slopes, p), s)) in slopes.iter_mut().zip(&p).zip(scores).enumerate() {
            let p = p / sum;
            let first = weight * (p - f64::from(u8::from(k == label as usize)));
            let second = 2.0 * weight * p * (1.0 - p);
            slopes.gradient[0] += first * s;
            slopes.gradient[1] += first;
            slopes.aa += second * s * s;
            slopes.ab += second * s;
            slopes.bb += second;
        }
    }
    (loss, slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::laws::fit_with;

    #[test]
    fn known_lines_are_found() {
        // Weights of each class as lines say; the sum of offsets does not matter, here it is 0.
        let meant = [[0.5, 0.4], [1.5, -0.1], [0.8, -0.3]];
        let (mut scores, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..400u32 {
            let row = [f64::from(i % 7) - 3.0, f64::from(i / 7 % 5) - 2.0, f64::from(i / 35) / 4.0 - 1.5];
            let e: Vec<f64> = (0..3).map(|k| (meant[k][0] * row[k] + meant[k][1]).exp()).collect();
            for k in 0..3 {
                scores.extend(row);
                labels.push(k as u32);
                weights.push(1e4 * e[k] / e.iter().sum::<f64>());
            }
        }
        let rows = ScoredRows::try_new(scores, 3, labels, weights).unwrap();
        let curves = fit_with(&ENTRY, &rows, &[("l2".into(), "0.001".into())]);
        let lines: Vec<[f64; 2]> = curves
            .iter()
            .map(|c| match c {
                Curve::Line { scale, offset } => [*scale, *offset],
                Curve::Polygon(_) => panic!("no line"),
            })
            .collect();
        let mean = lines.iter().map(|l| l[1]).sum::<f64>() / 3.0;
        for (found, meant) in lines.iter().zip(meant) {
            assert!(
                (found[0] - meant[0]).abs() < 0.01 && (found[1] - mean - meant[1]).abs() < 0.01,
                "{lines:?}"
            );
        }
    }
}
