//! The file: one model as bytes, small and read with bounds.
//!
//! Layout, little endian: `"SMDG"`, version `u16`, number of sections `u8`, for each its tag `u8`
//! and length (varint), then their bytes in that order, then the 64-bit digest of all before it
//! ([`crate::digest`]). Sections: 1 signature, 2 graph, 3 constants, 4 forests, 5 card, 6 self-test.
//! An unknown tag below 128 is skipped, one from 128 on is refused.
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
mod rising;
mod signature;

use crate::digest::Digest;
use crate::{Error, Kind, Model};
use alloc::string::ToString;
use alloc::vec::Vec;
use bytes::{Reader, Writer};

const MAGIC: &[u8; 4] = b"SMDG";

/// The format that this crate writes, and the latest that it reads.
pub const VERSION: u16 = 1;

const SIGNATURE: u8 = 1;
const GRAPH: u8 = 2;
const CONSTANTS: u8 = 3;
const FORESTS: u8 = 4;
const CARD: u8 = 5;
const SELF_TEST: u8 = 6;

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
    sections.retain(|(_, bytes)| !bytes.is_empty());

    let mut out = Writer::default();
    out.raw(MAGIC);
    out.raw(&VERSION.to_le_bytes());
    out.byte(sections.len() as u8);
    for (tag, bytes) in &sections {
        out.byte(*tag);
        out.count(bytes.len());
    }
    for (_, bytes) in &sections {
        out.raw(bytes);
    }
    let mut digest = Digest::new();
    digest.bytes(out.bytes());
    out.raw(&digest.finish().to_le_bytes());
    out.into_bytes()
}

/// The model of these bytes.
///
/// # Errors
/// `Damaged` when they are not whole or not a model, `Newer` for a later version, `Unknown` for an
/// operator or a section that this version must know.
pub fn read(bytes: &[u8]) -> Result<Model, Error> {
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
    let sections = split(&mut header)?;
    let find = |tag: u8, name: &'static str| {
        let found = sections.iter().find(|(t, _)| *t == tag);
        Reader::new(name, found.map_or(&[][..], |(_, b)| *b))
    };
    let mut from = find(SIGNATURE, "signature");
    let signature = signature::read(&mut from)?;
    let constants = constants::read(&mut find(CONSTANTS, "constants"))?;
    let forests = forests::read(&mut find(FORESTS, "forests"))?;
    let graph = graph::read(&mut find(GRAPH, "graph"), &signature, constants, forests)?;
    let card = signature::read_card(&mut find(CARD, "card"))?;
    let mut model = Model::try_new(graph, signature, card).map_err(|e| ill_formed(&e))?;
    if sections.iter().any(|(t, _)| *t == SELF_TEST) {
        model.self_test = Some(signature::read_self_test(&mut find(SELF_TEST, "self-test"))?);
    }
    Ok(model)
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
        if !(SIGNATURE..=SELF_TEST).contains(&tag) && tag >= 128 {
            return Err(Kind::Unknown { what: alloc::format!("section {tag}") }.into());
        }
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
