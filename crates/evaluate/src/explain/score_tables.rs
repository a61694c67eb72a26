//! The tables of an additive model, as a person reads them.

use super::cell::spelled_time;
use super::error::Error;
use super::parts::{codes_of, i32s, i64s};
use ir::forest::MISSING;
use ir::op::Tables;
use ir::{Column, ColumnKind, DType, Graph, Model, Node, Op, Origin, TensorData, ValueIdx};
use runtime::reference::watch;

/// What every value of one column, or of two together, adds to the score.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreTable {
    /// The column, or the two of them.
    pub sides: Vec<Side>,
    /// What is added, in real units of the score and less its mean over the rows: `[places of the first side, places of
    /// the second one, width]`.
    pub values: Vec<f64>,
    /// Scores: 1, or one a class.
    pub width: usize,
    /// Deviation of what is added, over the rows; of several classes the largest.
    pub deviation: f64,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Its name; of a column that a step made, that of its value in the graph.
    pub name: String,
    /// The numbers that part its places, rising; none of a category.
    pub edges: Option<Vec<f64>>,
    /// How its places are called; the last is missing.
    pub places: Vec<String>,
    /// Rows that each place holds.
    pub counts: Vec<u32>,
}

/// The tables of a `Tables` node, of largest deviation first. `factor` makes the integers of a score real; `columns` are
/// rows, one column an input of the graph. Tables that add nothing are left out. O(rows terms + places).
///
/// # Errors
/// `Broken` for a node that the graph's builder would have refused; columns that do not fit.
pub(super) fn tables_of(
    model: &Model,
    (node, op): (&Node, Tables),
    factor: impl Fn(usize) -> f64,
    columns: &[Column<'_>],
) -> Result<Vec<ScoreTable>, Error> {
    let graph = model.graph();
    let fail = || Error::broken("a sum of tables");
    let [inputs @ .., sizes, terms, values] = &node.inputs[..] else { return Err(fail()) };
    let (sizes, named, cells) = (i64s(graph, *sizes)?, i64s(graph, *terms)?, i32s(graph, *values)?);
    let (terms, n_rows) = Tables::terms(sizes, named).ok_or_else(fail)?;
    let width = cells.len() / n_rows;
    let unit = f64::from(1u32 << op.shift.min(30));
    let factors: Vec<f64> = (0..width).map(|k| factor(k) * unit).collect();
    let watched = watch(graph, columns, inputs)?;
    let codes = codes_of(&watched)?;
    let mut made = Vec::with_capacity(terms.len());
    for term in &terms {
        let mut counts = vec![0u32; term.n_a * term.n_b];
        let seen = codes.first().map_or(0, |c| c.len());
        (0..seen).for_each(|row| counts[term.place(|column| codes[column][row]) - term.first] += 1);
        let mut real: Vec<f64> = cells[term.first * width..][..counts.len() * width]
            .iter()
            .zip(factors.iter().cycle())
            .map(|(&v, factor)| f64::from(v) * factor)
            .collect();
        let deviation = (0..width).map(|k| centre(&mut real, &counts, width, k)).fold(0.0, f64::max);
        if deviation <= 0.0 {
            continue;
        }
        let side = |column: usize, n: usize, inner: bool| -> Result<Side, Error> {
            let value = *inputs.get(column).ok_or_else(fail)?;
            let of = |place| if inner { place % term.n_b } else { place / term.n_b };
            let mut held = vec![0; n];
            counts.iter().enumerate().for_each(|(place, n)| held[of(place)] += n);
            Ok(side(model, value, n, held))
        };
        let mut sides = vec![side(term.a, term.n_a, false)?];
        sides.extend(term.b.map(|b| side(b, term.n_b, true)).transpose()?);
        made.push(ScoreTable { sides, values: real, width, deviation });
    }
    made.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
    Ok(made)
}

/// Takes the mean over the rows from score `k` of all places, and gives the deviation.
fn centre(values: &mut [f64], counts: &[u32], width: usize, k: usize) -> f64 {
    let n = counts.iter().map(|&n| f64::from(n)).sum::<f64>().max(1.0);
    let sum = |values: &[f64], f: fn(f64) -> f64| {
        values.iter().skip(k).step_by(width).zip(counts).map(|(&v, &n)| f(v) * f64::from(n)).sum::<f64>() / n
    };
    let mean = sum(values, |v| v);
    values.iter_mut().skip(k).step_by(width).for_each(|v| *v -= mean);
    sum(values, |v| v * v).sqrt()
}

/// Names of the places of a column of codes: `n` of them, of which the last is missing.
fn side(model: &Model, codes: ValueIdx, n: usize, counts: Vec<u32>) -> Side {
    let graph = model.graph();
    let maker = graph.maker(codes);
    let source = maker.and_then(|node| node.inputs.first()).copied().unwrap_or(codes);
    let kind = match graph.value(source).origin {
        Origin::Input(at) => model.signature().inputs.get(at as usize).map(|input| input.kind),
        _ => None,
    };
    let is_time = kind == Some(ColumnKind::Time) && graph.value(source).dtype == DType::I64;
    let (edges, mut places) = match maker.map(|node| &node.op) {
        Some(Op::Bin(_)) => {
            let edges = edges(graph, maker).unwrap_or_default();
            let texts: Vec<String> = edges.iter().map(|&e| spelled_edge(e, is_time)).collect();
            (Some(edges), intervals(&texts))
        }
        Some(Op::Codes(op)) => {
            let mut places = dictionary(graph, maker).unwrap_or_default();
            if op.unseen != MISSING {
                places.resize(usize::from(op.unseen), String::new());
                places.push("others".to_owned());
            }
            (None, places)
        }
        _ => (None, (0..n.saturating_sub(1)).map(|code| code.to_string()).collect()),
    };
    places.resize(n.saturating_sub(1), String::new());
    places.push("missing".to_owned());
    Side { name: graph.value(source).name.clone(), edges, places, counts }
}

fn edges(graph: &Graph, maker: Option<&Node>) -> Option<Vec<f64>> {
    match graph.constant(*maker?.inputs.get(1)?)?.data() {
        TensorData::F64(v) => Some(v.clone()),
        TensorData::I64(v) => Some(v.iter().map(|&e| e as f64).collect()),
        _ => None,
    }
}

fn dictionary(graph: &Graph, maker: Option<&Node>) -> Option<Vec<String>> {
    match graph.constant(*maker?.inputs.get(1)?)?.data() {
        TensorData::Str(keys) => Some(keys.clone()),
        _ => None,
    }
}

fn spelled_edge(edge: f64, is_time: bool) -> String {
    if is_time { spelled_time(edge as i64) } else { crate::number::short(edge) }
}

/// A code counts the edges that lie below a number.
fn intervals(edges: &[String]) -> Vec<String> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
        return vec!["any number".to_owned()];
    };
    let mut all = vec![format!("≤ {first}")];
    all.extend(edges.windows(2).map(|pair| format!("{} to {}", pair[0], pair[1])));
    all.push(format!("> {last}"));
    all
}
