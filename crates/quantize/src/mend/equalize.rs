//! `equalize` on a graph: every set of values between layers gets the factors that make both sides alike in size.

use super::sets::Set;
use super::{Constants, Told, name_of, widen};
use crate::correct::equalize::pair;
use crate::error::Error;
use crate::roles::Roles;

/// Factors so near 1 end the rounds.
const NEAR: f32 = 1e-4;

/// Goes through all sets until nothing changes. Factors are gathered in double precision and applied once, so a weight
/// is rounded once for each side.
pub(super) fn equalize(roles: &Roles<'_>, constants: &mut Constants<'_>, rounds: i64) -> Result<Told, Error> {
    let sets = Set::all(roles);
    let (changed, left): (Vec<&Set>, Vec<&Set>) =
        sets.iter().filter(|s| !s.makers.is_empty()).partition(|s| s.stopped.is_none() && !s.is_normalized);
    let mut whole: Vec<Vec<f64>> = changed.iter().map(|s| vec![1.0; s.n]).collect();
    let mut work = constants.clone();
    for _ in 0..rounds {
        let mut furthest = 0.0f32;
        for (set, whole) in changed.iter().zip(&mut whole) {
            let (mut first, mut second) = (vec![0.0; set.n], vec![0.0; set.n]);
            for &(layer, along) in &set.makers {
                widen(&mut first, &along.largest(work.get((layer, 1))?)?);
            }
            for &(layer, along, _) in &set.takers {
                widen(&mut second, &along.largest(work.get((layer, 1))?)?);
            }
            let factors = pair(&first, &second)?;
            set.rescale(&mut work, &factors)?;
            for (whole, factor) in whole.iter_mut().zip(&factors) {
                *whole *= f64::from(*factor);
                furthest = furthest.max((factor - 1.0).abs());
            }
        }
        if furthest <= NEAR {
            break;
        }
    }
    for (set, whole) in changed.iter().zip(&whole) {
        let factors: Vec<f32> = whole.iter().map(|&f| f as f32).collect();
        set.rescale(constants, &factors)?;
    }
    let told = |set: &&Set| {
        let why = set.stopped.clone().unwrap_or_else(|| "a normalization".to_owned());
        set.makers.first().map(|m| (name_of(roles.graph(), m.0), why))
    };
    let left = left.iter().filter_map(told).collect();
    Ok(Told { name: "equalize", n_changed: changed.len(), what: "sets of neighbouring layers", left })
}
