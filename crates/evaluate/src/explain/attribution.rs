//! Which column of a row gave which part of its score.
//!
//! The score is the one before the link, in real units: log odds of classes, shares of votes, or the unit of the
//! target (its logarithm where the link is exponential). For each row the expectation and the attributions of all
//! columns sum up to it.

use super::error::{Error, Kind};
use super::feeds::Feeds;
use super::parts::{Part, Scratch, addends_of, i32s, i64s, scores_of, watched_for};
use super::score_tables::{ScoreTable, tables_of};
use ir::fixed::power_of_two;
use ir::op::{Cascade, Gate, Link, LinkKind};
use ir::{Column, Graph, Model, Op, OutputRole, Shape, Tensor, ValueIdx};
use jobs::Threads;
use runtime::reference::watch;
use std::ops::Range;

/// Rows that one thread explains at a time.
const CHUNK: usize = 256;

/// A model and what its score is on average: explains any number of rows.
#[derive(Debug)]
pub struct Explainer<'m> {
    model: &'m Model,
    link: Link,
    feeds: Feeds,
    /// One, or those of cascades and gates in their order.
    stages: Vec<Stage<'m>>,
    /// What a calibrator makes of the score.
    curves: Option<Curves<'m>>,
    /// What all parts are explained from.
    watched: Vec<ValueIdx>,
    is_row_wise: bool,
}

/// What answers a row.
#[derive(Debug)]
struct Stage<'m> {
    parts: Vec<Part<'m>>,
    /// Expectation of each integer score.
    expected: Vec<f64>,
    /// Which rows it answers, and the place among the watched values of the scores that say so; the last stage answers
    /// all.
    rule: Option<(Rule, usize)>,
}

/// What says which rows a stage answers.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// It is sure of them.
    Sure(Cascade),
    /// A gate lets them in.
    Gate,
}

impl Stage<'_> {
    /// Whether it answers a row.
    fn answers(&self, watched: &[Tensor], row: usize) -> Result<bool, Error> {
        let Some((rule, place)) = self.rule else { return Ok(true) };
        let (scores, width) = scores_of(watched.get(place..).unwrap_or_default())?;
        let of_row = scores.get(row * width..(row + 1) * width);
        let of_row = of_row.ok_or_else(|| Error::broken("the scores of a stage"))?;
        Ok(match rule {
            Rule::Sure(op) => op.is_sure(of_row),
            Rule::Gate => of_row.first().is_some_and(|&gate| Gate::takes_first(gate)),
        })
    }
}

/// What moved the scores of rows, in real units.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributions {
    /// Number of columns: those of the signature.
    pub n_columns: usize,
    /// `[n_rows, n_columns]`, in the order of the signature.
    pub values: Vec<f64>,
    /// What the score of the explained class is on average, a row.
    pub base: Vec<f64>,
}

impl Attributions {
    /// Attributions of a row, by column; none of a row that there is not.
    pub fn row(&self, row: usize) -> &[f64] {
        self.values.get(row * self.n_columns..(row + 1) * self.n_columns).unwrap_or_default()
    }
}

/// The polygons of a calibrator, one for each score.
#[derive(Debug)]
struct Curves<'m> {
    sizes: &'m [i64],
    knots: &'m [i32],
    values: &'m [i32],
}

impl Curves<'_> {
    /// The polygon of a score at a real number, without rounding.
    fn at(&self, output: usize, score: f64) -> f64 {
        let place = |size: &i64| usize::try_from(*size).unwrap_or(0);
        let first: usize = self.sizes.iter().take(output).map(place).sum();
        let last = first + self.sizes.get(output).map_or(0, place);
        let (Some(knots), Some(values)) = (self.knots.get(first..last), self.values.get(first..last)) else {
            return score;
        };
        let above = knots.partition_point(|&k| f64::from(k) <= score);
        match (above.checked_sub(1), knots.get(above)) {
            (Some(at), Some(&next)) => {
                let (from, to) = (f64::from(values[at]), f64::from(values[above]));
                from + (score - f64::from(knots[at])) / (f64::from(next) - f64::from(knots[at])) * (to - from)
            }
            (Some(at), None) => f64::from(values[at]),
            (None, _) => values.first().map_or(score, |&v| f64::from(v)),
        }
    }

    /// How far the calibrated score moves for each unit by which the score does, from one to the other; where it stands
    /// still, on the whole curve.
    fn slope(&self, output: usize, from: f64, to: f64) -> f64 {
        let between = |from: f64, to: f64| (self.at(output, to) - self.at(output, from)) / (to - from);
        // Of a move within a unit nothing can be said but by the polygon around it.
        let near = if (to - from).abs() < 1.0 { between(from - 1.0, from + 1.0) } else { between(from, to) };
        let ends = self.knots.iter().fold((0, 0), |(a, b), &k| (a.min(k), b.max(k)));
        match ends {
            (low, high) if near == 0.0 && low < high => between(low.into(), high.into()),
            _ => near,
        }
    }
}

/// How a real score follows from an integer one.
struct Real {
    output: usize,
    factor: f64,
    offset: f64,
}

impl<'m> Explainer<'m> {
    /// Finds the score, its parts and their expectation over background rows; `background` is one column an input of
    /// the graph, of one or more rows.
    ///
    /// Forests: exact Shapley values of the path-dependent game (Lundberg et al., 2020). Tables: a term's value minus
    /// its mean, of pairs half to each column. Products: weight times (integer minus its mean), exact up to the
    /// rounding of the score. Neighbours and similarities: sampled, see [`Explainer::is_sampled`]; other parts:
    /// the part minus its mean, shared by its columns. Of a weighted sum each part of a member counts times the
    /// member's weight; a member behind a curve or votes is one part, as it is. A sum is explained as if it were neither
    /// rounded nor clamped to 32 bits. In front of a calibrator's curve the score before it is explained, and the
    /// attributions of a row are scaled by one factor so that they sum up behind it; where the curve is level they are
    /// scaled by its mean slope instead. Of trees that ask scores of members the values are those of these scores, each
    /// shared alike by the columns that its member takes. Of a cascade, or behind a gate, a row is explained by the stage
    /// that answers it, beyond what that stage gives on average, so that bases differ; columns that a gate asks count
    /// for nothing there. O(background rows) of the interpreter and the walks
    /// of all trees.
    ///
    /// # Errors
    /// `NoScore` for a model that predicts nothing or has no integer score; `NoRows`; `Deep`; columns that do not fit.
    pub fn new(model: &'m Model, background: &[Column<'_>]) -> Result<Explainer<'m>, Error> {
        let graph = model.graph();
        let Scored { score, curves, link } = score_of(model)?;
        let n_columns = model.signature().inputs.len();
        let feeds = Feeds::new(graph, n_columns);
        let (mut watched, mut open) = (Vec::new(), Vec::new());
        for (score, rule) in stages_of(graph, score) {
            let (addends, constants) = addends_of(graph, score)?;
            let mut places: Vec<Range<usize>> = Vec::with_capacity(addends.len());
            for addend in &addends {
                let first = watched.len();
                watched.extend(watched_for(graph, addend.value));
                places.push(first..watched.len());
            }
            let place = watched.len();
            watched.extend(rule.map(|(_, says)| says));
            let rule = rule.map(|(rule, _)| (rule, place));
            open.push((addends.into_iter().zip(places), constants, rule));
        }
        if background.first().is_none_or(|c| c.n_rows() == 0) {
            return Err(Kind::NoRows.into());
        }
        let usual = watch(graph, background, &watched)?;
        let mut stages = Vec::with_capacity(open.len());
        for (parts, mut expected, rule) in open {
            let parts: Vec<Part<'m>> = parts
                .map(|(addend, seen)| Part::new(graph, addend, &feeds, &usual, seen))
                .collect::<Result<_, _>>()?;
            expected.resize(parts.first().map_or(0, Part::width), 0.0);
            for part in &parts {
                expected.iter_mut().enumerate().for_each(|(k, sum)| *sum += part.expected(k));
            }
            stages.push(Stage { parts, expected, rule });
        }
        let is_row_wise = graph.nodes().iter().all(|n| n.op.payload().is_row_wise());
        Ok(Explainer { model, link, feeds, stages, curves, watched, is_row_wise })
    }

    /// True if some attributions are sampled (16 orders of the columns, from a fixed seed) and not exact.
    pub fn is_sampled(&self) -> bool {
        self.stages.iter().flat_map(|stage| &stage.parts).any(Part::is_sampled)
    }

    /// What moved each row away from the expectation. `classes` names the class whose score is explained, one a row;
    /// it is empty where the model has none. The scores of a binary model are log odds (votes), so those of its first
    /// class are those of the second with the other sign. Of neighbours and forests of several classes, shares are of
    /// the mean number of all votes. O(rows) of the interpreter, and a walk of each tree a row.
    ///
    /// The same rows give the same bytes on any number of threads, and a row alone the same as among others unless
    /// the model sees other rows.
    ///
    /// # Errors
    /// `Misfit` for another number of classes than rows or a class that there is not; columns that do not fit.
    pub fn attribute(
        &self,
        columns: &[Column<'_>],
        classes: &[u32],
        threads: &Threads,
    ) -> Result<Attributions, Error> {
        let graph = self.model.graph();
        let n_rows = columns.first().map_or(0, Column::n_rows);
        let n_classes = self.model.signature().classes.len();
        let expected = if n_classes == 0 { 0 } else { n_rows };
        if classes.len() != expected {
            return Err(Kind::Misfit { what: "classes to explain", expected, got: classes.len() }.into());
        }
        if let Some(&class) = classes.iter().find(|&&c| c as usize >= n_classes) {
            let (what, got) = ("class to explain, below", class as usize);
            return Err(Kind::Misfit { what, expected: n_classes, got }.into());
        }
        let whole = if self.is_row_wise { None } else { Some(watch(graph, columns, &self.watched)?) };
        let chunks = threads.map(n_rows.div_ceil(CHUNK), |chunk| {
            let rows = chunk * CHUNK..n_rows.min((chunk + 1) * CHUNK);
            match &whole {
                Some(watched) => self.chunk(watched, rows.start, rows, classes),
                None => {
                    let slices = sliced(graph, columns, &rows)?;
                    self.chunk(&watch(graph, &slices, &self.watched)?, 0, rows, classes)
                }
            }
        });
        let n_columns = self.model.signature().inputs.len();
        let mut all =
            Attributions { n_columns, values: Vec::with_capacity(n_rows * n_columns), base: Vec::new() };
        for chunk in chunks {
            let (values, base) = chunk?;
            all.values.extend(values);
            all.base.extend(base);
        }
        Ok(all)
    }

    /// The stage that answers a row.
    fn stage_of(&self, watched: &[Tensor], row: usize) -> Result<&Stage<'m>, Error> {
        for stage in &self.stages {
            if stage.answers(watched, row)? {
                return Ok(stage);
            }
        }
        Err(Error::broken("the last stage"))
    }

    /// Attributions and expectations of some rows, the first of which stands at `first` of the watched values.
    fn chunk(
        &self,
        watched: &[Tensor],
        first: usize,
        rows: Range<usize>,
        classes: &[u32],
    ) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let n_columns = self.model.signature().inputs.len();
        let mut values = vec![0.0; rows.len() * n_columns];
        let mut base = Vec::with_capacity(rows.len());
        let mut scratch = Scratch::default();
        for (at, row) in rows.enumerate() {
            let stage = self.stage_of(watched, first + at)?;
            let real = real_of(self.link, &stage.expected, classes.get(row).map_or(0, |&c| c as usize));
            let columns = &mut values[at * n_columns..(at + 1) * n_columns];
            for part in &stage.parts {
                part.attribute(watched, first + at, real.output, &self.feeds, &mut scratch, columns)?;
            }
            let expected = stage.expected.get(real.output).copied().unwrap_or(0.0);
            let (factor, usual) = match &self.curves {
                None => (real.factor, expected),
                Some(curves) => {
                    let moved = expected + columns.iter().sum::<f64>();
                    let slope = curves.slope(real.output, expected, moved);
                    (slope * real.factor, curves.at(real.output, expected))
                }
            };
            columns.iter_mut().for_each(|phi| *phi *= factor);
            base.push(usual * real.factor + real.offset);
        }
        Ok((values, base))
    }
}

/// The tables that are added up to the score of a model, of all parts that are such sums, those of members times their
/// weights, of largest deviation over the rows first: log odds of the second of two classes or of each class, or units
/// of the target. None of other models. In front of a calibrator's curve they are those before it. O(rows terms).
///
/// # Errors
/// `NoScore` for a model that predicts nothing or has no integer score; columns that do not fit.
pub fn score_tables(model: &Model, columns: &[Column<'_>]) -> Result<Vec<ScoreTable>, Error> {
    let graph = model.graph();
    let Scored { score, link, .. } = score_of(model)?;
    let mut all = Vec::new();
    let unit = real_of(link, &[], 1).factor;
    for addend in addends_of(graph, score)?.0 {
        if let Some(node) = graph.maker(addend.value)
            && let Op::Tables(op) = &node.op
        {
            all.extend(tables_of(model, (node, *op), |k| unit * addend.factor(k), columns)?);
        }
    }
    all.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
    Ok(all)
}

/// How the score of a class follows from the integer scores, whose expectations are `expected`.
fn real_of(link: Link, expected: &[f64], class: usize) -> Real {
    let unit = power_of_two(-i32::from(link.shift));
    let sign = if class == 0 { -1.0 } else { 1.0 };
    let several = expected.len() > 1;
    match link.kind {
        LinkKind::Softmax => Real { output: class, factor: unit, offset: 0.0 },
        LinkKind::Logistic => Real { output: 0, factor: sign * unit, offset: 0.0 },
        LinkKind::Share if several => {
            let votes: f64 = expected.iter().sum();
            let factor = if votes == 0.0 { 0.0 } else { 1.0 / votes };
            Real { output: class, factor, offset: 0.0 }
        }
        LinkKind::Share => {
            let factor = sign * 0.5 / link.offset.max(1) as f64;
            Real { output: 0, factor, offset: 0.5 }
        }
        LinkKind::Linear => Real { output: 0, factor: unit, offset: link.offset as f64 * unit },
        LinkKind::Exponential => Real { output: 0, factor: unit, offset: 0.0 },
    }
}

/// The scores that answer rows, each with what says which rows are its and the scores that this hangs on; the last one
/// answers all that are left.
fn stages_of(graph: &Graph, mut score: ValueIdx) -> Vec<(ValueIdx, Option<(Rule, ValueIdx)>)> {
    let mut stages = Vec::new();
    while let Some(node) = graph.maker(score) {
        let (first, rule, second) = match (&node.op, &node.inputs[..]) {
            (Op::Cascade(op), &[first, second]) => (first, (Rule::Sure(*op), first), second),
            (Op::Gate(_), &[gate, first, second]) => (first, (Rule::Gate, gate), second),
            _ => break,
        };
        stages.push((first, Some(rule)));
        score = second;
    }
    stages.push((score, None));
    stages
}

/// Where a model's score stands.
struct Scored<'m> {
    /// The score, before any curve.
    score: ValueIdx,
    curves: Option<Curves<'m>>,
    link: Link,
}

/// The scores that the model's probabilities or values are linked from.
fn score_of(model: &Model) -> Result<Scored<'_>, Error> {
    let (graph, signature) = (model.graph(), model.signature());
    let roles = [OutputRole::Probability, OutputRole::Value];
    let output = roles.iter().find_map(|&role| signature.output(role));
    let Some(&output) = output.and_then(|at| graph.outputs().get(at)) else {
        return Err(Kind::NoScore { got: format!("a model of task {}", signature.task) }.into());
    };
    let (score, link) = match graph.maker(output).map(|node| (&node.op, &node.inputs[..])) {
        Some((Op::Link(link), &[score])) => (score, *link),
        Some((op, _)) => return Err(Kind::NoScore { got: op.payload().name().to_owned() }.into()),
        None => return Err(Kind::NoScore { got: format!("\"{}\"", graph.value(output).name) }.into()),
    };
    match graph.maker(score).map(|node| (&node.op, &node.inputs[..])) {
        Some((Op::ScoreCurve(_), &[before, sizes, knots, values])) => {
            let (sizes, knots, values) = (i64s(graph, sizes)?, i32s(graph, knots)?, i32s(graph, values)?);
            Ok(Scored { score: before, curves: Some(Curves { sizes, knots, values }), link })
        }
        _ => Ok(Scored { score, curves: None, link }),
    }
}

/// Some rows of the table; columns of a second one are whole.
fn sliced<'c>(graph: &Graph, columns: &[Column<'c>], rows: &Range<usize>) -> Result<Vec<Column<'c>>, Error> {
    let slice = |(column, &input): (&Column<'c>, &ValueIdx)| {
        if graph.value(input).shape == Shape::other_rows() {
            return Some(*column);
        }
        column.slice(rows.start, rows.len())
    };
    let slices: Option<Vec<Column<'c>>> = columns.iter().zip(graph.inputs()).map(slice).collect();
    slices.ok_or_else(|| Error::broken("a column shorter than the first"))
}
