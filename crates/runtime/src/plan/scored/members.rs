//! What the scores of a block are: parts that are added up, what becomes of their sum, and several such members that
//! are weighed together.
//!
//! Here they run; `scored` makes them of a graph. The room that they need is taken once a run, in [`Room`].

use crate::engine::Trees;
use crate::engine::look_up::LookUp;
use crate::engine::nearest::Nearest;
use crate::engine::product::Product;
use crate::engine::similarities::Similarities;
use crate::error::Error;
use crate::plan::nodes::fail;
use crate::plan::rows::Given;
use alloc::vec;
use alloc::vec::Vec;
use core::slice;
use ir::TensorData;
use ir::fixed::clamp_i32;
use ir::op::{ScoreCurve, Votes, WeightedSum};

/// The scores that the endings take.
#[derive(Clone, Debug)]
pub(super) enum Total {
    /// Those of one member.
    Alone(Member),
    /// Those of several, and what becomes of their weighted sum.
    Weighted { members: Vec<Member>, op: WeightedSum, weights: Vec<i64>, offsets: Vec<i64>, steps: Vec<Step> },
}

/// Parts that are added up, and what becomes of the sum.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) parts: Vec<Part>,
    pub(super) steps: Vec<Step>,
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
}

/// The codes and integers of a block.
pub(super) struct Block<'b> {
    pub(super) given: Given<'b>,
    pub(super) codes: &'b [u8],
    pub(super) cells: &'b [Vec<i16>],
    pub(super) stride: usize,
    /// Scores a row.
    pub(super) width: usize,
}

/// Room for the scores of a block.
pub(super) struct Room {
    adding: Adding,
    /// Scores of each member, where there are several.
    of_members: Vec<Vec<i32>>,
}

/// Room for the scores of a part and for sums; none where nothing is added.
struct Adding {
    of_part: Vec<i32>,
    sums: Vec<i64>,
}

impl Room {
    /// Room for blocks of up to `len` scores.
    pub(super) fn new(total: &Total, len: usize) -> Room {
        let is_sum = total.members().iter().any(|member| member.parts.len() != 1);
        let n_sums = if is_sum { len } else { 0 };
        let n_members = match total {
            Total::Alone(_) => 0,
            Total::Weighted { members, .. } => members.len(),
        };
        let adding = Adding { of_part: vec![0; n_sums], sums: vec![0; n_sums] };
        Room { adding, of_members: vec![vec![0; len]; n_members] }
    }
}

impl Total {
    pub(super) fn members(&self) -> &[Member] {
        match self {
            Total::Alone(member) => slice::from_ref(member),
            Total::Weighted { members, .. } => members,
        }
    }

    /// Scores `[n, width]` of a block.
    pub(super) fn scores_into(
        &self,
        block: &Block<'_>,
        room: &mut Room,
        scores: &mut [i32],
    ) -> Result<(), Error> {
        match self {
            Total::Alone(member) => member.scores_into(block, &mut room.adding, scores),
            Total::Weighted { members, op, weights, offsets, steps } => {
                for (member, own) in members.iter().zip(&mut room.of_members) {
                    member.scores_into(block, &mut room.adding, &mut own[..scores.len()])?;
                }
                let of_members: Vec<&[i32]> = room.of_members.iter().map(|own| &own[..]).collect();
                op.apply(&of_members, weights, offsets, scores);
                steps.iter().for_each(|step| step.apply(block.width, scores));
                Ok(())
            }
        }
    }
}

impl Member {
    fn scores_into(&self, block: &Block<'_>, adding: &mut Adding, scores: &mut [i32]) -> Result<(), Error> {
        if let [only] = &self.parts[..] {
            only.scores_into(block, scores)?;
        } else {
            adding.sums.fill(0);
            for part in &self.parts {
                let of_part = &mut adding.of_part[..scores.len()];
                part.scores_into(block, of_part)?;
                adding.sums.iter_mut().zip(&*of_part).for_each(|(sum, &v)| *sum += i64::from(v));
            }
            scores.iter_mut().zip(&adding.sums).for_each(|(score, &sum)| *score = clamp_i32(sum));
        }
        self.steps.iter().for_each(|step| step.apply(block.width, scores));
        Ok(())
    }
}

impl Step {
    fn apply(&self, width: usize, scores: &mut [i32]) {
        match self {
            Step::Curve { sizes, knots, values } => ScoreCurve::apply(sizes, knots, values, scores),
            Step::Votes(op) => op.apply(width, scores),
        }
    }
}

impl Part {
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
        }
        Ok(())
    }
}
