//! Models beside each other: what each scores and costs, and whether they differ.

use super::Report;
use super::chart::{Chart, DrawError, Look, PLAIN, Series, range_of};
use crate::number::{count, nanoseconds, short, size};
use maud::{Markup, html};

/// The table of models, their scores against bytes and nanoseconds where there are several, and sentences on each two.
pub(super) fn models(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    if report.models.is_empty() {
        return Ok(None);
    }
    let against_bytes =
        against(report, "Score against size", "bytes", |m| Some(m.bytes as f64), |x| size(unlog(x)))?;
    let against_time = against(
        report,
        "Score against time",
        "a row in batch",
        |m| m.ns_per_row,
        |x| nanoseconds(10f64.powf(*x)),
    )?;
    Ok(Some(html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "model" } th.number scope="col" { (report.headline.metric) }
                th.number scope="col" { "95 % interval" } th.number scope="col" { "bytes" }
                th.number scope="col" { "a row in batch" } th.number scope="col" { "a single row" }
            } }
            tbody {
                @for model in &report.models {
                    tr {
                        th scope="row" { (model.name) }
                        td.number { (model.score.map_or("undefined".to_owned(), short)) }
                        td.number { @if let Some([low, high]) = model.interval { (short(low)) " to " (short(high)) } }
                        td.number { (count(model.bytes)) }
                        td.number { @if let Some(ns) = model.ns_per_row { (nanoseconds(ns)) } }
                        td.number { @if let Some(ns) = model.ns_single { (nanoseconds(ns)) } }
                    }
                }
            }
        } }
        @if !report.comparisons.is_empty() {
            ul { @for sentence in &report.comparisons { li { (sentence) } } }
        }
        div.figures { @for figure in [&against_bytes, &against_time].into_iter().flatten() { (figure) } }
    }))
}

fn unlog(x: &f64) -> u64 {
    10f64.powf(*x).round() as u64
}

/// Scores against a price, on a scale of powers of ten; none of fewer than two models with both.
fn against(
    report: &Report<'_>,
    title: &str,
    x_name: &str,
    price: fn(&super::ModelLine) -> Option<f64>,
    x_tick: fn(&f64) -> String,
) -> Result<Option<Markup>, DrawError> {
    let point = |m: &super::ModelLine| Some((price(m).filter(|p| *p > 0.0)?.log10(), m.score?));
    let points: Vec<(&str, (f64, f64))> =
        report.models.iter().filter_map(|m| Some((m.name.as_str(), point(m)?))).collect();
    if points.len() < 2 {
        return Ok(None);
    }
    let series = |(colour, (name, at)): (usize, &(&str, (f64, f64)))| Series {
        name: Some((*name).to_owned()),
        look: Look::Marked,
        colour,
        points: vec![*at],
    };
    let better = if report.headline.greater_is_better { "upper" } else { "lower" };
    let chart = Chart {
        title: title.to_owned(),
        caption: format!(
            "The best models stand in the {better} left corner: as good, and cheaper. The horizontal scale is one of powers of ten."
        ),
        x_name: x_name.to_owned(),
        y_name: report.headline.metric.clone(),
        x: widened(range_of(points.iter().map(|p| p.1.0)), 0.1),
        y: widened(range_of(points.iter().map(|p| p.1.1)), 0.0),
        x_tick,
        y_tick: PLAIN,
        series: points.iter().enumerate().map(series).collect(),
    };
    chart.figure().map(Some)
}

/// Points should not lie on the frame.
fn widened(range: std::ops::Range<f64>, least: f64) -> std::ops::Range<f64> {
    let room = ((range.end - range.start) * 0.1).max(least);
    range.start - room..range.end + room
}
