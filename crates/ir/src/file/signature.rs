//! Sections of the signature, the card and the self-test.

use super::bytes::{Reader, Writer};
use crate::{
    Card, ColumnKind, DType, Error, Input, Joined, OutputRole, SelfTest, Signature, TargetColumn, Task,
};
use alloc::vec::Vec;

pub(super) fn tag_of<T: PartialEq>(all: &[T], value: &T) -> u8 {
    all.iter().position(|v| v == value).map_or(u8::MAX, |i| i as u8)
}

pub(super) fn from_tag<T: Copy>(all: &[T], from: &mut Reader<'_>) -> Result<T, Error> {
    let tag = from.byte()?;
    all.get(usize::from(tag)).copied().ok_or_else(|| from.fail("a tag is not known"))
}

pub(super) fn write(signature: &Signature) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(tag_of(Task::ALL, &signature.task));
    out.text(&signature.target);
    write_inputs(&mut out, &signature.inputs);
    out.count(signature.outputs.len());
    for role in &signature.outputs {
        out.byte(tag_of(OutputRole::ALL, role));
    }
    out.count(signature.classes.len());
    for class in &signature.classes {
        out.text(class);
    }
    out.varint(signature.positive.map_or(0, |p| u64::from(p) + 1));
    out.count(signature.missing.len());
    for marker in &signature.missing {
        out.text(marker);
    }
    out.count(signature.columns.len());
    for column in &signature.columns {
        out.text(column);
    }
    out.byte(signature.joined.is_some().into());
    if let Some(joined) = &signature.joined {
        out.text(&joined.table);
        write_inputs(&mut out, &joined.inputs);
    }
    // The task says whether there are several.
    if signature.task.is_several() {
        write_targets(&mut out, &signature.targets);
    }
    out.into_bytes()
}

fn write_targets(out: &mut Writer, targets: &[TargetColumn]) {
    out.count(targets.len());
    for one in targets {
        out.text(&one.name);
        out.count(one.classes.len());
        for class in &one.classes {
            out.text(class);
        }
        out.varint(one.positive.map_or(0, |p| u64::from(p) + 1));
    }
}

fn read_targets(from: &mut Reader<'_>) -> Result<Vec<TargetColumn>, Error> {
    let n = from.count(3)?;
    let mut targets = Vec::with_capacity(n);
    for _ in 0..n {
        let name = from.text()?;
        let n = from.count(1)?;
        let classes = (0..n).map(|_| from.text()).collect::<Result<_, _>>()?;
        targets.push(TargetColumn { name, classes, positive: read_positive(from)? });
    }
    Ok(targets)
}

fn read_positive(from: &mut Reader<'_>) -> Result<Option<u32>, Error> {
    Ok(from.small::<u32>()?.checked_sub(1))
}

fn write_inputs(out: &mut Writer, inputs: &[Input]) {
    out.count(inputs.len());
    for input in inputs {
        out.text(&input.name);
        out.byte(tag_of(ColumnKind::ALL, &input.kind) << 4 | input.dtype.tag());
    }
}

fn read_inputs(from: &mut Reader<'_>) -> Result<Vec<Input>, Error> {
    let n = from.count(2)?;
    let mut inputs = Vec::with_capacity(n);
    for _ in 0..n {
        let name = from.text()?;
        let tag = from.byte()?;
        let kind = ColumnKind::ALL.get(usize::from(tag >> 4)).copied();
        let (Some(kind), Some(dtype)) = (kind, DType::from_tag(tag & 15)) else {
            return Err(from.fail("the kind of a column is not known"));
        };
        inputs.push(Input { name, kind, dtype });
    }
    Ok(inputs)
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Signature, Error> {
    let task = from_tag(Task::ALL, from)?;
    let target = from.text()?;
    let inputs = read_inputs(from)?;
    let n = from.count(1)?;
    let outputs = (0..n).map(|_| from_tag(OutputRole::ALL, from)).collect::<Result<_, _>>()?;
    let n = from.count(1)?;
    let classes = (0..n).map(|_| from.text()).collect::<Result<_, _>>()?;
    let positive = read_positive(from)?;
    let n = from.count(1)?;
    let missing = (0..n).map(|_| from.text()).collect::<Result<_, _>>()?;
    let n = from.count(1)?;
    let columns = (0..n).map(|_| from.text()).collect::<Result<_, _>>()?;
    let joined = match from.byte()? {
        0 => None,
        1 => Some(Joined { table: from.text()?, inputs: read_inputs(from)? }),
        _ => return Err(from.fail("a second table is there or it is not")),
    };
    let targets = if task.is_several() { read_targets(from)? } else { Vec::new() };
    from.end()?;
    Ok(Signature { task, target, targets, inputs, outputs, classes, positive, missing, columns, joined })
}

pub(super) fn write_card(card: &Card) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(&card.data_fingerprint.to_le_bytes());
    out.varint(card.n_rows);
    out.varint(card.seed);
    out.varint(card.work);
    // The whole card is at most 1 kB: what does not fit is cut.
    out.text(cut(&card.recipe, 512));
    let metrics = &card.metrics[..card.metrics.len().min(8)];
    out.count(metrics.len());
    for (name, value) in metrics {
        out.text(cut(name, 48));
        out.raw(&value.to_bits().to_le_bytes());
    }
    out.into_bytes()
}

/// The first `most` bytes of a text, or a few less so as to end with a whole character.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

pub(super) fn read_card(from: &mut Reader<'_>) -> Result<Card, Error> {
    if from.left() == 0 {
        return Ok(Card::default());
    }
    let data_fingerprint = from.word()?;
    let (n_rows, seed, work) = (from.varint()?, from.varint()?, from.varint()?);
    let recipe = from.text()?;
    let n = from.count(9)?;
    let mut metrics = Vec::with_capacity(n);
    for _ in 0..n {
        metrics.push((from.text()?, f64::from_bits(from.word()?)));
    }
    from.end()?;
    Ok(Card { data_fingerprint, n_rows, seed, work, recipe, metrics })
}

pub(super) fn write_self_test(test: &SelfTest) -> Vec<u8> {
    let mut out = Writer::default();
    out.varint(test.seed);
    out.varint(test.n_rows.into());
    out.raw(&test.digest.to_le_bytes());
    out.into_bytes()
}

pub(super) fn read_self_test(from: &mut Reader<'_>) -> Result<SelfTest, Error> {
    let test = SelfTest { seed: from.varint()?, n_rows: from.small()?, digest: from.word()? };
    from.end()?;
    Ok(test)
}
