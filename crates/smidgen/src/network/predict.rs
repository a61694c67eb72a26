//! What a network predicts for rows, as a table; and all of its outputs, as arrays.

use super::Network;
use super::evaluate::class_names;
use super::feed::Feed;
use super::head::answers;
use crate::predict::{PredictOptions, Predicted};
use crate::{Error, write_whole};
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use data::{TableWriter, write_npz};
use ir::Tensor;
use jobs::Ctx;
use recipe::Predictions;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

/// The column that names images, if it is asked for.
const IMAGE: &str = "image";

/// Writes one row a row of the data: `image` if that is kept, `prediction`, and `p_<class>` if asked.
///
/// # Errors
/// The network or the data cannot be read, they do not fit together, `out` fails.
pub(crate) fn predict_rows(
    options: &PredictOptions,
    out: &mut (dyn Write + Send),
    ctx: &Ctx<'_>,
) -> Result<Predicted, Error> {
    if options.explain {
        return Err(Error::unsupported(format!(
            "{}: --explain of networks is not supported; leave it out",
            options.model.display()
        )));
    }
    let network = Network::load(&options.model)?;
    let feed = Feed::open(&network, &options.data, None, &options.network)?;
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for name in &options.keep {
        let Feed::Images(images, _) = &feed else { return Err(unkept(name, &options.data)) };
        if name != IMAGE {
            return Err(unkept(name, &options.data));
        }
        fields.push(Field::new(IMAGE, DataType::Utf8, true));
        columns.push(Arc::new(StringArray::from_iter_values(images.names())));
    }
    let answers = answers(&network, &feed, ctx)?;
    let n_rows = match answers.predictions {
        Predictions::Values(values) => {
            if options.probabilities {
                return Err(network.fail(
                    "--proba needs a network of classes, and this one gives one number a row; leave it out",
                ));
            }
            let n = values.len();
            fields.push(Field::new("prediction", DataType::Float64, true));
            columns.push(Arc::new(Float64Array::from(values)));
            n
        }
        Predictions::Classes { probabilities, labels } => {
            let classes = class_names(&network, &feed, answers.n_classes);
            fields.push(Field::new("prediction", DataType::Utf8, true));
            let named = labels.iter().map(|&l| classes[l as usize].as_str());
            columns.push(Arc::new(StringArray::from_iter_values(named)));
            if options.probabilities {
                for (k, class) in classes.iter().enumerate() {
                    fields.push(Field::new(format!("p_{class}"), DataType::Float32, true));
                    let of_class = probabilities.iter().skip(k).step_by(classes.len()).map(|&p| p as f32);
                    columns.push(Arc::new(Float32Array::from_iter_values(of_class)));
                }
            }
            labels.len()
        }
        Predictions::Several(_) => return Err(Error::bug("predict: a network of several targets")),
    };
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::bug(format!("predict: {e}")))?;
    let mut writer = TableWriter::new(out, options.format, schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(Predicted { n_rows: n_rows as u64 })
}

fn unkept(name: &str, data: &str) -> Error {
    Error::input(format!("--keep {name}: {data} has no such column; images have \"{IMAGE}\""))
}

/// Writes every output of a network, by its name, as an NPZ archive.
///
/// # Errors
/// As [`predict_rows`]; an output of a type that NumPy has not.
pub fn predict_arrays(options: &PredictOptions, path: &Path, ctx: &Ctx<'_>) -> Result<Predicted, Error> {
    if !super::is_network(&options.model) {
        return Err(Error::unsupported(format!(
            "{}: .npz holds the outputs of networks; write the predictions of a model of tables to .csv or .parquet",
            path.display()
        )));
    }
    let network = Network::load(&options.model)?;
    let feed = Feed::open(&network, &options.data, None, &options.network)?;
    let n_rows = feed.n_rows();
    let outputs = match &feed {
        Feed::Whole(arrays) => network.run(arrays.clone())?,
        _ => all_rows(&network, &feed, n_rows, ctx)?,
    };
    let names = network.outputs().into_iter().map(|port| port.name);
    let named: Vec<(String, &Tensor)> = names.zip(&outputs).collect();
    let mut bytes = Cursor::new(Vec::new());
    write_npz(&mut bytes, &path.display().to_string(), &named)?;
    write_whole(path, |out| {
        let failed = |e: std::io::Error| Error::input(format!("{}: cannot be written: {e}", path.display()));
        out.write_all(bytes.get_ref()).map_err(failed)
    })?;
    Ok(Predicted { n_rows: n_rows as u64 })
}

/// Outputs of all rows, one below the other.
fn all_rows(network: &Network, feed: &Feed, n_rows: usize, ctx: &Ctx<'_>) -> Result<Vec<Tensor>, Error> {
    ctx.progress.stage("running", Some(n_rows as u64));
    let mut all: Option<Vec<Tensor>> = None;
    let slice = network.slice(feed)?;
    let round = Network::round(slice, ctx.threads);
    let mut first = 0;
    while first < n_rows || all.is_none() {
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("predict: interrupted after {first} rows")));
        }
        let rows = first..n_rows.min(first + round);
        // No rows are a run too, of inputs without any: outputs keep their shapes.
        let made = match rows.len() {
            0 => vec![network.run(feed.rows(rows.clone())?)?],
            _ => network.run_rows(feed, slice, rows.clone(), ctx.threads)?,
        };
        for outputs in made {
            all = Some(match all {
                None => outputs,
                Some(all) => {
                    let joined: Option<Vec<Tensor>> =
                        all.into_iter().zip(outputs).map(|(rows, more)| rows.below(more)).collect();
                    joined.ok_or_else(|| {
                        network.fail("its outputs are not rows; give all inputs in one NPZ file")
                    })?
                }
            });
        }
        ctx.progress.advance(rows.len() as u64);
        first += round;
    }
    Ok(all.unwrap_or_default())
}
