//! The file: one model or one network as bytes, small and read with bounds.
//!
//! Layout, little endian: `"SMDG"`, version `u16`, number of sections `u8`, for each its tag `u8`
//! and length (varint), then their bytes in that order, then the 64-bit digest of all before it
//! ([`crate::digest`]). Sections of a model: 1 signature, 2 graph, 3 constants, 4 forests, 5 card, 6 self-test. Those of a
//! network: 128 signature, which stands first, 129 nodes, 130 constants, 5 card, 131 self-test, and last 132 large
//! constants, aligned. An unknown tag below 128 is skipped, one from 128 on is refused.
//!
//! Reading believes nothing: the digest is compared first, every count is compared with the bytes
//! that are left before memory is taken, and the graph is rebuilt through [`crate::GraphBuilder`],
//! so a file that reads is a model that is well formed. A later version keeps magic, version and
//! trailing digest where they are, so that a newer file is told from a damaged one.

mod bytes;
mod coder;
mod constants;
mod contexts;
mod forests;
mod graph;
#[cfg(feature = "networks")]
mod network;
#[cfg(not(feature = "networks"))]
mod no_tensor_attrs;
#[cfg(feature = "networks")]
mod real_forests;
mod rising;
mod signature;
#[cfg(feature = "networks")]
mod stored;
#[cfg(feature = "networks")]
mod tensor_attrs;
#[cfg(feature = "networks")]
mod weights;

#[cfg(feature = "networks")]
pub use stored::{Stored, read_any, read_network, write_network};

use crate::digest::Digest;
use crate::{Error, Kind, Model};
use alloc::string::ToString;
use alloc::vec::Vec;
use bytes::{Reader, Writer};
#[cfg(not(feature = "networks"))]
use no_tensor_attrs as tensor_attrs;

const MAGIC: &[u8; 4] = b"SMDG";

/// The format that this crate writes, and the latest that it reads.
pub const VERSION: u16 = 1;

const SIGNATURE: u8 = 1;
const GRAPH: u8 = 2;
const CONSTANTS: u8 = 3;
const FORESTS: u8 = 4;
const CARD: u8 = 5;
const SELF_TEST: u8 = 6;
const NETWORK: u8 = 128;

/// The bytes of a model; equal models give equal bytes.
pub fn write(model: &Model) -> Vec<u8> {
    let (graph, constants, forests) = graph::write(model);
    let mut sections: Vec<(u8, Vec<u8>)> = alloc::vec![
        (SIGNATURE, signature::write(model.signature())),
        (GRAPH, graph),
        (CONSTANTS, constants),
        (FORESTS, forests),
        (CARD, signature::write_card(&model.card)),
    ];
    if let Some(test) = &model.self_test {
        sections.push((SELF_TEST, signature::write_self_test(test)));
    }
    joined(sections)
}

/// Magic, version and the list of sections, of which none is empty.
fn header_of(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(MAGIC);
    out.raw(&VERSION.to_le_bytes());
    out.byte(sections.iter().filter(|(_, bytes)| !bytes.is_empty()).count() as u8);
    for (tag, bytes) in sections.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        out.byte(*tag);
        out.count(bytes.len());
    }
    out.into_bytes()
}

/// A file of these sections.
fn joined(sections: Vec<(u8, Vec<u8>)>) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(&header_of(&sections));
    for (_, bytes) in &sections {
        out.raw(bytes);
    }
    let mut digest = Digest::new();
    digest.bytes(out.bytes());
    out.raw(&digest.finish().to_le_bytes());
    out.into_bytes()
}

/// True if a file that starts with these bytes holds a network; eight of them say so.
pub fn is_network(start: &[u8]) -> bool {
    start.starts_with(MAGIC) && start.get(7) == Some(&NETWORK)
}

/// The model of these bytes.
///
/// # Errors
/// `Damaged` when they are not whole or not a model, `Newer` for a later version, `Unknown` for an
/// operator or a section that this version must know, `Graph` for a network, whose nodes are not looked at.
pub fn read(bytes: &[u8]) -> Result<Model, Error> {
    let sections = Sections::of(bytes)?;
    if sections.is_network() { Err(unasked("a model of tables", "a network")) } else { sections.model() }
}

fn unasked(expected: &str, got: &str) -> Error {
    let (what, expected, got) = ("file".to_string(), expected.to_string(), got.to_string());
    Kind::Graph { what, expected, got }.into()
}

/// Sections by tag.
struct Sections<'a>(Vec<(u8, &'a [u8])>);

impl<'a> Sections<'a> {
    /// Those of a whole file.
    fn of(bytes: &'a [u8]) -> Result<Sections<'a>, Error> {
        if bytes.is_empty() {
            return Err(damaged("header", 0, "the file is empty"));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(damaged("header", 0, "it does not start with \"SMDG\": it is no smidgen model"));
        }
        let Some((body, stored)) = bytes.split_last_chunk::<8>().filter(|(body, _)| body.len() > 7) else {
            return Err(damaged("header", bytes.len(), "it ends within the header"));
        };
        let mut digest = Digest::new();
        digest.bytes(body);
        if digest.finish() != u64::from_le_bytes(*stored) {
            return Err(damaged("digest", body.len(), "the digest differs from the bytes before it"));
        }
        let mut header = Reader::new("header", &body[MAGIC.len()..]);
        let version = u16::from_le_bytes([header.byte()?, header.byte()?]);
        if version > VERSION {
            return Err(Kind::Newer { version, known: VERSION }.into());
        }
        split(&mut header).map(Sections)
    }

    fn is_network(&self) -> bool {
        self.0.first().is_some_and(|(tag, _)| *tag == NETWORK)
    }

    fn has(&self, tag: u8) -> bool {
        self.0.iter().any(|(t, _)| *t == tag)
    }

    /// A section; nothing if it is not there.
    fn find(&self, tag: u8, name: &'static str) -> Reader<'a> {
        let found = self.0.iter().find(|(t, _)| *t == tag);
        Reader::new(name, found.map_or(&[][..], |(_, b)| *b))
    }

    /// Refuses sections that are not these and must be known.
    fn all_known(&self, known: &[u8]) -> Result<(), Error> {
        match self.0.iter().find(|(tag, _)| *tag >= 128 && !known.contains(tag)) {
            Some((tag, _)) => Err(Kind::Unknown { what: alloc::format!("section {tag}") }.into()),
            None => Ok(()),
        }
    }

    fn model(&self) -> Result<Model, Error> {
        self.all_known(&[])?;
        let signature = signature::read(&mut self.find(SIGNATURE, "signature"))?;
        let constants = constants::read(&mut self.find(CONSTANTS, "constants"))?;
        let forests = forests::read(&mut self.find(FORESTS, "forests"))?;
        let graph = graph::read(&mut self.find(GRAPH, "graph"), &signature, constants, forests)?;
        let card = signature::read_card(&mut self.find(CARD, "card"))?;
        let mut model = Model::try_new(graph, signature, card).map_err(|e| ill_formed(&e))?;
        if self.has(SELF_TEST) {
            model.self_test = Some(signature::read_self_test(&mut self.find(SELF_TEST, "self-test"))?);
        }
        Ok(model)
    }
}

/// The sections of the body, by tag.
fn split<'a>(header: &mut Reader<'a>) -> Result<Vec<(u8, &'a [u8])>, Error> {
    let n = usize::from(header.byte()?);
    let mut lengths = Vec::with_capacity(n);
    for _ in 0..n {
        let tag = header.byte()?;
        let length = header.count(1)?;
        if lengths.iter().any(|&(t, _)| t == tag) {
            return Err(header.fail("a section stands twice"));
        }
        lengths.push((tag, length));
    }
    let mut sections = Vec::with_capacity(n);
    for (tag, length) in lengths {
        sections.push((tag, header.take(length)?));
    }
    header.end()?;
    Ok(sections)
}

fn damaged(section: &'static str, at: usize, what: &str) -> Error {
    Kind::Damaged { section, at, what: what.to_string() }.into()
}

/// A graph that does not verify, found in a file, is the file's fault.
fn ill_formed(error: &Error) -> Error {
    match error.kind() {
        Kind::Node { .. } | Kind::Graph { .. } => damaged("graph", 0, &error.to_string()),
        other => other.clone().into(),
    }
}

#[cfg(test)]
mod tests;
