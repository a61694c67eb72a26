//! Where slots stand in memory: a slot's place is free again behind the last step that uses it.

use crate::program::{Argument, Element, Program};

/// The places of slots, in an array an element type.
pub(crate) struct Memory {
    /// By slot: its first element.
    pub(crate) places: Vec<usize>,
    /// Elements that each type takes.
    pub(crate) lengths: Vec<(Element, usize)>,
}

/// Slots that an argument names.
fn slot(argument: &Argument) -> Option<usize> {
    match *argument {
        Argument::Slot(slot)
        | Argument::Out(slot)
        | Argument::OutFrom(slot, _)
        | Argument::Element(slot)
        | Argument::SlotText(slot) => Some(slot),
        _ => None,
    }
}

/// Whether any step uses a slot.
pub(crate) fn used(program: &Program, at: usize) -> bool {
    program.steps.iter().flat_map(|step| &step.arguments).filter_map(slot).any(|slot| slot == at)
}

/// First fit, in the order in which slots are first used.
pub(crate) fn plan(program: &Program) -> Memory {
    let n = program.slots.len();
    let (mut first, mut last) = (vec![usize::MAX; n], vec![0; n]);
    for (at, step) in program.steps.iter().enumerate() {
        for slot in step.arguments.iter().filter_map(slot) {
            first[slot] = first[slot].min(at);
            last[slot] = at;
        }
    }
    program.outputs.iter().for_each(|made| last[made.slot] = usize::MAX);
    let mut order: Vec<usize> = (0..n).filter(|&slot| first[slot] < usize::MAX).collect();
    order.sort_by_key(|&slot| first[slot]);
    let mut memory = Memory { places: vec![0; n], lengths: Vec::new() };
    for (i, &slot) in order.iter().enumerate() {
        let own = program.slots[slot];
        let mut taken: Vec<(usize, usize)> = order[..i]
            .iter()
            .filter(|&&other| program.slots[other].element == own.element && last[other] >= first[slot])
            .map(|&other| (memory.places[other], memory.places[other] + program.slots[other].length))
            .collect();
        taken.sort_unstable();
        let mut place = 0;
        for (begins, ends) in taken {
            if place + own.length <= begins {
                break;
            }
            place = place.max(ends);
        }
        memory.places[slot] = place;
        let end = place + own.length;
        match memory.lengths.iter_mut().find(|(element, _)| *element == own.element) {
            Some((_, length)) => *length = end.max(*length),
            None => memory.lengths.push((own.element, end)),
        }
    }
    memory.lengths.sort_unstable();
    memory
}
