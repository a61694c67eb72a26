//! One node of the model while it is written: its inputs by position, and how it is refused.

use crate::error::{Error, Kind};
use crate::writer::Writer;
use ir::{DType, Dim, Graph, Node, TensorData, ValueIdx};

/// A node of the model, and where it is written to.
pub(super) struct Step<'e> {
    pub(super) graph: &'e Graph,
    pub(super) node: &'e Node,
    /// Names in ONNX of the values of the model so far, by index.
    pub(super) names: &'e [Option<String>],
    /// Columns of points in time in `i64`.
    pub(super) moments: &'e [ValueIdx],
    pub(super) w: &'e mut Writer,
}

impl<'e> Step<'e> {
    /// Refuses the node: what of it cannot be said, and what would work.
    pub(super) fn refuse(&self, what: &str, instead: &str) -> Error {
        let (what, instead) = (what.to_string(), instead.to_string());
        Kind::NotExported { node: self.node.name.clone(), op: self.node.op.payload().name(), what, instead }
            .into()
    }

    /// Says that the node is not what its operator promises.
    pub(super) fn broken(&self, what: &'static str) -> Error {
        Kind::NotAsPromised { node: self.node.name.clone(), op: self.node.op.payload().name(), what }.into()
    }

    fn idx(&self, position: usize) -> Result<ValueIdx, Error> {
        self.node.inputs.get(position).copied().ok_or_else(|| self.broken("the number of inputs"))
    }

    /// Name of an input that is a column or was made.
    pub(super) fn input(&self, position: usize) -> Result<String, Error> {
        let name = self.names.get(self.idx(position)?.0 as usize).cloned().flatten();
        name.ok_or_else(|| self.broken("an input"))
    }

    /// Name of an input of doubles that may be a constant.
    pub(super) fn number(&mut self, position: usize) -> Result<String, Error> {
        match self.graph.constant(self.idx(position)?) {
            None => self.input(position),
            Some(tensor) => {
                let values = self.doubles(position)?;
                Ok(self.w.doubles(tensor.dims(), values))
            }
        }
    }

    fn constant(&self, position: usize) -> Result<&'e TensorData, Error> {
        let graph = self.graph;
        let constant = graph.constant(self.idx(position)?);
        constant.map(|c| c.data()).ok_or_else(|| self.broken("a constant"))
    }

    /// A constant of doubles.
    pub(super) fn doubles(&self, position: usize) -> Result<&'e [f64], Error> {
        match self.constant(position)? {
            TensorData::F64(v) => Ok(v),
            _ => Err(self.broken("a constant of f64")),
        }
    }

    /// A constant of `i64`.
    pub(super) fn i64s(&self, position: usize) -> Result<&'e [i64], Error> {
        self.constant(position)?.i64s().ok_or_else(|| self.broken("a constant of i64"))
    }

    /// A constant of `i32`.
    pub(super) fn i32s(&self, position: usize) -> Result<&'e [i32], Error> {
        self.constant(position)?.i32s().ok_or_else(|| self.broken("a constant of i32"))
    }

    /// A constant of `i16`.
    pub(super) fn i16s(&self, position: usize) -> Result<&'e [i16], Error> {
        self.constant(position)?.i16s().ok_or_else(|| self.broken("a constant of i16"))
    }

    /// A constant of texts.
    pub(super) fn texts(&self, position: usize) -> Result<&'e [String], Error> {
        match self.constant(position)? {
            TensorData::Str(v) => Ok(v),
            _ => Err(self.broken("a constant of text")),
        }
    }

    /// Lengths of a constant.
    pub(super) fn dims(&self, position: usize) -> Result<&'e [usize], Error> {
        let graph = self.graph;
        let constant = graph.constant(self.idx(position)?);
        constant.map(|c| c.dims()).ok_or_else(|| self.broken("a constant"))
    }

    /// Storage type of an input in the model.
    pub(super) fn dtype(&self, position: usize) -> Result<DType, Error> {
        Ok(self.graph.value(self.idx(position)?).dtype)
    }

    /// Columns of an input `[N, K]`; 1 of a column `[N]`.
    pub(super) fn width(&self, position: usize) -> Result<usize, Error> {
        match &self.graph.value(self.idx(position)?).shape.0[..] {
            [_] => Ok(1),
            [_, Dim::Fixed(k)] => Ok(*k),
            _ => Err(self.broken("a shape")),
        }
    }

    /// Columns of the value that the node makes.
    pub(super) fn made_width(&self) -> Result<usize, Error> {
        let made = self.node.outputs.first().ok_or_else(|| self.broken("the number of outputs"))?;
        match &self.graph.value(*made).shape.0[..] {
            [_] => Ok(1),
            [_, Dim::Fixed(k)] => Ok(*k),
            _ => Err(self.broken("a shape")),
        }
    }

    /// Axes of an input.
    pub(super) fn rank(&self, position: usize) -> Result<usize, Error> {
        Ok(self.graph.value(self.idx(position)?).shape.rank())
    }

    /// Whether an input is a column of points in time in `i64`; other columns in `i64` are whole numbers, which the
    /// exported model takes as doubles.
    pub(super) fn is_moments(&self, position: usize) -> Result<bool, Error> {
        Ok(self.moments.contains(&self.idx(position)?))
    }

    /// Whether an input is a column of the table.
    pub(super) fn is_given(&self, position: usize) -> Result<bool, Error> {
        Ok(self.graph.inputs().contains(&self.idx(position)?))
    }
}
