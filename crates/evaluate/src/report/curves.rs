//! Probabilities: how well they rank, whether they are true, and what a threshold chooses.
//!
//! Of several classes each is drawn against the rest, the most frequent ones only.

use super::Report;
use super::chart::{Chart, DrawError, Look, PLAIN, Series};
use crate::number::{percent, short};
use maud::{Markup, html};
use metrics::{Bins, Classified, Curves, Observed, ThresholdRow};

const MOST_POINTS: usize = 300;
/// Classes that are drawn: as many as there are colours.
const MOST_CLASSES: usize = 6;
const BINS: u16 = 10;

/// The section; none for regression and where the rows hold one class.
pub(super) fn curves(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    let Some(Observed::Classified(rows)) = &report.observed else { return Ok(None) };
    let drawn = drawn(rows);
    let mut roc = Vec::new();
    let mut precision_recall = Vec::new();
    let mut reliability = Vec::new();
    for (colour, &class) in drawn.iter().enumerate() {
        let Ok(curves) = Curves::try_new(rows, Some(class)) else { continue };
        let name = report.classes.get(class as usize).cloned().unwrap_or_default();
        let series =
            |points: Vec<(f64, f64)>, look| Series { name: Some(name.clone()), look, colour, points };
        if let Ok(points) = curves.roc(MOST_POINTS) {
            let points = points.iter().map(|p| (p.false_positive_rate, p.true_positive_rate));
            roc.push(series(points.collect(), Look::Line));
        }
        if let Ok(points) = curves.precision_recall(MOST_POINTS) {
            let points = points.iter().map(|p| (p.recall, p.precision));
            precision_recall.push(series(points.collect(), Look::Line));
        }
        // Of many classes most probabilities are near 0 and would fill nearly all bins of equal count.
        let by = if rows.n_classes() == 2 { Bins::EqualCount } else { Bins::EqualWidth };
        let bins = curves.reliability(by(BINS));
        reliability
            .push(series(bins.iter().map(|b| (b.mean_probability, b.observed)).collect(), Look::Marked));
    }
    if roc.is_empty() {
        return Ok(None);
    }
    let diagonal =
        || Series { name: None, look: Look::Guide, colour: 0, points: vec![(0.0, 0.0), (1.0, 1.0)] };
    let unit = |title: &str, names: [&str; 2], caption: &str, series: Vec<Series>| Chart {
        title: title.to_owned(),
        caption: caption.to_owned(),
        x_name: names[0].to_owned(),
        y_name: names[1].to_owned(),
        x: 0.0..1.0,
        y: 0.0..1.0,
        x_tick: PLAIN,
        y_tick: PLAIN,
        series,
    };
    let mut figures = Vec::new();
    roc.insert(0, diagonal());
    figures.push(unit(
        "ROC curve",
        ["false positive rate", "true positive rate"],
        "The nearer to the upper left corner, the better the model ranks; the thin line is guessing.",
        roc,
    ));
    figures.push(unit(
        "Precision and recall",
        ["recall", "precision"],
        "How many of the answers are right, for every share of the class that is found.",
        precision_recall,
    ));
    reliability.insert(0, diagonal());
    figures.push(unit(
        "Reliability",
        ["predicted probability", "observed share"],
        "Where the model says 70 %, 70 % should come true: points on the thin line are honest probabilities.",
        reliability,
    ));
    let binary = rows.n_classes() == 2;
    let positive = Curves::try_new(rows, None).ok().filter(|_| binary);
    if let Some(chart) = positive.as_ref().and_then(gain) {
        figures.push(chart);
    }
    let drawn_figures: Vec<Markup> = figures.iter().map(Chart::figure).collect::<Result<_, _>>()?;
    let left = rows.n_classes().saturating_sub(drawn.len());
    Ok(Some(html! {
        div.figures { @for figure in &drawn_figures { (figure) } }
        @if !binary && left > 0 { p.detail { "The " (drawn.len()) " most frequent classes, each against all others." } }
        @if let Some(curves) = &positive { (thresholds(report, curves)) }
    }))
}

/// The classes that are drawn: the positive one of two, else the most frequent.
pub(super) fn drawn(rows: &Classified<'_>) -> Vec<u32> {
    if rows.n_classes() == 2 {
        return vec![rows.positive()];
    }
    let mut counts = vec![0usize; rows.n_classes()];
    rows.labels().iter().for_each(|&label| counts[label as usize] += 1);
    let mut order: Vec<u32> = (0..rows.n_classes() as u32).collect();
    order.sort_by_key(|&class| (std::cmp::Reverse(counts[class as usize]), class));
    order.truncate(MOST_CLASSES);
    order.sort_unstable();
    order
}

/// The share of the positive rows that is found in the first rows by probability.
fn gain(curves: &Curves) -> Option<Chart> {
    let points = curves.gain(MOST_POINTS).ok()?;
    let lift = points.iter().find(|p| p.share >= 0.1)?.lift;
    let diagonal = vec![(0.0, 0.0), (1.0, 1.0)];
    Some(Chart {
        title: "Cumulative gain".to_owned(),
        caption: format!(
            "Whoever looks at the rows of highest probability first finds this share of the positive class. The first tenth holds {} times as many as rows at random.",
            short(lift)
        ),
        x_name: "share of rows".to_owned(),
        y_name: "share found".to_owned(),
        x: 0.0..1.0,
        y: 0.0..1.0,
        x_tick: PLAIN,
        y_tick: PLAIN,
        series: vec![
            Series { name: None, look: Look::Guide, colour: 0, points: diagonal },
            Series {
                name: None,
                look: Look::Line,
                colour: 0,
                points: points.iter().map(|p| (p.share, p.gain)).collect(),
            },
        ],
    })
}

/// What a threshold chooses.
fn thresholds(report: &Report<'_>, curves: &Curves) -> Markup {
    let at: Vec<f64> = (1..20).map(|i| f64::from(i) * 0.05).collect();
    let rows = curves.at_thresholds(&at);
    let class = report.classes.get(curves.class() as usize).map_or("", String::as_str);
    let best = rows.iter().map(|r| r.f1).fold(0.0, f64::max);
    html! {
        h3 { "Which threshold?" }
        p { "Rows whose probability of “" (class) "” is at least the threshold are called so."
            @if let Ok(ks) = curves.kolmogorov_smirnov() {
                " The two classes are furthest apart at " (short(ks.threshold)) " (Kolmogorov-Smirnov " (short(ks.distance)) ")."
            }
        }
        div.scroll tabindex="0" { table {
            thead { tr {
                th.number scope="col" { "threshold" } th.number scope="col" { "precision" } th.number scope="col" { "recall" }
                th.number scope="col" { "f1" } th.number scope="col" { "balanced accuracy" } th.number scope="col" { "called so" }
            } }
            tbody {
                @for ThresholdRow { threshold, precision, recall, f1, balanced_accuracy, share_positive } in &rows {
                    tr.best[*f1 == best] {
                        th.number scope="row" { (format!("{threshold:.2}")) }
                        td.number { (short(*precision)) } td.number { (short(*recall)) } td.number { (short(*f1)) }
                        td.number { (short(*balanced_accuracy)) } td.number { (percent(*share_positive)) }
                    }
                }
            }
        } }
        p.detail { "The line of highest f1 is marked." }
    }
}
