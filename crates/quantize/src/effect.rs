//! How far outputs are from those of the float network.

use ir::{Tensor, TensorData};

/// How far outputs are from those of the float network.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Effect {
    /// Share of rows whose largest output stays the same; 1 for networks of one number a row.
    pub agreement: f64,
    /// Mean Kullback-Leibler divergence of each row's shares from the float network's, in nats; 0 for networks of one
    /// number a row.
    pub divergence: f64,
    /// `sum (y - float)^2 / sum float^2` over all outputs.
    pub noise: f64,
}

/// Compares outputs of the same rows. Shares are softmaxes of the first output `[rows, classes]`, or that output itself
/// where its rows are shares already.
pub fn effect(float: &[Tensor], other: &[Tensor]) -> Effect {
    let (mut error, mut power) = (0.0, 0.0);
    for (a, b) in float.iter().zip(other) {
        if let (TensorData::F32(a), TensorData::F32(b)) = (a.data(), b.data()) {
            for (&a, &b) in a.iter().zip(b) {
                let (a, b) = (f64::from(a), f64::from(b));
                error += (a - b) * (a - b);
                power += a * a;
            }
        }
    }
    let noise = if error == 0.0 { 0.0 } else { error / power.max(f64::MIN_POSITIVE) };
    let (Some(a), Some(b)) = (float.first(), other.first()) else {
        return Effect { agreement: 1.0, divergence: 0.0, noise };
    };
    let width: usize = a.dims().iter().skip(1).product();
    let (TensorData::F32(x), TensorData::F32(y)) = (a.data(), b.data()) else {
        return Effect { agreement: 1.0, divergence: 0.0, noise };
    };
    if width < 2 || x.is_empty() || x.len() != y.len() {
        return Effect { agreement: 1.0, divergence: 0.0, noise };
    }
    let n_rows = x.len() / width;
    let are_shares = x.chunks_exact(width).all(is_share);
    let (mut same, mut divergence) = (0usize, 0.0);
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact(width)) {
        same += usize::from(largest(x) == largest(y));
        let (p, q) = (shares(x, are_shares), shares(y, are_shares));
        divergence += p
            .iter()
            .zip(&q)
            .filter(|(p, _)| **p > 0.0)
            .map(|(p, q)| p * (p / q.max(f64::MIN_POSITIVE)).ln())
            .sum::<f64>();
    }
    Effect {
        agreement: same as f64 / n_rows as f64,
        divergence: (divergence / n_rows as f64).max(0.0),
        noise,
    }
}

fn is_share(row: &[f32]) -> bool {
    row.iter().all(|p| (0.0..=1.0).contains(p)) && (row.iter().sum::<f32>() - 1.0).abs() < 1e-3
}

fn largest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best })
}

fn shares(row: &[f32], is_share: bool) -> Vec<f64> {
    if is_share {
        return row.iter().map(|&p| p.into()).collect();
    }
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let raised: Vec<f64> =
        row.iter().map(|&x| ir::fixed::math::exp(f64::from(x) - f64::from(most))).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|e| e / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32], width: usize) -> Vec<Tensor> {
        let dims = vec![values.len() / width, width];
        vec![Tensor::try_new(dims, TensorData::F32(values.to_vec())).unwrap()]
    }

    #[test]
    fn differences_by_hand() {
        let float = rows(&[1.0, 3.0, 2.0, 0.0], 2);
        assert_eq!(effect(&float, &float), Effect { agreement: 1.0, divergence: 0.0, noise: 0.0 });
        let got = effect(&float, &rows(&[3.0, 1.0, 2.0, 0.0], 2));
        let p = 1.0 / (1.0 + (-2.0f64).exp());
        let expected = (p * (p / (1.0 - p)).ln() + (1.0 - p) * ((1.0 - p) / p).ln()) / 2.0;
        assert_eq!(got.agreement, 0.5);
        assert!((got.divergence - expected).abs() < 1e-12, "{got:?}");
        assert!((got.noise - 8.0 / 14.0).abs() < 1e-12);
        // Shares are taken as they are.
        let got = effect(&rows(&[0.25, 0.75], 2), &rows(&[0.5, 0.5], 2));
        let expected = 0.25 * 0.5f64.ln() + 0.75 * 1.5f64.ln();
        assert!((got.divergence - expected).abs() < 1e-12);
        // One number a row has no shares.
        let got = effect(&rows(&[2.0, 1.0], 1), &rows(&[1.0, 1.0], 1));
        assert_eq!((got.agreement, got.divergence, got.noise), (1.0, 0.0, 0.2));
    }
}
