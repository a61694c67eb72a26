//! Networks against rows whose classes are known.

use super::feed::Feed;
use super::head::{Answers, answers};
use super::{Network, NetworkOptions};
use crate::Error;
use crate::compare::{self, Evaluation};
use crate::evaluate::{EvaluateOptions, Evaluated, OnRows, report};
use crate::evaluation_report::EvaluationFigures;
use crate::shown::{Shown, how_wrong};
use data::read_arrays;
use evaluate::report::{WorstRow, WorstRows};
use evaluate::score_interval;
use ir::Task;
use jobs::{Ctx, Threads};
use metrics::{MetricEntry, Observed};
use recipe::{Truth, Warning};
use std::path::Path;

/// Evaluates networks on a set of images or arrays, and compares each two of them.
///
/// # Errors
/// A network or the data cannot be read, they do not fit together, or classes are not known.
pub(crate) fn evaluate_networks(options: &EvaluateOptions, ctx: &Ctx<'_>) -> Result<Evaluation, Error> {
    let mut told: Vec<(&Path, OnRows)> = Vec::new();
    let mut figures = None;
    let mut metric = None;
    for path in &options.models {
        let network = Network::load(path)?;
        let feed = Feed::open(&network, &options.data, options.target.as_deref(), &options.network)?;
        let answers = answers(&network, &feed, ctx)?;
        let (on_rows, asked) = on_rows(&network, &feed, answers, options, ctx)?;
        metric = Some(asked);
        if options.figures && figures.is_none() {
            let shown = shown(&on_rows, &feed);
            figures = Some(EvaluationFigures::of_network(&network, &on_rows, shown));
        }
        told.push((path, on_rows));
    }
    let Some(metric) = metric else {
        return Err(Error::input("evaluate: expected at least one model, got none"));
    };
    if let Some(((first, a), (path, b))) = told.split_first().and_then(|(first, others)| {
        Some((first, others.iter().find(|(_, b)| b.evaluated.classes != first.1.evaluated.classes)?))
    }) {
        let n = |on_rows: &OnRows| on_rows.evaluated.classes.len();
        return Err(Error::input(format!(
            "{} and {}: cannot be compared: expected as many classes, got {} and {}; evaluate them one by one",
            first.display(),
            path.display(),
            n(a),
            n(b)
        )));
    }
    let comparisons = compare::each_two(&told, metric, &options.data, ctx)?;
    let models = told.into_iter().map(|(_, on_rows)| on_rows.evaluated).collect();
    Ok(Evaluation { models, comparisons, figures })
}

/// How a network does on rows, from what it answered, and the metric that is its score.
///
/// # Errors
/// Classes that are not known, a metric that is none.
pub(crate) fn on_rows(
    network: &Network,
    feed: &Feed,
    answers: Answers,
    options: &EvaluateOptions,
    ctx: &Ctx<'_>,
) -> Result<(OnRows, &'static MetricEntry), Error> {
    let known = known(network, feed, &answers, options)?;
    let task = match answers.n_classes {
        0 => Task::Regression,
        2 => Task::Binary,
        _ => Task::Multiclass,
    };
    let asked = match &options.metric {
        Some(name) => metrics::metric(name)?,
        None => metrics::default_metric(crate::evaluate::metric_task(task)),
    };
    let speed = network.measure(feed, &Threads::one())?;
    let warnings = answers.was_softmax.then(|| {
        let text = "the outputs are no probabilities; a softmax was taken";
        Warning::table("softmax", text.to_owned())
    });
    let mut evaluated = report(&known.truth, &answers.predictions, asked, |partial| Evaluated {
        task,
        positive: known.classes.get(1).filter(|_| task == Task::Binary).cloned(),
        classes: known.classes,
        bytes: network.bytes,
        speed: Some(speed),
        exact: network.graph.is_exact(),
        warnings: warnings.into_iter().collect(),
        ..partial
    })?;
    let interval = |observed: &Observed<'_>| score_interval(observed, asked, compare::SEED, ctx.threads);
    evaluated.interval = known.truth.observe(&answers.predictions, interval)??;
    let (truth, predictions) = (known.truth, answers.predictions);
    Ok((OnRows { evaluated, truth, predictions, shown: None, sample: None }, asked))
}

/// What is true of the rows.
pub(crate) struct Known {
    pub(crate) truth: Truth,
    classes: Vec<String>,
}

/// Classes, or numbers, of the rows.
pub(crate) fn known(
    network: &Network,
    feed: &Feed,
    answers: &Answers,
    options: &EvaluateOptions,
) -> Result<Known, Error> {
    let NetworkOptions { labels, .. } = &options.network;
    let n_classes = answers.n_classes;
    let data = &options.data;
    let (labels, names): (Vec<u32>, Vec<String>) = match (feed, labels) {
        (Feed::Images(images, _), _) => match images.labels() {
            Some(labels) => (labels.to_vec(), images.classes().to_vec()),
            None => {
                return Err(Error::input(format!(
                    "{data}: the classes of these images are not known; put them into a folder a class, name a file with --labels, or the column of classes with --target"
                )));
            }
        },
        (_, Some(file)) if n_classes == 0 => return numbers(file, feed),
        (_, Some(file)) => (whole_labels(file, feed)?, Vec::new()),
        (_, None) => {
            return Err(Error::input(format!(
                "{data}: the classes of these rows are not known; name a file of them with --labels"
            )));
        }
    };
    if n_classes == 0 {
        return Err(network.fail(
            "expected one output a class, got one number a row; evaluate it on arrays with --labels FILE.npy",
        ));
    }
    // Names that the network has say which output they mean, and so do numbers; others stand in the order of the outputs.
    let of_network = &network.signature.classes;
    let own = |name: &String| of_network.iter().position(|c| c == name).and_then(|at| u32::try_from(at).ok());
    let places: Option<Vec<u32>> = names.iter().map(own).collect();
    let places = places.or_else(|| names.iter().map(|name| name.parse().ok()).collect());
    if places.is_none() && !of_network.is_empty() {
        let first = |names: &[String]| names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        return Err(network.fail(&format!(
            "expected its classes {}, got {} in {data}; name classes as the network does, or by the number of their output",
            first(of_network),
            first(&names)
        )));
    }
    let labels: Vec<u32> = match places.filter(|p| !p.is_empty()) {
        Some(places) => {
            let place = |label: &u32| places.get(*label as usize).copied().unwrap_or(u32::MAX);
            labels.iter().map(place).collect()
        }
        None if names.is_empty() || names.len() == n_classes => labels,
        None => {
            return Err(network.fail(&format!(
                "expected {n_classes} classes, one an output, got {} in {data}: {}; give rows of all classes, or name classes by the number of their output",
                names.len(),
                names.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
            )));
        }
    };
    if let Some(at) = labels.iter().position(|&label| label as usize >= n_classes) {
        return Err(network.fail(&format!(
            "expected classes below {n_classes}, one an output, got {} at row {} of {data}",
            labels[at],
            at + 1
        )));
    }
    let positive = (n_classes == 2).then_some(1);
    let classes = class_names(network, feed, n_classes);
    Ok(Known { truth: Truth::Classes { labels, n_classes, positive }, classes })
}

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|k| k.to_string()).collect()
}

/// One array of as many elements as there are rows.
fn array_of_rows(file: &Path, feed: &Feed) -> Result<ir::Tensor, Error> {
    let mut arrays = read_arrays(file)?;
    let n_rows = feed.n_rows();
    match (arrays.pop(), arrays.is_empty()) {
        (Some((_, array)), true) if array.data().len() == n_rows => Ok(array),
        (Some((_, array)), true) => Err(Error::input(format!(
            "{}: expected {n_rows} labels, one a row, got {}",
            file.display(),
            array.data().len()
        ))),
        _ => Err(Error::input(format!("{}: expected one array of labels; write it as NPY", file.display()))),
    }
}

fn whole_labels(file: &Path, feed: &Feed) -> Result<Vec<u32>, Error> {
    let array = array_of_rows(file, feed)?;
    let labels =
        array.data().whole_numbers().and_then(|v| v.into_iter().map(|x| u32::try_from(x).ok()).collect());
    labels.ok_or_else(|| {
        Error::input(format!("{}: expected whole numbers from 0 as labels, got others", file.display()))
    })
}

fn numbers(file: &Path, feed: &Feed) -> Result<Known, Error> {
    let array = array_of_rows(file, feed)?;
    let values = super::feed::numbers(array.data()).filter(|v| v.iter().all(|x| x.is_finite()));
    let values = values.ok_or_else(|| {
        Error::input(format!("{}: expected finite numbers as labels, got others", file.display()))
    })?;
    Ok(Known { truth: Truth::Values(values), classes: Vec::new() })
}

/// What a page shows of a network: the rows that went wrong.
fn shown(on_rows: &OnRows, feed: &Feed) -> Shown {
    let told = how_wrong(&on_rows.truth, &on_rows.predictions, &on_rows.evaluated.classes);
    let name = |row: usize| match feed {
        Feed::Images(images, _) => vec![images.names()[row].clone()],
        _ => Vec::new(),
    };
    let worst = told.into_iter().map(|w| WorstRow {
        number: w.row + 1,
        truth: w.truth,
        predicted: w.predicted,
        how_wrong: w.how_wrong,
        cells: name(w.row),
    });
    let columns = match feed {
        Feed::Images(..) => vec!["image".to_owned()],
        _ => Vec::new(),
    };
    Shown::of_rows(on_rows.evaluated.interval, WorstRows { columns, rows: worst.collect() })
}

/// Names of the classes that a network predicts: its own, or those of the images, or the numbers of its outputs.
pub(crate) fn class_names(network: &Network, feed: &Feed, n_classes: usize) -> Vec<String> {
    let own = &network.signature.classes;
    if own.len() == n_classes {
        return own.clone();
    }
    match feed {
        Feed::Images(images, _)
            if images.classes().len() == n_classes
                && images.classes().iter().any(|c| c.parse::<u32>().is_err()) =>
        {
            images.classes().to_vec()
        }
        _ => numbered(n_classes),
    }
}
