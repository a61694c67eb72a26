//! Nodes on text and on bags.
//!
//! A bag of one row has a place for each different id that it may hold, so its memory is bounded when the program is made:
//! by the vocabulary, and by what a text of [`LONGEST`] bytes gives where this is less but not below [`PLACES`]. A longer
//! text is as good as any other as long as its different terms find places; a row whose terms do not is refused
//! ([`crate::Program::refusals`]).

use super::Lowering;
use crate::Error;
use crate::program::{Argument, Element, Place, Table};
use ir::op::{BagNorm, BagWeigh, HashBucket, HashTokens, TermFrequency, TextPart, TimePart, Tokens};
use ir::text::parts::TextNumber;
use ir::text::time::Part;
use ir::text::tokens::{Analyzer, Tokenizer};
use ir::{Node, Op, Tensor, TensorData};

/// Bytes of a text whose terms always find places: those of the longest text of a self-test.
const LONGEST: usize = 256;

/// Places that a bag has at least, if its vocabulary has as many terms.
const PLACES: usize = 512;

/// Takes one of these nodes into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    match &node.op {
        Op::TimePart(op) => time_part(lowering, node, *op),
        Op::LabelEncoder(_) => label_encoder(lowering, node),
        Op::HashBucket(op) => hash_bucket(lowering, node, *op),
        Op::Respell(_) => respell(lowering, node),
        Op::TextPart(op) => text_part(lowering, node, *op),
        Op::Tokens(op) => tokens(lowering, node, *op),
        Op::HashTokens(op) => hash_tokens(lowering, node, *op),
        Op::BagWeigh(op) => weigh(lowering, node, *op),
        Op::BagGather(_) => gather(lowering, node),
        Op::BagGemm(_) => gemm(lowering, node),
        _ => Err(lowering.misfit(node)),
    }
}

fn time_part(lowering: &mut Lowering<'_>, node: &Node, op: TimePart) -> Result<(), Error> {
    let place = Part::ALL.iter().position(|part| *part == op.part).ok_or_else(|| lowering.misfit(node))?;
    let part = Argument::Whole(place as i64);
    let Some(format) = op.format else {
        let Place::Column(column) = lowering.place(node, 0)? else { return Err(lowering.misfit(node)) };
        let out = lowering.made(node, Element::F64, 1)?;
        lowering.step("time_part_i64", vec![out, Argument::Number(column), part]);
        return Ok(());
    };
    let text = lowering.text(node, 0)?;
    let pattern = format.pattern().as_bytes();
    let table = lowering.table(Table::U8(pattern.to_vec()));
    let out = lowering.made(node, Element::F64, 1)?;
    lowering.step("time_part_text", vec![out, text, table, Argument::Length(pattern.len()), part]);
    Ok(())
}

fn label_encoder(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let text = lowering.text(node, 0)?;
    let keys = strings(lowering, node, 1)?;
    let (values, _) = lowering.doubles(node, 2)?;
    let [bytes, starts] = lowering.texts(keys);
    let out = lowering.made(node, Element::F64, 1)?;
    lowering.step("label_encoder", vec![out, text, bytes, starts, values, Argument::Length(keys.len())]);
    Ok(())
}

fn hash_bucket(lowering: &mut Lowering<'_>, node: &Node, op: HashBucket) -> Result<(), Error> {
    let text = lowering.text(node, 0)?;
    let out = lowering.made(node, Element::F64, 1)?;
    lowering.step("hash_bucket", vec![out, text, Argument::Length(op.n_buckets.max(1) as usize)]);
    Ok(())
}

fn respell(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let text = lowering.text(node, 0)?;
    let (keys, values) = (strings(lowering, node, 1)?, strings(lowering, node, 2)?);
    let [bytes, starts] = lowering.texts(keys);
    let [value_bytes, value_starts] = lowering.texts(values);
    let out = lowering.made(node, Element::Text, 1)?;
    let n = Argument::Length(keys.len());
    lowering.step("respell", vec![out, text, bytes, starts, value_bytes, value_starts, n]);
    Ok(())
}

fn text_part(lowering: &mut Lowering<'_>, node: &Node, op: TextPart) -> Result<(), Error> {
    let text = lowering.text(node, 0)?;
    let out = lowering.made(node, Element::F64, 1)?;
    let share = |of| ("text_share", vec![out, text, Argument::Whole(of)]);
    let (routine, arguments) = match op.part {
        TextNumber::Characters => ("text_characters", vec![out, text]),
        TextNumber::Words => ("text_words", vec![out, text]),
        TextNumber::CapitalShare => share(0),
        TextNumber::DigitShare => share(1),
        TextNumber::PunctuationShare => share(2),
    };
    lowering.step(routine, arguments);
    Ok(())
}

fn tokens(lowering: &mut Lowering<'_>, node: &Node, op: Tokens) -> Result<(), Error> {
    let terms = strings(lowering, node, 1)?;
    let [bytes, starts] = lowering.texts(terms);
    bag(lowering, node, "tokens", op.tokenizer, vec![bytes, starts], terms.len())
}

fn hash_tokens(lowering: &mut Lowering<'_>, node: &Node, op: HashTokens) -> Result<(), Error> {
    let n_known = 1usize.checked_shl(op.bits.into()).ok_or_else(|| lowering.misfit(node))?;
    bag(lowering, node, "hash_tokens", op.tokenizer, Vec::new(), n_known)
}

/// A new bag of what stands in a text, by a routine that knows `n_known` ids by these tables.
fn bag(
    lowering: &mut Lowering<'_>,
    node: &Node,
    routine: &'static str,
    tokenizer: Tokenizer,
    tables: Vec<Argument>,
    n_known: usize,
) -> Result<(), Error> {
    let text = lowering.text(node, 0)?;
    let places = places(tokenizer, n_known);
    let ids = lowering.slot(Element::U32, places + 1);
    // A vocabulary may be empty, an array in C may not.
    let weights = lowering.slot(Element::F64, places.max(1));
    let full = lowering.slot(Element::U8, 1);
    let mut arguments = vec![Argument::Out(ids), Argument::Out(weights), Argument::Out(full), text];
    arguments.extend(tables);
    arguments.extend([
        Argument::Length(n_known),
        Argument::Length(places),
        Argument::Flag(tokenizer.analyzer == Analyzer::Words),
        Argument::Flag(tokenizer.fold_case),
        Argument::Length(tokenizer.ngram_min.into()),
        Argument::Length(tokenizer.ngram_max.into()),
    ]);
    lowering.step(routine, arguments);
    if places < n_known {
        lowering.program.refusals.push(full);
    }
    lowering.stands(node, Place::Bag { ids, weights })
}

/// Places of a bag over `n_known` ids.
fn places(tokenizer: Tokenizer, n_known: usize) -> usize {
    // A byte each, words with a byte between.
    let pieces = if tokenizer.analyzer == Analyzer::Words { LONGEST.div_ceil(2) } else { LONGEST };
    let runs = |n: u8| (pieces + 1).saturating_sub(n.into());
    let terms: usize = (tokenizer.ngram_min..=tokenizer.ngram_max).map(runs).sum();
    n_known.min(terms.max(PLACES))
}

fn weigh(lowering: &mut Lowering<'_>, node: &Node, op: BagWeigh) -> Result<(), Error> {
    let (ids, counts) = bag_at(lowering, node)?;
    let value = lowering.input(node, 0)?;
    let readers = lowering.graph.nodes().iter().filter(|other| other.inputs.contains(&value)).count();
    let weights = if readers > 1 {
        let copy = lowering.slot(Element::F64, lowering.program.slots[counts].length);
        let arguments = vec![Argument::Out(copy), Argument::Slot(ids), Argument::Slot(counts)];
        lowering.step("bag_copy", arguments);
        copy
    } else {
        counts
    };
    let in_place = [Argument::Out(weights), Argument::Slot(ids)];
    match op.term_frequency {
        TermFrequency::Raw => {}
        TermFrequency::Sublinear => lowering.step("bag_sublinear", in_place.to_vec()),
        TermFrequency::Binary => lowering.step("bag_binary", in_place.to_vec()),
    }
    if node.inputs.len() > 1 {
        let (idf, _) = lowering.doubles(node, 1)?;
        lowering.step("bag_times", in_place.into_iter().chain([idf]).collect());
    }
    match op.norm {
        BagNorm::None => {}
        BagNorm::L1 => lowering.step("bag_l1", in_place.to_vec()),
        BagNorm::L2 => lowering.step("bag_l2", in_place.to_vec()),
    }
    lowering.stands(node, Place::Bag { ids, weights })
}

fn gather(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (ids, weights) = bag_at(lowering, node)?;
    let TensorData::I64(wanted) = lowering.constant(node, 1)?.data() else {
        return Err(lowering.misfit(node));
    };
    let wanted: Result<Vec<u32>, _> = wanted.iter().map(|&id| u32::try_from(id)).collect();
    let wanted = wanted.map_err(|_| lowering.misfit(node))?;
    let n = wanted.len();
    let table = lowering.table(Table::U32(wanted));
    // No ids are no columns, but an array in C has an element.
    let out = lowering.made(node, Element::F64, n.max(1))?;
    let arguments = vec![out, Argument::Slot(ids), Argument::Slot(weights), table, Argument::Length(n)];
    lowering.step("bag_gather", arguments);
    Ok(())
}

fn gemm(lowering: &mut Lowering<'_>, node: &Node) -> Result<(), Error> {
    let (ids, weights) = bag_at(lowering, node)?;
    let output = *node.outputs.first().ok_or_else(|| lowering.misfit(node))?;
    let width = lowering.width(node, output)?;
    let (w, _) = lowering.doubles(node, 1)?;
    let out = lowering.made(node, Element::F64, width.max(1))?;
    let arguments = vec![out, Argument::Slot(ids), Argument::Slot(weights), w, Argument::Length(width)];
    lowering.step("bag_gemm", arguments);
    Ok(())
}

/// The slots of the bag that is a node's first input.
fn bag_at(lowering: &Lowering<'_>, node: &Node) -> Result<(usize, usize), Error> {
    match lowering.place(node, 0)? {
        Place::Bag { ids, weights } => Ok((ids, weights)),
        Place::Column(_) | Place::Slot(_) | Place::Code(_) | Place::Binned(_) => Err(lowering.misfit(node)),
    }
}

/// The constant texts at a position of a node's inputs.
fn strings<'g>(lowering: &Lowering<'g>, node: &Node, position: usize) -> Result<&'g [String], Error> {
    match lowering.constant(node, position).map(Tensor::data)? {
        TensorData::Str(texts) => Ok(texts),
        _ => Err(lowering.misfit(node)),
    }
}
