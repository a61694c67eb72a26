//! Columns of a table as codes, for what asks columns beside scores of members.
//!
//! They stand apart from what a learner sees: a combination of learners behind different transforms asks the columns of
//! the table itself, by their names, so that its questions mean the same in any graph.

use crate::chain::Source;
use crate::features::is_learnt;
use crate::prepared::Prepared;
use ir::forest::MISSING;
use jobs::Threads;
use trees::{CodeMatrix, Encoder};

/// Columns of a table as codes of all of its rows.
#[derive(Debug)]
pub struct CodedColumns {
    names: Vec<String>,
    encoders: Vec<Encoder>,
    codes: CodeMatrix,
}

/// Some rows of such a table.
#[derive(Clone, Copy, Debug)]
pub struct CodedRows<'a> {
    /// The columns.
    pub columns: &'a CodedColumns,
    /// The rows, in any order, a row any number of times.
    pub rows: &'a [u32],
}

impl CodedColumns {
    /// Codes by these encoders. `None` unless there are as many names, encoders and features, no name twice.
    pub fn try_new(names: Vec<String>, encoders: Vec<Encoder>, codes: CodeMatrix) -> Option<CodedColumns> {
        let is_once = |(at, name): (usize, &String)| !names[..at].contains(name);
        let fits = names.len() == encoders.len()
            && names.len() == codes.n_features()
            && names.iter().enumerate().all(is_once);
        fits.then_some(CodedColumns { names, encoders, codes })
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How each became codes.
    pub fn encoders(&self) -> &[Encoder] {
        &self.encoders
    }

    /// The codes.
    pub fn codes(&self) -> &CodeMatrix {
        &self.codes
    }

    /// The code of a row in the column of a place, as trees take it.
    pub fn code(&self, place: usize, row: u32) -> u8 {
        let code = self.codes.code(place, row);
        if u16::from(code) < self.encoders[place].n_codes() { code } else { MISSING }
    }

    /// Place of a column.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

impl Prepared<'_> {
    /// The columns of the first table that learners may ask as they are. O(rows columns).
    pub fn coded_columns(&self, threads: &Threads) -> Option<CodedColumns> {
        let tables = self.tables();
        let (study, n_main) = (&self.study, tables.n_main);
        let (mut names, mut encoders, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (at, feature) in study.features.iter().enumerate() {
            if let Source::Input(input) = feature.source
                && input < n_main
                && is_learnt(feature.kind)
                && study.encoders[at].n_codes() > 1
            {
                names.push(tables.inputs[input].name.clone());
                encoders.push(study.encoders[at].clone());
                known.push(Some(at));
            }
        }
        let none = vec![Vec::new(); known.len()];
        let codes = study.codes.with(&known, &encoders, &none, threads);
        CodedColumns::try_new(names, encoders, codes)
    }
}
