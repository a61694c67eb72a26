//! The rows that were predicted worst, what each stage cost, and how to make the model again.

use super::Report;
use crate::number::{count, short};
use maud::{Markup, html};

/// The worst rows with their cells.
pub(super) fn worst(report: &Report<'_>) -> Option<Markup> {
    if report.worst.rows.is_empty() {
        return None;
    }
    Some(html! {
        p { "Where the model was surest and wrong, or furthest off: often a mistake in the table, a rare case, or a column that is missing." }
        div.scroll tabindex="0" { table {
            thead { tr {
                th.number scope="col" { "row" } th scope="col" { "true" } th scope="col" { "predicted" }
                th.number scope="col" { "how wrong" }
                @for name in &report.worst.columns { th scope="col" { (name) } }
            } }
            tbody {
                @for row in &report.worst.rows {
                    tr {
                        th.number scope="row" { (count(row.number as u64)) }
                        td { (row.truth) } td { (row.predicted) } td.number { (row.how_wrong) }
                        @for cell in &row.cells { td { (cell) } }
                    }
                }
            }
        } }
    })
}

/// Seconds by stage, and the recipe.
pub(super) fn stages(report: &Report<'_>) -> Option<Markup> {
    let total: f64 = report.stages.iter().map(|s| s.1).sum();
    if total <= 0.0 {
        return None;
    }
    Some(html! {
        div.scroll tabindex="0" { table.bars {
            thead { tr { th scope="col" { "stage" } th scope="col" { "share" } th.number scope="col" { "seconds" } } }
            tbody {
                @for (name, seconds) in &report.stages {
                    tr {
                        th scope="row" { (name) }
                        td.bar { span style=(format!("width:{:.1}%", 100.0 * seconds / total)) {} }
                        td.number { (short(*seconds)) }
                    }
                }
            }
        } }
    })
}

/// How the model was made, and how to make it again.
pub(super) fn again(report: &Report<'_>) -> Markup {
    made_by(&report.recipe, report.command_makes, &report.command)
}

/// Settings, and the command that makes something again.
pub(super) fn made_by(recipe: &[(String, String)], makes: &str, command: &str) -> Markup {
    html! {
        @if !recipe.is_empty() {
            dl {
                @for (name, value) in recipe { dt { (name) } dd { (value) } }
            }
        }
        p { "This command makes " (makes) " again:" }
        pre tabindex="0" { code { (command) } }
    }
}
