//! The first lines of a quantization: what it was, what it is, what that cost; and the bound on it.

use super::{Demand, Distance, Quantization, decibel_of};
use crate::number::{count, nanoseconds, percent, short, size};
use maud::{Markup, html};

/// The head of the page.
pub(super) fn head(of: &Quantization<'_>) -> Markup {
    let [before, behind] = of.bytes;
    let rows = count(of.n_rows as u64);
    let share = percent(behind as f64 / before.max(1) as f64);
    html! {
        header {
            p.kicker { "smidgen quantize" }
            h1 { (of.title) }
            p.lead { (of.source) " (" (size(before)) ") became " (of.title) " (" (size(behind)) "), compared on " (rows) " rows." }
            ul.cards {
                @match (of.accuracy, of.distance.labels) {
                    (Some([float, integer]), _) => li.card.main {
                        span.name { "accuracy" }
                        strong { (short(integer)) }
                        span.detail { "the float network has " (short(float)) }
                        @if let Some([low, high]) = of.interval {
                            span.detail { "95 % interval " (short(low)) " to " (short(high)) }
                        }
                    },
                    (None, Some((agreement, _))) => li.card.main {
                        span.name { "labels that stay" }
                        strong { (percent(agreement)) }
                        span.detail { "on " (rows) " rows" }
                    },
                    (None, None) => li.card.main {
                        span.name { "signal to noise of the outputs" }
                        strong { (decibel_of(of.distance.noise)) }
                        span.detail { "on " (rows) " rows" }
                    },
                }
                li.card {
                    span.name { "size" }
                    strong { (size(behind)) }
                    span.detail { (share) " of " (size(before)) }
                }
                (labels(of.distance, of.accuracy.is_some()))
                @if let Some([float, integer]) = of.ns_per_row {
                    li.card {
                        span.name { "speed" }
                        strong { (nanoseconds(integer)) }
                        span.detail { "a row in batch, one thread; the float network takes " (nanoseconds(float)) " here" }
                    }
                }
                @if let Some(demand) = &of.demand {
                    li.card.failed[!demand.holds] {
                        span.name { "lost" }
                        strong { (points(demand.drop)) }
                        span.detail { "at most " (demand.bound) ": " @if demand.holds { "met" } @else { "not met" } }
                        span.detail { (between(demand)) }
                    }
                }
            }
        }
    }
}

/// Labels that stay, unless they are the main card already.
fn labels(distance: Distance, is_second: bool) -> Markup {
    let noise = match decibel_of(distance.noise) {
        none if none == "none" => "outputs are equal".to_owned(),
        decibel => format!("noise {decibel} below the outputs"),
    };
    html! {
        @if let Some((agreement, divergence)) = distance.labels {
            li.card {
                @if is_second {
                    span.name { "labels that stay" }
                    strong { (percent(agreement)) }
                    span.detail { "divergence " (short(divergence)) " nats; " (noise) }
                } @else {
                    span.name { "divergence" }
                    strong { (short(divergence)) " nats" }
                    span.detail { (noise) }
                }
            }
        }
    }
}

/// A share of rows in points.
fn points(share: f64) -> String {
    format!("{:.2} points", 100.0 * share)
}

fn between(demand: &Demand) -> String {
    let [low, high] = demand.interval.map(|end| 100.0 * end);
    format!("{low:.2} to {high:.2} on other rows, in 95 of 100 cases")
}

/// The bound, and which layers went back to more bits for it; none if none was asked for.
pub(super) fn demand(of: &Quantization<'_>) -> Option<Markup> {
    let demand = of.demand.as_ref()?;
    let list = |names: &[String]| names.join(", ");
    Some(html! {
        ul.notices {
            li.warning[!demand.holds] {
                "At most " (demand.bound) " was to be lost. Lost: " (points(demand.drop)) ", " (between(demand)) "."
                @if !demand.holds { " That is too much, even with all layers in floats." }
            }
            li { (demand.n_checks) @if demand.n_checks == 1 { " network was" } @else { " networks were" } " compared with the float one, which took " (format!("{:.1}", demand.passes)) " runs over all rows." }
            @if [&demand.wide, &demand.widest, &demand.floats].iter().all(|names| names.is_empty()) {
                li { "No layer had to take more bits than the scheme gives it." }
            }
            @if !demand.wide.is_empty() { li { "Take 16 bits: " (list(&demand.wide)) "." } }
            @if !demand.widest.is_empty() { li { "Take 16 bits, and their weights too: " (list(&demand.widest)) "." } }
            @if !demand.floats.is_empty() { li { "Stay floats: " (list(&demand.floats)) "." } }
        }
    })
}
