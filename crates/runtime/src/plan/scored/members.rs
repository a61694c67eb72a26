//! What the scores of a block are: parts that are added up, several such members that are weighed together, a first
//! score and a second one where it is not sure, one of two scores as a gate says, or trees that ask scores; and what
//! becomes of them.
//!
//! Here they run; `lowering` makes them of a graph. The room that they need is taken once a run, in [`Room`].

use super::stage::{Before, Stage, StageRoom};
use crate::cost::{Counts, Operation, Rows};
use crate::engine::Trees;
use crate::engine::bins::Bins;
use crate::engine::look_up::LookUp;
use crate::engine::nearest::Nearest;
use crate::engine::product::Product;
use crate::engine::similarities::Similarities;
use crate::error::Error;
use crate::plan::nodes::fail;
use crate::plan::rows::Given;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use ir::TensorData;
use ir::fixed::clamp_i32;
use ir::op::{Cascade, Gate, ScoreCurve, Votes, WeightedSum};

/// Scores, and what becomes of them.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    pub(super) made: Made,
    pub(super) steps: Vec<Step>,
    /// Scores a row.
    pub(super) width: usize,
}

/// How scores are made.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// Of parts that are added up.
    Parts(Vec<Part>),
    /// Of members that are weighed together.
    Weighted { members: Vec<Scores>, op: WeightedSum, weights: Vec<i64>, offsets: Vec<i64> },
    /// By a first score, and by a second stage where that is not sure.
    Cascade { first: Box<Scores>, second: Box<Stage>, op: Cascade },
    /// By the one of two stages that a score says.
    Gate { gate: Box<Scores>, stages: Box<[Stage; 2]>, op: Gate },
    /// By trees over codes of members' scores, and of columns.
    Trees { members: Vec<Scores>, columns: Vec<TreeColumn>, trees: Box<Trees> },
}

/// One column of codes that trees ask.
#[derive(Clone, Debug)]
pub(super) enum TreeColumn {
    /// Codes of the stage.
    Code(usize),
    /// A score of a member, binned.
    Score { member: usize, output: usize, bins: Bins },
}

/// What becomes of scores, in place.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The polygons of a [`ScoreCurve`].
    Curve {
        sizes: Vec<i64>,
        knots: Vec<i32>,
        values: Vec<i32>,
    },
    Votes(Votes),
}

/// One part of a score.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A forest on the codes from `first` on.
    Trees {
        trees: Trees,
        first: usize,
    },
    LookUp(LookUp),
    Product {
        rows: usize,
        product: Product,
    },
    Nearest {
        rows: usize,
        nearest: Nearest,
    },
    Similarities {
        rows: usize,
        similarities: Similarities,
    },
    /// Scores that the prelude computes.
    Computed(usize),
    /// Scores that the stage before has.
    Before(usize),
    /// A weighted sum within this sum.
    Combined(Box<Scores>),
}

/// The codes and integers of a block.
pub(super) struct Block<'b> {
    pub(super) given: Given<'b>,
    pub(super) codes: &'b [u8],
    pub(super) cells: &'b [Vec<i16>],
    pub(super) stride: usize,
    pub(super) before: Option<&'b Before<'b>>,
}

/// Room for the scores of a block.
pub(super) struct Room {
    adding: Adding,
    /// Scores of each member, where there are several, and its room; of a cascade the room of the first stage, of a gate
    /// its own scores and room.
    members: Vec<(Vec<i32>, Room)>,
    /// What trees over scores ask, `[n_columns, stride]`.
    codes: Vec<u8>,
    /// Scores of the second stage of a cascade, or of both behind a gate, taken when the first row is passed on.
    behind: [Behind; 2],
}

/// Scores of rows that are passed on, and room for them.
type Behind = Option<Box<(Vec<i32>, StageRoom)>>;

/// Room for the scores of a part and for sums; none where nothing is added.
struct Adding {
    of_part: Vec<i32>,
    sums: Vec<i64>,
}

impl Room {
    /// Room for blocks of up to `most` rows.
    pub(super) fn new(scores: &Scores, most: usize) -> Room {
        let (mut n_sums, mut members) = (0, Vec::new());
        match &scores.made {
            Made::Parts(parts) if parts.len() == 1 => {}
            Made::Parts(_) => n_sums = most * scores.width,
            Made::Weighted { members: all, .. } | Made::Trees { members: all, .. } => {
                members = all.iter().map(|one| (vec![0; most * one.width], Room::new(one, most))).collect();
            }
            Made::Cascade { first, .. } => members.push((Vec::new(), Room::new(first, most))),
            Made::Gate { gate, .. } => members.push((vec![0; most * gate.width], Room::new(gate, most))),
        }
        let adding = Adding { of_part: vec![0; n_sums], sums: vec![0; n_sums] };
        Room { adding, members, codes: Vec::new(), behind: [None, None] }
    }
}

impl Scores {
    /// Of a block; a second stage by the share of the rows that it gets.
    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        if rows == Rows::Single {
            counts.add(Operation::CallPart, 1);
        }
        match &self.made {
            Made::Parts(parts) => {
                parts.iter().for_each(|part| part.count(rows, counts));
                if parts.len() > 1 {
                    counts.add(Operation::MemberScore, parts.len() * self.width);
                }
            }
            Made::Weighted { members, .. } => {
                members.iter().for_each(|member| member.count(rows, counts));
                counts.add(Operation::MemberScore, members.len() * self.width);
            }
            Made::Trees { members, columns, trees } => {
                members.iter().for_each(|member| member.count(rows, counts));
                for column in columns {
                    match column {
                        TreeColumn::Code(_) => counts.add(Operation::CopiedCode, 1),
                        TreeColumn::Score { bins, .. } => {
                            counts.add(Operation::NumberColumn, 1);
                            counts.add(Operation::SearchStep, bins.n_steps());
                        }
                    }
                }
                trees.count(rows, counts);
            }
            Made::Cascade { first, second, op } => {
                first.count(rows, counts);
                let mut behind = Counts::default();
                second.count(rows, &mut behind);
                counts.add_share(&behind, f64::from(op.passed_on) / f64::from(Cascade::ALL));
                counts.add(Operation::MemberScore, self.width);
            }
            Made::Gate { gate, stages, op } => {
                gate.count(rows, counts);
                let passed_on = f64::from(op.passed_on) / f64::from(Gate::ALL);
                for (stage, share) in stages.iter().zip([1.0 - passed_on, passed_on]) {
                    let mut behind = Counts::default();
                    stage.count(rows, &mut behind);
                    counts.add_share(&behind, share);
                }
                counts.add(Operation::MemberScore, self.width);
            }
        }
        self.steps.iter().for_each(|step| step.count(self.width, counts));
    }

    /// Scores `[n, width]` of a block.
    pub(super) fn scores_into(
        &self,
        block: &Block<'_>,
        room: &mut Room,
        scores: &mut [i32],
    ) -> Result<(), Error> {
        match &self.made {
            Made::Parts(parts) => room.adding.scores_into(parts, block, scores)?,
            Made::Weighted { members, op, weights, offsets } => {
                members_into(members, block, &mut room.members)?;
                let of_members: Vec<&[i32]> = room.members.iter().map(|(own, _)| &own[..]).collect();
                op.apply(&of_members, weights, offsets, scores);
            }
            Made::Cascade { first, second, op } => {
                let Room { members, behind: [behind, _], .. } = room;
                let [(_, of_first)] = &mut members[..] else { return Err(fail()) };
                first.scores_into(block, of_first, scores)?;
                let sure = scores.chunks_exact(self.width).map(|row| op.is_sure(row));
                let rows: Vec<usize> =
                    sure.enumerate().filter(|(_, sure)| !sure).map(|(row, _)| row).collect();
                if !rows.is_empty() {
                    let Block { codes, stride, .. } = *block;
                    let mut known: Vec<&[i32]> = vec![&*scores];
                    known.extend(of_first.members.iter().map(|(own, _)| &own[..]));
                    let before = Before { rows: &rows, codes, stride, scores: known };
                    let out = passed_on(second, block, &before, behind)?;
                    put(&rows, out, scores);
                }
            }
            Made::Gate { gate, stages, .. } => {
                let Room { members, behind, .. } = room;
                let [(gates, of_gate)] = &mut members[..] else { return Err(fail()) };
                let gates = &mut gates[..block.given.n * gate.width];
                gate.scores_into(block, of_gate, gates)?;
                let rows = |is_first: bool| -> Vec<usize> {
                    let takes = gates.iter().map(|&gate| Gate::takes_first(gate) == is_first);
                    takes.enumerate().filter(|(_, takes)| *takes).map(|(row, _)| row).collect()
                };
                for (at, (stage, behind)) in stages.iter().zip(behind).enumerate() {
                    let rows = rows(at == 0);
                    if !rows.is_empty() {
                        let Block { codes, stride, .. } = *block;
                        let before = Before { rows: &rows, codes, stride, scores: Vec::new() };
                        let out = passed_on(stage, block, &before, behind)?;
                        put(&rows, out, scores);
                    }
                }
            }
            Made::Trees { members, columns, trees } => {
                members_into(members, block, &mut room.members)?;
                let (n, stride) = (block.given.n, block.stride);
                room.codes.resize(columns.len() * stride, 0);
                for (column, codes) in columns.iter().zip(room.codes.chunks_exact_mut(stride)) {
                    match column {
                        TreeColumn::Code(place) => {
                            codes[..n].copy_from_slice(&block.codes[place * stride..][..n]);
                        }
                        TreeColumn::Score { member, output, bins } => {
                            let width = members[*member].width;
                            let own = room.members[*member].0.iter().skip(*output).step_by(width);
                            let coded = own.map(|&score| bins.code(score.into()));
                            codes[..n].iter_mut().zip(coded).for_each(|(to, code)| *to = code);
                        }
                    }
                }
                trees.scores_into(&room.codes, stride, scores);
            }
        }
        self.steps.iter().for_each(|step| step.apply(self.width, scores));
        Ok(())
    }

    /// Calls `f` with all parts of this stage.
    pub(super) fn each_part(&self, f: &mut impl FnMut(&Part)) {
        match &self.made {
            Made::Parts(parts) => {
                for part in parts {
                    match part {
                        Part::Combined(within) => within.each_part(f),
                        _ => f(part),
                    }
                }
            }
            Made::Weighted { members, .. } | Made::Trees { members, .. } => {
                members.iter().for_each(|member| member.each_part(f));
            }
            Made::Cascade { first, .. } => first.each_part(f),
            Made::Gate { gate, .. } => gate.each_part(f),
        }
    }

    /// Adds the places of the columns that stages behind it take.
    pub(super) fn add_columns(&self, columns: &mut Vec<usize>) {
        match &self.made {
            Made::Parts(parts) => {
                for part in parts {
                    if let Part::Combined(within) = part {
                        within.add_columns(columns);
                    }
                }
            }
            Made::Weighted { members, .. } | Made::Trees { members, .. } => {
                members.iter().for_each(|member| member.add_columns(columns));
            }
            Made::Cascade { first, second, .. } => {
                first.add_columns(columns);
                columns.extend(second.columns());
            }
            Made::Gate { gate, stages, .. } => {
                gate.add_columns(columns);
                columns.extend(stages.iter().flat_map(Stage::columns));
            }
        }
    }

    /// Number of coded columns of stages behind this one.
    pub(super) fn n_codes(&self) -> usize {
        match &self.made {
            Made::Parts(parts) => parts
                .iter()
                .map(|part| if let Part::Combined(within) = part { within.n_codes() } else { 0 })
                .sum(),
            Made::Weighted { members, .. } => members.iter().map(Scores::n_codes).sum(),
            Made::Trees { members, columns, .. } => {
                let is_made = |column: &&TreeColumn| matches!(column, TreeColumn::Score { .. });
                let n_made = columns.iter().filter(is_made).count();
                members.iter().map(Scores::n_codes).sum::<usize>() + n_made
            }
            Made::Cascade { first, second, .. } => first.n_codes() + second.n_codes(),
            Made::Gate { gate, stages, .. } => {
                gate.n_codes() + stages.iter().map(Stage::n_codes).sum::<usize>()
            }
        }
    }
}

/// Scores of the rows that a stage is passed.
fn passed_on<'r>(
    stage: &Stage,
    block: &Block<'_>,
    before: &Before<'_>,
    behind: &'r mut Behind,
) -> Result<&'r [i32], Error> {
    let width = stage.scores.width;
    let (out, room) = &mut **behind.get_or_insert_with(|| {
        // Another block may pass on more rows.
        let most = block.stride;
        Box::new((vec![0; most * width], StageRoom::new(stage, most, most)))
    });
    let out = &mut out[..before.rows.len() * width];
    stage.passed_on(&block.given, before, room, out)?;
    Ok(out)
}

/// Puts scores of some rows, side by side, to those of all.
fn put(rows: &[usize], of_rows: &[i32], scores: &mut [i32]) {
    let width = of_rows.len() / rows.len().max(1);
    for (&row, own) in rows.iter().zip(of_rows.chunks_exact(width.max(1))) {
        scores[row * width..][..width].copy_from_slice(own);
    }
}

/// Scores of all members of a block.
fn members_into(members: &[Scores], block: &Block<'_>, rooms: &mut [(Vec<i32>, Room)]) -> Result<(), Error> {
    for (member, (own, room)) in members.iter().zip(rooms) {
        member.scores_into(block, room, &mut own[..block.given.n * member.width])?;
    }
    Ok(())
}

impl Adding {
    fn scores_into(&mut self, parts: &[Part], block: &Block<'_>, scores: &mut [i32]) -> Result<(), Error> {
        if let [only] = parts {
            return only.scores_into(block, scores);
        }
        self.sums.fill(0);
        for part in parts {
            let of_part = &mut self.of_part[..scores.len()];
            part.scores_into(block, of_part)?;
            self.sums.iter_mut().zip(&*of_part).for_each(|(sum, &v)| *sum += i64::from(v));
        }
        scores.iter_mut().zip(&self.sums).for_each(|(score, &sum)| *score = clamp_i32(sum));
        Ok(())
    }
}

impl Step {
    fn count(&self, width: usize, counts: &mut Counts) {
        match self {
            Step::Curve { sizes, .. } => {
                let steps = |size: &i64| size.unsigned_abs().max(1).ilog2() as usize + 1;
                counts.add(Operation::CurveStep, sizes.iter().map(steps).sum());
            }
            Step::Votes(_) => counts.add(Operation::Probability, width),
        }
    }

    fn apply(&self, width: usize, scores: &mut [i32]) {
        match self {
            Step::Curve { sizes, knots, values } => ScoreCurve::apply(sizes, knots, values, scores),
            Step::Votes(op) => op.apply(width, scores),
        }
    }
}

impl Part {
    fn count(&self, rows: Rows, counts: &mut Counts) {
        if rows == Rows::Single {
            counts.add(Operation::CallPart, 1);
        }
        match self {
            Part::Trees { trees, .. } => trees.count(rows, counts),
            Part::LookUp(tables) => tables.count(rows, counts),
            Part::Product { product, .. } => counts.add(Operation::Product, product.weights.len()),
            Part::Nearest { nearest, .. } => nearest.count(counts),
            Part::Similarities { similarities, .. } => similarities.count(counts),
            // They are counted where they are computed.
            Part::Computed(_) | Part::Before(_) => {}
            Part::Combined(within) => within.count(rows, counts),
        }
    }

    /// The value that the prelude must compute.
    pub(super) fn computed(&self) -> Option<usize> {
        match self {
            Part::Computed(value) => Some(*value),
            _ => None,
        }
    }

    /// Scores `[n, width]` of a block.
    fn scores_into(&self, block: &Block<'_>, scores: &mut [i32]) -> Result<(), Error> {
        let stride = block.stride;
        match self {
            Part::Combined(within) => {
                let mut room = Room::new(within, block.given.n);
                within.scores_into(block, &mut room, scores)?;
            }
            Part::Trees { trees, first } => trees.scores_into(&block.codes[first * stride..], stride, scores),
            Part::LookUp(tables) => tables.scores_into(block.codes, stride, scores),
            Part::Product { rows, product } => product.scores_into(&block.cells[*rows], stride, scores),
            Part::Nearest { rows, nearest } => nearest.scores_into(&block.cells[*rows], stride, scores),
            Part::Similarities { rows, similarities } => {
                similarities.scores_into(&block.cells[*rows], stride, scores);
            }
            Part::Computed(value) => match block.given.matrix(*value)? {
                (TensorData::I32(v), _) if v.len() == scores.len() => scores.copy_from_slice(v),
                _ => return Err(fail()),
            },
            Part::Before(place) => {
                let before = block.before.ok_or_else(fail)?;
                let known = before.scores.get(*place).ok_or_else(fail)?;
                let width = scores.len() / before.rows.len().max(1);
                for (own, &row) in scores.chunks_exact_mut(width.max(1)).zip(before.rows) {
                    own.copy_from_slice(&known[row * width..][..width]);
                }
            }
        }
        Ok(())
    }
}
