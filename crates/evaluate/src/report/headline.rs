//! The first lines: the question, the score, what the model costs, and what a person should know.

use super::{Headline, Notice, Report};
use crate::number::{count, nanoseconds, short, size};
use maud::{Markup, html};

/// The head of the page.
pub(super) fn head(report: &Report<'_>) -> Markup {
    let Headline { question, metric, score, interval, score_on, bytes, ns_per_row, ns_single, .. } =
        &report.headline;
    let better = if report.headline.greater_is_better { "more is better" } else { "less is better" };
    html! {
        header {
            p.kicker { "smidgen report" }
            h1 { (report.title) }
            p.lead { (question) }
            ul.cards {
                li.card.main {
                    span.name { (metric) }
                    strong { (score.map_or("undefined".to_owned(), short)) }
                    @if let Some([low, high]) = interval {
                        span.detail { "95 % interval " (short(*low)) " to " (short(*high)) }
                    }
                    span.detail { "on " (count(score_on.0 as u64)) " " (score_on.1) "; " (better) }
                }
                li.card {
                    span.name { "size" }
                    strong { (size(*bytes)) }
                    span.detail { "the whole model in one file" }
                }
                @if let Some(ns) = ns_per_row {
                    li.card {
                        span.name { "speed" }
                        strong { (nanoseconds(*ns)) }
                        span.detail { "a row in batch, one thread"
                            @if let Some(single) = ns_single { "; " (nanoseconds(*single)) " for a single row" }
                        }
                    }
                }
                @if let Some(n_rows) = report.headline.n_rows {
                    li.card {
                        span.name { "learnt from" }
                        strong { (count(n_rows as u64)) " rows" }
                        span.detail { (report.headline.n_columns.0) @if let Some(all) = report.headline.n_columns.1 { " of " (all) } " columns used; " (report.headline.exact) }
                    }
                }
            }
        }
    }
}

/// The scores on several sets of rows, and what they say together.
pub(super) fn scores(report: &Report<'_>) -> Option<Markup> {
    if report.scores.is_empty() {
        return None;
    }
    Some(html! {
        @if let Some(diagnosis) = &report.diagnosis { p.lead { (diagnosis) } }
        @if let Some(stability) = &report.stability { p { (stability) } }
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "rows" } th.number scope="col" { (report.headline.metric) } th scope="col" { "what it means" } } }
            tbody {
                @for line in &report.scores {
                    tr { th scope="row" { (line.on) } td.number {
                        (short(line.score))
                        @if let Some([low, high]) = line.interval { " " span.detail { "(" (short(low)) " to " (short(high)) ")" } }
                    } td { (line.meaning) } }
                }
            }
        } }
    })
}

/// Warnings and what was cleaned.
pub(super) fn notices(notices: &[Notice]) -> Option<Markup> {
    if notices.is_empty() {
        return None;
    }
    let list = |of: Vec<&Notice>| {
        html! {
            ul.notices {
                @for notice in of {
                    li.warning[notice.is_warning] {
                        @if let Some(column) = &notice.column { b { (column) } ": " }
                        (notice.text)
                    }
                }
            }
        }
    };
    let (warnings, cleaned): (Vec<_>, Vec<_>) = notices.iter().partition(|n| n.is_warning);
    Some(html! {
        @if !warnings.is_empty() { (list(warnings)) }
        @if !cleaned.is_empty() {
            details { summary { "What was cleaned (" (cleaned.len()) ")" } (list(cleaned)) }
        }
    })
}
