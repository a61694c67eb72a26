//! The operators that are imported: one table, each with the function that writes it as nodes of the graph.
//!
//! A function is given the opset and makes of every version the one meaning of [`ir::op::tensor`].

mod attention;
mod constants;
mod control;
mod elementwise;
mod functions;
mod indexing;
mod integers;
mod losses;
mod ml;
mod normalization;
mod products;
mod recurrent;
mod reductions;
mod regions;
mod shapes;
mod signals;
mod windows;

use crate::context::Context;
use crate::error::Error;
use ir::ValueIdx;

/// Outputs of a node, in order.
pub(crate) type Outputs = Result<Vec<ValueIdx>, Error>;

/// An operator that is imported.
pub(crate) struct Operator {
    /// The set that it belongs to; empty is ONNX's own.
    pub(crate) domain: &'static str,
    pub(crate) name: &'static str,
    /// First version of the set that has it in a meaning that is read.
    pub(crate) since: i64,
    pub(crate) import: fn(&mut Context<'_, '_>) -> Outputs,
}

impl Operator {
    const fn of(name: &'static str, since: i64, import: fn(&mut Context<'_, '_>) -> Outputs) -> Operator {
        Operator { domain: "", name, since, import }
    }

    /// An operator of ONNX Runtime.
    const fn microsoft(name: &'static str, import: fn(&mut Context<'_, '_>) -> Outputs) -> Operator {
        Operator { domain: "com.microsoft", name, since: 1, import }
    }

    /// An operator of ONNX-ML.
    const fn ml(name: &'static str, import: fn(&mut Context<'_, '_>) -> Outputs) -> Operator {
        Operator { domain: "ai.onnx.ml", name, since: 1, import }
    }
}

/// All tables.
const TABLES: &[&[Operator]] = &[
    attention::OPERATORS,
    constants::OPERATORS,
    control::OPERATORS,
    elementwise::OPERATORS,
    functions::OPERATORS,
    indexing::OPERATORS,
    integers::OPERATORS,
    losses::OPERATORS,
    ml::OPERATORS,
    normalization::OPERATORS,
    products::OPERATORS,
    recurrent::OPERATORS,
    reductions::OPERATORS,
    regions::OPERATORS,
    shapes::OPERATORS,
    signals::OPERATORS,
    windows::OPERATORS,
];

fn all() -> impl Iterator<Item = &'static Operator> {
    TABLES.iter().copied().flatten()
}

pub(crate) fn find(domain: &str, name: &str) -> Option<&'static Operator> {
    all().find(|o| o.domain == domain && o.name == name)
}

/// A name that is spelt nearly so.
pub(crate) fn nearest(domain: &str, name: &str) -> Option<&'static str> {
    let same = all().find(|o| o.name.eq_ignore_ascii_case(name) && o.name != name);
    let other = || all().find(|o| o.name == name && o.domain != domain);
    same.or_else(other).map(|o| o.name)
}
