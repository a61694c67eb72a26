//! The page of a fit.

use crate::Error;
use crate::figures::Figures;
use crate::fit_report::FitReport;
use crate::stability::Stability;
use evaluate::report::{Headline, LearningPoint, Notice, Report, ScoreLine, html};

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
            notices: notices(made, figures),
            columns: figures.columns.clone(),
            observed: Some(*observed),
            observed_on: "out-of-fold rows",
            classes: &made.classes,
            learning: figures.learning.clone(),
            importance: figures.importance.clone(),
            worst: figures.worst.clone(),
            stages: stages(made),
            recipe: recipe(made),
            command: command.to_owned(),
        })
    })?;
    page.map_err(|e| Error::bug(e.to_string()))
}

fn headline(made: &FitReport, figures: &Figures) -> Headline {
    let classes = made.classes.len();
    let question = match made.task {
        ir::Task::Binary => {
            let positive = made.positive.as_deref().unwrap_or_default();
            format!("Is “{}” equal to “{positive}”? Two classes.", made.target)
        }
        ir::Task::Multiclass => format!("Which of {classes} classes has “{}”?", made.target),
        ir::Task::Regression | ir::Task::Transform => format!("How large is “{}”?", made.target),
    };
    let score_on = match &made.test {
        Some(test) => (test.n_rows, "test rows".to_owned()),
        None => (made.oof.n_rows, "rows held back in folds".to_owned()),
    };
    Headline {
        question,
        metric: made.metric.to_owned(),
        greater_is_better: made.greater_is_better,
        score: made.score(),
        interval: if made.test.is_some() {
            made.test.as_ref().and_then(|t| t.interval)
        } else {
            figures.interval
        },
        score_on,
        bytes: made.bytes,
        ns_per_row: Some(made.speed.ns_per_row),
        ns_single: Some(made.speed.ns_single),
        n_rows: made.n_rows,
        n_columns: made.n_columns,
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
        ("best constant", figures.constant, "what knowing no column gives"),
    ];
    let line = |(on, score, meaning): (&str, Option<f64>, &str)| {
        let interval = figures.interval.filter(|_| on == "out of fold");
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
    let scores = &figures.fold_scores;
    let (low, high) =
        scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &s| (a.min(s), b.max(s)));
    let folds = (scores.len() > 1).then(|| {
        format!("Over {} parts held back the score lies between {low:.4} and {high:.4}.", scores.len())
    });
    let told: Vec<String> = folds.into_iter().chain(figures.stability.map(changes)).collect();
    (!told.is_empty()).then(|| told.join(" "))
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
    let why = figures.not_explained.iter().map(|text| Notice {
        is_warning: true,
        column: None,
        text: text.clone(),
    });
    warnings.chain(why).chain(cleaned).collect()
}

fn recipe(made: &FitReport) -> Vec<(String, String)> {
    let mut told = vec![("recipe".to_owned(), made.recipe.clone())];
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
