//! Which calibrator a model gets, if any.
//!
//! Whether one helps is judged by cross-fitting: it learns from the out-of-fold scores of all folds but one and is
//! judged on that one, by the integers that a graph would compute. A later member of the table replaces the one before
//! it, and the first one none at all, only if its log loss is lower by more than [`Judged::is_clearly_below`] asks for.

use super::calibrator::{CalibratorEntry, ScoredRows};
use super::{CALIBRATORS, calibrator};
use crate::error::{Error, Kind};
use ir::Task;
use jobs::{Clock, Ctx};
use metrics::{Classified, ClassifiedParts, Observed, Probabilities};
use params::Params;
use recipe::{HeldBack, ScoreMap, Truth, mapped_floats, real_scores};

/// Settings as text: calibrator, parameter, value.
type Settings = [(String, String, String)];

/// A share of the log loss that a calibrator must gain: less is not worth a node.
const LEAST_GAIN: f64 = 1e-3;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Members to try, with their parameters.
    tried: Vec<(&'static str, Params)>,
    /// One was named: it is taken, whether it helps or not.
    is_named: bool,
}

impl Asked {
    /// `auto`, `none` or the name of a calibrator, and settings of calibrators.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range, a setting of a calibrator that is not used.
    pub fn parse(text: &str, settings: &Settings) -> Result<Asked, Error> {
        let entries: Vec<&CalibratorEntry> = match text {
            "auto" => CALIBRATORS.to_vec(),
            "none" => Vec::new(),
            name => vec![calibrator(name)?],
        };
        if let Some((of, name, _)) = settings.iter().find(|(of, ..)| !entries.iter().any(|e| e.name == of)) {
            let (of, name, asked) = (of.clone(), name.clone(), text.to_owned());
            return Err(Kind::Unused { of, name, asked }.into());
        }
        let with_params = |entry: &&CalibratorEntry| {
            Ok((entry.name, entry.params(&params::settings_of(settings, entry.name))?))
        };
        let tried = entries.iter().map(with_params).collect::<Result<_, Error>>()?;
        Ok(Asked { tried, is_named: text != "auto" && text != "none" })
    }

    /// Checks that a named calibrator answers the task.
    ///
    /// # Errors
    /// `Task`.
    pub fn answers(&self, task: Task) -> Result<(), Error> {
        match &self.tried[..] {
            [(name, _)] if self.is_named => calibrator(name)?.answers(task),
            _ => Ok(()),
        }
    }
}

/// A calibrator that was taken, and what it does to out-of-fold rows.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// Its name.
    pub method: &'static str,
    /// What it learnt from all rows, for the model.
    pub map: ScoreMap,
    /// For each part that was held back: cross-fitted probabilities of the integers, and those without rounding where
    /// the part has such.
    pub linked: Vec<(Vec<f64>, Vec<f64>)>,
    /// Figures of the first repetition, by the row weights of training.
    pub before: Figures,
    /// The same with cross-fitted probabilities.
    pub after: Figures,
}

/// How well probabilities agree with labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Log loss.
    pub log_loss: f64,
    /// Expected calibration error.
    pub ece: f64,
}

/// Rows of one part that are judged together, by a calibrator of the other units of the repetition.
struct Unit {
    part: usize,
    /// Places within the part.
    places: Vec<usize>,
}

/// Everything that is known of the parts.
struct Parts<'a> {
    held: &'a [HeldBack],
    real: Vec<Vec<f64>>,
    units: Vec<Unit>,
    labels: &'a [u32],
    row_weights: Option<&'a [f32]>,
    n_outputs: usize,
    n_repetitions: usize,
}

/// Of the time left, the share after which no further member is tried.
const SHARE_OF_TIME: f64 = 0.05;

/// The calibrator of a model: the named one, or with `auto` the best one that helps; `None` without one.
/// `row_weights` are those of training, of all rows. The fits of a member run side by side; the result does not hang
/// on threads. With `auto` and a budget of time, members are no longer tried once they have cost [`SHARE_OF_TIME`] of
/// what is left.
///
/// # Errors
/// With a name: a task or a link that it does not answer, folds that hold one class alone. With `auto` such members
/// are not taken.
pub fn choose(
    asked: &Asked,
    truth: &Truth,
    row_weights: Option<&[f32]>,
    held: &[HeldBack],
    ctx: &Ctx<'_>,
) -> Result<Option<Calibrated>, Error> {
    let Truth::Classes { labels, n_classes, .. } = truth else { return Ok(None) };
    let Some(parts) = Parts::new(held, labels, *n_classes, row_weights) else { return Ok(None) };
    let task = if *n_classes == 2 { Task::Binary } else { Task::Multiclass };
    let mut fitting: Vec<(&'static CalibratorEntry, &Params)> = Vec::new();
    for (name, params) in &asked.tried {
        fitting.push((calibrator(name)?, params));
    }
    fitting.retain(|(entry, _)| asked.is_named || entry.answers(task).is_ok());
    // A map for each unit, and one of all rows.
    let n_fits = parts.units.len() + 1;
    let clock = Clock::start();
    let as_it_is = parts.judged(&held.iter().map(|part| &part.linked[..]).collect::<Vec<_>>());
    let mut best: Option<(Calibrated, Judged)> = None;
    for (entry, params) in fitting {
        let left = ctx.budget.left().filter(|_| !asked.is_named);
        if left.is_some_and(|left| clock.seconds() > SHARE_OF_TIME * left.as_secs_f64()) {
            break;
        }
        let own = ctx.threads.map(n_fits, |i| entry.fit(&parts.rows_for(i)?, params));
        let own: Result<Vec<ScoreMap>, Error> = own.into_iter().collect();
        let mut own = match own {
            Err(e) if asked.is_named => return Err(e),
            Err(_) => continue,
            Ok(own) => own,
        };
        let Some(map) = own.pop() else { continue };
        let linked = parts.linked(&own);
        let judged = parts.judged(&linked.iter().map(|(p, _)| &p[..]).collect::<Vec<_>>());
        let rival = best.as_ref().map_or(&as_it_is, |(_, judged)| judged);
        if asked.is_named || judged.is_clearly_below(rival) {
            let before = parts.figures(|part| &held[part].linked)?;
            let after = parts.figures(|part| &linked[part].0)?;
            best = Some((Calibrated { method: entry.name, map, linked, before, after }, judged));
        }
    }
    Ok(best.map(|(calibrated, _)| calibrated))
}

impl<'a> Parts<'a> {
    /// `None` without scores of classes.
    fn new(
        held: &'a [HeldBack],
        labels: &'a [u32],
        n_classes: usize,
        row_weights: Option<&'a [f32]>,
    ) -> Option<Parts<'a>> {
        let first = held.first()?;
        let n_outputs = first.scores.len() / first.rows.len().max(1);
        let n_classes_told = first.linked.len() / first.rows.len().max(1);
        if n_outputs == 0 || n_classes_told != n_classes {
            return None;
        }
        let real: Vec<Vec<f64>> =
            held.iter().map(|p| real_scores(&p.scores, &p.link, n_outputs)).collect::<Option<_>>()?;
        let n_repetitions = held.iter().map(|p| p.repetition + 1).max()?;
        let mut units = Vec::new();
        for (at, part) in held.iter().enumerate() {
            let is_alone = held.iter().filter(|p| p.repetition == part.repetition).count() == 1;
            // A part without others is dealt in two.
            let n_units = if is_alone { 2 } else { 1 };
            for unit in 0..n_units {
                let places = (0..part.rows.len()).filter(|place| place % n_units == unit).collect();
                units.push(Unit { part: at, places });
            }
        }
        Some(Parts { held, real, units, labels, row_weights, n_outputs, n_repetitions })
    }

    fn weight(&self, row: u32) -> f64 {
        self.row_weights.map_or(1.0, |w| f64::from(w[row as usize]))
    }

    /// What the map of a unit learns from: the other units of its repetition. Behind the last unit: all rows, those of
    /// several repetitions with as much less weight.
    fn rows_for(&self, unit: usize) -> Result<ScoredRows, Error> {
        let repetition = self.units.get(unit).map(|u| self.held[u.part].repetition);
        let share = if repetition.is_some() { 1.0 } else { 1.0 / self.n_repetitions as f64 };
        let (mut scores, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (at, other) in self.units.iter().enumerate() {
            let part = &self.held[other.part];
            if at == unit || repetition.is_some_and(|r| part.repetition != r) {
                continue;
            }
            for &place in &other.places {
                let row = part.rows[place];
                scores.extend(&self.real[other.part][place * self.n_outputs..(place + 1) * self.n_outputs]);
                labels.push(self.labels[row as usize]);
                weights.push(self.weight(row) * share);
            }
        }
        ScoredRows::try_new(scores, self.n_outputs, labels, weights)
    }

    /// Probabilities of each part by the maps of its units: of the integers, and of those without rounding.
    fn linked(&self, maps: &[ScoreMap]) -> Vec<(Vec<f64>, Vec<f64>)> {
        let mut linked: Vec<(Vec<f64>, Vec<f64>)> =
            self.held.iter().map(|p| (vec![0.0; p.linked.len()], vec![0.0; p.floats.len()])).collect();
        for (unit, map) in self.units.iter().zip(maps) {
            let part = &self.held[unit.part];
            let (n, n_classes) = (self.n_outputs, self.n_outputs.max(2));
            let mut scores = picked(&unit.places, &part.scores, n);
            let Some((on_grid, link)) = map.on_link(&part.link) else { continue };
            on_grid.apply(&mut scores);
            let of_integers = link.apply(&scores, n);
            let mut floats = Vec::new();
            if !part.floats.is_empty() {
                let before = picked(&unit.places, &part.floats, n_classes);
                let real = picked(&unit.places, &self.real[unit.part], n);
                floats = mapped_floats(map, part.link.kind, &before, &real);
            }
            let (into, into_floats) = &mut linked[unit.part];
            for (from, to) in [(&of_integers, into), (&floats, into_floats)] {
                for (p, &place) in from.chunks_exact(n_classes).zip(&unit.places) {
                    to[place * n_classes..(place + 1) * n_classes].copy_from_slice(p);
                }
            }
        }
        linked
    }

    /// The loss of each row, the mean over repetitions.
    fn judged(&self, linked: &[&[f64]]) -> Judged {
        let n_classes = self.n_outputs.max(2);
        let mut sums = vec![(0.0, 0.0); self.labels.len()];
        for (part, linked) in self.held.iter().zip(linked) {
            for (&row, p) in part.rows.iter().zip(linked.chunks_exact(n_classes)) {
                let p = p[self.labels[row as usize] as usize].clamp(f64::EPSILON, 1.0);
                let (sum, n) = &mut sums[row as usize];
                (*sum, *n) = (*sum - p.ln(), *n + 1.0);
            }
        }
        let rows = (0u32..).zip(sums).filter(|(_, (_, n))| *n > 0.0);
        Judged(rows.map(|(row, (sum, n))| (sum / n, self.weight(row))).collect())
    }

    /// Figures of the first repetition.
    fn figures(&self, linked: impl Fn(usize) -> &'a [f64]) -> Result<Figures, Error> {
        let (mut labels, mut p, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (at, part) in self.held.iter().enumerate().filter(|(_, part)| part.repetition == 0) {
            labels.extend(part.rows.iter().map(|&row| self.labels[row as usize]));
            weights.extend(part.rows.iter().map(|&row| self.weight(row)));
            p.extend_from_slice(linked(at));
        }
        let classified = Classified::try_new(ClassifiedParts {
            labels: &labels,
            // Neither figure looks at labels that were predicted.
            predicted: &labels,
            probabilities: Probabilities::F64(&p),
            n_classes: self.n_outputs.max(2),
            positive: None,
            row_weights: Some(&weights),
        })?;
        let observed = Observed::Classified(classified);
        let score = |name: &str| metrics::metric(name)?.score(&observed);
        Ok(Figures { log_loss: score("log_loss")?, ece: score("ece")? })
    }
}

/// The values of some places, of `width` values each.
fn picked<T: Copy>(places: &[usize], values: &[T], width: usize) -> Vec<T> {
    places.iter().flat_map(|&place| &values[place * width..(place + 1) * width]).copied().collect()
}

/// Loss and weight of each row.
struct Judged(Vec<(f64, f64)>);

impl Judged {
    /// True if the mean loss is lower by more than one standard error of the mean difference of the same rows, and
    /// by more than a thousandth of the other one's.
    fn is_clearly_below(&self, other: &Judged) -> bool {
        let each = || self.0.iter().zip(&other.0).map(|((loss, w), (other, _))| (other - loss, *w));
        let all: f64 = each().map(|(_, w)| w).sum();
        let gain = each().map(|(d, w)| w * d).sum::<f64>() / all;
        let squares: f64 = each().map(|(d, w)| (w * (d - gain)).powi(2)).sum();
        let loss = other.0.iter().map(|(loss, w)| w * loss).sum::<f64>() / all;
        gain > squares.sqrt() / all && gain > LEAST_GAIN * loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::op::LinkKind;
    use jobs::{Budget, Cancel, Clock, Silent, Threads};
    use learn::ScoreLink;

    /// Rows of two classes whose log odds are said `factor` times too large, in folds.
    fn said(factor: f64, n_folds: u32, kind: LinkKind) -> (Truth, Vec<HeldBack>) {
        let link = ScoreLink { kind, shift: if kind == LinkKind::Share { 0 } else { 14 }, offset: 1 << 20 };
        let mut held: Vec<HeldBack> = (0..n_folds)
            .map(|_| HeldBack {
                repetition: 0,
                rows: Vec::new(),
                scores: Vec::new(),
                link,
                further: Vec::new(),
                linked: Vec::new(),
                floats: Vec::new(),
            })
            .collect();
        let mut labels = Vec::new();
        for row in 0..2000u32 {
            // Every share of positive rows is met by as many rows of its score.
            let odds = f64::from(row % 9) - 4.0;
            let share = 1.0 / (1.0 + (-odds).exp());
            labels.push(u32::from((f64::from(row / 9 * 89 % 222) + 0.5) / 222.0 < share));
            let part = &mut held[(row / 7 % n_folds) as usize];
            part.rows.push(row);
            part.scores.push((odds * factor * 16_384.0) as i32);
        }
        for part in &mut held {
            part.linked = link.apply(&part.scores, 1);
            part.floats = part.linked.clone();
        }
        (Truth::Classes { labels, n_classes: 2, positive: Some(1) }, held)
    }

    fn chosen(
        asked: &str,
        (truth, held): &(Truth, Vec<HeldBack>),
        weights: Option<&[f32]>,
    ) -> Result<Option<Calibrated>, Error> {
        let (budget, cancel) =
            (Budget::time(Clock::start(), std::time::Duration::from_secs(60)), Cancel::new());
        let ctx = Ctx { threads: &Threads::one(), budget: &budget, cancel: &cancel, progress: &Silent };
        choose(&Asked::parse(asked, &[]).unwrap(), truth, weights, held, &ctx)
    }

    #[test]
    fn what_is_too_sure_is_made_less_so() {
        let said = said(3.0, 5, LinkKind::Logistic);
        let made = chosen("auto", &said, None).unwrap().unwrap();
        assert_eq!(made.method, "temperature");
        let [recipe::Curve::Line { scale, .. }] = made.map.curves() else { panic!("no line") };
        assert!((scale - 1.0 / 3.0).abs() < 0.03, "{scale}");
        assert!(made.after.log_loss < 0.8 * made.before.log_loss && made.after.ece < 0.2 * made.before.ece);
        for ((linked, floats), part) in made.linked.iter().zip(&said.1) {
            assert_eq!((linked.len(), floats.len()), (part.linked.len(), part.linked.len()));
            assert!(linked.iter().zip(floats).all(|(a, b)| (a - b).abs() < 1e-3));
        }
        // One part alone is judged by halves.
        let alone = self::said(3.0, 1, LinkKind::Logistic);
        assert_eq!(chosen("auto", &alone, None).unwrap().unwrap().method, "temperature");
    }

    #[test]
    fn votes_are_calibrated_too() {
        // Votes spread evenly say log odds that are too small in size.
        let votes = said(8.0, 5, LinkKind::Share);
        let made = chosen("auto", &votes, None).unwrap().unwrap();
        assert!(made.after.log_loss < 0.9 * made.before.log_loss && made.after.ece < 0.3 * made.before.ece);
        for (linked, floats) in &made.linked {
            assert!(linked.iter().zip(floats).all(|(a, b)| (a - b).abs() < 5e-3));
        }
    }

    #[test]
    fn nothing_to_gain_is_nothing_changed() {
        for n_folds in [1, 5] {
            assert!(chosen("auto", &said(1.0, n_folds, LinkKind::Logistic), None).unwrap().is_none());
        }
        assert!(chosen("none", &said(3.0, 5, LinkKind::Logistic), None).unwrap().is_none());
        // Whoever names one gets it.
        assert_eq!(
            chosen("isotonic", &said(1.0, 5, LinkKind::Logistic), None).unwrap().unwrap().method,
            "isotonic"
        );
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        let said = said(3.0, 5, LinkKind::Logistic);
        let message = chosen("vector", &said, None).unwrap_err().to_string();
        assert!(
            message.starts_with("calibrator vector: a binary task is not supported, expected multiclass"),
            "{message}"
        );
        let zero = vec![0.0; 2000];
        assert!(chosen("auto", &said, Some(&zero)).unwrap().is_none());
        assert!(matches!(chosen("platt", &said, Some(&zero)).unwrap_err().kind(), Kind::NoRows { .. }));
        let one_class: Vec<f32> = if let Truth::Classes { labels, .. } = &said.0 {
            labels.iter().map(|&y| y as f32).collect()
        } else {
            vec![]
        };
        assert!(chosen("auto", &said, Some(&one_class)).unwrap().is_none());
        assert!(matches!(chosen("beta", &said, Some(&one_class)).unwrap_err().kind(), Kind::OneClass { .. }));
        let (values, held) = (Truth::Values(vec![0.0; 2000]), Vec::new());
        assert!(chosen("auto", &(values, held), None).unwrap().is_none());
    }

    #[test]
    fn names_and_settings() {
        let settings =
            |of: &str, name: &str, value: &str| [(of.to_owned(), name.to_owned(), value.to_owned())];
        let text = |asked: &str, settings: &Settings| Asked::parse(asked, settings).unwrap_err().to_string();
        assert!(text("plat", &[]).contains("did you mean \"platt\"?"));
        assert!(
            text("platt", &settings("isotonic", "max_blocks", "9"))
                .contains("not used by --calibrator platt")
        );
        assert!(text("auto", &settings("isotonic", "max_blocks", "1")).contains("max_blocks must be"));
        assert!(Asked::parse("auto", &settings("isotonic", "max_blocks", "9")).is_ok());
        let asked = Asked::parse("platt", &[]).unwrap();
        assert!(asked.answers(Task::Binary).is_ok());
        assert!(asked.answers(Task::Regression).unwrap_err().to_string().contains("use --calibrator none"));
        assert!(Asked::parse("auto", &[]).unwrap().answers(Task::Regression).is_ok());
    }
}
