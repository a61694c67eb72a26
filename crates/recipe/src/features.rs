//! Features: the columns that learners see, as they are or derived.
//!
//! A derived column is computed by the runtime from the very nodes that the model will hold, for
//! training as for prediction.

use crate::error::Error;
use ir::{Column, ColumnData, ColumnKind, GraphBuilder, Input, Shape, Tensor, TensorData, ValueIdx};
use prepare::TRANSFORMS;
use prepare::transform::{Derived, TransformInput};

/// One column that learners see.
pub enum Feature {
    /// A column of the table as it is.
    Column(usize),
    /// A column made of others.
    Derived(Derived),
}

impl Feature {
    /// Numbers and categories as they are, then what the transforms derive.
    pub(crate) fn all(inputs: &[Input], columns: &[Vec<Column<'_>>]) -> Vec<Feature> {
        let plain = |i: &usize| matches!(inputs[*i].kind, ColumnKind::Number | ColumnKind::Category);
        let mut features: Vec<Feature> = (0..inputs.len()).filter(plain).map(Feature::Column).collect();
        let input = TransformInput { inputs, columns };
        for entry in TRANSFORMS {
            features.extend(entry.transform.fit(&input).into_iter().map(Feature::Derived));
        }
        features
    }

    /// Columns of the table that the feature is made of.
    pub(crate) fn uses(&self) -> &[usize] {
        match self {
            Feature::Column(idx) => std::slice::from_ref(idx),
            Feature::Derived(derived) => &derived.uses,
        }
    }

    /// Name for people.
    pub(crate) fn name<'a>(&'a self, inputs: &'a [Input]) -> &'a str {
        match self {
            Feature::Column(idx) => &inputs[*idx].name,
            Feature::Derived(derived) => &derived.name,
        }
    }

    /// The value that the feature is, given those of the table's columns (`None` where not an input).
    ///
    /// # Errors
    /// The graph refuses a node.
    pub(crate) fn lower(
        &self,
        builder: &mut GraphBuilder,
        values: &[Option<ValueIdx>],
    ) -> Result<ValueIdx, Error> {
        let used: Option<Vec<ValueIdx>> = self.uses().iter().map(|&i| values[i]).collect();
        let used = used.unwrap_or_default();
        match self {
            Feature::Column(_) => Ok(used.first().copied().ok_or_else(missing_input)?),
            Feature::Derived(derived) => Ok(derived.part.lower(builder, &used)?),
        }
    }
}

fn missing_input() -> ir::Error {
    let (what, expected, got) = ("inputs of a feature".into(), "all of them".into(), "fewer".into());
    ir::Kind::Graph { what, expected, got }.into()
}

/// The graph inputs for the columns that features use; `None` for the others.
pub(crate) fn add_inputs<'f>(
    builder: &mut GraphBuilder,
    inputs: &[Input],
    features: impl Iterator<Item = &'f Feature>,
) -> Result<Vec<Option<ValueIdx>>, Error> {
    let mut used = vec![false; inputs.len()];
    for feature in features {
        feature.uses().iter().for_each(|&i| used[i] = true);
    }
    let mut values = vec![None; inputs.len()];
    for (i, input) in inputs.iter().enumerate().filter(|(i, _)| used[*i]) {
        values[i] = Some(builder.input(&input.name, input.graph_dtype(), Shape::rows())?);
    }
    Ok(values)
}

/// Values of the derived features, by feature (none for plain columns) and chunk of rows.
pub(crate) fn derive(
    inputs: &[Input],
    columns: &[Vec<Column<'_>>],
    features: &[Feature],
) -> Result<Vec<Vec<Tensor>>, Error> {
    let is_derived = |f: &&Feature| matches!(f, Feature::Derived(_));
    let mut made: Vec<Vec<Tensor>> = features.iter().map(|_| Vec::new()).collect();
    if !features.iter().any(|f| is_derived(&f)) {
        return Ok(made);
    }
    let mut builder = GraphBuilder::new();
    let values = add_inputs(&mut builder, inputs, features.iter().filter(is_derived))?;
    let mut outputs = Vec::new();
    for feature in features.iter().filter(is_derived) {
        outputs.push(feature.lower(&mut builder, &values)?);
    }
    let graph = builder.finish(&outputs)?;
    let taken: Vec<&Vec<Column<'_>>> =
        columns.iter().zip(&values).filter(|(_, v)| v.is_some()).map(|(c, _)| c).collect();
    let n_chunks = columns.first().map_or(0, Vec::len);
    for chunk in 0..n_chunks {
        let rows: Vec<Column<'_>> = taken.iter().map(|c| c[chunk]).collect();
        let tensors = runtime::reference::run(&graph, &rows)?;
        let places = features.iter().zip(&mut made).filter(|(f, _)| is_derived(f));
        for ((_, place), tensor) in places.zip(tensors) {
            place.push(tensor);
        }
    }
    Ok(made)
}

/// The columns of all features, in chunks of rows.
pub(crate) fn feature_columns<'a>(
    features: &[Feature],
    columns: &[Vec<Column<'a>>],
    derived: &'a [Vec<Tensor>],
) -> Vec<Vec<Column<'a>>> {
    let of = |(feature, tensors): (&Feature, &'a Vec<Tensor>)| match feature {
        Feature::Column(idx) => columns[*idx].clone(),
        Feature::Derived(_) => tensors.iter().filter_map(as_column).collect(),
    };
    features.iter().zip(derived).map(of).collect()
}

fn as_column(tensor: &Tensor) -> Option<Column<'_>> {
    match tensor.data() {
        TensorData::F64(v) => Column::try_new(ColumnData::F64(v), None),
        _ => None,
    }
}
