//! `predict`: a model applied to a table, batch by batch, written as CSV.

use crate::Error;
use crate::model_file::load;
use crate::table::{Scorer, raw_column, rows_for};
use arrow_array::{Array, RecordBatch};
use data::{Encoding, Source};
use ir::{Model, Signature};
use jobs::Ctx;
use recipe::Predictions;
use std::io::Write;
use std::path::PathBuf;

/// What is predicted.
#[derive(Clone, Debug, Default)]
pub struct PredictOptions {
    /// The model file.
    pub model: PathBuf,
    /// The table: a path, or `-`.
    pub data: String,
    /// Write the probability of each class beside the prediction.
    pub probabilities: bool,
    /// How the bytes of the table spell text.
    pub encoding: Encoding,
    /// Cells that mean missing, beside those of training.
    pub missing: Vec<String>,
    /// Columns of the table that are written too, first and in this order.
    pub keep: Vec<String>,
}

/// What was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// Rows read and written.
    pub n_rows: u64,
}

/// Writes one line an input row, in order: kept columns, `prediction`, and `p_<class>` if asked.
/// Numbers are the shortest that read back to the same value; quoting as in RFC 4180.
///
/// # Errors
/// The model or the table cannot be read, a column that the model needs is missing, `out` fails.
pub fn predict(options: &PredictOptions, out: &mut dyn Write, ctx: &Ctx<'_>) -> Result<Predicted, Error> {
    let (mut model, _) = load(&options.model)?;
    if !options.missing.is_empty() {
        let mut signature = model.signature().clone();
        signature.missing.extend(options.missing.iter().cloned());
        model = Model::try_new(model.graph().clone(), signature, model.card.clone())?;
    }
    let signature = model.signature();
    if options.probabilities && signature.classes.is_empty() {
        return Err(Error::input(
            "predict: --proba needs a model of classes, this one is a regression; leave it out",
        ));
    }
    let scorer = Scorer::new(&model)?;
    let source = Source::parse(&options.data)?;
    let batches = rows_for(&source, signature, &options.keep, options.encoding)?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    let mut header: Vec<String> = options.keep.clone();
    header.push("prediction".into());
    if options.probabilities {
        header.extend(signature.classes.iter().map(|c| format!("p_{c}")));
    }
    let failed = |e: csv::Error| Error::input(format!("predict: cannot write: {e}"));
    writer.write_record(&header).map_err(failed)?;
    let mut n_rows = 0;
    ctx.progress.stage("predicting", None);
    for batch in batches {
        let batch = batch?;
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("predict: interrupted after {n_rows} rows")));
        }
        let predictions = scorer.predict(&batch, ctx)?;
        write_batch(&mut writer, &batch, &predictions, options, signature)?;
        n_rows += batch.num_rows() as u64;
        ctx.progress.advance(batch.num_rows() as u64);
    }
    writer.flush().map_err(|e| Error::input(format!("predict: cannot write: {e}")))?;
    Ok(Predicted { n_rows })
}

fn write_batch<W: Write>(
    writer: &mut csv::Writer<W>,
    batch: &RecordBatch,
    predictions: &Predictions,
    options: &PredictOptions,
    signature: &Signature,
) -> Result<(), Error> {
    let failed = |e: csv::Error| Error::input(format!("predict: cannot write: {e}"));
    let kept =
        (0..options.keep.len()).map(|n| raw_column(batch, signature, n)).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        for column in &kept {
            let cell = if column.is_null(row) { "" } else { column.value(row) };
            writer.write_field(cell).map_err(failed)?;
        }
        match predictions {
            Predictions::Values(values) => writer.write_field(number(values[row])).map_err(failed)?,
            Predictions::Classes { probabilities, labels } => {
                writer.write_field(&signature.classes[labels[row] as usize]).map_err(failed)?;
                if options.probabilities {
                    let n = signature.classes.len();
                    for &p in &probabilities[row * n..(row + 1) * n] {
                        // Probabilities are floats widened to doubles; the shortest spelling is the float's.
                        writer.write_field(number_f32(p as f32)).map_err(failed)?;
                    }
                }
            }
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    Ok(())
}

fn number(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn number_f32(value: f32) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}
