//! Networks from elsewhere: ONNX to the graph; models of tables to elsewhere: the graph to ONNX.
//!
//! [`import`] reads a model of opset 7 to 27 into one [`ir::Graph`]: operators of all versions become those of
//! [`ir::op::tensor`], composite ones are built of them, functions of the model are put in place, graphs inside nodes get
//! what they capture as inputs. What is not supported is an error that names the node, its operator, its opset and what
//! would work; nothing is approximated.
//!
//! [`export`] writes a model of tables with the operators of ONNX and of ai.onnx.ml alone, so that it predicts without
//! smidgen; what cannot be said with them exactly, or within a bound that the file states, is refused by name.
//!
//! [`export_network`] writes a network, as it stands, with the operators of ONNX, in the lowest version that has them.
//!
//! A file is not believed: lengths are compared with the bytes that are there, paths cannot leave the folder, and a model
//! that refers to itself, or to a value that is not there yet, is refused.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod context;
mod error;
mod export;
mod export_network;
mod external;
mod functions;
mod import;
mod inside;
mod operators;
mod proto;
mod rebatch;
mod stream;
mod tensor;
mod writer;

pub use error::{Error, Kind};
pub use export::export;
pub use export_network::{NetworkMeta, export_network};
pub use external::{External, Folder, NoExternal};
pub use import::{Imported, LATEST_OPSET, OLDEST_OPSET, Options, Producer, import, import_all, import_from};
pub use rebatch::rebatch;

use ir::Tensor;
use prost::Message;

/// A tensor in a file of its own, as test data comes, and its name.
///
/// # Errors
/// Bytes that are no ONNX tensor, or one whose elements are not all there.
pub fn read_tensor(bytes: &[u8]) -> Result<(String, Tensor), Error> {
    let proto =
        proto::Tensor::decode(bytes).map_err(|e| Kind::Damaged { what: "tensor", why: e.to_string() })?;
    let tensor = tensor::read(&proto, &NoExternal)?;
    Ok((proto.name.unwrap_or_default(), tensor))
}
