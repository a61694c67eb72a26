//! `greedy`: members are added one by one, the one that helps most each time.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows};
use crate::error::Error;
use ir::Task;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Combination, Space};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "greedy",
    doc: "members are added one by one, again and again, the one that lowers the error most",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression],
    takes_weights: false,
    asks_columns: false,
    spec: SPEC,
    ensemble: &Greedy,
};

static SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "n_steps",
        aliases: &["ensemble_size"],
        default: Value::Int(25),
        range: Range::Int { low: 1, high: 1000 },
        doc: "members that are added, repeated ones counted",
    },
    ParamSpec {
        name: "space",
        aliases: &[],
        default: Value::Word("scores"),
        range: Range::Words(&["scores", "probabilities", "auto"]),
        doc: "what is added up: log odds (values, of numbers), probabilities, or what of both has the lower error",
    },
];

/// Steps without a gain behind which no more are tried.
const PATIENCE: usize = 6;

struct Greedy;

impl Ensemble for Greedy {
    /// Starts with nothing; each step adds the member whose mean with those there has the lowest error, plus the price of
    /// members not yet used, as far as they have room; members may come again, and the best prefix stays: weights are
    /// counts. Ties go to members in use, then to the first. O(n_steps n_members n_rows n_classes) and what the metric costs.
    /// # Source  Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble selection from libraries of models, ICML 2004,
    /// sections 2.1 and 2.2. Deviations: a price a member; the mean is taken in a space of scores or of probabilities.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let spaces = match (rows.task(), params.word("space")) {
            (Task::Binary | Task::Multiclass, "probabilities") => &[Space::Probabilities][..],
            (Task::Binary | Task::Multiclass, "auto") => &[Space::Scores, Space::Probabilities],
            _ => &[Space::Scores],
        };
        let some = rows.some();
        let n_steps = usize::try_from(params.int("n_steps")).unwrap_or(1);
        let mut best: Option<(f64, Space, Vec<f64>)> = None;
        for &space in spaces {
            let (error, weights) = Selection::new(&some, space, asked).run(n_steps);
            if best.as_ref().is_none_or(|(known, ..)| error < *known) {
                best = Some((error, space, weights));
            }
        }
        let (_, space, weights) = best.unwrap_or((0.0, Space::Scores, vec![1.0; rows.n_members()]));
        Ok(Combination::mean(space, &weights, rows.range()))
    }
}

/// A selection in a space.
struct Selection<'a> {
    rows: &'a MemberRows,
    asked: &'a Asked<'a>,
    /// What is averaged, a member each.
    cells: Vec<Vec<f64>>,
    space: Space,
}

impl<'a> Selection<'a> {
    fn new(rows: &'a MemberRows, space: Space, asked: &'a Asked<'a>) -> Selection<'a> {
        let member = |at: usize| match space {
            Space::Scores => rows.scores(at).to_vec(),
            Space::Probabilities | Space::Labels => rows.linked(rows.scores(at).to_vec()),
        };
        let cells = asked.threads.map(rows.n_members(), member);
        Selection { rows, asked, cells, space }
    }

    /// The error of a sum of `n` members.
    fn error(&self, sum: impl Iterator<Item = f64>, n: f64) -> f64 {
        let mean = sum.map(|s| s / n).collect();
        let linked = if self.space == Space::Scores { self.rows.linked(mean) } else { mean };
        self.rows.error(linked, self.asked.smooth(self.rows.task()))
    }

    /// The lowest error, prices included, and how often each member is in that mean.
    fn run(&self, n_steps: usize) -> (f64, Vec<f64>) {
        let n_members = self.cells.len();
        let mut sum = vec![0.0; self.cells[0].len()];
        let mut counts = vec![0.0f64; n_members];
        let mut best = (f64::INFINITY, counts.clone());
        let mut since = 0;
        for step in 1..=n_steps {
            let price = |at: usize| self.asked.prices.get(at).copied().unwrap_or(0.0);
            let used = || (0..n_members).filter(|&at| counts[at] > 0.0);
            // The first member may be too large where all are: whoever asks says what then becomes of it.
            let has_room = |at: usize| {
                let is_free = step == 1 || counts[at] > 0.0;
                is_free || self.asked.room.is_none_or(|room| room.holds(used().chain([at])))
            };
            let paid: f64 = used().map(price).sum();
            let tried = self.asked.threads.map(n_members, |at| {
                if !has_room(at) {
                    return f64::INFINITY;
                }
                let own = self.error(sum.iter().zip(&self.cells[at]).map(|(s, c)| s + c), step as f64);
                let new = if counts[at] > 0.0 { 0.0 } else { price(at) };
                own + (paid + new) * own.abs()
            });
            let is_before = |a: usize, b: usize| {
                let order = tried[a].total_cmp(&tried[b]).then(counts[b].total_cmp(&counts[a]));
                order.is_lt()
            };
            let next = (1..n_members).fold(0, |first, at| if is_before(at, first) { at } else { first });
            sum.iter_mut().zip(&self.cells[next]).for_each(|(s, c)| *s += c);
            counts[next] += 1.0;
            since += 1;
            if tried[next] < best.0 {
                best = (tried[next], counts.clone());
                since = 0;
            }
            if since >= PATIENCE {
                break;
            }
        }
        if best.1.iter().all(|c| *c == 0.0) {
            // The metric is not defined on these rows.
            best.1 = vec![1.0; n_members];
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Threads;
    use recipe::Truth;

    fn asked<'a>(prices: &'a [f64], threads: &'a Threads) -> Asked<'a> {
        Asked {
            metric: metrics::metric("rmse").unwrap(),
            weights: None,
            prices,
            costs: &[],
            room: None,
            threads,
        }
    }

    /// Errors of members that cancel each other out, and one that is bad.
    fn rows() -> MemberRows {
        let truth: Vec<f64> = (0..40).map(f64::from).collect();
        let with =
            |f: &dyn Fn(usize) -> f64| truth.iter().enumerate().map(|(i, y)| y + f(i)).collect::<Vec<f64>>();
        let away = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let scores = vec![with(&away), with(&|i| -away(i)), with(&|i| 5.0 * away(i / 3))];
        MemberRows::try_new(scores, 1, Truth::Values(truth)).unwrap()
    }

    #[test]
    fn members_that_make_up_for_each_other_are_taken() {
        let threads = Threads::try_new(2).unwrap();
        let params = ENTRY.params(&[]).unwrap();
        let made = ENTRY.fit(&rows(), &asked(&[0.0; 3], &threads), &params).unwrap();
        assert_eq!(made.weights(), [0.5, 0.5, 0.0]);
        // A price that is higher than the gain.
        let made = ENTRY.fit(&rows(), &asked(&[0.0, f64::INFINITY, 0.0], &threads), &params).unwrap();
        assert_eq!(made.weights()[1], 0.0);
    }

    #[test]
    fn every_so_manieth_row_is_enough() {
        let rows = rows();
        let some = rows.every(3);
        assert_eq!((some.n_rows(), some.scores(0)[1]), (14, rows.scores(0)[3]));
    }
}
