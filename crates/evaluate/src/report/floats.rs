//! The same recipe without rounding beside the deployed integers.

use super::{FloatLine, Report};
use crate::number::short;
use maud::{Markup, html};

/// Float, integer, difference; none where nothing was computed without rounding.
pub(super) fn floats(report: &Report<'_>) -> Option<Markup> {
    if report.floats.lines.is_empty() {
        return None;
    }
    Some(html! {
        p { "The same recipe, trained and run in floating point, beside the integers of the file: what rounding changes." }
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "" } th.number scope="col" { "floats" } th.number scope="col" { "integers" }
                th.number scope="col" { "difference" }
            } }
            tbody {
                @for FloatLine { name, float, integer } in &report.floats.lines {
                    tr {
                        th scope="row" { (name) } td.number { (short(*float)) } td.number { (short(*integer)) }
                        td.number { (signed(integer - float)) }
                    }
                }
            }
        } }
        @for sentence in &report.floats.sentences { p { (sentence) } }
    })
}

fn signed(difference: f64) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", short(difference))
}
