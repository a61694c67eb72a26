//! Float, integer, difference: figures, and the confusion matrices of both.

use super::{BesideLine, Quantization, Unit};
use crate::number::{count, nanoseconds, percent, short, size};
use crate::report::classes::{MOST_IN_MATRIX, MOST_MISTAKES, cells};
use maud::{Markup, html};

/// Figures of both networks.
pub(super) fn figures(of: &Quantization<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" {} th.number scope="col" { "float" } th.number scope="col" { "integer" }
                th.number scope="col" { "difference" } th scope="col" {}
            } }
            tbody {
                @for line in &of.lines {
                    tr {
                        th scope="row" { (line.name) }
                        td.number { (line.float.map_or(String::new(), |v| number(line.unit, v))) }
                        td.number { (line.integer.map_or(String::new(), |v| number(line.unit, v))) }
                        td.number { (difference(line)) }
                        td.detail.meaning { (line.meaning) }
                    }
                }
            }
        } }
        @for sentence in &of.sentences { p { (sentence) "." } }
    }
}

fn number(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Score => short(value),
        Unit::Share => percent(value),
        Unit::Count => count(value.round() as u64),
        Unit::Bytes => size(value.round() as u64),
        Unit::Nanoseconds => nanoseconds(value),
    }
}

/// Scores as a difference, sizes and times as a share of the float network's.
fn difference(line: &BesideLine) -> String {
    let (Some(float), Some(integer)) = (line.float, line.integer) else { return String::new() };
    match line.unit {
        // As many digits for each line, so that small differences compare by eye.
        Unit::Score => format!("{:+.5}", integer - float),
        _ if integer == float => "0 %".to_owned(),
        _ if float > 0.0 => format!("{:+.1} %", 100.0 * (integer / float - 1.0)),
        _ => String::new(),
    }
}

/// Confusion matrices of both and their difference; of many classes the mistakes whose number changed most.
pub(super) fn classes(of: &Quantization<'_>) -> Option<Markup> {
    let [float, integer] = of.confusion.filter(|c| c.iter().all(|m| !m.is_empty()))?;
    let names = of.classes;
    if names.len() > MOST_IN_MATRIX {
        return Some(changed(names, float, integer));
    }
    Some(html! {
        p { "Each line is a true class; the cells count what was predicted for its rows. Right answers stand on the diagonal." }
        div.figures.compact {
            figure { h3 { "Float" } (cells(names, float)) }
            figure { h3 { "Integer" } (cells(names, integer)) }
            figure { h3 { "Integer less float" } (differences(names, float, integer)) }
        }
    })
}

/// How much more often the integer network gives an answer; blue where that is for the better.
fn differences(names: &[String], float: &[Vec<u64>], integer: &[Vec<u64>]) -> Markup {
    let gap = |a: u64, b: u64| b as f64 - a as f64;
    let both = || float.iter().flatten().zip(integer.iter().flatten());
    let most = both().map(|(a, b)| gap(*a, *b).abs()).fold(1.0, f64::max);
    html! {
        div.scroll tabindex="0" { table.confusion {
            thead { tr { th scope="col" { "true \\ predicted" } @for name in names { th.number scope="col" { (name) } } } }
            tbody {
                @for (i, (name, (a, b))) in names.iter().zip(float.iter().zip(integer)).enumerate() {
                    tr {
                        th scope="row" { (name) }
                        @for (k, (a, b)) in a.iter().zip(b).enumerate() {
                            @let change = gap(*a, *b);
                            td.number.right[(i == k) == (change > 0.0)] style=(format!("--share:{:.0}%", 100.0 * change.abs() / most)) {
                                (if change == 0.0 { "·".to_owned() } else { format!("{change:+.0}") })
                            }
                        }
                    }
                }
            }
        } }
        figcaption { "Blue: for the better; the other colour: for the worse." }
    }
}

/// The mistakes whose number changed most.
fn changed(names: &[String], float: &[Vec<u64>], integer: &[Vec<u64>]) -> Markup {
    let mut found: Vec<(i128, usize, usize, u64, u64)> = Vec::new();
    for (truth, (a, b)) in float.iter().zip(integer).enumerate() {
        for (predicted, (&a, &b)) in a.iter().zip(b).enumerate().filter(|(k, (a, b))| *k != truth && a != b) {
            found.push((i128::from(b) - i128::from(a), truth, predicted, a, b));
        }
    }
    found.sort_by_key(|&(change, truth, predicted, ..)| (std::cmp::Reverse(change.abs()), truth, predicted));
    let name = |class: usize| names.get(class).map_or("", String::as_str);
    html! {
        @if found.is_empty() { p { "Both networks make the same mistakes." } } @else {
            p { "The mistakes whose number changed most; the whole matrices of " (names.len()) " classes stand in " code { "--json" } "." }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th scope="col" { "true class" } th scope="col" { "predicted" } th.number scope="col" { "float" }
                    th.number scope="col" { "integer" } th.number scope="col" { "difference" }
                } }
                tbody {
                    @for &(change, truth, predicted, a, b) in found.iter().take(MOST_MISTAKES) {
                        tr {
                            th scope="row" { (name(truth)) } td { (name(predicted)) } td.number { (count(a)) }
                            td.number { (count(b)) } td.number { (format!("{change:+}")) }
                        }
                    }
                }
            } }
        }
    }
}
