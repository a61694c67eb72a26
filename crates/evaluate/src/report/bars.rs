//! Numbers by name, as bars from zero: to the left below it, to the right above.

use crate::number::short;
use maud::{Markup, html};

/// A number with its name.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
}

/// A table with a bar a line; `of` and `what` head its columns.
pub(super) fn bars(of: &str, what: &str, lines: &[Bar]) -> Markup {
    let most = lines.iter().map(|bar| bar.value.abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let has_below = lines.iter().any(|bar| bar.value < 0.0);
    let (zero, unit) = if has_below { (50.0, 50.0) } else { (0.0, 100.0) };
    html! {
        div.scroll tabindex="0" { table.bars {
            thead { tr { th scope="col" { (of) } th scope="col" { (what) } th.number scope="col" {} } }
            tbody {
                @for Bar { name, value } in lines {
                    @let length = unit * (value.abs() / most).min(1.0);
                    @let left = if *value < 0.0 { zero - length } else { zero };
                    tr {
                        th scope="row" { (name) }
                        td.bar { span.below[*value < 0.0] style=(format!("width:{length:.1}%;margin-left:{left:.1}%")) {} }
                        td.number { (short(*value)) }
                    }
                }
            }
        } }
    }
}
