//! The page of an evaluation: the first model on the rows of a table, and the others beside it.

use crate::Error;
use crate::compare::Evaluation;
use crate::evaluate::{Evaluated, OnRows};
use crate::network::Network;
use crate::report::question;
use crate::shown::Shown;
use crate::table::{exactness, is_exact, is_integer};
use evaluate::report::{Floats, Headline, ModelLine, Notice, Report, ScoreLine, html};
use ir::Model;
use recipe::{Predictions, Truth, Warning};

/// The figures of a report on a model.
#[derive(Clone, Debug)]
pub struct EvaluationFigures {
    truth: Truth,
    predictions: Predictions,
    /// What the model shows on these rows.
    pub shown: Shown,
    target: String,
    n_inputs: usize,
    /// Rows of the fit; `None` for a network, which does not tell.
    n_training: Option<u64>,
    recipe: Vec<(String, String)>,
    /// Figures of the fit that the file tells: name and value.
    told: Vec<(String, f64)>,
    exactness: &'static str,
}

impl EvaluationFigures {
    pub(crate) fn new(model: &Model, on_rows: &OnRows, shown: Shown) -> EvaluationFigures {
        let (signature, card) = (model.signature(), &model.card);
        EvaluationFigures {
            truth: on_rows.truth.clone(),
            predictions: on_rows.predictions.clone(),
            shown,
            target: signature.target.clone(),
            n_inputs: signature.inputs.len(),
            n_training: Some(card.n_rows),
            recipe: vec![("recipe".to_owned(), card.recipe.clone())],
            told: card.metrics.clone(),
            exactness: exactness(is_integer(model), is_exact(model)),
        }
    }

    pub(crate) fn of_network(network: &Network, on_rows: &OnRows, shown: Shown) -> EvaluationFigures {
        EvaluationFigures {
            truth: on_rows.truth.clone(),
            predictions: on_rows.predictions.clone(),
            shown,
            target: String::new(),
            n_inputs: network.inputs().len(),
            n_training: None,
            recipe: Vec::new(),
            told: Vec::new(),
            exactness: exactness(network.graph.is_exact(), false),
        }
    }
}

/// The report of an evaluation as one HTML page; `names` are those of the models, `command` makes the same page again.
///
/// # Errors
/// The evaluation was not asked for figures, or a drawing fails.
pub fn evaluation_page(made: &Evaluation, names: &[String], command: &str) -> Result<String, Error> {
    let (Some(figures), Some(first)) = (&made.figures, made.models.first()) else {
        return Err(Error::input(
            "report: this evaluation was not asked for figures; ask for them in its options",
        ));
    };
    let page = figures.truth.observe(&figures.predictions, |observed| {
        html(&Report {
            title: names.first().cloned().unwrap_or_default(),
            headline: headline(first, figures),
            scores: scores(first, figures),
            diagnosis: None,
            stability: None,
            models: made.models.iter().zip(names).map(|(model, name)| line(model, name)).collect(),
            comparisons: made.sentences(names),
            floats: Floats::default(),
            notices: notices(made, figures),
            columns: Vec::new(),
            observed: Some(*observed),
            observed_on: "these rows",
            classes: &first.classes,
            learning: Vec::new(),
            worth_metric: figures.shown.worth_metric,
            importance: figures.shown.importance.clone(),
            shapes: figures.shown.dependence.clone(),
            tables: figures.shown.tables.clone(),
            worst: figures.shown.worst.clone(),
            stages: Vec::new(),
            recipe: figures.recipe.clone(),
            command: command.to_owned(),
            command_makes: "this page",
        })
    })?;
    page.map_err(|e| Error::bug(e.to_string()))
}

fn headline(first: &Evaluated, figures: &EvaluationFigures) -> Headline {
    Headline {
        question: question(first.task, &figures.target, &first.classes, first.positive.as_deref()),
        metric: first.metric.to_owned(),
        greater_is_better: first.greater_is_better,
        score: first.score,
        interval: first.interval,
        score_on: (first.n_rows, "rows of the table".to_owned()),
        bytes: first.bytes,
        ns_per_row: first.speed.map(|s| s.ns_per_row),
        ns_single: first.speed.map(|s| s.ns_single),
        n_rows: figures.n_training.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
        n_columns: (figures.n_inputs, None),
        exact: figures.exactness.to_owned(),
    }
}

/// The score here, beside what the file says of its fit.
fn scores(first: &Evaluated, figures: &EvaluationFigures) -> Vec<ScoreLine> {
    let here = first.score.map(|score| ScoreLine {
        on: "these rows".to_owned(),
        score,
        interval: first.interval,
        meaning: "the written file on the rows of the table".to_owned(),
    });
    let of_fit = figures.told.iter().filter(|(name, _)| name.split(' ').next() == Some(first.metric));
    let of_fit = of_fit.map(|(_, score)| ScoreLine {
        on: "out of fold".to_owned(),
        score: *score,
        interval: None,
        meaning:
            "what the fit expected: rows held back from training; far from it means that these rows differ"
                .to_owned(),
    });
    here.into_iter().chain(of_fit).collect()
}

fn line(model: &Evaluated, name: &str) -> ModelLine {
    ModelLine {
        name: name.to_owned(),
        score: model.score,
        interval: model.interval,
        bytes: model.bytes,
        ns_per_row: model.speed.map(|s| s.ns_per_row),
        ns_single: model.speed.map(|s| s.ns_single),
    }
}

fn notices(made: &Evaluation, figures: &EvaluationFigures) -> Vec<Notice> {
    let mut warnings: Vec<&Warning> = Vec::new();
    for warning in made.models.iter().flat_map(|model| &model.warnings) {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let notice = |column: Option<String>, text: String| Notice { is_warning: true, column, text };
    let warnings = warnings.into_iter().map(|w| notice(w.column.clone(), w.text.clone()));
    warnings.chain(figures.shown.not_explained.iter().map(|text| notice(None, text.clone()))).collect()
}
