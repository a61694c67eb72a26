//! The page of a fit.

use crate::Error;
use crate::figures::Figures;
use crate::fit_report::FitReport;
use crate::front::{FrontPoint, around_written};
use crate::stability::Stability;
use evaluate::number;
use evaluate::report::{
    FloatLine, Floats, Headline, LearningPoint, ModelLine, Notice, Report, ScoreLine, html,
};
use ir::Task;

/// Characters of the recipe of a point.
const WIDTH: usize = 48;

/// The report of a fit as one HTML page; `command` is what makes the same bytes again.
///
/// # Errors
/// The fit was not asked for figures, or a drawing fails.
pub fn report_page(made: &FitReport, command: &str) -> Result<String, Error> {
    let Some(figures) = &made.figures else {
        return Err(Error::input("report: this fit was not asked for figures; ask for them in its options"));
    };
    let page = figures.truth.observe(&figures.predictions, |observed| {
        html(&Report {
            title: made.model.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            headline: headline(made, figures),
            scores: scores(made, figures),
            diagnosis: diagnosis(made, figures.constant, &figures.learning),
            stability: firm(figures),
            models: model_lines(made, figures),
            comparisons: Vec::new(),
            floats: floats(made, figures),
            notices: notices(made, figures),
            columns: figures.columns.clone(),
            observed: Some(*observed),
            observed_on: "out-of-fold rows",
            classes: &made.classes,
            learning: figures.learning.clone(),
            worth_metric: figures.shown.worth_metric,
            importance: figures.shown.importance.clone(),
            shapes: figures.shown.dependence.clone(),
            tables: figures.shown.tables.clone(),
            worst: figures.shown.worst.clone(),
            stages: stages(made),
            recipe: recipe(made),
            command: command.to_owned(),
            command_makes: "the same bytes",
        })
    })?;
    page.map_err(|e| Error::bug(e.to_string()))
}

/// What a model answers, as a person asks it; `target` is empty where it has no name.
pub(crate) fn question(task: Task, target: &str, classes: &[String], positive: Option<&str>) -> String {
    match task {
        Task::Binary | Task::Multiclass if target.is_empty() => {
            format!("Which of {} classes?", classes.len())
        }
        Task::Regression if target.is_empty() => "How large?".to_owned(),
        Task::Binary => {
            format!("Is “{target}” equal to “{}”? Two classes.", positive.unwrap_or_default())
        }
        Task::Multiclass => format!("Which of {} classes has “{target}”?", classes.len()),
        Task::Regression | Task::Transform => format!("How large is “{target}”?"),
        Task::MultiRegression => format!("How large are “{target}”?"),
        Task::Multilabel => format!("Which of “{target}” hold? Two classes each."),
    }
}

fn headline(made: &FitReport, figures: &Figures) -> Headline {
    let score_on = match &made.test {
        Some(test) => (test.n_rows, "test rows".to_owned()),
        None => (made.oof.n_rows, "rows held back in folds".to_owned()),
    };
    Headline {
        question: question(made.task, &made.target, &made.classes, made.positive.as_deref()),
        metric: made.metric.to_owned(),
        greater_is_better: made.greater_is_better,
        score: made.score(),
        interval: if made.test.is_some() {
            made.test.as_ref().and_then(|t| t.interval)
        } else {
            figures.shown.interval
        },
        score_on,
        bytes: made.bytes,
        ns_per_row: Some(made.speed.ns_per_row),
        ns_single: Some(made.speed.ns_single),
        n_rows: Some(made.n_rows),
        n_columns: (made.n_columns.0, Some(made.n_columns.1)),
        exact: made.exactness().to_owned(),
    }
}

fn scores(made: &FitReport, figures: &Figures) -> Vec<ScoreLine> {
    let training = figures.learning.last().and_then(|p| p.training);
    let lines = [
        ("test rows", made.score_test, "the written file on rows that nothing had seen"),
        ("out of fold", made.score_oof, "every training row, predicted by fits that had not seen it"),
        (
            "out of fold, floats",
            made.score_float,
            "the same recipe without rounding: the difference is what integers cost",
        ),
        (
            "training rows",
            training,
            "rows that the fit had seen: far better than out of fold means learnt by heart",
        ),
        (
            "base alone",
            made.base.as_ref().and_then(|base| base.score),
            "the model that the fit went on from, on the rows that are predicted out of fold",
        ),
        ("best constant", figures.constant, "what knowing no column gives"),
    ];
    let line = |(on, score, meaning): (&str, Option<f64>, &str)| {
        let interval = figures.shown.interval.filter(|_| on == "out of fold");
        Some(ScoreLine { on: on.to_owned(), score: score?, interval, meaning: meaning.to_owned() })
    };
    lines.into_iter().filter_map(line).collect()
}

/// Of the way from the best constant to no error at all, the share that is learnt; `None` where it has no meaning.
fn skill(made: &FitReport, constant: Option<f64>, score: Option<f64>) -> Option<f64> {
    let (worst, here) = (made.error_of(constant?), made.error_of(score?));
    (worst > 0.0).then(|| 1.0 - here / worst)
}

/// A gap between training and held-back rows, in shares of skill, above which a model overfits.
const GAP: f64 = 0.15;
/// What the last rows must bring, in shares of skill, for more rows to be worth their while.
const RISE: f64 = 0.02;

/// Underfits, overfits or balanced, and whether more rows would help, by the learning curve.
///
/// A model overfits where its skill on training rows is [`GAP`] above that on rows held back, and underfits where
/// both are below a tenth.
fn diagnosis(made: &FitReport, constant: Option<f64>, learning: &[LearningPoint]) -> Option<String> {
    let last = learning.last()?;
    let training = skill(made, constant, last.training)?;
    let held = skill(made, constant, last.held_back)?;
    let before = learning.iter().rev().nth(1).and_then(|p| skill(made, constant, p.held_back));
    let rise = before.map_or(0.0, |before| held - before);
    let fit = if training < 0.1 && held < 0.1 {
        "The model underfits: it does hardly better than a constant even on the rows that it learnt from; the columns say little about the target, or the learner is too simple."
    } else if training - held > GAP {
        "The model overfits: it knows its training rows far better than rows that it has not seen."
    } else {
        "The model is balanced: it does about as well on rows that it has not seen as on its training rows."
    };
    let more = if rise > RISE {
        " The learning curve still rises: more rows would help."
    } else {
        " The learning curve is flat at its end: more rows of this kind would change little."
    };
    Some(format!("{fit}{more}"))
}

/// How far scores differ between folds, and what noise and missing cells change.
fn firm(figures: &Figures) -> Option<String> {
    let spread = |scores: &[f64]| {
        scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &s| (a.min(s), b.max(s)))
    };
    let folds: Vec<f64> = figures.folds.iter().map(|f| f.integer).collect();
    let (low, high) = spread(&folds);
    let folds = (folds.len() > 1).then(|| {
        format!("Over {} parts held back the score lies between {low:.4} and {high:.4}.", folds.len())
    });
    let (low, high) = spread(&figures.seed_scores);
    let n_seeds = figures.seed_scores.len();
    let seeds = (n_seeds > 1).then(|| match low == high {
        true => format!("Of {n_seeds} seeds all give the same score."),
        false => {
            format!("Over {n_seeds} seeds the score of the first part lies between {low:.4} and {high:.4}.")
        }
    });
    let told: Vec<String> = folds.into_iter().chain(seeds).chain(figures.stability.map(changes)).collect();
    (!told.is_empty()).then(|| told.join(" "))
}

/// The model, or the front that it stands on: then all scores are out of fold, and all times by the table of costs.
fn model_lines(made: &FitReport, figures: &Figures) -> Vec<ModelLine> {
    if made.front.len() < 2 {
        let Headline { score, interval, bytes, ns_per_row, ns_single, .. } = headline(made, figures);
        let name = made.learner.to_owned();
        return vec![ModelLine { name, score, interval, bytes, ns_per_row, ns_single }];
    }
    let line = |point: &FrontPoint| ModelLine {
        name: format!(
            "point {}{}: {}",
            point.point,
            if point.is_written { " (this model)" } else { "" },
            short(&point.recipe)
        ),
        score: point.score,
        interval: None,
        bytes: point.bytes,
        ns_per_row: Some(point.cost_ns),
        ns_single: None,
    };
    around_written(&made.front).iter().map(line).collect()
}

/// The first words of a recipe that may be long.
fn short(recipe: &str) -> String {
    if recipe.chars().count() <= WIDTH {
        return recipe.to_owned();
    }
    let whole: String = recipe.chars().take(WIDTH).collect();
    format!("{} ..", &whole[..whole.rfind(' ').unwrap_or(whole.len())])
}

/// What rounding changes.
fn floats(made: &FitReport, figures: &Figures) -> Floats {
    let side = &figures.floats;
    let line = |name: &str, float: Option<f64>, integer: Option<f64>| {
        Some(FloatLine { name: name.to_owned(), float: float?, integer: integer? })
    };
    let stability =
        |of: fn(&Stability) -> f64| (side.stability.as_ref().map(of), figures.stability.as_ref().map(of));
    let (noise, missing) = (stability(|s| s.noise), stability(|s| s.missing));
    let lines = [
        line(&format!("{} out of fold", made.metric), made.score_float, made.score_oof),
        line("share of predictions that noise changes", noise.0, noise.1),
        line("share of predictions that missing cells change", missing.0, missing.1),
    ];
    let chance = side.p_value.map(|p| {
        let p_value = number::p_value(p);
        if p < 0.05 {
            format!("The difference of the score is more than chance between folds ({p_value}, corrected resampled t test).")
        } else {
            format!("The difference of the score may be chance between folds ({p_value}, corrected resampled t test).")
        }
    });
    let same = side.same_class.map(|share| {
        format!("{} of the rows held back get the same class both ways.", number::percent(share))
    });
    let explained = side.rank_correlation.map(|r| {
        let verdict = if side.explains_differently() { "they explain themselves differently" } else { "they explain themselves alike" };
        format!("Integers and floats order the columns by their effect with a rank correlation of {r:.3}: {verdict}.")
    });
    Floats {
        lines: lines.into_iter().flatten().collect(),
        sentences: chance.into_iter().chain(same).chain(explained).collect(),
    }
}

fn changes(stability: Stability) -> String {
    let [noise, missing] =
        [stability.noise, stability.missing].map(|share| format!("{:.1} %", 100.0 * share));
    format!(
        "Noise of a hundredth of each number's deviation changes {noise} of the predictions; a twentieth of the cells missing changes {missing}."
    )
}

fn notices(made: &FitReport, figures: &Figures) -> Vec<Notice> {
    let warnings = made.warnings.iter().map(|w| Notice {
        is_warning: true,
        column: w.column.clone(),
        text: w.text.clone(),
    });
    let cleaned = made.cleaned_untold().map(|c| Notice {
        is_warning: false,
        column: c.column.clone(),
        text: c.text.clone(),
    });
    let why = figures.shown.not_explained.iter().map(|text| Notice {
        is_warning: true,
        column: None,
        text: text.clone(),
    });
    warnings.chain(why).chain(cleaned).collect()
}

fn recipe(made: &FitReport) -> Vec<(String, String)> {
    let mut told = vec![("recipe".to_owned(), made.recipe.clone())];
    if let Some(base) = &made.base {
        told.push(("goes on from".to_owned(), base.model.display().to_string()));
    }
    if let Some(c) = &made.calibration {
        told.push((
            "probability calibration".to_owned(),
            format!(
                "{}: log loss {:.4} to {:.4}, calibration error {:.4} to {:.4} out of fold",
                c.method, c.log_loss_before, c.log_loss_after, c.ece_before, c.ece_after
            ),
        ));
    }
    told
}

fn stages(made: &FitReport) -> Vec<(String, f64)> {
    let s = made.stages;
    let all = [
        ("reading the table", s.read),
        ("preparing columns", s.encode),
        ("fits inside folds", s.validate),
        ("the fit on all rows", s.finish),
        ("testing", s.test),
        ("figures of this report", s.figures),
    ];
    all.into_iter().filter(|(_, seconds)| *seconds > 0.0).map(|(name, s)| (name.to_owned(), s)).collect()
}
