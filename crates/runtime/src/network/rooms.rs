//! Where values stand: one piece of memory for all that a run makes, planned before it runs.
//!
//! A value lives from the step that makes it to the last that reads it; two that live at one time never share a byte.
//! Constants stand apart, once.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A value in one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// Every slot begins at a multiple of this, the bytes of the widest register.
const ALIGN: usize = 64;

/// What is known of a slot while a plan is made.
#[derive(Debug)]
struct Life {
    n_bytes: usize,
    /// The step that makes it and the last that reads it; none of a constant.
    steps: Option<(usize, usize)>,
    /// Where a constant stands.
    constant: usize,
}

/// Slots of a plan that is being made.
#[derive(Debug, Default)]
pub(super) struct Slots {
    lives: Vec<Life>,
    constants: Vec<u8>,
}

impl Slots {
    /// A slot that a step makes.
    pub(super) fn made(&mut self, n_bytes: usize, step: usize) -> Slot {
        self.lives.push(Life { n_bytes, steps: Some((step, step)), constant: 0 });
        Slot(self.lives.len() - 1)
    }

    /// A slot of constant bytes.
    pub(super) fn constant(&mut self, bytes: &[u8]) -> Slot {
        self.lives.push(Life { n_bytes: bytes.len(), steps: None, constant: self.constants.len() });
        self.constants.extend_from_slice(bytes);
        Slot(self.lives.len() - 1)
    }

    /// A step reads a slot.
    pub(super) fn read(&mut self, slot: Slot, step: usize) {
        if let Some(Life { steps: Some((_, last)), .. }) = self.lives.get_mut(slot.0) {
            *last = (*last).max(step);
        }
    }

    /// Gives each slot its place: large ones first, each in the smallest gap between those that live with it.
    pub(super) fn place(self) -> Rooms {
        let mut order: Vec<usize> =
            (0..self.lives.len()).filter(|&at| self.lives[at].steps.is_some()).collect();
        order.sort_by_key(|&at| (core::cmp::Reverse(self.lives[at].n_bytes), at));
        let mut places: Vec<Place> = self.lives.iter().map(Place::of).collect();
        let mut n_bytes = 0;
        for (rank, &at) in order.iter().enumerate() {
            let need = places[at].n_bytes.next_multiple_of(ALIGN);
            let lives_with = |other: &&usize| self.lives[at].meets(&self.lives[**other]);
            let mut taken: Vec<Range<usize>> = order[..rank]
                .iter()
                .filter(lives_with)
                .map(|&other| {
                    places[other].at..places[other].at + places[other].n_bytes.next_multiple_of(ALIGN)
                })
                .collect();
            taken.sort_by_key(|range| range.start);
            let (mut end, mut best): (usize, Option<(usize, usize)>) = (0, None);
            for range in taken {
                let gap = range.start.saturating_sub(end);
                if gap >= need && best.is_none_or(|(least, _)| gap < least) {
                    best = Some((gap, end));
                }
                end = end.max(range.end);
            }
            places[at].at = best.map_or(end, |(_, from)| from);
            n_bytes = n_bytes.max(places[at].at + need);
        }
        Rooms { places, constants: self.constants, n_bytes }
    }
}

impl Life {
    fn meets(&self, other: &Life) -> bool {
        match (self.steps, other.steps) {
            (Some((made, last)), Some((other_made, other_last))) => made <= other_last && other_made <= last,
            _ => false,
        }
    }
}

/// Where a slot stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    is_constant: bool,
    at: usize,
    n_bytes: usize,
}

impl Place {
    fn of(life: &Life) -> Place {
        Place { is_constant: life.steps.is_none(), at: life.constant, n_bytes: life.n_bytes }
    }

    fn range(self) -> Range<usize> {
        self.at..self.at + self.n_bytes
    }
}

/// Places of all slots.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    places: Vec<Place>,
    constants: Vec<u8>,
    n_bytes: usize,
}

impl Rooms {
    /// Bytes of all that a run makes.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Bytes of constants.
    pub(super) fn constant_bytes(&self) -> usize {
        self.constants.len()
    }

    /// Memory for a run.
    pub(super) fn memory(&self) -> Vec<u8> {
        vec![0; self.n_bytes]
    }

    /// The bytes of a slot.
    pub(super) fn get<'a>(&'a self, memory: &'a [u8], slot: Slot) -> &'a [u8] {
        let place = self.places[slot.0];
        if place.is_constant { &self.constants[place.range()] } else { &memory[place.range()] }
    }

    /// The bytes of a slot to be written, and all others to be read.
    pub(super) fn apart<'a>(&'a self, memory: &'a mut [u8], to: Slot) -> (Others<'a>, &'a mut [u8]) {
        let range = self.places[to.0].range();
        let (left, rest) = memory.split_at_mut(range.start);
        let (made, right) = rest.split_at_mut(range.len());
        (Others { rooms: self, left, right, right_at: range.end }, made)
    }
}

/// All slots but the one that is written.
#[derive(Clone, Copy)]
pub(super) struct Others<'a> {
    rooms: &'a Rooms,
    left: &'a [u8],
    right: &'a [u8],
    right_at: usize,
}

impl<'a> Others<'a> {
    /// The bytes of a slot; it lives with the one that is written, so it stands before or behind that.
    pub(super) fn get(&self, slot: Slot) -> &'a [u8] {
        let place = self.rooms.places[slot.0];
        let range = place.range();
        if place.is_constant {
            &self.rooms.constants[range]
        } else if range.end <= self.left.len() {
            &self.left[range]
        } else {
            &self.right[range.start - self.right_at..range.end - self.right_at]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_live_together_stand_apart() {
        let mut slots = Slots::default();
        // A chain with a value that is read again at its end.
        let a = slots.made(100, 0);
        let b = slots.made(300, 1);
        slots.read(a, 1);
        let c = slots.made(200, 2);
        slots.read(b, 2);
        slots.read(a, 2);
        let d = slots.made(60, 3);
        slots.read(c, 3);
        let k = slots.constant(&[7, 8]);
        let rooms = slots.place();
        let range = |s: Slot| rooms.places[s.0].range();
        let apart = |x: Slot, y: Slot| range(x).end <= range(y).start || range(y).end <= range(x).start;
        assert!(apart(a, b) && apart(b, c) && apart(a, c) && apart(c, d));
        // 320 + 256 + 128, and the last where the first or the second stood.
        assert_eq!(rooms.n_bytes(), 704);
        let mut memory = rooms.memory();
        let (others, made) = rooms.apart(&mut memory, b);
        made.fill(1);
        assert_eq!((others.get(a).len(), others.get(c).len(), others.get(k)), (100, 200, &[7u8, 8][..]));
        assert_eq!(rooms.get(&memory, b), [1; 300]);
        assert!(rooms.get(&memory, a).iter().chain(rooms.get(&memory, c)).all(|&x| x == 0));
    }

    #[test]
    fn the_smallest_gap_is_taken() {
        let mut slots = Slots::default();
        let all: Vec<Slot> = [640, 576, 512, 448].iter().map(|&n| slots.made(n, 0)).collect();
        // The first and the third are free from step 2 on.
        slots.read(all[1], 9);
        slots.read(all[3], 9);
        let small = slots.made(128, 2);
        let rooms = slots.place();
        assert_eq!(rooms.places[small.0].at, rooms.places[all[2].0].at);
        assert_eq!(rooms.n_bytes(), 640 + 576 + 512 + 448);
    }
}
