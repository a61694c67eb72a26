//! How predictions follow one column: partial dependence, and lines of single rows.

use super::Report;
use super::bars::{Bar, bars};
use super::chart::{Chart, DrawError, Look, PLAIN, Series, range_of};
use super::curves::drawn;
use crate::explain::Dependence;
use crate::number::short;
use maud::{Markup, html};
use metrics::Observed;

/// Columns that are drawn.
const MOST_COLUMNS: usize = 6;

/// The section; none where nothing was varied.
pub(super) fn shapes(report: &Report<'_>) -> Result<Option<Markup>, DrawError> {
    let shown: Vec<&Dependence> =
        report.shapes.iter().filter(|d| d.grid.len() > 1).take(MOST_COLUMNS).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let figures: Vec<Markup> = shown.iter().map(|shape| figure(report, shape)).collect::<Result<_, _>>()?;
    Ok(Some(html! {
        p { "The mean prediction if all rows held this value of a column and kept all others. Pale lines are single rows: where they cross, the column works together with another." }
        div.figures { @for figure in &figures { (figure) } }
    }))
}

/// The figures of a prediction that are drawn, with their names.
pub(super) fn outputs(report: &Report<'_>, width: usize) -> Vec<(usize, String)> {
    let classes = match &report.observed {
        _ if width <= 1 => return vec![(0, "prediction".to_owned())],
        Some(Observed::Classified(rows)) if rows.n_classes() == width => drawn(rows),
        _ => vec![width as u32 - 1],
    };
    let name = |class: usize| {
        report.classes.get(class).map_or(String::new(), |name| format!("probability of “{name}”"))
    };
    classes.into_iter().map(|class| (class as usize, name(class as usize))).collect()
}

fn figure(report: &Report<'_>, shape: &Dependence) -> Result<Markup, DrawError> {
    let outputs = outputs(report, shape.width);
    let is_number = shape.grid.iter().any(|point| point.number.is_some());
    if is_number { line(shape, &outputs) } else { Ok(categories(shape, &outputs)) }
}

fn line(shape: &Dependence, outputs: &[(usize, String)]) -> Result<Markup, DrawError> {
    let at = |values: &[f64], output: usize| -> Vec<(f64, f64)> {
        let of_point = values.iter().skip(output).step_by(shape.width);
        shape.grid.iter().zip(of_point).filter_map(|(point, &p)| Some((point.number?, p))).collect()
    };
    let mut series = Vec::new();
    if let [(output, _)] = outputs {
        let rows = shape.lines.chunks_exact(shape.grid.len() * shape.width);
        series.extend(rows.map(|row| Series {
            name: None,
            look: Look::Faint,
            colour: 0,
            points: at(row, *output),
        }));
    }
    for (colour, (output, name)) in outputs.iter().enumerate() {
        let name = (outputs.len() > 1).then(|| name.clone());
        series.push(Series { name, look: Look::Line, colour, points: at(&shape.mean, *output) });
    }
    let missing = shape.grid.iter().position(|point| point.number.is_none());
    let missing = missing.zip(outputs.first()).map(|(at, (output, name))| {
        format!(" Where it is missing, the {name} is {}.", short(shape.mean[at * shape.width + output]))
    });
    let all = || series.iter().flat_map(|s| &s.points);
    let chart = Chart {
        title: shape.column.clone(),
        caption: format!(
            "From the least value to the largest that the table holds.{}",
            missing.unwrap_or_default()
        ),
        x_name: shape.column.clone(),
        y_name: if let [(_, name)] = outputs { name.clone() } else { "probability".to_owned() },
        x: range_of(all().map(|p| p.0)),
        y: range_of(all().map(|p| p.1)),
        x_tick: PLAIN,
        y_tick: PLAIN,
        series,
    };
    chart.figure()
}

fn categories(shape: &Dependence, outputs: &[(usize, String)]) -> Markup {
    let name = |at: usize| shape.grid[at].text.clone().unwrap_or_else(|| "missing".to_owned());
    html! {
        figure {
            h3 { (shape.column) }
            @for (output, what) in outputs {
                @let lines: Vec<Bar> = (0..shape.grid.len()).map(|at| Bar { name: name(at), value: shape.mean[at * shape.width + output] }).collect();
                (bars(&shape.column, what, &lines))
            }
            figcaption { "From the most frequent value on." }
        }
    }
}
