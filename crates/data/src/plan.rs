//! Reading a table for a model that exists already: one pass, the types of its signature.
//!
//! Nothing is inferred: a number column is read as the signature's dtype (a fraction in an `I64`
//! column becomes its ceiling, as [`ir::Input`] defines, so that a row reads alike whatever rows
//! are beside it), a category becomes its key, other columns of the file are passed over.

use crate::batches::Batches;
use crate::builders::{Form, Wanted};
use crate::csv::{Header, Layout, Reading};
use crate::encoding::Encoding;
use crate::error::{Kind, MissingColumn, Result};
use crate::markers::Markers;
use crate::nearest::nearest;
use crate::parquet::Parquet;
use crate::source::Source;
use ir::{Input, Signature};
use std::collections::{HashMap, HashSet};

/// Which columns of a table a model needs, and how they are read.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// The model's inputs.
    pub inputs: Vec<Input>,
    /// Columns read as raw text beside the inputs: the target, columns to keep.
    pub also: Vec<String>,
    /// Cells that mean missing, beside the built-in ones.
    pub missing: Vec<String>,
    /// The delimiter of CSV; found out from the first lines if `None`.
    pub delimiter: Option<u8>,
    /// Whether the first row of CSV names the columns. If `None`, it does unless it holds none of
    /// the names above and these are all of the form `column_1`, as a file without header gives them.
    pub header: Option<bool>,
    /// How the bytes of CSV spell text.
    pub encoding: Encoding,
}

impl ReadPlan {
    /// The inputs of a signature and nothing else.
    pub fn new(signature: &Signature) -> ReadPlan {
        ReadPlan::of(signature.inputs.clone(), signature.missing.clone())
    }

    /// These inputs and nothing else; cells of `missing` are missing, beside the built-in ones.
    pub fn of(inputs: Vec<Input>, missing: Vec<String>) -> ReadPlan {
        ReadPlan {
            inputs,
            also: Vec::new(),
            missing,
            delimiter: None,
            header: None,
            encoding: Encoding::default(),
        }
    }

    /// Starts reading. The batches hold the inputs in order and then the columns of `also` in
    /// order, so `also[i]` is column `inputs.len() + i`, even if it is an input too.
    /// `also` is the trimmed text as written, null only where blank (see [`Markers::is_missing`]).
    /// A file with a header and no rows gives no batch.
    /// Parquet is read by the same types: a column that is not used may have any, text in a number
    /// column is read as in CSV, numbers, booleans and times in a text column are spelt canonically.
    /// # Errors  Anything wrong with the file; `MissingColumns`; `TextTimes`. From the iterator
    /// also `TextInNumber`.
    pub fn read(&self, source: &Source) -> Result<Batches> {
        let markers = Markers::new(&self.missing);
        if source.is_parquet()? {
            let parquet = Parquet::open(source)?;
            let wanted = self.wanted(source, parquet.names())?;
            return Batches::parquet(parquet, wanted, markers, None);
        }
        let header = match self.header {
            Some(has_header) => Header::Given(has_header),
            None => {
                let inputs = self.inputs.iter().map(|input| &input.name);
                Header::Named(inputs.chain(&self.also).map(String::as_str).collect())
            }
        };
        let layout = Layout { delimiter: self.delimiter, encoding: self.encoding, header };
        let rows = Reading::open(source, &layout)?;
        let wanted = self.wanted(source, rows.header())?;
        Batches::csv(rows, wanted, markers, None)
    }

    fn wanted(&self, source: &Source, names: &[String]) -> Result<Vec<Wanted>> {
        let position: HashMap<&str, usize> =
            names.iter().enumerate().map(|(idx, name)| (name.as_str(), idx)).collect();
        let mut wanted = Vec::with_capacity(self.inputs.len() + self.also.len());
        let mut missing: Vec<&str> = Vec::new();
        let inputs = self.inputs.iter().map(|i| (&i.name, Form::of(i.kind, i.dtype)));
        let also = self.also.iter().map(|name| (name, Form::Raw));
        for (name, form) in inputs.chain(also) {
            match position.get(name.as_str()) {
                Some(&file_idx) => wanted.push(Wanted { name: name.clone(), file_idx, form }),
                None if missing.contains(&name.as_str()) => {}
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            let used: HashSet<&str> = wanted.iter().map(|w| w.name.as_str()).collect();
            let names = names.iter().map(String::as_str);
            return Err(missing_columns(String::from(source.name()), &missing, names, &used, &self.also));
        }
        Ok(wanted)
    }
}

/// Reads a table for a signature, with the built-in missing markers; see [`ReadPlan::read`].
/// # Errors  As there.
pub fn read_for(source: &Source, signature: &Signature, also: &[String]) -> Result<Batches> {
    let mut plan = ReadPlan::new(signature);
    plan.also = also.to_vec();
    plan.read(source)
}

/// The error that names every missing column, and suggests columns that are not used otherwise; for those
/// of `also` any column, since they may be inputs too.
pub(crate) fn missing_columns<'a, I>(
    table: String,
    missing: &[&str],
    names: I,
    used: &HashSet<&str>,
    also: &[String],
) -> crate::Error
where
    I: Iterator<Item = &'a str>,
{
    let all: Vec<&str> = names.collect();
    let free: Vec<&str> = all.iter().copied().filter(|name| !used.contains(name)).collect();
    let columns = missing
        .iter()
        .map(|&name| MissingColumn {
            name: String::from(name),
            nearest: nearest(name, if also.iter().any(|a| a == name) { &all } else { &free }.iter().copied())
                .map(String::from),
        })
        .collect();
    Kind::MissingColumns { table, columns }.into()
}
