//! What layers take: histograms of their inputs, the range that has codes, and what each observer would have chosen.

use super::{LayerFigures, Quantization, RangeLine};
use crate::number::{count, percent, short};
use crate::report::chart::{Chart, DrawError, Look, PLAIN, Series, WHOLE};
use maud::{Markup, html};

/// Layers, the worst first, that get a drawing.
pub(super) const MOST_DRAWN: usize = 40;
/// Layers that are open when the page is.
const N_OPEN: usize = 3;
/// Height of a bar of one value, as a power of ten: it must be seen.
const ONE: f64 = 0.08;

/// The section; none without layers.
pub(super) fn inputs(of: &Quantization<'_>) -> Result<Option<Markup>, DrawError> {
    if of.layers.is_empty() {
        return Ok(None);
    }
    let mut drawn = Vec::new();
    for (place, (at, layer)) in of.by_cost().into_iter().take(MOST_DRAWN).enumerate() {
        let figure = drawing(layer)?;
        drawn.push(html! {
            details open[place < N_OPEN] {
                summary {
                    b { (at) ". " (layer.name) } ": " (short(layer.range[0])) " to " (short(layer.range[1]))
                    span.detail { ", " (percent(layer.beyond)) " of the values beyond" }
                }
                div.figures { (figure) (observers(layer, &of.observer)) }
            }
        });
    }
    let left = of.layers.len().saturating_sub(MOST_DRAWN);
    Ok(Some(html! {
        p { "The values that each layer takes, the range of them that has codes, and the ranges that all observers would have chosen from the same values for the bits of the scheme: a layer that went back to 16 bits has room for a wider one. Values beyond a range become its end; a wider range has coarser steps." }
        @for layer in &drawn { (layer) }
        @if left > 0 { p.detail { (left) " more layers cost less; their ranges stand in " code { "--json" } "." } }
    }))
}

fn drawing(layer: &LayerFigures) -> Result<Markup, DrawError> {
    let histogram = &layer.histogram;
    let n = histogram.counts.len().max(1) as f64;
    let width = (histogram.high - histogram.low) / n;
    let height = |n: u64| if n == 0 { 0.0 } else { (n as f64).log10().max(ONE) };
    let bars: Vec<(f64, f64)> = (1..)
        .zip(&histogram.counts)
        .map(|(i, &n)| (histogram.low + width * f64::from(i), height(n)))
        .collect();
    let top = 1.05 * bars.iter().map(|b| b.1).fold(1.0, f64::max);
    let end = |at: f64, name: Option<&str>| Series {
        name: name.map(str::to_owned),
        look: Look::Line,
        colour: 1,
        points: vec![(at, 0.0), (at, top)],
    };
    let all = histogram.counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    let chart = Chart {
        title: "Values of its input".to_owned(),
        caption: format!(
            "{} values, {} of them 0. The vertical scale is one of powers of ten.",
            count(all),
            percent(layer.zeros)
        ),
        x_name: "value".to_owned(),
        y_name: "values in a bin".to_owned(),
        x: histogram.low..histogram.high,
        y: 0.0..top,
        x_tick: PLAIN,
        y_tick: |v| Some(WHOLE(v)).filter(|n| !n.is_empty()).map_or(String::new(), |n| format!("1e{n}")),
        series: vec![
            Series { name: None, look: Look::Bars, colour: 0, points: bars },
            end(layer.range[0], Some("range that has codes")),
            end(layer.range[1], None),
        ],
    };
    chart.figure()
}

/// Ranges on the scale of the drawing, the least error first.
fn observers(layer: &LayerFigures, asked: &str) -> Markup {
    let (low, high) = (layer.histogram.low, layer.histogram.high);
    let share = |at: f64| (100.0 * (at - low) / (high - low).max(f64::MIN_POSITIVE)).clamp(0.0, 100.0);
    let mut lines: Vec<&RangeLine> = layer.observers.iter().collect();
    lines.sort_by(|a, b| a.error.total_cmp(&b.error));
    html! {
        div { h3 { "What observers choose" }
        div.scroll tabindex="0" { table.bars {
            thead { tr {
                th scope="col" { "observer" } th scope="col" { "range" } th.number scope="col" { "from" }
                th.number scope="col" { "to" } th.number scope="col" { "squared error" }
            } }
            tbody {
                @for RangeLine { name, range: [from, to], error } in lines {
                    tr.best[*name == asked] {
                        th scope="row" { (name) }
                        td.bar { span style=(format!("margin-left:{:.1}%;width:{:.1}%", share(*from), share(*to) - share(*from))) {} }
                        td.number { (short(*from)) } td.number { (short(*to)) } td.number { (short(*error)) }
                    }
                }
            }
        } }
        p.detail { "Coloured: " (asked) ", which was asked for. The squared error is that expected of rounding a value." } }
    }
}
