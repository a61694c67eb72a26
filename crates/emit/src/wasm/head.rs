//! What the library is told of a model; `library/src/head.rs` reads it.

use super::layout::Layout;
use crate::Error;
use crate::program::{Element, Program};
use ir::{ColumnKind, DType, OutputRole};

/// Writes it all; where the head stands.
pub(super) fn write(program: &Program, layout: &mut Layout<'_>) -> Result<u32, Error> {
    let signature = &program.signature;
    let said = part(layout, cells::describe::signature(signature, false).as_bytes())?;
    let mut columns = Vec::new();
    for input in &signature.inputs {
        let name = part(layout, input.name.as_bytes())?;
        columns.extend([place(ColumnKind::ALL, input.kind), place(DType::ALL, input.dtype)]);
        columns.extend(name);
    }
    let columns = list(layout, &columns, signature.inputs.len())?;
    let mut missing = Vec::new();
    for text in &signature.missing {
        missing.extend(part(layout, text.as_bytes())?);
    }
    let missing = list(layout, &missing, signature.missing.len())?;
    let outputs = program.outputs.iter().flat_map(|made| {
        let element = match program.slots[made.slot].element {
            Element::I32 => 0,
            Element::I64 => 1,
            Element::F32 => 2,
            _ => 3,
        };
        let (at, width) = layout.slot(made.slot, 0);
        [place(OutputRole::ALL, made.role), element, width, at]
    });
    let outputs: Vec<u32> = outputs.collect();
    let outputs = list(layout, &outputs, program.outputs.len())?;
    let halves = |word: u64| [word as u32, (word >> 32) as u32];
    let test = program.self_test;
    let test = [
        halves(test.map_or(0, |test| test.digest)),
        halves(test.map_or(0, |test| test.seed)),
        [test.map_or(0, |test| test.n_rows), test.is_some().into()],
    ];
    let words: Vec<u32> = test.into_iter().chain([said, columns, missing, outputs]).flatten().collect();
    layout.put(&bytes(&words))
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The place of a member among all of them.
fn place<T: PartialEq>(all: &[T], member: T) -> u32 {
    all.iter().position(|one| *one == member).unwrap_or_default() as u32
}

/// Bytes: where they stand, and how many there are.
fn part(layout: &mut Layout<'_>, bytes: &[u8]) -> Result<[u32; 2], Error> {
    Ok([layout.put(bytes)?, bytes.len() as u32])
}

/// Structs of words.
fn list(layout: &mut Layout<'_>, words: &[u32], n: usize) -> Result<[u32; 2], Error> {
    Ok([layout.put(&bytes(words))?, n as u32])
}
