//! Layers that go back to more bits, until a bound on what is lost holds.
//!
//! A [`Path`] goes from the network as the scheme rounds it to one of floats, a layer and a precision at a time, what
//! takes most noise away for its cost first. What each layer adds was measured on a few rows from values that are kept, so
//! a path costs less than a run over all rows. A network on it is guessed from the loss of another one, since a loss goes
//! with the size of what disturbs the outputs, the square root of noise; then all rows decide.

use crate::decide::Precision;
use crate::error::Error;
use ir::NodeIdx;
use std::collections::BTreeMap;

/// Layers that do not follow the scheme.
pub type Exceptions = BTreeMap<NodeIdx, Precision>;

/// A guess aims at so large a share of the bound.
const AIM: f64 = 0.8;
/// A share of the cost of all floats that is not worth another run over all rows.
const WORTH: f64 = 0.02;
/// Once a network holds, cheaper ones are tried within so many passes, and within this share of one pass a layer.
const PASSES: (f64, f64) = (3.0, 0.1);

/// What a check says of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The bound holds.
    pub holds: bool,
    /// What is lost.
    pub drop: f64,
    /// What may be lost.
    pub bound: f64,
    /// Where the loss lies on other rows of the same kind, in 95 of 100 cases.
    pub interval: [f64; 2],
    /// Share of the rows that were run: a check may stop where it is certain that the bound does not hold.
    pub passes: f64,
}

/// From the network as the scheme rounds it to one of floats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// Noise of the outputs where it begins.
    pub noise: f64,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// A layer takes another precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Which layer.
    pub layer: NodeIdx,
    /// From here on.
    pub precision: Precision,
    /// Noise of the outputs behind the step.
    pub noise: f64,
    /// Cost of all steps up to here, 1 for all floats.
    pub cost: f64,
}

/// What a layer does to the outputs alone, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    /// Its precision.
    pub precision: Precision,
    /// Noise of the outputs.
    pub noise: f64,
    /// Its cost in any unit.
    pub cost: f64,
}

impl Path {
    /// The path of some layers, each with its rungs from the cheapest on.
    ///
    /// A layer skips rungs from which less noise goes away for the cost than over the next one (the lower hull of noise
    /// against cost), and its steps stand in their order; among layers the step that takes most away for its cost is first.
    pub fn of(layers: &[(NodeIdx, Vec<Rung>)]) -> Path {
        let mut steps: Vec<(f64, NodeIdx, Rung, [f64; 2])> = Vec::new();
        let (mut noise, mut all) = (0.0, 0.0);
        for (layer, rungs) in layers {
            let Some((first, rest)) = rungs.split_first() else { continue };
            noise += first.noise;
            let (mut at, mut left) = (*first, rest);
            let slope = |from: &Rung, to: &Rung| {
                (from.noise - to.noise) / (to.cost - from.cost).max(f64::MIN_POSITIVE)
            };
            while !left.is_empty() {
                let best = (0..left.len())
                    .fold(0, |best, k| if slope(&at, &left[k]) > slope(&at, &left[best]) { k } else { best });
                let next = left[best];
                let change = [at.noise - next.noise, (next.cost - at.cost).max(0.0)];
                steps.push((slope(&at, &next), *layer, next, change));
                all += change[1];
                (at, left) = (next, &left[best + 1..]);
            }
        }
        // Slopes of a layer fall, so its steps keep their order; equal ones do as the sort is stable.
        steps.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut left, mut spent) = (noise, 0.0);
        let steps = steps.into_iter().map(|(_, layer, rung, [less, cost])| {
            left = f64::max(left - less, 0.0);
            spent += cost;
            let cost = if all > 0.0 { spent / all } else { 1.0 };
            Step { layer, precision: rung.precision, noise: left, cost }
        });
        Path { noise, steps: steps.collect() }
    }

    /// The layers that do not follow the scheme behind the first `n` steps.
    fn exceptions(&self, n: usize) -> Exceptions {
        self.steps[..n].iter().map(|step| (step.layer, step.precision)).collect()
    }

    fn noise(&self, n: usize) -> f64 {
        n.checked_sub(1).map_or(self.noise, |last| self.steps[last].noise)
    }

    fn cost(&self, n: usize) -> f64 {
        n.checked_sub(1).map_or(0.0, |last| self.steps[last].cost)
    }

    /// The first place from `from` on at which no more noise is left than `noise`.
    fn place(&self, from: usize, noise: f64) -> usize {
        (from..self.steps.len()).find(|&n| self.noise(n) <= noise).unwrap_or(self.steps.len())
    }
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
    /// In runs over all rows.
    pub passes: f64,
}

/// Finds a cheap place on the path at which `check` holds. If it holds nowhere, all layers are floats.
///
/// # Errors
/// Those of `check`.
pub fn guard(
    path: &Path,
    n_layers: usize,
    check: &mut dyn FnMut(&Exceptions) -> Result<Verdict, Error>,
) -> Result<Guarded, Error> {
    let end = path.steps.len();
    let most = PASSES.0.max(PASSES.1 * n_layers as f64);
    let (mut n_checks, mut passes) = (0, 0.0);
    // The last place that does not hold, and what is lost there; the cheapest that does.
    let mut fails: Option<(usize, Verdict)> = None;
    let mut holds: Option<(usize, Verdict)> = None;
    loop {
        let tried = match (fails, holds) {
            (None, None) => 0,
            (None, Some(_)) => break,
            (Some((at, _)), None) if at == end => break,
            (Some((at, lost)), None) => {
                let aim = AIM * (lost.bound / lost.drop).clamp(0.0, 1.0);
                path.place(at + 1, path.noise(at) * aim * aim)
            }
            (Some((low, _)), Some((high, _))) => {
                if high == low + 1 || passes >= most || path.cost(high) - path.cost(low) <= WORTH {
                    break;
                }
                path.place(low + 1, (path.noise(low) * path.noise(high)).sqrt()).min(high - 1)
            }
        };
        let told = check(&path.exceptions(tried))?;
        n_checks += 1;
        passes += told.passes;
        if told.holds {
            holds = Some((tried, told));
        } else {
            fails = Some((tried, told));
        }
    }
    let Some((at, verdict)) = holds.or(fails) else {
        return Err(crate::error::misfit("guard", "a check", "none"));
    };
    Ok(Guarded { precision: path.exceptions(at), verdict, n_checks, passes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: [u32; 5] = [7, 3, 9, 1, 5];

    /// Layers of the same cost, the first with most noise; the last one holds nearly all weights.
    fn path() -> Path {
        let rung = |precision, noise, cost| Rung { precision, noise, cost };
        let of = |(k, &layer): (usize, &u32)| {
            let (noise, size) = (f64::from(2u32.pow(5 - k as u32)), if k == 4 { 100.0 } else { 1.0 });
            let rungs = vec![
                rung(Precision::Scheme, noise, size),
                rung(Precision::Wide, 0.1 * noise, 1.1 * size),
                rung(Precision::Widest, 1e-6 * noise, 2.0 * size),
                rung(Precision::Float, 0.0, 4.0 * size),
            ];
            (NodeIdx(layer), rungs)
        };
        Path::of(&LAYERS.iter().enumerate().map(of).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_takes_what_is_worth_most_first() {
        let path = path();
        assert_eq!(path.noise, 62.0);
        // Each layer goes from rung to rung; nothing is left at the end, and all is spent.
        assert_eq!(path.steps.len(), 3 * LAYERS.len());
        for &layer in &LAYERS {
            let own: Vec<Precision> =
                path.steps.iter().filter(|s| s.layer.0 == layer).map(|s| s.precision).collect();
            assert_eq!(own, [Precision::Wide, Precision::Widest, Precision::Float]);
        }
        assert!(path.steps.windows(2).all(|w| w[1].noise <= w[0].noise && w[1].cost >= w[0].cost));
        let last = path.steps[path.steps.len() - 1];
        assert!(last.noise < 1e-9 && (last.cost - 1.0).abs() < 1e-12);
        assert_eq!((path.steps[0].layer, path.steps[0].precision), (NodeIdx(7), Precision::Wide));
        // The large layer comes to 16 bits of weights behind all small ones.
        let place = |layer, precision| {
            path.steps.iter().position(|s| s.layer == NodeIdx(layer) && s.precision == precision)
        };
        assert!(LAYERS[..4].iter().all(|&l| place(l, Precision::Widest) < place(5, Precision::Widest)));
        // A rung that costs more and takes less away than the next one is skipped.
        let rung = |precision, noise, cost| Rung { precision, noise, cost };
        let useless = [
            rung(Precision::Scheme, 1.0, 1.0),
            rung(Precision::Wide, 1.0, 3.0),
            rung(Precision::Widest, 0.0, 2.0),
        ];
        let of = Path::of(&[(NodeIdx(0), useless.to_vec())]);
        assert_eq!(of.exceptions(of.steps.len()), Exceptions::from([(NodeIdx(0), Precision::Widest)]));
    }

    #[test]
    fn a_cheap_network_is_found_in_few_passes() {
        let path = path();
        let end = path.steps.len();
        // What disturbs outputs loses rows by its size; checks that fail stop halfway.
        for (bound, times) in
            [(8.0, 1.0), (4.0, 1.0), (1.0, 1.0), (0.1, 1.0), (1e-4, 1.0), (1.0, 3.0), (0.0, 1.0)]
        {
            let loss = |noise: f64| times * noise.sqrt();
            let found = guard(&path, LAYERS.len(), &mut |tried| {
                let at = (0..=end).find(|&n| path.exceptions(n) == *tried).unwrap();
                let drop = loss(path.noise(at));
                let holds = drop <= bound;
                Ok(Verdict { holds, drop, bound, interval: [drop; 2], passes: if holds { 1.0 } else { 0.5 } })
            })
            .unwrap();
            let at = (0..=end).find(|&n| path.exceptions(n) == found.precision).unwrap();
            let best = (0..=end).find(|&n| loss(path.noise(n)) <= bound).unwrap_or(end);
            assert_eq!(found.verdict.holds, loss(path.noise(best)) <= bound, "{bound} {times}");
            assert!(
                at >= best && path.cost(at) <= path.cost(best) + 0.35,
                "{bound} {times}: {at}, best {best}"
            );
            assert!(found.passes <= 4.0, "{bound} {times}: {} passes", found.passes);
        }
    }

    #[test]
    fn where_nothing_holds_all_are_floats() {
        let path = path();
        let never = Verdict { holds: false, drop: 1.0, bound: 0.5, interval: [1.0; 2], passes: 1.0 };
        let found = guard(&path, LAYERS.len(), &mut |_| Ok(never)).unwrap();
        assert!(!found.verdict.holds && found.precision.len() == LAYERS.len());
        assert!(found.precision.values().all(|p| *p == Precision::Float));
        // No layers: what there is counts.
        let none = guard(&Path::default(), 0, &mut |_| Ok(never)).unwrap();
        assert_eq!((none.n_checks, none.precision.len()), (1, 0));
    }
}
