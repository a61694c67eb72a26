//! `predict`: a model applied to a table, batch by batch, written as CSV or Parquet.

use crate::Error;
use crate::joined::rows_of_second;
use crate::model_file::{for_table, load};
use crate::network::predict::predict_rows;
use crate::network::{NetworkOptions, is_network};
use crate::output::refuse_same_file;
use crate::reasons::{N_REASONS, Reasons};
use crate::table::{Scorer, batches_for, raw_column, rows_for};
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use data::{Encoding, Format, Source, TableWriter};
use ir::{Signature, Task, TensorData};
use jobs::Ctx;
use recipe::Predictions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// What is predicted.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// The model file.
    pub model: PathBuf,
    /// The table: a path, or `-`.
    pub data: String,
    /// Write the probability of each class beside the prediction.
    pub probabilities: bool,
    /// Write beside each prediction the columns that moved it most.
    pub explain: bool,
    /// How the bytes of the table spell text.
    pub encoding: Encoding,
    /// Cells that mean missing, beside those of training.
    pub missing: Vec<String>,
    /// Columns of the table that are written too, first and in this order.
    pub keep: Vec<String>,
    /// How rows are written.
    pub format: Format,
    /// The second table, instead of that of the fit.
    pub join: Option<PathBuf>,
    /// How pixels become what a network takes.
    pub network: NetworkOptions,
    /// Where the rows go, if that is a file: none of the tables that are read.
    pub output: Option<PathBuf>,
}

/// What was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// Rows read and written.
    pub n_rows: u64,
}

/// Writes one row an input row, in order: kept columns, `prediction`, and `p_<class>` if asked; of a model that
/// makes columns, kept columns and what it makes; of several targets for each `prediction_<target>` and
/// `p_<target>_<class>`.
///
/// If asked, `reason_1` to `reason_3` and `base` follow: `column=cell: attribution` of the columns that moved the
/// score of the predicted class most, and what that score is on average. Scores are those before the link: log odds,
/// shares of votes, or the unit of the target (its logarithm behind an exponential link). The background that rows
/// are compared with is the table itself, its first 4,096 rows.
///
/// # Errors
/// The model or the table cannot be read, a column that the model needs is missing, `out` fails; reasons of a model
/// that predicts nothing.
pub fn predict(
    options: &PredictOptions,
    out: &mut (dyn Write + Send),
    ctx: &Ctx<'_>,
) -> Result<Predicted, Error> {
    if is_network(&options.model) {
        return predict_rows(options, out, ctx);
    }
    let model = for_table(load(&options.model)?.0, None, &options.missing)?;
    let signature = model.signature();
    if options.probabilities && signature.classes.is_empty() && signature.task != Task::Multilabel {
        return Err(Error::input(
            "predict: --proba needs a model of classes, and this one has none; leave it out",
        ));
    }
    if options.explain && signature.task == Task::Transform {
        return Err(Error::input(
            "predict: --explain needs a model that predicts, and this one makes columns; leave it out",
        ));
    }
    if options.explain && signature.task.is_several() {
        return Err(Error::unsupported(
            "predict: --explain says what moves the score of one target, and this model has several; leave it out",
        ));
    }
    if let Some(output) = &options.output {
        refuse_same_file(output, &options.data)?;
        let known = signature.joined.as_ref().map(|j| j.table.clone());
        let second = options.join.as_ref().map(|j| j.display().to_string()).or(known);
        second.map_or(Ok(()), |second| refuse_same_file(output, &second))?;
    }
    let scorer = Scorer::new(&model, rows_of_second(&model, options.join.as_ref(), options.encoding)?)?;
    let source = Source::parse(&options.data)?;
    let batches = rows_for(&source, signature, &options.keep, options.encoding)?;
    let batches = batches_for(&scorer, batches, source.name())?;
    let columns = ColumnsOut::new(options, signature)?;
    let mut writer = TableWriter::new(out, options.format, columns.schema())?;
    let mut n_rows = 0;
    let mut reasons: Option<Reasons<'_>> = None;
    ctx.progress.stage("predicting", None);
    for batch in batches {
        let batch = batch?;
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("predict: interrupted after {n_rows} rows")));
        }
        let made = match signature.task {
            Task::Transform => columns.made(&batch, &scorer, ctx)?,
            _ => {
                let predictions = scorer.predict(&batch, ctx)?;
                let mut made = columns.predicted(&batch, &predictions)?;
                if options.explain {
                    if reasons.is_none() && batch.num_rows() > 0 {
                        reasons = Some(Reasons::new(&model, &scorer, &batch)?);
                    }
                    made.extend(match &reasons {
                        Some(reasons) => reasons.columns(&scorer, &batch, &predictions, ctx.threads)?,
                        None => Reasons::of_no_rows(),
                    });
                }
                columns.batch(made)?
            }
        };
        writer.write(&made)?;
        n_rows += batch.num_rows() as u64;
        ctx.progress.advance(batch.num_rows() as u64);
    }
    writer.finish()?;
    Ok(Predicted { n_rows })
}

/// Refuses targets and classes whose names, put together, are those of others.
fn refuse_same_names(fields: &[Field]) -> Result<(), Error> {
    let twice = fields.iter().enumerate().find(|(at, field)| {
        let before = &fields[..*at];
        before.iter().any(|other| other.name() == field.name())
    });
    match twice {
        Some((_, field)) => Err(Error::unsupported(format!(
            "predict: two columns would be named \"{}\", by the names of targets and classes; leave --proba out, or rename a target",
            field.name()
        ))),
        None => Ok(()),
    }
}

/// The columns that are written.
struct ColumnsOut<'a> {
    options: &'a PredictOptions,
    signature: &'a Signature,
    schema: SchemaRef,
}

impl<'a> ColumnsOut<'a> {
    /// # Errors
    /// Two targets whose columns have the same name.
    fn new(options: &'a PredictOptions, signature: &'a Signature) -> Result<ColumnsOut<'a>, Error> {
        let field = |name: &str, dtype: DataType| Field::new(name, dtype, true);
        let mut fields: Vec<Field> = options.keep.iter().map(|k| field(k, DataType::Utf8)).collect();
        let mut add_target = |classes: &[String], behind: &str, front: &str| {
            let dtype = if classes.is_empty() { DataType::Float64 } else { DataType::Utf8 };
            fields.push(field(&format!("prediction{behind}"), dtype));
            if options.probabilities {
                let named = classes.iter().map(|c| field(&format!("p_{front}{c}"), DataType::Float32));
                fields.extend(named);
            }
        };
        match signature.task {
            Task::Transform => fields.extend(signature.columns.iter().map(|c| field(c, DataType::Float64))),
            Task::Regression | Task::Binary | Task::Multiclass => add_target(&signature.classes, "", ""),
            Task::MultiRegression | Task::Multilabel => {
                for one in &signature.targets {
                    add_target(&one.classes, &format!("_{}", one.name), &format!("{}_", one.name));
                }
                refuse_same_names(&fields[options.keep.len()..])?;
            }
        }
        if options.explain {
            fields.extend((1..=N_REASONS).map(|n| field(&format!("reason_{n}"), DataType::Utf8)));
            fields.push(field("base", DataType::Float64));
        }
        Ok(ColumnsOut { options, signature, schema: Arc::new(Schema::new(fields)) })
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn kept(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, Error> {
        let column = |n| raw_column(batch, self.signature, n).map(|c| Arc::new(c.clone()) as ArrayRef);
        (0..self.options.keep.len()).map(column).collect()
    }

    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch, Error> {
        RecordBatch::try_new(self.schema(), columns).map_err(|e| Error::bug(format!("predict: {e}")))
    }

    fn predicted(&self, batch: &RecordBatch, predictions: &Predictions) -> Result<Vec<ArrayRef>, Error> {
        let mut columns = self.kept(batch)?;
        match predictions {
            Predictions::Several(each) => {
                for (one, predictions) in self.signature.targets.iter().zip(each) {
                    self.add(&mut columns, &one.classes, predictions);
                }
            }
            one => self.add(&mut columns, &self.signature.classes, one),
        }
        Ok(columns)
    }

    /// Adds the columns of one target.
    fn add(&self, columns: &mut Vec<ArrayRef>, classes: &[String], predictions: &Predictions) {
        match predictions {
            Predictions::Values(values) => columns.push(Arc::new(Float64Array::from(values.clone()))),
            Predictions::Classes { probabilities, labels } => {
                let named = labels.iter().map(|&l| classes[l as usize].as_str());
                columns.push(Arc::new(StringArray::from_iter_values(named)));
                if self.options.probabilities {
                    for k in 0..classes.len() {
                        // Probabilities are floats widened to doubles; the shortest spelling is the float's.
                        let of_class = probabilities.iter().skip(k).step_by(classes.len()).map(|&p| p as f32);
                        columns.push(Arc::new(Float32Array::from_iter_values(of_class)));
                    }
                }
            }
            // There are none within another.
            Predictions::Several(_) => {}
        }
    }

    /// The columns that a model makes; NaN is missing.
    fn made(&self, batch: &RecordBatch, scorer: &Scorer<'_>, ctx: &Ctx<'_>) -> Result<RecordBatch, Error> {
        let mut columns = self.kept(batch)?;
        for tensor in scorer.outputs(batch, ctx)? {
            let TensorData::F64(values) = tensor.into_data() else {
                return Err(Error::bug("predict: a made column is no number"));
            };
            let present = values.into_iter().map(|v| (!v.is_nan()).then_some(v));
            columns.push(Arc::new(Float64Array::from_iter(present)));
        }
        self.batch(columns)
    }
}
