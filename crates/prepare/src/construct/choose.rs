//! Which constructions are worth their price.
//!
//! Candidates run in parallel, rows never do, so any number of threads chooses the same columns.

use super::base::{Base, Curve, FINE};
use super::cells::{Codes, edges, sorted_some, spaced};
use super::joint::{Joint, RIDGE};
use super::residual::Residual;
use super::{Construction, Look, crosses};
use crate::transform::{FeatureKind, StepInput, StepTarget};
use ir::fixed::math;

/// Most rows that are looked at.
const MOST_ROWS: usize = 20_000;
/// Most columns of each kind that others are made of.
const MOST_BASES: [(FeatureKind, usize); 2] = [(FeatureKind::Number, 24), (FeatureKind::Category, 8)];
/// Values of a candidate that its edges are found from.
const MOST_VALUES: usize = 2000;
/// Rows for each cell of all curves together: with fewer, curves follow noise and take what they should leave.
const ROWS_OF_A_CELL: usize = 20;
/// Fewest cells of a curve.
const LEAST_CELLS: usize = 4;
/// Candidates of the first look that are looked at again.
const AGAIN: usize = 64;
/// Fits to noise of which one may make a column.
const ONE_IN: f64 = 20.0;

/// What is searched.
pub(super) struct Search {
    pub(super) kinds: Vec<&'static dyn Construction>,
    /// Most columns.
    pub(super) most: usize,
    pub(super) price: f64,
}

/// A column to make, of these columns of the step.
pub(super) struct Chosen {
    pub(super) kind: &'static dyn Construction,
    pub(super) uses: [usize; 2],
}

/// A column that may be made, of two of the bases.
struct Candidate {
    kind: &'static dyn Construction,
    bases: [usize; 2],
}

/// The columns to make, the best first.
pub(super) fn choose(input: &StepInput<'_>, target: StepTarget<'_>, search: &Search) -> Vec<Chosen> {
    let rows = spaced(input.rows, MOST_ROWS);
    let input = StepInput {
        columns: input.columns,
        rows: &rows,
        target: input.target,
        row_weights: input.row_weights,
        seed: input.seed,
        threads: input.threads,
    };
    let Some(mut residual) = Residual::new(&input, target) else { return Vec::new() };
    let bases = bases(&input, &residual);
    let candidates = candidates(&bases, &search.kinds);
    if candidates.is_empty() {
        return Vec::new();
    }
    let n_cells = (rows.len() / (ROWS_OF_A_CELL * bases.len())).clamp(LEAST_CELLS, FINE);
    let mut curves: Vec<Curve> = bases.iter().map(|base| base.curve(n_cells)).collect();
    residual.backfit(&curves);
    if !residual.restart() {
        return Vec::new();
    }
    let doubt = math::log(ONE_IN * candidates.len() as f64);
    let worths = input.threads.map(candidates.len(), |i| worth(&residual, &bases, &candidates[i], doubt));
    let mut open: Vec<(usize, f64)> = worths.into_iter().enumerate().collect();
    best_first(&mut open);
    open.truncate(AGAIN.max(search.most));
    let mut chosen = Vec::new();
    while chosen.len() < search.most {
        let Some(&(best, _)) = open.first().filter(|(_, worth)| *worth > search.price) else { break };
        open.remove(0);
        let candidate = &candidates[best];
        chosen.push(Chosen { kind: candidate.kind, uses: candidate.bases.map(|base| bases[base].at) });
        curves.push(take(&mut residual, &bases, candidate, n_cells));
        residual.backfit(&curves);
        let again =
            input.threads.map(open.len(), |i| worth(&residual, &bases, &candidates[open[i].0], doubt));
        open.iter_mut().zip(again).for_each(|(open, worth)| open.1 = worth);
        best_first(&mut open);
    }
    chosen
}

/// Puts the most worth first, of equals the first candidate.
fn best_first(open: &mut [(usize, f64)]) {
    open.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
}

/// The columns that explain most of the target one by one, in their order.
fn bases<'a>(input: &StepInput<'a>, residual: &Residual) -> Vec<Base<'a>> {
    let share = |base: Base<'_>| residual.likely(&residual.cells(&base.fine, RIDGE));
    let shares = input.threads.map(input.columns.len(), |at| Base::new(input, at).map(share));
    let mut places = Vec::new();
    for (kind, most) in MOST_BASES {
        let of_kind = shares.iter().enumerate().filter(|(at, _)| input.columns[*at].kind == kind);
        let mut ranked: Vec<(usize, f64)> = of_kind.filter_map(|(at, share)| Some((at, (*share)?))).collect();
        best_first(&mut ranked);
        places.extend(ranked.into_iter().take(most).map(|(at, _)| at));
    }
    places.sort_unstable();
    let bases = input.threads.map(places.len(), |i| Base::new(input, places[i]));
    bases.into_iter().flatten().collect()
}

/// Every column that may be made, pair by pair.
fn candidates(bases: &[Base<'_>], kinds: &[&'static dyn Construction]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for second in 0..bases.len() {
        for first in 0..second {
            let pair = [first, second];
            for &kind in kinds {
                let orders = kind.parents().orders(pair.map(|base| bases[base].kind));
                let of = |order: &[usize; 2]| Candidate { kind, bases: order.map(|side| pair[side]) };
                candidates.extend(orders.iter().map(of));
            }
        }
    }
    candidates
}

/// Bins of a candidate's values.
fn value_edges(values: &[f64], n_bins: usize) -> Vec<f64> {
    edges(&sorted_some(values, MOST_VALUES), n_bins)
}

/// What a candidate explains beyond doubt and beyond the grid of its two columns.
fn worth(residual: &Residual, bases: &[Base<'_>], candidate: &Candidate, doubt: f64) -> f64 {
    let [a, b] = candidate.bases.map(|base| &bases[base]);
    let own = match candidate.kind.look(a, b) {
        // As smooth as the column that it becomes.
        Look::Cells(codes) => residual.cells(&codes, crosses::SMOOTHING),
        Look::Values(values) => {
            let bins = Codes::of_numbers(&values, &value_edges(&values, FINE));
            Joint::new(residual, [&a.fine, &b.fine, &bins]).gain()
        }
    };
    let grid = residual.cells(&Codes::crossed(&a.coarse, &b.coarse), RIDGE);
    residual.sure(&own, doubt) - residual.likely(&grid)
}

/// Fits a candidate away as far as its three sets of bins can, and gives its curve, to be fitted beside the others.
fn take(residual: &mut Residual, bases: &[Base<'_>], candidate: &Candidate, n_cells: usize) -> Curve {
    let [a, b] = candidate.bases.map(|base| &bases[base]);
    match candidate.kind.look(a, b) {
        Look::Cells(codes) => Curve::of_cells(codes),
        Look::Values(values) => {
            let bins = Codes::of_numbers(&values, &value_edges(&values, FINE));
            Joint::new(residual, [&a.fine, &b.fine, &bins]).subtract_from(residual);
            Curve::of_numbers(&values, &value_edges(&values, n_cells))
        }
    }
}
