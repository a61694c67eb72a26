//! One stage of a plan: codes of some rows, rows of small integers, then their scores.
//!
//! A plan has one; behind a cascade there is another for each second score, behind a gate one for each of both scores,
//! which runs on the rows that it is passed and on no others. Codes and scores that the first stage has of them are taken from it.

use super::gathered::Gathered;
use super::members::{Block, Room, Scores};
use crate::cost::{Counts, Operation, Rows};
use crate::error::Error;
use crate::plan::nodes::{Prelude, fail};
use crate::plan::rows::{CodeStep, Given, RowStep};
use alloc::vec;
use alloc::vec::Vec;
use ir::{Column, ColumnData};

/// What scores are made of, in the order in which it is computed.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) prelude: Option<Prelude>,
    pub(super) codes: Vec<CodeStep>,
    pub(super) rows: Vec<RowStep>,
    pub(super) scores: Scores,
    /// Places of the columns that it and the stages behind it take, rising.
    columns: Vec<usize>,
}

/// What the stage before has of the rows that it passes on.
#[derive(Clone, Debug)]
pub(super) struct Before<'b> {
    /// The rows, by their place in the block.
    pub(super) rows: &'b [usize],
    /// `[n_codes, stride]` of the block.
    pub(super) codes: &'b [u8],
    pub(super) stride: usize,
    /// Scores of the block, in the order in which the plan knows them.
    pub(super) scores: Vec<&'b [i32]>,
}

/// Room for the codes and integers of a block.
pub(super) struct StageRoom {
    codes: Vec<u8>,
    cells: Vec<Vec<i16>>,
    stride: usize,
    /// What the prelude computes.
    registers: Vec<f64>,
    room: Room,
}

impl StageRoom {
    /// Room for blocks of up to `most` rows, `stride` codes from column to column.
    pub(super) fn new(stage: &Stage, most: usize, stride: usize) -> StageRoom {
        StageRoom {
            codes: vec![0; stage.codes.len() * stride],
            cells: stage.rows.iter().map(|row| vec![0; row.width() * stride]).collect(),
            stride,
            registers: Vec::new(),
            room: Room::new(&stage.scores, most),
        }
    }
}

impl Stage {
    pub(super) fn new(
        prelude: Option<Prelude>,
        codes: Vec<CodeStep>,
        rows: Vec<RowStep>,
        scores: Scores,
    ) -> Stage {
        let of_codes = codes.iter().filter_map(CodeStep::column);
        let of_rows = rows.iter().flat_map(|row| row.columns());
        let of_nodes = prelude.iter().flat_map(|prelude| prelude.columns());
        let mut columns: Vec<usize> = of_codes.chain(of_rows).chain(of_nodes).collect();
        scores.add_columns(&mut columns);
        columns.sort_unstable();
        columns.dedup();
        Stage { prelude, codes, rows, scores, columns }
    }

    /// Places of the columns that it and the stages behind it take, rising.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        if let Some(prelude) = &self.prelude {
            prelude.count(rows, counts);
        }
        self.codes.iter().for_each(|step| step.count(counts));
        self.rows.iter().for_each(|step| step.count(counts));
        if rows == Rows::Single {
            let n_quantized: usize = self.rows.iter().map(RowStep::width).sum();
            counts.add(Operation::CallColumn, self.codes.len() + n_quantized);
        }
        self.scores.count(rows, counts);
    }

    /// Number of coded columns, those of stages behind it as well.
    pub(super) fn n_codes(&self) -> usize {
        self.codes.len() + self.scores.n_codes()
    }

    /// Scores `[n, width]` of rows `first..first + n` of the columns.
    pub(super) fn scores_into(
        &self,
        (columns, first, n): (&[Column<'_>], usize, usize),
        before: Option<&Before<'_>>,
        room: &mut StageRoom,
        scores: &mut [i32],
    ) -> Result<(), Error> {
        let StageRoom { codes, cells, stride, registers, room } = room;
        let computed = self.prelude.as_ref().map(|p| p.run(columns, (first, n), registers)).transpose()?;
        let given = Given { columns, first, n, computed: computed.as_ref() };
        let stride = *stride;
        for (at, step) in self.codes.iter().enumerate() {
            if let Some(place) = step.copied() {
                codes.copy_within(place * stride..place * stride + n, at * stride);
                continue;
            }
            let out = &mut codes[at * stride..at * stride + n];
            match step.taken() {
                Some(place) => {
                    let before = before.ok_or_else(fail)?;
                    let own = &before.codes[place * before.stride..];
                    out.iter_mut().zip(before.rows).for_each(|(code, &row)| *code = own[row]);
                }
                None => step.codes_into(&given, out)?,
            }
        }
        for (step, cells) in self.rows.iter().zip(cells.iter_mut()) {
            step.cells_into(&given, codes, stride, cells)?;
        }
        let block = Block { given, codes, cells, stride, before };
        self.scores.scores_into(&block, room, scores)
    }

    /// Scores `[before.rows, width]` of the rows that the stage before passes on, which are some of the block's.
    pub(super) fn passed_on(
        &self,
        given: &Given<'_>,
        before: &Before<'_>,
        room: &mut StageRoom,
        scores: &mut [i32],
    ) -> Result<(), Error> {
        let rows = before.rows;
        if rows.len() == given.n {
            return self.scores_into((given.columns, given.first, given.n), Some(before), room, scores);
        }
        let gathered: Vec<Gathered> = self
            .columns
            .iter()
            .map(|&at| {
                let column = given.columns.get(at).and_then(|c| c.slice(given.first, given.n));
                column.map(|column| Gathered::new(&column, rows)).ok_or_else(fail)
            })
            .collect::<Result<_, _>>()?;
        // Columns that it does not take are empty.
        let none = Column::try_new(ColumnData::F64(&[]), None).ok_or_else(fail)?;
        let mut columns = vec![none; given.columns.len()];
        for (&at, gathered) in self.columns.iter().zip(&gathered) {
            columns[at] = gathered.column().ok_or_else(fail)?;
        }
        self.scores_into((&columns, 0, rows.len()), Some(before), room, scores)
    }
}
