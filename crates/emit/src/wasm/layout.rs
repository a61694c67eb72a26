//! Where all of a program stands in memory: first what rows write, behind it what is constant.

use crate::memory::{self, Memory};
use crate::program::{Element, Program, Table};
use crate::{Error, Kind};
use std::collections::BTreeMap;

/// All places begin at multiples of this, which no element needs more than.
const ALIGNED: u32 = 8;
/// An address of nothing.
pub(super) const NOWHERE: u32 = ALIGNED;

/// Places in memory, and the bytes of constants.
pub(super) struct Layout<'p> {
    program: &'p Program,
    memory: Memory,
    /// Where the elements of a type begin.
    arrays: BTreeMap<Element, u32>,
    codes: u32,
    /// By column: where the self-test writes a text.
    texts: Vec<u32>,
    /// Where constants begin.
    first: u32,
    constants: Vec<u8>,
    /// By table of the program: where it stands, and its elements.
    tables: Vec<(u32, u32)>,
}

fn too_large() -> Error {
    let (what, expected) = ("model".to_string(), "less than 4 GB of constants and memory".to_string());
    Kind::Option { what, expected, got: "more".to_string() }.into()
}

impl<'p> Layout<'p> {
    /// Of a program, from an address on.
    ///
    /// # Errors
    /// It takes more memory than there are addresses.
    pub(super) fn try_new(program: &'p Program, first: u32) -> Result<Layout<'p>, Error> {
        let memory = memory::plan(program);
        let mut end = first;
        let mut take = |n_bytes: usize| -> Result<u32, Error> {
            let at = end.checked_next_multiple_of(ALIGNED).ok_or_else(too_large)?;
            let n_bytes = u32::try_from(n_bytes).map_err(|_| too_large())?;
            end = at.checked_add(n_bytes).ok_or_else(too_large)?;
            Ok(at)
        };
        let mut arrays = BTreeMap::new();
        for &(element, length) in &memory.lengths {
            arrays.insert(element, take(length.saturating_mul(element.bytes()))?);
        }
        let codes = take(program.n_codes)?;
        let texts =
            program.samples.iter().map(|sample| take(if sample.is_text() { sample.longest() } else { 0 }));
        let texts = texts.collect::<Result<_, _>>()?;
        let first = take(0)?;
        let mut layout = Layout {
            program,
            memory,
            arrays,
            codes,
            texts,
            first,
            constants: Vec::new(),
            tables: Vec::new(),
        };
        for table in &program.tables {
            let at = layout.table(table)?;
            layout.tables.push(at);
        }
        Ok(layout)
    }

    /// Adds constants; where they stand.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        self.constants.resize(self.constants.len().next_multiple_of(ALIGNED as usize), 0);
        let at = u32::try_from(self.constants.len()).ok().and_then(|n| self.first.checked_add(n));
        self.constants.extend(bytes);
        at.filter(|at| u32::try_from(bytes.len()).is_ok_and(|n| at.checked_add(n).is_some()))
            .ok_or_else(too_large)
    }

    /// Adds a table; where it stands, and its elements.
    pub(super) fn table(&mut self, table: &Table) -> Result<(u32, u32), Error> {
        let (bytes, n): (Vec<u8>, usize) = match table {
            Table::U8(v) => (v.clone(), v.len()),
            Table::I8(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::I16(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::U16(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::I32(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::U32(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::F32(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::I64(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
            Table::F64(v) => (v.iter().flat_map(|x| x.to_le_bytes()).collect(), v.len()),
        };
        // More elements than 2^32 do not fit.
        Ok((self.put(&bytes)?, n as u32))
    }

    /// A slot: where its element stands, and how many there are from there on.
    pub(super) fn slot(&self, slot: usize, first: usize) -> (u32, u32) {
        let of = self.program.slots[slot];
        let at = ((self.memory.places[slot] + first) * of.element.bytes()) as u32;
        (self.arrays.get(&of.element).copied().unwrap_or(NOWHERE) + at, (of.length - first) as u32)
    }

    /// Where the codes of a row stand.
    pub(super) fn codes(&self) -> u32 {
        self.codes
    }

    /// Where the self-test writes a text of a column.
    pub(super) fn text(&self, column: usize) -> u32 {
        self.texts[column]
    }

    /// A table of the program: where it stands, and its elements.
    pub(super) fn table_at(&self, table: usize) -> (u32, u32) {
        self.tables[table]
    }

    /// Where constants begin, and they themselves.
    pub(super) fn constants(&self) -> (u32, &[u8]) {
        (self.first, &self.constants)
    }
}
