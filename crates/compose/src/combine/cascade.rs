//! `cascade`: a cheap member answers where it is sure, the others together elsewhere.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows};
use crate::error::Error;
use ir::Task;
use ir::fixed::math;
use metrics::MetricEntry;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Aim, Cascade, Combination, MemberSum, Space, Truth};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "cascade",
    doc: "a cheap member where it is sure, else a sum of members; how sure is learnt",
    tasks: &[Task::Binary, Task::Multiclass],
    takes_weights: false,
    asks_columns: false,
    spec: SPEC,
    ensemble: &CascadeOfTwo,
};

static SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "tolerance",
        aliases: &[],
        default: Value::Real(0.001),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "share by which the error may be above that of the second stage alone",
    },
    ParamSpec {
        name: "second",
        aliases: &[],
        default: Value::Word("greedy"),
        range: Range::Words(&["greedy", "average", "stack_logistic"]),
        doc: "what the second stage is of the members",
    },
];

/// Margins that are tried: as many shares of rows that the second stage is spared, evenly spread.
const MOST_MARGINS: usize = 40;

struct CascadeOfTwo;

impl Ensemble for CascadeOfTwo {
    /// The second stage `t` is the sum that `second` learns of all members. Of a member `j` with scores `s` a row is sure
    /// if `|s - o| >= m` (two classes; `o` is 0, or the log odds of the share of the second class) or the largest of its
    /// scores is `m` above the second largest (several). The cascade takes the scores of `j` for rows that are sure and
    /// those of `t` for the others, a share `q`. The margin `m` is the least, of 40 quantiles, with
    /// `error(cascade) <= (1 + tolerance) error(t)`; `j` and `o` are those of the least `c_j + q sum_(i in t, i != j) c_i`,
    /// `c` what members cost; ties go to the first. Where none costs less than `t`, it is `t` alone, so that a member
    /// whose scores do not go with those of the others is left out: errors by ranks see that. Where no row needs `t`, it
    /// is the member alone. Metrics whose
    /// threshold is tuned behind it are judged by the log loss. O(n_members n_rows log n_rows) and what 40 n_members
    /// metrics cost.
    /// # Source  Viola & Jones, Rapid object detection using a boosted cascade of simple features, CVPR 2001, section 4.
    /// Deviations: two stages; the first may answer with any class; its margin is held by the error of the whole.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let entry = super::named(params.word("second"))?;
        let made = entry.fit(rows, asked, &entry.params(&[])?)?;
        let Some(second) = made.sum().filter(|sum| sum.space == Space::Scores && sum.after.is_none()) else {
            return Ok(made);
        };
        let rows = rows.some();
        let cascading = Cascading::new(&rows, asked, second);
        let most = cascading.error(cascading.answers.clone()) * (1.0 + params.real("tolerance"));
        let mut best: Option<(f64, Cascade)> = None;
        for member in cascading.by_cost() {
            for offset in cascading.offsets() {
                let least = best.as_ref().map_or(cascading.cost_of_all(), |(cost, _)| *cost);
                let tried = cascading.with(member, offset, (most, least));
                best = tried.map(|cascade| (cascading.cost(member, cascade.passed_on), cascade)).or(best);
            }
        }
        Ok(match best {
            // No row needs the second stage.
            Some((_, cascade)) if cascade.margin == 0.0 => Combination::Sum(cascade.first),
            Some((_, cascade)) => Combination::Cascade(Box::new(cascade)),
            None => made.clone(),
        })
    }
}

/// What first stages are tried against.
struct Cascading<'a> {
    rows: &'a MemberRows,
    asked: &'a Asked<'a>,
    metric: &'static MetricEntry,
    second: &'a MemberSum,
    /// Scores of the second stage, `[n_rows, n_outputs]`.
    answers: Vec<f64>,
}

impl<'a> Cascading<'a> {
    fn new(rows: &'a MemberRows, asked: &'a Asked<'a>, second: &'a MemberSum) -> Cascading<'a> {
        let is_tuned = Aim { metric: asked.metric, costs: None, factors: None }.is_tuned();
        let metric = if is_tuned { asked.smooth(rows.task()) } else { asked.metric };
        let mut answers: Vec<f64> = match &second.offsets[..] {
            [] => vec![0.0; rows.n_rows() * rows.n_outputs()],
            offsets => offsets.repeat(rows.n_rows()),
        };
        for (member, weight) in second.weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            answers.iter_mut().zip(rows.scores(member)).for_each(|(sum, score)| *sum += weight * score);
        }
        Cascading { rows, asked, metric, second, answers }
    }

    fn error(&self, scores: Vec<f64>) -> f64 {
        self.rows.error(self.rows.linked(scores), self.metric)
    }

    /// What all members of the second stage cost.
    fn cost_of_all(&self) -> f64 {
        let used = self.second.weights.iter().enumerate().filter(|(_, w)| **w != 0.0);
        used.map(|(member, _)| self.asked.cost(member)).sum()
    }

    /// What a row costs on average if a share of the rows is passed on by a member.
    fn cost(&self, member: usize, passed_on: f64) -> f64 {
        let own = self.asked.cost(member);
        let behind = self.cost_of_all() - if self.second.weights[member] == 0.0 { 0.0 } else { own };
        own + passed_on * behind
    }

    /// Members, the cheapest first.
    fn by_cost(&self) -> Vec<usize> {
        let mut members: Vec<usize> = (0..self.rows.n_members()).collect();
        members.sort_by(|&a, &b| self.asked.cost(a).total_cmp(&self.asked.cost(b)).then(a.cmp(&b)));
        members
    }

    /// Where a score of two classes may be least sure.
    fn offsets(&self) -> Vec<f64> {
        match self.rows.truth() {
            Truth::Classes { labels, n_classes: 2, .. } => {
                let n_second = labels.iter().filter(|label| **label == 1).count() as f64;
                let n_first = labels.len() as f64 - n_second;
                vec![0.0, math::log((n_second + 1.0) / (n_first + 1.0))]
            }
            _ => vec![0.0],
        }
    }

    /// The cascade of a member and the second stage that passes on the fewest rows and has an error of at most `most`;
    /// `None` if it costs `least` or more.
    fn with(&self, member: usize, offset: f64, (most, least): (f64, f64)) -> Option<Cascade> {
        if !most.is_finite() || self.cost(member, 0.0) >= least {
            return None;
        }
        let (n, scores) = (self.rows.n_outputs(), self.rows.scores(member));
        let mut weights = vec![0.0; self.rows.n_members()];
        weights[member] = 1.0;
        let first = MemberSum::mean(Space::Scores, &weights, self.second.range);
        let second = self.second.clone();
        let cascade = Cascade { first, second, margin: 0.0, offset, passed_on: 0.0 };
        let sureness: Vec<f64> = scores.chunks_exact(n).map(|scores| cascade.sureness(scores)).collect();
        let mut sorted = sureness.clone();
        sorted.sort_by(f64::total_cmp);
        let margins = margins(&sorted);
        let error = |at: usize| {
            let rows = scores.chunks_exact(n).zip(self.answers.chunks_exact(n)).zip(&sureness);
            let taken = rows.flat_map(|((own, other), sure)| if *sure >= margins[at] { own } else { other });
            self.error(taken.copied().collect())
        };
        // Margins that pass on too many rows need not be tried.
        let share =
            |margin: f64| sorted.partition_point(|sure| *sure < margin) as f64 / sorted.len().max(1) as f64;
        let n_cheap = margins.partition_point(|margin| self.cost(member, share(*margin)) < least);
        let errors = self.asked.threads.map(n_cheap, error);
        let margin = margins[errors.iter().position(|error| *error <= most)?];
        Some(Cascade { margin, passed_on: share(margin), ..cascade })
    }
}

/// Margins at quantiles of how sure rows are, rising; each lies between two rows as far as these differ, so that it parts
/// them on other grids too.
fn margins(sorted: &[f64]) -> Vec<f64> {
    let place = |quantile: usize| quantile * sorted.len() / MOST_MARGINS;
    let at = |quantile: usize| match place(quantile).checked_sub(1) {
        Some(below) => (sorted[below] + sorted[below + 1]) / 2.0,
        None => 0.0,
    };
    let mut margins: Vec<f64> = (0..MOST_MARGINS).map(at).collect();
    margins.dedup();
    margins
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use jobs::Threads;

    const N_ROWS: usize = 4000;

    /// A member that knows the truth of rows far from the border and of no other, and one that knows it of all but a few;
    /// `scale` is what the scores of the first are multiplied by.
    fn rows(scale: f64) -> MemberRows {
        let mut random = SplitMix64::new(7);
        let (mut scores, mut labels) = (vec![Vec::new(), Vec::new()], Vec::new());
        for _ in 0..N_ROWS {
            let x = 4.0 * random.normal();
            let is_second = x > 0.0;
            let cheap = if x.abs() > 2.0 { x } else { 2.0 * random.unit() - 1.0 };
            scores[0].push(cheap * scale);
            scores[1].push(if random.below(50) == 0 { -x } else { x });
            labels.push(u32::from(is_second));
        }
        MemberRows::try_new(scores, 1, Truth::Classes { labels, n_classes: 2, positive: Some(1) }).unwrap()
    }

    fn fit(rows: &MemberRows, metric: &str, costs: &[f64], settings: &[(&str, &str)]) -> Combination {
        let (threads, metric) = (Threads::one(), metrics::metric(metric).unwrap());
        let asked = Asked { metric, weights: None, prices: &[0.0; 2], costs, room: None, threads: &threads };
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ENTRY.fit(rows, &asked, &ENTRY.params(&settings).unwrap()).unwrap()
    }

    #[test]
    fn sure_rows_are_spared_the_second_stage() {
        for metric in ["accuracy", "roc_auc", "log_loss", "f1"] {
            let made = fit(&rows(1.0), metric, &[1.0, 20.0], &[]);
            let Combination::Cascade(cascade) = &made else { panic!("{metric}: {made:?}") };
            assert_eq!(cascade.first.weights, [1.0, 0.0], "{metric}");
            assert!(cascade.margin > 0.0 && cascade.passed_on < 0.7, "{metric}: {cascade:?}");
        }
        // Rows far from the border, about 62 in 100, are sure.
        let made = fit(&rows(1.0), "accuracy", &[1.0, 20.0], &[]);
        let Combination::Cascade(cascade) = made else { panic!("two stages") };
        assert!((0.3..0.45).contains(&cascade.passed_on), "{cascade:?}");
    }

    #[test]
    fn one_that_costs_more_or_misleads_is_no_first_stage() {
        let sum = |made: Combination| matches!(made, Combination::Sum(_));
        let made = fit(&rows(1.0), "accuracy", &[30.0, 1.0], &[]);
        assert!(
            !matches!(&made, Combination::Cascade(cascade) if cascade.first.weights[0] > 0.0),
            "{made:?}"
        );
        // Turned round it is wrong in all that it is sure of.
        assert!(sum(fit(&rows(-1.0), "accuracy", &[1.0, 20.0], &[])));
        assert!(sum(fit(&rows(-1.0), "roc_auc", &[1.0, 20.0], &[])));
    }

    #[test]
    fn more_tolerance_passes_on_fewer_rows() {
        let fit = |metric: &str, tolerance: &str| {
            fit(&rows(1.0), metric, &[1.0, 20.0], &[("tolerance", tolerance)])
        };
        let passed_on = |tolerance: &str| {
            let Combination::Cascade(cascade) = fit("accuracy", tolerance) else { panic!("two stages") };
            cascade.passed_on
        };
        assert!(passed_on("1") < passed_on("0.001"), "{} {}", passed_on("1"), passed_on("0.001"));
        // Of the log loss the first member alone is less than twice off.
        assert_eq!(fit("log_loss", "1").weights(), [1.0, 0.0]);
    }

    #[test]
    fn margins_lie_between_rows() {
        let sorted: Vec<f64> = (0..80).map(|i| f64::from(i / 2)).collect();
        let found = margins(&sorted);
        assert_eq!((found[0], found[1], found[2], found.len()), (0.0, 0.5, 1.5, 40));
        assert_eq!(margins(&[3.0; 9]), [0.0, 3.0]);
        assert_eq!(margins(&[1.0]), [0.0]);
    }
}
