//! What every rounding must satisfy, and the table of what each does.

use super::{ROUNDINGS, Rounding};
use crate::grid::{Affine, Levels};
use ir::DType;
use params::outside;

fn each() -> impl Iterator<Item = Rounding> {
    ROUNDINGS.iter().map(|entry| Rounding { entry, seed: 7 })
}

#[test]
fn a_level_stays_and_all_else_becomes_a_neighbour() {
    for rounding in each() {
        for at in 0..200u64 {
            for steps in [-3.0, -2.75, -2.5, -0.5, -0.0, 0.0, 0.25, 0.5, 1.5, 2.5, 1e9 + 0.5, 1e300, -1e300] {
                let q = rounding.round(steps, at);
                let name = rounding.entry().name;
                assert!(q.fract() == 0.0 && (q - steps).abs() < 1.0, "{name} {steps} {q}");
                assert_eq!(q, rounding.round(steps, at), "{name}");
            }
        }
        assert!(rounding.round(f64::NAN, 0).is_nan());
        assert_eq!(rounding.round(f64::INFINITY, 0), f64::INFINITY);
        assert_eq!(rounding.round(f64::NEG_INFINITY, 0), f64::NEG_INFINITY);
    }
}

#[test]
fn no_rounding_turns_an_order_round() {
    for rounding in each() {
        for at in 0..50 {
            let q: Vec<f64> = (-400..400).map(|i| rounding.round(f64::from(i) / 100.0, at)).collect();
            assert!(q.is_sorted(), "{}", rounding.entry().name);
        }
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    for entry in ROUNDINGS {
        for param in entry.spec {
            for bad in outside(param.range) {
                let text = format!("{}:{}={bad}", entry.name, param.name);
                let message = Rounding::parse(&text, 0).unwrap_err().to_string();
                assert!(message.contains(param.name) && message.contains(&bad), "{message}");
            }
        }
    }
}

/// Steps of 0.5: ties, negatives, and both ends of signed integers of 4 bits.
const NUMBERS: [f32; 14] =
    [-9.0, -4.0, -1.3, -1.25, -0.75, -0.3, -0.25, 0.0, 0.2, 0.25, 0.75, 1.2, 3.75, 9.0];

#[test]
fn what_each_does_at_ties_negatives_and_both_ends() {
    // In steps: -18, -8, -2.6, -2.5, -1.5, -0.6, -0.5, 0, 0.4, 0.5, 1.5, 2.4, 7.5, 18.
    let expected = [
        ("half_even", [-8, -8, -3, -2, -2, -1, 0, 0, 0, 0, 2, 2, 7, 7]),
        ("half_away", [-8, -8, -3, -3, -2, -1, -1, 0, 0, 1, 2, 2, 7, 7]),
        ("floor", [-8, -8, -3, -3, -2, -1, -1, 0, 0, 0, 1, 2, 7, 7]),
        ("ceil", [-8, -8, -2, -2, -1, 0, 0, 0, 1, 1, 2, 3, 7, 7]),
        ("trunc", [-8, -8, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 7, 7]),
    ];
    let levels =
        Levels::Affine(Affine::try_new(0.5, 0, -8, 7, DType::Narrow(ir::fixed::Narrow::I4)).unwrap());
    for (name, codes) in expected {
        let rounding = Rounding::parse(name, 0).unwrap();
        assert_eq!(levels.codes(&NUMBERS, &rounding), codes, "{name}");
    }
    let told: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let known: Vec<&str> = ROUNDINGS.iter().map(|e| e.name).filter(|n| *n != "stochastic").collect();
    assert_eq!(told, known);
}
