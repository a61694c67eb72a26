//! Right and wrong by class: the confusion matrix and the table of classes.

use super::Report;
use crate::number::{count, short};
use maud::{Markup, html};
use metrics::{Confusion, Observed, class_table};

/// Classes whose whole matrix is shown; beyond, the most frequent mistakes are.
pub(super) const MOST_IN_MATRIX: usize = 15;
/// Classes that the table shows; of more those of lowest F1.
pub(super) const MOST_CLASSES: usize = 30;
/// Mistakes that are listed.
pub(super) const MOST_MISTAKES: usize = 20;

/// The section; none for regression.
pub(super) fn classes(report: &Report<'_>) -> Option<Markup> {
    let Some(Observed::Classified(classified)) = &report.observed else { return None };
    let confusion = Confusion::try_new(classified).ok()?;
    let matrix: Vec<Vec<u64>> = confusion.rows().map(<[u64]>::to_vec).collect();
    let names = report.classes;
    let shown = if names.len() <= MOST_IN_MATRIX { square(names, &matrix) } else { mistakes(names, &matrix) };
    let table = class_table(classified);
    let left = names.len().saturating_sub(MOST_CLASSES);
    let mut lines: Vec<_> = names.iter().zip(&table).collect();
    if left > 0 {
        lines.sort_by(|a, b| a.1.f1.total_cmp(&b.1.f1));
    }
    Some(html! {
        (shown)
        div.scroll tabindex="0" { table {
            thead { tr {
                th scope="col" { "class" } th.number scope="col" { "precision" } th.number scope="col" { "recall" }
                th.number scope="col" { "f1" } th.number scope="col" { "rows" }
            } }
            tbody {
                @for (name, row) in lines.iter().take(MOST_CLASSES) {
                    tr {
                        th scope="row" { (name) }
                        td.number { (short(row.precision)) } td.number { (short(row.recall)) }
                        td.number { (short(row.f1)) } td.number { (count(row.support as u64)) }
                    }
                }
            }
        } }
        @if left > 0 { p.detail { "The classes of lowest f1; " (left) " more are not shown." } }
    })
}

/// Rows true, columns predicted; a cell is as dark as its share of the row.
fn square(names: &[String], matrix: &[Vec<u64>]) -> Markup {
    html! {
        p { "Each line is a true class; the cells count what was predicted for its rows. Right answers stand on the diagonal." }
        (cells(names, matrix))
    }
}

/// The matrix alone.
pub(super) fn cells(names: &[String], matrix: &[Vec<u64>]) -> Markup {
    html! {
        div.scroll tabindex="0" { table.confusion {
            thead { tr { th scope="col" { "true \\ predicted" } @for name in names { th.number scope="col" { (name) } } } }
            tbody {
                @for (i, (name, row)) in names.iter().zip(matrix).enumerate() {
                    @let all = row.iter().sum::<u64>().max(1) as f64;
                    tr {
                        th scope="row" { (name) }
                        @for (k, n) in row.iter().enumerate() {
                            td.number.right[i == k] style=(format!("--share:{:.0}%", 100.0 * *n as f64 / all)) { (count(*n)) }
                        }
                    }
                }
            }
        } }
    }
}

/// The most frequent mistakes of many classes.
fn mistakes(names: &[String], matrix: &[Vec<u64>]) -> Markup {
    let mut found: Vec<(u64, usize, usize)> = Vec::new();
    for (truth, row) in matrix.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(predicted, n)| *predicted != truth && **n > 0);
        found.extend(wrong.map(|(predicted, n)| (*n, truth, predicted)));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let name = |class: usize| names.get(class).map_or("", String::as_str);
    html! {
        p { "The most frequent mistakes; the whole matrix of " (names.len()) " classes stands in " code { "--json" } "." }
        div.scroll tabindex="0" { table {
            thead { tr { th scope="col" { "true class" } th scope="col" { "predicted" } th.number scope="col" { "rows" } } }
            tbody {
                @for (n, truth, predicted) in found.iter().take(MOST_MISTAKES) {
                    tr { th scope="row" { (name(*truth)) } td { (name(*predicted)) } td.number { (count(*n)) } }
                }
            }
        } }
    }
}
