//! Running a model over a table, batch by batch.

use crate::Error;
use crate::joined::whole;
use arrow_array::{Array, RecordBatch, StringArray};
use data::{Batches, Bound, Classes, Encoding, ReadPlan, Source};
use ir::{Column, Model, Signature, Tensor};
use jobs::Ctx;
use recipe::{Predictions, Truth};
use runtime::Plan;

/// Rows that one thread predicts at a time.
const SLICE: usize = 8192;

/// A model ready to run, beside what it means.
pub(crate) struct Scorer<'m> {
    pub(crate) signature: &'m Signature,
    plan: Plan,
    /// The second table.
    second: Option<RecordBatch>,
}

impl<'m> Scorer<'m> {
    /// `second` is what [`crate::joined::rows_of_second`] gives for the model.
    pub(crate) fn new(model: &'m Model, second: Option<RecordBatch>) -> Result<Scorer<'m>, Error> {
        Ok(Scorer { signature: model.signature(), plan: Plan::new(model.graph())?, second })
    }

    /// True if the rows of a table must be handed over in one batch.
    pub(crate) fn sees_other_rows(&self) -> bool {
        self.plan.sees_other_rows()
    }

    /// The second table, bound.
    pub(crate) fn bind_second(&self) -> Result<Option<Bound<'_>>, Error> {
        let (Some(batch), Some(joined)) = (&self.second, &self.signature.joined) else { return Ok(None) };
        Ok(Some(data::bind_inputs(batch, &joined.inputs, &self.signature.missing)?))
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Predictions of a batch, on all threads.
    pub(crate) fn predict(&self, batch: &RecordBatch, ctx: &Ctx<'_>) -> Result<Predictions, Error> {
        let mut all: Option<Predictions> = None;
        for outputs in self.slices(batch, ctx)? {
            let part = self.predictions(&outputs)?;
            match &mut all {
                None => all = Some(part),
                Some(all) => all.append(part),
            }
        }
        all.ok_or_else(|| Error::bug("predict: no slice was run"))
    }

    /// Outputs of a batch, on all threads.
    pub(crate) fn outputs(&self, batch: &RecordBatch, ctx: &Ctx<'_>) -> Result<Vec<Tensor>, Error> {
        let mut slices = self.slices(batch, ctx)?.into_iter();
        let mut all = slices.next().unwrap_or_default();
        for outputs in slices {
            let joined = all.into_iter().zip(outputs).map(|(rows, more)| rows.below(more));
            all = joined.collect::<Option<_>>().ok_or_else(|| Error::bug("predict: slices differ"))?;
        }
        Ok(all)
    }

    /// Outputs of slices of a batch, in order.
    fn slices(&self, batch: &RecordBatch, ctx: &Ctx<'_>) -> Result<Vec<Vec<Tensor>>, Error> {
        let bound = data::bind(batch, self.signature)?;
        let columns = bound.columns();
        let second = self.bind_second()?;
        let second = second.as_ref().map_or(Vec::new(), Bound::columns);
        let n_rows = bound.n_rows();
        let slice = if self.sees_other_rows() { n_rows.max(1) } else { SLICE };
        let n_slices = n_rows.div_ceil(slice).max(1);
        let parts = ctx.threads.map(n_slices, |i| {
            let start = i * slice;
            let len = slice.min(n_rows - start);
            let slices: Option<Vec<Column<'_>>> = columns.iter().map(|c| c.slice(start, len)).collect();
            slices.map(|mut s| {
                s.extend_from_slice(&second);
                self.plan.run(&s)
            })
        });
        let outputs = parts
            .into_iter()
            .map(|part| Ok(part.ok_or_else(|| Error::bug("predict: a slice leaves its column"))??));
        outputs.collect()
    }

    fn predictions(&self, outputs: &[Tensor]) -> Result<Predictions, Error> {
        Predictions::from_outputs(outputs, self.signature)
            .ok_or_else(|| Error::bug("predict: the outputs are not those of the signature"))
    }
}

/// The rows of a table with the columns of a signature, and those of `also` as raw text behind them.
pub(crate) fn rows_for(
    source: &Source,
    signature: &Signature,
    also: &[String],
    encoding: Encoding,
) -> Result<Batches, Error> {
    let plan = ReadPlan { also: also.to_vec(), encoding, ..ReadPlan::new(signature) };
    Ok(plan.read(source)?)
}

/// Batches as a scorer takes them: as they come, or all in one.
///
/// # Errors
/// A batch cannot be read, or all of them are too much for one.
pub(crate) fn batches_for<'b>(
    scorer: &Scorer<'_>,
    batches: Batches,
    name: &str,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, data::Error>> + 'b>, Error> {
    if !scorer.sees_other_rows() {
        return Ok(Box::new(batches));
    }
    let all = batches.collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    Ok(Box::new(std::iter::once(Ok(whole(&all, name)?))))
}

/// The `n`th of the columns that were read raw beside the inputs; it may be an input as well.
pub(crate) fn raw_column<'b>(
    batch: &'b RecordBatch,
    signature: &Signature,
    n: usize,
) -> Result<&'b StringArray, Error> {
    batch
        .columns()
        .get(signature.inputs.len() + n)
        .and_then(|c| c.as_any().downcast_ref::<StringArray>())
        .ok_or_else(|| Error::bug(format!("raw column {n} was not read as text")))
}

/// The target of a batch: the rows that have one, and their values.
pub(crate) struct BatchTruth {
    /// Rows of the batch with a known target, rising.
    pub(crate) rows: Vec<u32>,
    pub(crate) truth: Truth,
    /// Rows without a target.
    pub(crate) n_missing: usize,
    /// Classes that training had not seen, with the rows that have them.
    pub(crate) unseen: Vec<(String, usize)>,
}

/// Reads the target of a batch as the model's training file spelt it.
pub(crate) fn batch_truth(
    batch: &RecordBatch,
    signature: &Signature,
    source: &str,
    first_row: usize,
) -> Result<BatchTruth, Error> {
    let cells = raw_column(batch, signature, 0)?;
    let markers = data::Markers::new(&signature.missing);
    let classes = Classes::new(&signature.classes);
    let mut found =
        BatchTruth { rows: Vec::new(), truth: Truth::Values(Vec::new()), n_missing: 0, unseen: Vec::new() };
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    for row in 0..cells.len() {
        let cell = if cells.is_null(row) { None } else { Some(cells.value(row)) };
        let Some(cell) = cell.filter(|c| !markers.is_missing(c)) else {
            found.n_missing += 1;
            continue;
        };
        if signature.classes.is_empty() {
            let value = cell.parse::<f64>().ok().filter(|v| v.is_finite());
            values.push(value.ok_or_else(|| {
                let (row, name) = (first_row + row + 1, &signature.target);
                Error::input(format!(
                    "{source}: target \"{name}\": expected a number, got \"{cell}\" at row {row}"
                ))
            })?);
        } else if let Some(label) = classes.find(cell) {
            labels.push(label);
        } else {
            match found.unseen.iter_mut().find(|(c, _)| c == cell) {
                Some((_, n)) => *n += 1,
                None => found.unseen.push((cell.to_owned(), 1)),
            }
            continue;
        }
        found.rows.push(row as u32);
    }
    found.truth = if signature.classes.is_empty() {
        Truth::Values(values)
    } else {
        Truth::Classes { labels, n_classes: signature.classes.len(), positive: signature.positive }
    };
    Ok(found)
}

/// True when every machine computes the same bits of all outputs; a float layer would make it false.
pub(crate) fn is_exact(model: &Model) -> bool {
    model.graph().is_exact()
}

/// True when a model computes with integers alone: no transform is left in it.
pub(crate) fn is_integer(model: &Model) -> bool {
    use ir::{DType, Node, Op};
    let graph = model.graph();
    // Trees over scores take them as doubles, which hold them exactly, one by one.
    let is_score = |node: &Node| {
        let of = node.inputs.first().map(|&input| (graph.value(input).dtype, graph.maker(input)));
        match (&node.op, of) {
            (Op::Cast(_), Some((dtype, _))) => dtype == DType::I32,
            (Op::Gather(_), Some((DType::I32, _))) => true,
            (Op::Gather(_), Some((_, Some(maker)))) => matches!(maker.op, Op::Cast(_)),
            _ => false,
        }
    };
    let integer = |op: &Op| {
        matches!(
            op,
            Op::Bin(_)
                | Op::Codes(_)
                | Op::Forest(_)
                | Op::Link(_)
                | Op::ArgMax(_)
                | Op::Threshold(_)
                | Op::Tables(_)
                | Op::Sum(_)
                | Op::WeightedSum(_)
                | Op::Cascade(_)
                | Op::Gate(_)
                | Op::Votes(_)
                | Op::ScoreCurve(_)
                | Op::QGemm(_)
                | Op::NearestRows(_)
                | Op::RbfSums(_)
                | Op::TimePart(_)
                | Op::Tokens(_)
                | Op::HashTokens(_)
        )
    };
    graph.nodes().iter().all(|node| integer(&node.op) || is_score(node))
}

/// How reproducible predictions are, in words.
pub(crate) fn exactness(integers: bool, exact: bool) -> &'static str {
    match (integers, exact) {
        (true, _) => "integers only",
        (false, true) => "the same bits on every machine",
        (false, false) => "bits may differ between machines",
    }
}
