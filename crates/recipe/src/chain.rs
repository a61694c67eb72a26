//! The chain of made columns: how each feature becomes nodes.
//!
//! A feature is a column of the table or a column of a group that a step made; groups are made of features of
//! earlier steps. Lowering a feature appends the nodes that it hangs on, each once.

use crate::error::Error;
use ir::op::{Cast, Gather};
use ir::{DType, GraphBuilder, Input, Op, Shape, Tensor, TensorData, ValueIdx};
use prepare::transform::{FeatureKind, Lower};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a feature comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A column of the table.
    Input(usize),
    /// A group that gives one column, or bags.
    Group(usize),
    /// A column of a group that gives several.
    Column(usize, usize),
}

/// One column that learners or steps see.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Name for people.
    pub name: String,
    /// What it means.
    pub kind: FeatureKind,
    pub(crate) source: Source,
    /// The term of each id of a bag, where there is a vocabulary.
    pub(crate) terms: Option<Arc<[String]>>,
}

/// Columns made together.
#[derive(Clone)]
pub(crate) struct ChainGroup {
    pub(crate) uses: Vec<(Source, FeatureKind)>,
    pub(crate) part: Arc<dyn Lower>,
}

/// All groups so far; a group uses earlier ones only.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub(crate) groups: Vec<ChainGroup>,
}

/// What features hang on.
pub(crate) struct Needs {
    /// Whether a column of the table is one of them.
    pub(crate) inputs: Vec<bool>,
    /// Those that need not be made.
    pub(crate) known: BTreeSet<Source>,
}

impl Chain {
    /// What features hang on; `known` need not be made.
    pub(crate) fn needs(
        &self,
        sources: impl IntoIterator<Item = Source>,
        known: &dyn Fn(Source) -> bool,
        n_inputs: usize,
    ) -> Needs {
        let mut needs = Needs { inputs: vec![false; n_inputs], known: BTreeSet::new() };
        let mut seen = vec![false; self.groups.len()];
        let mut open: Vec<Source> = sources.into_iter().collect();
        while let Some(source) = open.pop() {
            match source {
                Source::Input(i) => needs.inputs[i] = true,
                _ if known(source) => {
                    needs.known.insert(source);
                }
                Source::Group(g) | Source::Column(g, _) => {
                    if !std::mem::replace(&mut seen[g], true) {
                        open.extend(self.groups[g].uses.iter().map(|(s, _)| *s));
                    }
                }
            }
        }
        needs
    }
}

/// Features on their way into one graph.
pub(crate) struct Lowering<'c> {
    chain: &'c Chain,
    /// Values that stand in the graph.
    values: BTreeMap<Source, ValueIdx>,
    groups: Vec<Option<ValueIdx>>,
}

/// Columns of the table that stand in a graph.
pub(crate) type InputValues = BTreeMap<Source, ValueIdx>;

/// Adds the inputs that are used to a graph; those from `n_main` on belong to the second table.
///
/// # Errors
/// The graph refuses one.
pub(crate) fn add_inputs(
    builder: &mut GraphBuilder,
    (inputs, n_main): (&[Input], usize),
    used: &[bool],
) -> Result<InputValues, Error> {
    let mut values = BTreeMap::new();
    for (i, input) in inputs.iter().enumerate().filter(|(i, _)| used[*i]) {
        let value = if i < n_main {
            builder.input(&input.name, input.graph_dtype(), Shape::rows())?
        } else {
            // Both tables may have a column of one name.
            let name = builder.free(format!("joined.{}", input.name));
            builder.input(&name, input.graph_dtype(), Shape::other_rows())?
        };
        values.insert(Source::Input(i), value);
    }
    Ok(values)
}

impl<'c> Lowering<'c> {
    /// On the inputs that the graph has.
    pub(crate) fn new(chain: &'c Chain, values: InputValues) -> Lowering<'c> {
        let groups = vec![None; chain.groups.len()];
        Lowering { chain, values, groups }
    }

    /// Says that a made column is an input of this graph, of doubles or strings.
    pub(crate) fn add_known(
        &mut self,
        builder: &mut GraphBuilder,
        source: Source,
        dtype: DType,
    ) -> Result<(), Error> {
        let name = builder.free(format!("known{}", self.values.len()));
        self.values.insert(source, builder.input(&name, dtype, Shape::rows())?);
        Ok(())
    }

    /// The value that a feature is.
    ///
    /// # Errors
    /// The graph refuses a node.
    pub(crate) fn value(&mut self, builder: &mut GraphBuilder, source: Source) -> Result<ValueIdx, Error> {
        if let Some(&value) = self.values.get(&source) {
            return Ok(value);
        }
        let value = match source {
            Source::Input(_) => return Err(not_an_input()),
            Source::Group(g) => self.group(builder, g)?,
            Source::Column(g, at) => {
                let matrix = self.group(builder, g)?;
                let at =
                    Tensor::try_new(Vec::new(), TensorData::I64(vec![at as i64])).ok_or_else(not_an_input)?;
                let at = builder.constant(at)?;
                builder.node(Op::Gather(Gather), &[matrix, at])?
            }
        };
        self.values.insert(source, value);
        Ok(value)
    }

    /// The value of a whole group.
    pub(crate) fn group(&mut self, builder: &mut GraphBuilder, g: usize) -> Result<ValueIdx, Error> {
        if let Some(value) = self.groups[g] {
            return Ok(value);
        }
        let group = &self.chain.groups[g];
        let mut used = Vec::with_capacity(group.uses.len());
        for &(source, kind) in &group.uses {
            used.push(self.step_value(builder, source, kind)?);
        }
        let made = group.part.lower(builder, &used)?;
        self.groups[g] = Some(made);
        Ok(made)
    }

    /// The value as steps see it: numbers are doubles.
    pub(crate) fn step_value(
        &mut self,
        builder: &mut GraphBuilder,
        source: Source,
        kind: FeatureKind,
    ) -> Result<ValueIdx, Error> {
        let value = self.value(builder, source)?;
        if kind != FeatureKind::Number || builder.dtype(value) != Some(DType::I64) {
            return Ok(value);
        }
        Ok(builder.node(Op::Cast(Cast), &[value])?)
    }
}

fn not_an_input() -> Error {
    let (what, expected, got) = ("inputs of a feature".into(), "all of them".into(), "fewer".into());
    ir::Error::from(ir::Kind::Graph { what, expected, got }).into()
}
