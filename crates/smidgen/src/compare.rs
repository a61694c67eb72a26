//! Several models on the same rows: what they must have in common, and how each two differ.

use crate::Error;
use crate::evaluate::{Evaluated, OnRows};
use crate::evaluation_report::EvaluationFigures;
use ::evaluate::number::{p_value, short};
use ::evaluate::{Pair, Test};
use ir::Signature;
use jobs::{Ctx, Seed};
use metrics::{MetricEntry, Observed};
use std::path::Path;

/// The seed of every interval and comparison: the same rows give the same figures.
pub(crate) const SEED: Seed = Seed(0);

/// Classes that an error shows.
const MOST_SHOWN: usize = 5;

/// How models do on a table, beside each other.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Each model, in the order in which they were named.
    pub models: Vec<Evaluated>,
    /// Each two of them.
    pub comparisons: Vec<Comparison>,
    /// The figures of a report on the first model, where they were asked for.
    pub figures: Option<EvaluationFigures>,
}

impl Evaluation {
    /// The comparisons in plain words; `names` are those of the models.
    pub fn sentences(&self, names: &[String]) -> Vec<String> {
        let Some(first) = self.models.first() else { return Vec::new() };
        let name = |at: usize| names.get(at).map_or("", String::as_str);
        self.comparisons.iter().map(|two| two.sentence([name(two.a), name(two.b)], first)).collect()
    }
}

/// How two models differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Place of the first model in [`Evaluation::models`].
    pub a: usize,
    /// Place of the second one.
    pub b: usize,
    /// Score of `a` minus score of `b`; `None` if one is undefined.
    pub difference: Option<f64>,
    /// What tested it.
    pub test: Test,
    /// How often models of equal worth would differ that much; `None` where the test has no answer.
    pub p_value: Option<f64>,
}

impl Comparison {
    /// Whether chance alone would seldom, in fewer than 5 of 100 cases, make such a difference.
    pub fn is_clear(&self) -> bool {
        self.p_value.is_some_and(|p| p < 0.05)
    }

    /// The comparison in plain words.
    fn sentence(&self, [a, b]: [&str; 2], first: &Evaluated) -> String {
        let metric = first.metric;
        let Some(difference) = self.difference else {
            return format!("{a} and {b}: {metric} is undefined on these rows");
        };
        let (gap, test) = (short(difference.abs()), self.test.title());
        match self.p_value.map(p_value) {
            None => format!("{a} and {b} differ by {gap} {metric}; the {test} has no answer on these rows"),
            Some(p) if self.is_clear() => {
                let a_leads = (difference > 0.0) == first.greater_is_better;
                let (better, worse) = if a_leads { (a, b) } else { (b, a) };
                format!("{better} is better than {worse} by {gap} {metric} ({test}, {p})")
            }
            Some(p) => format!("{a} and {b} differ by {gap} {metric}, which may be chance ({test}, {p})"),
        }
    }
}

/// Refuses two models that answer different questions.
pub(crate) fn same_question(paths: [&Path; 2], signatures: [&Signature; 2]) -> Result<(), Error> {
    let Some((what, [of_a, of_b])) = difference(signatures) else { return Ok(()) };
    let [a, b] = paths.map(Path::display);
    Err(Error::input(format!(
        "{a} and {b}: cannot be compared: expected the same {what}, got {of_a} and {of_b}; evaluate them one by one"
    )))
}

/// What tells the questions of two models apart, and what each of them has there; `None` if they answer the same one.
pub(crate) fn difference(signatures: [&Signature; 2]) -> Option<(&'static str, [String; 2])> {
    let [a, b] = signatures;
    if a.task != b.task {
        return Some(("task", signatures.map(|s| s.task.name().to_owned())));
    }
    if a.classes != b.classes {
        return Some(("classes", signatures.map(|s| classes(&s.classes))));
    }
    if a.positive != b.positive {
        let name = |s: &Signature| s.positive.and_then(|p| s.classes.get(p as usize)).cloned();
        return Some(("positive class", signatures.map(|s| name(s).unwrap_or("none".to_owned()))));
    }
    None
}

fn classes(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_SHOWN).map(|name| format!("\"{name}\"")).collect();
    let more = if names.len() > MOST_SHOWN { format!(" .. ({} in all)", names.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Compares each two models by a metric.
pub(crate) fn each_two(
    models: &[(&Path, OnRows)],
    metric: &MetricEntry,
    source: &str,
    ctx: &Ctx<'_>,
) -> Result<Vec<Comparison>, Error> {
    let mut comparisons = Vec::new();
    for (a, (path_a, on_a)) in models.iter().enumerate() {
        for (b, (path_b, on_b)) in models.iter().enumerate().skip(a + 1) {
            ctx.progress.stage("comparing", None);
            let compare = |x: &Observed<'_>, y: &Observed<'_>| match Pair::try_new(*x, *y) {
                Ok(pair) => Ok(pair.compare(metric, SEED, ctx.threads)?),
                Err(mismatch) => Err(Error::input(format!(
                    "{} and {}: cannot be compared on {source}: {mismatch}; they may name the target or missing cells differently: give --target and --missing",
                    path_a.display(),
                    path_b.display()
                ))),
            };
            let compared = on_a
                .truth
                .observe(&on_a.predictions, |x| on_b.truth.observe(&on_b.predictions, |y| compare(x, y)));
            let ::evaluate::Compared { difference, test, p_value } = compared???;
            comparisons.push(Comparison { a, b, difference, test, p_value });
        }
    }
    Ok(comparisons)
}
