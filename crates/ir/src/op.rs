//! Operators: a closed set, one payload a file.
//!
//! A payload says its name, its attributes (which drive the file format and the printer) and what
//! it makes of its inputs' dtypes and shapes. What it *computes* is the reference interpreter's.

mod argmax;
mod bin;
mod codes;
mod forest;
mod link;
mod threshold;
mod time_part;

pub use argmax::ArgMax;
pub use bin::Bin;
pub use codes::Codes;
pub use forest::ForestOp;
pub use link::{Link, LinkKind};
pub use threshold::Threshold;
pub use time_part::TimePart;

use crate::{DType, Error, Forest, Kind, Shape, Tensor};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What an operator knows of one of its inputs before any data arrives.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// Storage type.
    pub dtype: DType,
    /// Shape.
    pub shape: &'a Shape,
    /// The value itself, if it is a constant.
    pub constant: Option<&'a Tensor>,
}

impl Operand<'_> {
    /// Dtype and shape as messages show them: `i32 [N, 3]`.
    fn describe(&self) -> String {
        alloc::format!("{} {}", self.dtype, self.shape)
    }
}

/// An attribute of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Attr {
    /// A whole number.
    Int(i64),
    /// A word.
    Word(String),
    /// A forest; it stands in a section of its own.
    Forest(Box<Forest>),
}

/// The attributes of a node, by name.
#[derive(Clone, Debug, Default)]
pub struct Attrs(pub Vec<(String, Attr)>);

impl Attrs {
    fn get(&self, op: &'static str, name: &str) -> Result<&Attr, Error> {
        let found = self.0.iter().find(|(n, _)| n == name).map(|(_, a)| a);
        found.ok_or_else(|| misfit(op, "attributes", name, &"none of that name"))
    }

    /// A whole number within a type's range.
    fn int<T: TryFrom<i64>>(&self, op: &'static str, name: &str) -> Result<T, Error> {
        match self.get(op, name)? {
            Attr::Int(v) => T::try_from(*v).map_err(|_| misfit(op, name, "a smaller number", v)),
            _ => Err(misfit(op, name, "a whole number", &"another kind of attribute")),
        }
    }

    fn word(&self, op: &'static str, name: &str) -> Result<&str, Error> {
        match self.get(op, name)? {
            Attr::Word(v) => Ok(v),
            _ => Err(misfit(op, name, "a word", &"another kind of attribute")),
        }
    }

    fn forest(&self, op: &'static str, name: &str) -> Result<&Forest, Error> {
        match self.get(op, name)? {
            Attr::Forest(v) => Ok(v),
            _ => Err(misfit(op, name, "a forest", &"another kind of attribute")),
        }
    }
}

/// What every operator says of itself.
pub trait Payload {
    /// Name, as printed and as stored.
    fn name(&self) -> &'static str;
    /// Attributes, in the order in which they are printed and stored.
    fn attrs(&self) -> Vec<(&'static str, Attr)>;
    /// Dtypes and shapes of the outputs for these inputs.
    ///
    /// # Errors
    /// `Node` without the node's name, which the caller adds.
    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error>;
}

/// Makes an operator from its stored attributes.
type Parse = fn(&Attrs) -> Result<Op, Error>;

/// An operator and its attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Numbers to codes.
    Bin(Bin),
    /// Categories to codes.
    Codes(Codes),
    /// Trees over codes.
    Forest(ForestOp),
    /// Integer scores to probabilities or values.
    Link(Link),
    /// Index of the largest score.
    ArgMax(ArgMax),
    /// One score against a threshold.
    Threshold(Threshold),
    /// A point in time to one of its parts.
    TimePart(TimePart),
}

/// Every operator: its stored name and how it is read back.
pub const OPS: &[(&str, Parse)] = &[
    (argmax::NAME, |a| ArgMax::parse(a).map(Op::ArgMax)),
    (bin::NAME, |a| Bin::parse(a).map(Op::Bin)),
    (codes::NAME, |a| Codes::parse(a).map(Op::Codes)),
    (forest::NAME, |a| ForestOp::parse(a).map(Op::Forest)),
    (link::NAME, |a| Link::parse(a).map(Op::Link)),
    (threshold::NAME, |a| Threshold::parse(a).map(Op::Threshold)),
    (time_part::NAME, |a| TimePart::parse(a).map(Op::TimePart)),
];

impl Op {
    /// What the operator says of itself.
    pub fn payload(&self) -> &dyn Payload {
        match self {
            Op::Bin(p) => p,
            Op::Codes(p) => p,
            Op::Forest(p) => p,
            Op::Link(p) => p,
            Op::ArgMax(p) => p,
            Op::Threshold(p) => p,
            Op::TimePart(p) => p,
        }
    }

    /// The operator of a stored name and attributes.
    ///
    /// # Errors
    /// `Unknown` for another name or for an attribute that the operator does not have, `Node` for
    /// attributes that do not fit.
    pub fn parse(name: &str, attrs: &Attrs) -> Result<Op, Error> {
        let known = OPS.iter().find(|(n, _)| *n == name);
        let (_, parse) =
            known.ok_or_else(|| Kind::Unknown { what: alloc::format!("operator \"{name}\"") })?;
        let op = parse(attrs)?;
        let known = op.payload().attrs();
        match attrs.0.iter().find(|(n, _)| !known.iter().any(|(k, _)| k == n)) {
            None => Ok(op),
            Some((attr, _)) => {
                let what = alloc::format!("attribute \"{attr}\" of operator \"{name}\"");
                Err(Kind::Unknown { what }.into())
            }
        }
    }
}

/// A `Node` error; the node's name is added where it is known.
fn misfit(op: &'static str, what: &str, expected: &str, got: &dyn core::fmt::Display) -> Error {
    Kind::Node {
        node: String::new(),
        op,
        what: what.to_owned(),
        expected: expected.to_owned(),
        got: got.to_string(),
    }
    .into()
}

/// Exactly `N` inputs.
fn arity<'a, 'b, const N: usize>(
    op: &'static str,
    inputs: &'a [Operand<'b>],
) -> Result<&'a [Operand<'b>; N], Error> {
    inputs.try_into().map_err(|_| misfit(op, "inputs", &N.to_string(), &inputs.len()))
}
