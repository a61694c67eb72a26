//! The tables of an additive model: what every value of a column adds to the score.

use super::Report;
use super::bars::{Bar, bars};
use super::chart::{Chart, DrawError, Look, PLAIN, Series, range_of};
use super::shapes::outputs;
use crate::explain::{ScoreTable, Side};
use crate::number::short;
use maud::{Markup, html};

/// Tables that are drawn, and places of a pair's side that are.
const MOST_TABLES: usize = 12;
const MOST_PLACES: usize = 16;

/// The section; none of a model whose score is no sum of tables.
pub(super) fn tables(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    if report.tables.is_empty() {
        return Ok(None);
    }
    let figures: Vec<Markup> = report
        .tables
        .iter()
        .take(MOST_TABLES)
        .map(|table| figure(report, table))
        .collect::<Result<_, _>>()?;
    let left = report.tables.len().saturating_sub(MOST_TABLES);
    Ok(Some(html! {
        p { "This model is a sum: each column (or pair) adds what its table says, less its mean over the rows. These figures are the whole model, not a picture of it." }
        div.figures { @for figure in &figures { (figure) } }
        @if left > 0 { p.detail { (left) " more tables add less." } }
    }))
}

fn figure(report: &Report<'_>, table: &ScoreTable) -> Result<Markup, DrawError> {
    let outputs: Vec<(usize, String)> = match outputs(report, table.width) {
        // A score of two classes is that of the second one.
        one if table.width == 1 => {
            one.into_iter().map(|(at, _)| (at, "adds to the score".to_owned())).collect()
        }
        several => several
            .into_iter()
            .map(|(at, _)| (at, format!("adds to “{}”", report.classes.get(at).map_or("", String::as_str))))
            .collect(),
    };
    match &table.sides[..] {
        [side] if side.edges.as_ref().is_some_and(|edges| !edges.is_empty()) => steps(table, side, &outputs),
        [side] => Ok(categories(table, side, &outputs)),
        [a, b] => Ok(pair(table, a, b)),
        _ => Ok(html! {}),
    }
}

/// A number's table as steps.
fn steps(table: &ScoreTable, side: &Side, outputs: &[(usize, String)]) -> Result<Markup, DrawError> {
    let edges = side.edges.as_deref().unwrap_or_default();
    let ends = range_of(edges.iter().copied());
    let bounds: Vec<f64> =
        std::iter::once(ends.start).chain(edges.iter().copied()).chain(std::iter::once(ends.end)).collect();
    let value =
        |place: usize, output: usize| table.values.get(place * table.width + output).copied().unwrap_or(0.0);
    let line = |output: usize| -> Vec<(f64, f64)> {
        let step = |(place, ends): (usize, &[f64])| {
            [(ends[0], value(place, output)), (ends[1], value(place, output))]
        };
        bounds.windows(2).enumerate().flat_map(step).collect()
    };
    let series: Vec<Series> = outputs
        .iter()
        .enumerate()
        .map(|(colour, (output, name))| Series {
            name: (outputs.len() > 1).then(|| name.clone()),
            look: Look::Line,
            colour,
            points: line(*output),
        })
        .collect();
    let last = side.places.len().saturating_sub(1);
    let missing = match (side.counts.get(last), outputs.first()) {
        (Some(1..), Some((output, _))) => format!(" A missing cell adds {}.", short(value(last, *output))),
        _ => String::new(),
    };
    let chart = Chart {
        title: side.name.clone(),
        caption: format!("The score moves by {} in the mean of all rows.{missing}", short(table.deviation)),
        x_name: side.name.clone(),
        y_name: "adds to the score".to_owned(),
        x: ends,
        y: range_of(series.iter().flat_map(|s| &s.points).map(|p| p.1)),
        x_tick: PLAIN,
        y_tick: PLAIN,
        series,
    };
    chart.figure()
}

/// Places of a side that hold rows, the most frequent first.
fn held(side: &Side) -> Vec<usize> {
    let mut places: Vec<usize> =
        (0..side.places.len()).filter(|&p| side.counts.get(p).is_some_and(|n| *n > 0)).collect();
    places.sort_by_key(|&p| std::cmp::Reverse(side.counts[p]));
    places
}

fn categories(table: &ScoreTable, side: &Side, outputs: &[(usize, String)]) -> Markup {
    let places = held(side);
    let line = |place: usize, output: usize| Bar {
        name: side.places[place].clone(),
        value: table.values.get(place * table.width + output).copied().unwrap_or(0.0),
    };
    html! {
        figure {
            h3 { (side.name) }
            @for (output, what) in outputs {
                @let lines: Vec<Bar> = places.iter().take(MOST_PLACES).map(|&place| line(place, *output)).collect();
                (bars(&side.name, what, &lines))
            }
            @if places.len() > MOST_PLACES { figcaption { "The " (MOST_PLACES) " most frequent of " (places.len()) " values." } }
        }
    }
}

/// A pair's table; cells are as dark as they are large. The first score only: there is no room for more.
fn pair(table: &ScoreTable, a: &Side, b: &Side) -> Markup {
    let (mut rows, mut columns) = (held(a), held(b));
    let left = rows.len() > MOST_PLACES || columns.len() > MOST_PLACES;
    rows.truncate(MOST_PLACES);
    columns.truncate(MOST_PLACES);
    rows.sort_unstable();
    columns.sort_unstable();
    let value =
        |i: usize, k: usize| table.values.get((i * b.places.len() + k) * table.width).copied().unwrap_or(0.0);
    let most = rows
        .iter()
        .flat_map(|&i| columns.iter().map(move |&k| value(i, k).abs()))
        .fold(f64::MIN_POSITIVE, f64::max);
    html! {
        figure.wide {
            h3 { (a.name) " and " (b.name) }
            div.scroll tabindex="0" { table.confusion {
                thead { tr { th scope="col" { (a.name) " \\ " (b.name) } @for &k in &columns { th.number scope="col" { (b.places[k]) } } } }
                tbody {
                    @for &i in &rows {
                        tr {
                            th scope="row" { (a.places[i]) }
                            @for &k in &columns {
                                td.number.right[value(i, k) > 0.0] style=(format!("--share:{:.0}%", 100.0 * value(i, k).abs() / most)) { (short(value(i, k))) }
                            }
                        }
                    }
                }
            } }
            figcaption { "What the two add together beyond their own tables." @if left { " The most frequent values." } }
        }
    }
}
