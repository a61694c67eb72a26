//! What every correction must satisfy; above all that the float network stays what it was, where that is claimed.

use super::*;
use crate::Member;
use crate::observe::bell;
use params::outside;

/// Layers of `[n_out, n_in]` with biases, ReLU between, the second of three depthwise.
struct Network {
    first: Vec<f32>,
    first_bias: Vec<f32>,
    middle: Vec<f32>,
    middle_bias: Vec<f32>,
    last: Vec<f32>,
    last_bias: Vec<f32>,
}

const N_IN: usize = 5;
const N: usize = 7;
const N_OUT: usize = 3;

fn network(seed: u64) -> Network {
    // Channels of very different sizes, one dead in the first layer and one in the last.
    let size = |c: usize| 10f32.powi(c as i32 - 3);
    let mut first: Vec<f32> =
        bell(N * N_IN, seed).iter().enumerate().map(|(i, w)| w * size(i / N_IN)).collect();
    first[..N_IN].fill(0.0);
    let mut last = bell(N_OUT * N, seed + 1);
    last.iter_mut().step_by(N).for_each(|w| *w = 0.0);
    let first_bias = bell(N, seed + 2).iter().enumerate().map(|(c, b)| b * size(c)).collect();
    Network {
        first,
        first_bias,
        middle: bell(N, seed + 3),
        middle_bias: bell(N, seed + 4),
        last,
        last_bias: bell(N_OUT, seed + 5),
    }
}

impl Network {
    /// Outputs, with the second layer or without it.
    fn run(&self, x: &[f32], has_middle: bool) -> Vec<f64> {
        let product = |w: &[f32], b: &[f32], x: &[f64]| -> Vec<f64> {
            let dot = |row: &[f32]| row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>();
            w.chunks_exact(x.len()).zip(b).map(|(row, b)| dot(row) + f64::from(*b)).collect()
        };
        let relu = |x: Vec<f64>| x.into_iter().map(|x| x.max(0.0)).collect::<Vec<f64>>();
        let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let mut hidden = relu(product(&self.first, &self.first_bias, &x));
        if has_middle {
            let each = hidden.iter().zip(&self.middle).zip(&self.middle_bias);
            hidden = relu(each.map(|((x, w), b)| f64::from(*w) * x + f64::from(*b)).collect());
        }
        product(&self.last, &self.last_bias, &hidden)
    }
}

fn inverse(scales: &[f32]) -> Vec<f32> {
    scales.iter().map(|s| 1.0 / s).collect()
}

/// Makes sizes of neighbours alike, and gathers the factors.
fn balance(first: &mut [f32], second: &mut [f32], whole: &mut [f64]) {
    let scales = equalize::pair(first, second).unwrap();
    multiply(first, &inverse(&scales), 1).unwrap();
    multiply(second, &scales, 1).unwrap();
    whole.iter_mut().zip(&scales).for_each(|(whole, &s)| *whole *= f64::from(s));
}

/// Applies a correction that keeps the function.
fn apply(correction: Correction, network: &mut Network, has_middle: bool) {
    let first = largest(&network.first, N, N_IN).unwrap();
    let last = largest(&network.last, N, 1).unwrap();
    match correction {
        Correction::Equalize if has_middle => {
            // Both neighbours in turn; factors are gathered and applied once, as on a graph.
            let sizes = [(&network.first, N_IN), (&network.middle, 1), (&network.last, 1)];
            let [mut first, mut middle, mut last] = sizes.map(|(w, inner)| largest(w, N, inner).unwrap());
            let (mut s12, mut s23) = (vec![1.0f64; N], vec![1.0f64; N]);
            for _ in 0..20 {
                balance(&mut first, &mut middle, &mut s12);
                balance(&mut middle, &mut last, &mut s23);
            }
            let [s12, s23] = [s12, s23].map(|s| s.iter().map(|&s| s as f32).collect::<Vec<f32>>());
            multiply(&mut network.first, &inverse(&s12), N_IN).unwrap();
            multiply(&mut network.first_bias, &inverse(&s12), 1).unwrap();
            multiply(&mut network.middle, &s12, 1).unwrap();
            multiply(&mut network.middle, &inverse(&s23), 1).unwrap();
            multiply(&mut network.middle_bias, &inverse(&s23), 1).unwrap();
            multiply(&mut network.last, &s23, 1).unwrap();
        }
        Correction::Equalize | Correction::Smooth => {
            let scales = match correction {
                Correction::Smooth => smooth::scales(&first, &last, 0.5),
                _ => equalize::pair(&first, &last),
            };
            let scales = scales.unwrap();
            multiply(&mut network.first, &inverse(&scales), N_IN).unwrap();
            multiply(&mut network.first_bias, &inverse(&scales), 1).unwrap();
            multiply(&mut network.last, &scales, 1).unwrap();
        }
        Correction::AbsorbBias => {
            // Inputs below lie in -1..=1: what a channel holds is at least its bias less the sum of its weights' sizes.
            let reach: Vec<f32> =
                network.first.chunks(N_IN).map(|w| w.iter().map(|w| w.abs()).sum()).collect();
            let amounts = absorb_bias::amounts(&network.first_bias, &reach, 1.0001).unwrap();
            assert!(amounts.iter().any(|a| *a > 0.0));
            network.first_bias.iter_mut().zip(&amounts).for_each(|(b, a)| *b -= a);
            let gains = absorb_bias::gains(&network.last, &amounts, 1).unwrap();
            network.last_bias.iter_mut().zip(&gains).for_each(|(b, g)| *b += g);
        }
        Correction::BiasRange | Correction::Portable | Correction::BiasMean => {
            panic!("{correction:?} does not touch the network")
        }
    }
}

#[test]
fn the_float_network_stays_what_it_was() {
    let mut n_changed = 0;
    for entry in CORRECTIONS.iter().filter(|e| e.claim != Claim::Integers) {
        for (seed, has_middle) in [(1, false), (20, false), (40, true), (60, true)] {
            if has_middle && entry.correction != Correction::Equalize {
                continue;
            }
            let (mut before, mut after) = (network(seed), network(seed));
            if entry.claim == Claim::MostlySame {
                // Some channels are never near zero.
                for network in [&mut before, &mut after] {
                    network.first_bias.iter_mut().skip(3).step_by(2).for_each(|b| *b += 1e5);
                }
            }
            apply(entry.correction, &mut after, has_middle);
            n_changed += usize::from(before.first != after.first || before.last_bias != after.last_bias);
            let inputs: Vec<f32> = bell(N_IN * 50, seed + 9).iter().map(|x| x.clamp(-1.0, 1.0)).collect();
            let outputs = |network: &Network| -> Vec<f64> {
                inputs.chunks(N_IN).flat_map(|x| network.run(x, has_middle)).collect()
            };
            let (expected, got) = (outputs(&before), outputs(&after));
            // Weights in single precision: some roundings of the largest terms.
            let largest = expected.iter().fold(0.0f64, |m, y| m.max(y.abs()));
            for (a, b) in expected.iter().zip(&got) {
                assert!((a - b).abs() <= 1e-6 * largest, "{}: {a} {b}", entry.name);
            }
        }
    }
    assert_eq!(n_changed, 8);
}

#[test]
fn equalized_channels_have_one_size() {
    let mut network = network(3);
    apply(Correction::Equalize, &mut network, false);
    let (first, last) = (largest(&network.first, N, N_IN).unwrap(), largest(&network.last, N, 1).unwrap());
    for (a, b) in first.iter().zip(&last).skip(1) {
        assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
    }
    let once = network.first.clone();
    apply(Correction::Equalize, &mut network, false);
    assert!(once.iter().zip(&network.first).all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs()));
}

#[test]
fn names_and_parameters_are_read() {
    for entry in CORRECTIONS {
        let member = Member::<CorrectionEntry>::parse(&entry.name.replace('_', "-")).unwrap();
        assert_eq!(member.entry().correction, entry.correction);
        for param in entry.spec {
            for bad in outside(param.range) {
                let text = format!("{}:{}={bad}", entry.name, param.name);
                let message = Member::<CorrectionEntry>::parse(&text).unwrap_err().to_string();
                assert!(message.contains(param.name) && message.contains(&bad), "{message}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    assert!(largest(&[1.0; 6], 4, 1).is_err() && largest(&[1.0; 6], 0, 1).is_err());
    assert!(largest(&[1.0; 6], usize::MAX, 2).is_err() && multiply(&mut [1.0; 6], &[1.0; 4], 1).is_err());
    assert_eq!(largest(&[1.0, -3.0, f32::NAN, 2.0], 2, 1).unwrap(), [1.0, 3.0]);
}
