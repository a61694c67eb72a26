//! The ends of an exported model: its columns, its outputs, and what the file says of itself.
//!
//! A column is `[N]`, as it stands in a frame. Numbers are doubles whatever the training table had, so that missing has
//! a value (NaN) and thresholds stay exact.

use crate::error::{Error, Kind};
use crate::proto;
use crate::writer::{Writer, info};
use ir::{ColumnKind, DType, Model, OutputRole, ValueIdx};

/// The columns of a model.
pub(super) struct Inputs {
    pub(super) infos: Vec<proto::ValueInfo>,
    /// Columns of points in time in `i64`.
    pub(super) moments: Vec<ValueIdx>,
}

/// Declares the columns; `names` learns what they are called.
pub(super) fn inputs(model: &Model, names: &mut [Option<String>], w: &mut Writer) -> Inputs {
    let signature = model.signature();
    let mut made = Inputs { infos: Vec::new(), moments: Vec::new() };
    let columns = signature.inputs.iter().chain(signature.joined_inputs());
    for (&idx, input) in model.graph().inputs().iter().zip(columns) {
        let name = w.take(&input.name);
        let element = match (input.kind, input.graph_dtype()) {
            (_, DType::Str) => DType::Str,
            (ColumnKind::Time, DType::I64) => {
                made.moments.push(idx);
                DType::I64
            }
            _ => DType::F64,
        };
        made.infos.push(info(&name, element, &model.graph().value(idx).shape));
        if let Some(slot) = names.get_mut(idx.0 as usize) {
            *slot = Some(name);
        }
    }
    made
}

/// Declares the outputs and gives the values their names.
/// # Errors  An output that no node makes and that is no column, which a model of tables has not.
pub(super) fn outputs(
    model: &Model,
    names: &[Option<String>],
    w: &mut Writer,
) -> Result<Vec<proto::ValueInfo>, Error> {
    let signature = model.signature();
    let mut columns = signature.columns.iter();
    let mut infos = Vec::new();
    w.begin("outputs");
    for (place, (&idx, role)) in model.graph().outputs().iter().zip(&signature.outputs).enumerate() {
        // Of several targets each has an output of a role but the score, in their order.
        let nth = signature.outputs.iter().take(place).filter(|before| *before == role).count();
        let one = signature.targets.get(nth).filter(|_| *role != OutputRole::Score);
        let classes = one.map_or(&signature.classes, |one| &one.classes);
        let value = model.graph().value(idx);
        let Some(name) = names.get(idx.0 as usize).and_then(Option::as_deref) else {
            return Err(
                Kind::NotAsPromised { node: value.name.clone(), op: role.name(), what: "an output" }.into()
            );
        };
        let (made, wanted, element) = match role {
            OutputRole::Score => (name.to_string(), "score", DType::I64),
            OutputRole::Probability => (name.to_string(), "probabilities", DType::F32),
            OutputRole::Value => (name.to_string(), "value", DType::F64),
            OutputRole::Column => {
                (name.to_string(), columns.next().map_or("column", String::as_str), DType::F64)
            }
            OutputRole::Label => match whole(classes) {
                Some(classes) => {
                    let classes = w.ints(&[classes.len()], &classes);
                    (w.gather(&classes, name, 0), "label", DType::I64)
                }
                None => {
                    let classes = w.texts(&[classes.len()], classes);
                    (w.gather(&classes, name, 0), "label", DType::Str)
                }
            },
        };
        let output = match one {
            Some(one) => w.take(&format!("{wanted}_{}", one.name)),
            None => w.take(wanted),
        };
        w.give(&made, &output);
        infos.push(info(&output, element, &value.shape));
    }
    Ok(infos)
}

/// The classes as whole numbers, if all are, each spelt in the one way.
fn whole(classes: &[String]) -> Option<Vec<i64>> {
    let one = |class: &String| class.parse::<i64>().ok().filter(|v| v.to_string() == *class);
    classes.iter().map(one).collect()
}

/// What stands in the file for people.
pub(super) fn description(bounds: &[&str]) -> String {
    let mut text = "Made by smidgen. Inputs are columns [N]: numbers as double, missing is NaN; categories and text as \
                    trimmed string, missing is the empty string, numbers as categories spelt shortest (1, 0.5); points in \
                    time as string, or as int64 in microseconds since 1970, missing is the least int64. Codes, trees, \
                    integer scores and labels are those of the smidgen model."
        .to_string();
    if bounds.is_empty() {
        text.push_str(" All outputs are exact.");
    } else {
        text.push_str(" What is not exact, equal inputs given, and its bound: ");
        text.push_str(&bounds.join("; "));
        text.push_str(
            ". Where such a number comes before a code or an integer, that may differ by 1 at a tie.",
        );
    }
    text
}

/// What stands in the file for programs: where the model comes from.
pub(super) fn metadata(model: &Model) -> Vec<proto::Entry> {
    let (card, signature) = (&model.card, model.signature());
    let mut entries = vec![
        ("smidgen.recipe".to_string(), card.recipe.clone()),
        ("smidgen.task".to_string(), signature.task.name().to_string()),
        ("smidgen.target".to_string(), signature.target.clone()),
        ("smidgen.rows".to_string(), card.n_rows.to_string()),
        ("smidgen.seed".to_string(), card.seed.to_string()),
        ("smidgen.work".to_string(), card.work.to_string()),
        ("smidgen.data_fingerprint".to_string(), format!("{:016x}", card.data_fingerprint)),
    ];
    let metrics =
        card.metrics.iter().map(|(name, value)| (format!("smidgen.metric.{name}"), value.to_string()));
    entries.extend(metrics);
    let columns = signature.inputs.iter().chain(signature.joined_inputs());
    entries.extend(columns.map(|c| (format!("smidgen.input.{}", c.name), format!("{} {}", c.kind, c.dtype))));
    let missing = signature.missing.iter().enumerate();
    entries.extend(missing.map(|(at, cell)| (format!("smidgen.missing.{at}"), cell.clone())));
    entries.into_iter().map(|(key, value)| proto::Entry { key: Some(key), value: Some(value) }).collect()
}
