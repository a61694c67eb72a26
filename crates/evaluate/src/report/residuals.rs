//! Regression: predicted against true, and how the errors are spread.

use super::Report;
use super::chart::{Chart, DrawError, Look, PLAIN, Series, range_of};
use crate::error_intervals;
use crate::explain::evenly;
use crate::number::{percent, short};
use maud::{Markup, html};
use metrics::Observed;

const MOST_POINTS: usize = 800;
const BINS: usize = 40;

/// The section; none for classes.
pub(super) fn residuals(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    let Some(Observed::Regressed(rows)) = &report.observed else { return Ok(None) };
    let pairs: Vec<(f64, f64)> =
        rows.predictions().iter().copied().zip(rows.targets().iter().copied()).collect();
    let range = range_of(pairs.iter().flat_map(|p| [p.0, p.1]));
    let diagonal = vec![(range.start, range.start), (range.end, range.end)];
    let against = Chart {
        title: "True against predicted".to_owned(),
        caption: "A perfect model puts all points on the line; a cloud that bends away from it is a lasting error for large or small values.".to_owned(),
        x_name: "predicted".to_owned(),
        y_name: "true".to_owned(),
        x: range.clone(),
        y: range,
        x_tick: PLAIN,
        y_tick: PLAIN,
        series: vec![
            Series { name: None, look: Look::Guide, colour: 0, points: diagonal },
            Series { name: None, look: Look::Points, colour: 0, points: evenly(pairs.len(), MOST_POINTS).into_iter().map(|i| pairs[i as usize]).collect() },
        ],
    };
    let mut residuals: Vec<f64> = pairs.iter().map(|(predicted, truth)| truth - predicted).collect();
    residuals.sort_by(f64::total_cmp);
    // The outermost hundredths would squeeze all others together; they go to the end bars.
    let at = |share: f64| residuals[((residuals.len() - 1) as f64 * share) as usize];
    let range = range_of([at(0.005), at(0.995)].into_iter());
    let mut counts = [0u64; BINS];
    for r in &residuals {
        let place = (r - range.start) / (range.end - range.start) * BINS as f64;
        counts[(place.max(0.0) as usize).min(BINS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1) as f64;
    let step = (range.end - range.start) / BINS as f64;
    let bars: Vec<(f64, f64)> =
        counts.iter().enumerate().map(|(i, n)| (range.start + step * (i + 1) as f64, *n as f64)).collect();
    let spread = Chart {
        title: "Errors".to_owned(),
        caption: format!(
            "True minus predicted. Half of the rows lie within {} and {}; the end bars hold what lies further out.",
            short(at(0.25)),
            short(at(0.75))
        ),
        x_name: "true - predicted".to_owned(),
        y_name: "rows".to_owned(),
        x: range,
        y: 0.0..most * 1.05,
        x_tick: PLAIN,
        y_tick: PLAIN,
        series: vec![Series { name: None, look: Look::Bars, colour: 0, points: bars }],
    };
    let (against, spread) = (against.figure()?, spread.figure()?);
    let intervals = error_intervals(rows);
    Ok(Some(html! {
        div.figures { (against) (spread) }
        @if !intervals.is_empty() {
            h3 { "How far off?" }
            p { "Around a prediction, this much to each side; half of these rows chose the widths that the other half was tried with." }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th.number scope="col" { "should hold" } th.number scope="col" { "to each side" }
                    th.number scope="col" { "holds" } th.number scope="col" { "quantile loss of the ends" }
                } }
                tbody {
                    @for interval in &intervals {
                        tr {
                            th.number scope="row" { (percent(interval.level)) } td.number { "± " (short(interval.half_width)) }
                            td.number { (percent(interval.held.share)) } td.number { (short(interval.pinball)) }
                        }
                    }
                }
            } }
        }
    }))
}
