//! Nodes of this family.

use super::Lowering;
use crate::Error;
use ir::Node;

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    Err(lowering.refuse(node, "this operator", "export to onnx"))
}
