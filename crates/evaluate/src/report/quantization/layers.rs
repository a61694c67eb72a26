//! Layers: how much noise each adds, what each costs alone and why; and what stays floats.

use super::{Distance, LayerFigures, Quantization, decibel, decibel_of};
use crate::number::{count, percent, short};
use crate::report::chart::{Chart, DrawError, Look, PLAIN, Series, WHOLE, range_of};
use maud::{Markup, html};

/// Layers that get a line.
pub(super) const MOST_LAYERS: usize = 200;
/// A remedy that leaves more than this of the noise is none.
const HELPS: f64 = 0.5;

/// Signal to noise over the layers; none of fewer than two.
pub(super) fn signal(of: &Quantization<'_>) -> Result<Option<Markup>, DrawError> {
    let along = |name: &str, colour: usize, value: &dyn Fn(&LayerFigures) -> f64| Series {
        name: (!name.is_empty()).then(|| name.to_owned()),
        look: Look::Marked,
        colour,
        points: (1..).zip(&of.layers).map(|(at, layer)| (f64::from(at), value(layer))).collect(),
    };
    let output = chart(
        "At the output of each layer",
        "Signal to noise with all layers before it in integers too: more is better. Noise adds up from layer to layer; where the line falls steeply, a layer adds much of its own.",
        vec![
            along("as rounded", 1, &|l| l.signal_to_noise[0]),
            along("with its bias corrected", 0, &|l| l.signal_to_noise[1]),
        ],
    )?;
    let alone = chart(
        "At the outputs of the network, one layer in integers",
        "Signal to noise of the outputs if this layer alone is in integers and all others are floats: the lowest point is the layer that costs most.",
        vec![along("", 0, &|l| -10.0 * l.alone.noise.log10())],
    )?;
    Ok((output.is_some() || alone.is_some()).then(|| {
        html! {
            p { "Layers are numbered in the order of the network, as in the table below." }
            div.figures { @for figure in [&output, &alone].into_iter().flatten() { (figure) } }
        }
    }))
}

/// Decibels by the number of a layer; none of fewer than two points.
fn chart(title: &str, caption: &str, series: Vec<Series>) -> Result<Option<Markup>, DrawError> {
    let is_line = |s: &Series| s.points.iter().filter(|p| p.1.is_finite()).count() > 1;
    if !series.iter().any(is_line) {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|s| &s.points);
    let chart = Chart {
        title: title.to_owned(),
        caption: caption.to_owned(),
        x_name: "layer".to_owned(),
        y_name: "signal to noise, dB".to_owned(),
        x: range_of(points().map(|p| p.0)),
        y: range_of(points().map(|p| p.1)),
        x_tick: WHOLE,
        y_tick: PLAIN,
        series,
    };
    chart.figure().map(Some)
}

/// A line a layer, those first that cost most; none without layers.
pub(super) fn table(of: &Quantization<'_>) -> Option<Markup> {
    if of.layers.is_empty() {
        return None;
    }
    let left = of.layers.len().saturating_sub(MOST_LAYERS);
    let has_labels = of.distance.labels.is_some();
    Some(html! {
        p { "What each layer does to the outputs if it alone is in integers, on a few of the rows: noise is the power of the error against that of the outputs." }
        div.scroll tabindex="0" { table.layers {
            thead { tr {
                th.number scope="col" { "#" } th scope="col" { "layer" } th.number scope="col" { "bits" }
                th.number scope="col" { "noise below its output" } th.number scope="col" { "below the outputs, it alone" }
                @if has_labels { th.number scope="col" { "labels that stay" } th.number scope="col" { "divergence" } }
                th scope="col" { "why, and what would help" }
            } }
            tbody {
                @for (at, layer) in of.by_cost().into_iter().take(MOST_LAYERS) { (line(at, layer, has_labels)) }
            }
        } }
        p.detail {
            "Bits are those of a weight and of what the layer takes. Noise below its output is told with all before it in integers, behind its correction and (paler) as rounded; divergence is in nats."
            @if left > 0 { " " (left) " more layers cost less; they stand in " code { "--json" } "." }
        }
    })
}

fn line(at: usize, layer: &LayerFigures, has_labels: bool) -> Markup {
    let [raw, corrected] = layer.signal_to_noise;
    html! {
        tr {
            td.number { (at) }
            th scope="row" { (layer.name) div.detail { (layer.op) ", " (count(layer.n_weights as u64)) " weights" } }
            td.number { (layer.bits.0) " × " (layer.bits.1) }
            td.number { (decibel(corrected)) @if raw != corrected { div.detail { (decibel(raw)) } } }
            td.number { (decibel_of(layer.alone.noise)) div.detail { (short(layer.alone.noise)) } }
            @if has_labels {
                @let (agreement, divergence) = layer.alone.labels.unwrap_or((1.0, 0.0));
                td.number { (percent(agreement)) } td.number { (short(divergence)) }
            }
            td.why {
                @for cause in &layer.causes { p { (cause) } }
                @if let Some((what, then)) = &layer.remedy { (remedy(what, *then, layer.alone)) }
            }
        }
    }
}

/// What was tried, and what it does.
fn remedy(what: &str, then: Distance, alone: Distance) -> Markup {
    let labels =
        then.labels.map_or(String::new(), |(share, _)| format!(", {} of labels stay", percent(share)));
    html! {
        @if then.noise < HELPS * alone.noise {
            p { b { (what) } ": noise " (decibel_of(then.noise)) " instead of " (decibel_of(alone.noise)) (labels) }
        } @else {
            p.detail { "Nothing that was tried halves its noise; the best is " (what) ": " (decibel_of(then.noise)) }
        }
    }
}

/// Nodes that compute with floats; none where none does.
pub(super) fn floats(of: &Quantization<'_>) -> Option<Markup> {
    (!of.floats.is_empty()).then(|| html! {
        p { (of.floats.len()) " nodes compute with floats: " @for (i, name) in of.floats.iter().enumerate() { @if i > 0 { ", " } code { (name) } } }
    })
}
