//! What more rows bring.

use super::Report;
use super::chart::{Chart, DrawError, Look, PLAIN, Series, range_of};
use maud::Markup;

/// The learning curve; none of fewer than two points.
pub(super) fn learning(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    if report.learning.len() < 2 {
        return Ok(None);
    }
    let points = |of: fn(&super::LearningPoint) -> Option<f64>| -> Vec<(f64, f64)> {
        report.learning.iter().filter_map(|p| Some((p.n_rows as f64, of(p)?))).collect()
    };
    let (training, held_back) = (points(|p| p.training), points(|p| p.held_back));
    let all = || training.iter().chain(&held_back);
    let series = |name: &str, colour, points: &[(f64, f64)]| Series {
        name: Some(name.to_owned()),
        look: Look::Marked,
        colour,
        points: points.to_vec(),
    };
    let better = if report.headline.greater_is_better { "Higher" } else { "Lower" };
    let chart = Chart {
        title: "Learning curve".to_owned(),
        caption: format!(
            "{better} is better. If the line of rows held back still moves at the right end, more rows would help; a wide gap between the lines is what was learnt by heart."
        ),
        x_name: "training rows".to_owned(),
        y_name: report.headline.metric.clone(),
        x: range_of(std::iter::once(0.0).chain(all().map(|p| p.0))),
        y: range_of(all().map(|p| p.1)),
        x_tick: PLAIN,
        y_tick: PLAIN,
        series: vec![series("rows held back", 0, &held_back), series("training rows", 1, &training)],
    };
    chart.figure().map(Some)
}
