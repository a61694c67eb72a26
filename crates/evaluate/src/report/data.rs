//! The training table, column by column, and what its columns are worth.

use super::{ColumnLine, Report};
use crate::explain::Importance;
use crate::number::{percent, short};
use maud::{Markup, html};

/// Columns that are shown; beyond, their number is told.
pub(super) const MOST_COLUMNS: usize = 200;
/// Columns whose worth is drawn.
const MOST_BARS: usize = 25;

/// What is in the columns.
pub(super) fn columns(report: &Report<'_>) -> Option<Markup> {
    if report.columns.is_empty() {
        return None;
    }
    let left = report.columns.len().saturating_sub(MOST_COLUMNS);
    Some(html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "column" } th scope="col" { "kind" } th.number scope="col" { "missing" }
                th scope="col" { "least, quartiles, most" } th scope="col" { "most frequent" }
            } }
            tbody {
                @for ColumnLine { name, kind, missing, spread, frequent } in report.columns.iter().take(MOST_COLUMNS) {
                    tr {
                        th scope="row" { (name) }
                        td { (kind) }
                        td.number { (percent(*missing)) }
                        td.spread { (spread.join("  ·  ")) }
                        td {
                            @for (i, (value, share)) in frequent.iter().take(3).enumerate() {
                                @if i > 0 { ", " }
                                (value) " " span.detail { (percent(*share)) }
                            }
                        }
                    }
                }
            }
        } }
        @if left > 0 { p.detail { (left) " more columns are not shown; see " code { "smidgen inspect" } "." } }
    })
}

/// What the columns are worth, as bars.
pub(super) fn importance(report: &Report<'_>) -> Option<Markup> {
    let largest = report.importance.iter().map(|i| i.permutation).fold(0.0, f64::max);
    if report.importance.is_empty() || largest <= 0.0 {
        return None;
    }
    let left = report.importance.len().saturating_sub(MOST_BARS);
    Some(html! {
        p { "How much " (report.worth_metric) " gets worse when the cells of a column are shuffled among the rows: what the model loses without it." }
        div.scroll tabindex="0" { table.bars {
            thead { tr {
                th scope="col" { "column" } th scope="col" { "worth" } th.number scope="col" { "loss" } th.number scope="col" { "mean effect" }
            } }
            tbody {
                @for Importance { column, permutation, deviation, shap } in report.importance.iter().take(MOST_BARS) {
                    tr {
                        th scope="row" { (column) }
                        td.bar { span style=(format!("width:{:.1}%", (100.0 * permutation / largest).clamp(0.0, 100.0))) {} }
                        td.number { (short(*permutation)) " " span.detail { "± " (short(*deviation)) } }
                        td.number { (short(*shap)) }
                    }
                }
            }
        } }
        p.detail { "Mean effect: the mean size of what the column adds to a row's score or takes from it (SHAP of the deployed integers)." }
        @if left > 0 { p.detail { (left) " more columns are worth less." } }
    })
}
