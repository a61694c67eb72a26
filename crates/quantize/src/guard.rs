//! Layers that go back to more bits, until a bound on what is lost holds.
//!
//! Layers are ranked by what each alone does to the outputs, on a few rows and from kept values, so a ranking costs less
//! than one run over all rows. Then the least number of layers is bisected, first of those that take 16 bits, then of
//! those that stay floats: `log2` of the number of layers many runs.

use crate::decide::Precision;
use crate::error::Error;
use ir::NodeIdx;
use std::collections::BTreeMap;

/// Layers that do not follow the scheme.
pub type Exceptions = BTreeMap<NodeIdx, Precision>;

/// What a check says of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The bound holds.
    pub holds: bool,
    /// What is lost.
    pub drop: f64,
    /// Where the loss lies on other rows of the same kind, in 95 of 100 cases.
    pub interval: [f64; 2],
    /// Rows that were run.
    pub n_rows: usize,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Guarded {
    /// Layers that do not follow the scheme.
    pub precision: Exceptions,
    /// What was said of the network with these; the last one if none held.
    pub verdict: Verdict,
    /// How many networks were checked.
    pub n_checks: usize,
}

/// Finds the least number of layers, the worst first (`ranked`), that must take 16 bits, or must stay floats, for
/// `check` to hold. If it holds nowhere, all layers are floats.
///
/// # Errors
/// Those of `check`.
pub fn guard(
    ranked: &[NodeIdx],
    check: &mut dyn FnMut(&Exceptions) -> Result<Verdict, Error>,
) -> Result<Guarded, Error> {
    let mut n_checks = 0;
    let mut look = |precision: Exceptions| {
        n_checks += 1;
        check(&precision).map(|verdict| (precision, verdict))
    };
    let (mut precision, mut verdict) = look(Exceptions::new())?;
    for level in [Precision::Wide, Precision::Float] {
        if verdict.holds || ranked.is_empty() {
            break;
        }
        let of = |n: usize| -> Exceptions {
            let others = ranked[n..].iter().filter(|_| level == Precision::Float);
            let others = others.map(|&layer| (layer, Precision::Wide));
            ranked[..n].iter().map(|&layer| (layer, level)).chain(others).collect()
        };
        // 0 layers do not hold; all of them may.
        let (mut fails, mut holds) = (0, ranked.len());
        (precision, verdict) = look(of(holds))?;
        if !verdict.holds {
            continue;
        }
        while holds - fails > 1 {
            let middle = fails + (holds - fails) / 2;
            let (tried, told) = look(of(middle))?;
            if told.holds {
                (precision, verdict, holds) = (tried, told, middle);
            } else {
                fails = middle;
            }
        }
    }
    Ok(Guarded { precision, verdict, n_checks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_number_of_layers_goes_back() {
        let ranked: Vec<NodeIdx> = [7, 3, 9, 1, 5].map(NodeIdx).to_vec();
        let told = |holds| Verdict { holds, drop: 0.0, interval: [0.0; 2], n_rows: 1 };
        // Wide layers that are needed; floats that are needed beside wide ones; what is expected of both.
        let cases = [
            (0, 0, 0, 0),
            (1, 0, 1, 0),
            (3, 0, 3, 0),
            (5, 0, 5, 0),
            (6, 1, 4, 1),
            (6, 4, 1, 4),
            (6, 5, 0, 5),
        ];
        for (wide, float, expected_wide, expected_float) in cases {
            let count = |p: &Exceptions, level| p.values().filter(|l| **l == level).count();
            let found = guard(&ranked, &mut |p| {
                let floats = count(p, Precision::Float);
                Ok(told(if wide <= 5 {
                    p.len() >= wide
                } else {
                    floats >= float && p.len() == 5 && float > 0 && floats > 0
                }))
            })
            .unwrap();
            let got = (count(&found.precision, Precision::Wide), count(&found.precision, Precision::Float));
            assert_eq!(got, (expected_wide, expected_float), "{wide} {float}");
            assert!(found.verdict.holds);
            assert!(found.n_checks <= 8, "{}", found.n_checks);
            // The worst ones first.
            let worst: Vec<NodeIdx> = ranked[..got.1].to_vec();
            assert!(worst.iter().all(|l| found.precision.get(l) == Some(&Precision::Float)));
        }
        let never = guard(&ranked, &mut |_| Ok(told(false))).unwrap();
        assert!(!never.verdict.holds && never.precision.values().all(|p| *p == Precision::Float));
    }
}
