//! What the self-test of a program draws the cells of its columns from.

use crate::program::{Argument, Integer, Table};
use ir::Graph;
use ir::self_test::{Source, sources};

/// How a column is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Integers of a table, how many, and whether it is a point in time.
    Whole(Vec<i64>, bool),
    /// Doubles.
    Real(Vec<f64>),
    /// Keys, and whether rows share them.
    Keys(Vec<String>, bool),
    /// Keys, and the tag of the format of other points in time.
    Times(Vec<String>, u8),
    /// A number of keys that are counted and not used, and the terms of a vocabulary.
    Sentences(usize, Vec<String>),
}

impl Sample {
    /// Of each input of a graph.
    ///
    /// # Errors
    /// An input that has no generator.
    pub(crate) fn all(graph: &Graph, integers: &[Option<Integer>]) -> Result<Vec<Sample>, ir::Error> {
        let sample = |(at, source): (usize, Source<'_>)| match source.whole(integers[at].is_some()) {
            Source::Whole { numbers, is_time } => Sample::Whole(numbers, is_time),
            Source::Real(numbers) => Sample::Real(numbers),
            Source::Text { keys, terms: Some(terms), .. } => Sample::Sentences(keys.len(), terms.to_vec()),
            Source::Text { keys, time, is_shared, .. } => match time.and_then(|time| time.format) {
                Some(format) => Sample::Times(keys.to_vec(), format.tag()),
                None => Sample::Keys(keys.to_vec(), is_shared),
            },
        };
        Ok(sources(graph)?.into_iter().enumerate().map(sample).collect())
    }

    /// The routine that draws a cell.
    pub(crate) fn routine(&self) -> &'static str {
        match self {
            Sample::Whole(..) => "_draw_i64",
            Sample::Real(_) => "_draw_f64",
            Sample::Keys(..) => "_draw_key",
            Sample::Times(..) => "_draw_time",
            Sample::Sentences(..) => "_draw_sentence",
        }
    }

    /// True for a column of text.
    pub(crate) fn is_text(&self) -> bool {
        !matches!(self, Sample::Whole(..) | Sample::Real(_))
    }

    /// The texts that stand in tables.
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Sample::Keys(texts, _) | Sample::Times(texts, _) | Sample::Sentences(_, texts) => texts,
            Sample::Whole(..) | Sample::Real(_) => &[],
        }
    }

    /// Bytes that a cell may take: a key, 4 of the last character, 16 of a hexadecimal word, 256 of a sentence, 64 of a
    /// point in time.
    pub(crate) fn longest(&self) -> usize {
        let longest = self.texts().iter().map(String::len).max().unwrap_or(0);
        match self {
            Sample::Sentences(..) => 256,
            Sample::Times(..) => longest.max(64),
            _ => longest.max(16),
        }
    }

    /// What the routine takes behind the random state.
    pub(crate) fn arguments(&self, table: &mut impl FnMut(Table) -> Argument) -> Vec<Argument> {
        let mut texts = || {
            let [bytes, starts] = Table::of_texts(self.texts());
            [table(bytes), table(starts), Argument::Length(self.texts().len())]
        };
        match self {
            Sample::Keys(_, shared) => [&texts()[..], &[Argument::Whole((*shared).into())]].concat(),
            Sample::Times(_, format) => [&texts()[..], &[Argument::Whole((*format).into())]].concat(),
            Sample::Sentences(n, _) => [&[Argument::Length(*n)], &texts()[..]].concat(),
            Sample::Whole(numbers, is_time) => vec![
                table(Table::I64(numbers.clone())),
                Argument::Length(numbers.len()),
                Argument::Whole((*is_time).into()),
            ],
            Sample::Real(numbers) => {
                vec![table(Table::F64(numbers.clone())), Argument::Length(numbers.len())]
            }
        }
    }
}
