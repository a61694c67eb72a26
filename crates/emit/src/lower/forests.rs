//! Forests: over codes, or over the very integers that are given.
//!
//! Where all that a forest asks for are columns in 8 or 16 bits, a threshold can be an integer of that size, counted from
//! the lowest one: then nothing is coded, and there are no edges. Where it asks for anything else, or where that takes more
//! bytes, rows are coded first, and thresholds are codes of one byte.

use super::{Lowering, codes, unsupported};
use crate::Error;
use crate::program::{Argument, Element, Table};
use crate::trees::{Layout, Places, Sides, goes_left};
use ir::Node;
use ir::forest::{Forest, MISSING, Split, Test, Tree};
use std::collections::BTreeMap;

/// What the call that codes a number takes, in bytes; about that on 32 bits.
const CALL: usize = 32;

/// Takes a forest into the program.
pub(super) fn lower(lowering: &mut Lowering<'_>, node: &Node, forest: &Forest) -> Result<(), Error> {
    let mut initial = forest.initial_scores().to_vec();
    let (stumps, trees): (Vec<&Tree>, Vec<&Tree>) = forest.trees().iter().partition(|t| t.splits.is_empty());
    for tree in stumps {
        // No sum of any of the trees leaves 32 bits.
        let own = initial[tree.first_output as usize..].iter_mut().zip(&tree.leaves);
        own.for_each(|(score, value)| *score += value);
    }
    // By feature: whether it is asked for with missing on the right, or in a set, and with missing on the left.
    let mut asked = vec![[false; 2]; forest.features().len()];
    for split in trees.iter().flat_map(|tree| &tree.splits) {
        asked[split.feature as usize][usize::from(goes_left(split))] = true;
    }
    if let Some(values) = OfValues::where_shorter(lowering, node, &trees, &asked)? {
        let given = [Argument::Slot(values.slot), Argument::NoTable];
        let given = if values.bytes == 1 { given } else { [given[1], given[0]] };
        return add(lowering, node, initial, &trees, &values, given);
    }
    let codes = OfCodes::try_new(lowering, node, forest, &asked)?;
    add(lowering, node, initial, &trees, &codes, [Argument::Codes, Argument::NoTable])
}

/// The steps that add a leaf of each tree; `given` are what stands in places, in 8 bits or in 16.
fn add(
    lowering: &mut Lowering<'_>,
    node: &Node,
    initial: Vec<i32>,
    trees: &[&Tree],
    places: &impl Places,
    given: [Argument; 2],
) -> Result<(), Error> {
    let width = initial.len();
    let scores = lowering.made(node, Element::I32, width)?;
    let Argument::Out(slot) = scores else { return Err(lowering.misfit(node)) };
    let initial = lowering.table(Table::I32(initial));
    lowering.step("copy_i32", vec![scores, initial, Argument::Length(width)]);
    let sides = places.sides();
    if sides.n > 1 << 14 {
        let what = format!("{} codes of a row", sides.n);
        return Err(unsupported(&node.name, "Forest", what, "fit with fewer columns"));
    }
    let mut by_width: BTreeMap<u32, Vec<&Tree>> = BTreeMap::new();
    trees.iter().for_each(|tree| by_width.entry(tree.width).or_default().push(tree));
    // By place: bytes of its sets.
    let mut sizes = vec![0; sides.n];
    for split in by_width.values().flatten().flat_map(|tree| &tree.splits) {
        sizes[sides.place(split)] = places.set_bytes(split) as u8;
    }
    let sizes =
        if sizes.iter().any(|&n| n > 0) { lowering.table(Table::U8(sizes)) } else { Argument::NoTable };
    for (width, trees) in by_width {
        let layout = Layout::of(&trees, places);
        let bytes = lowering.table(Table::U8(layout.bytes(&trees, places)));
        let first = if layout.first == 0 { trees[0].first_output as usize } else { 0 };
        let mut arguments = vec![Argument::OutFrom(slot, first)];
        arguments.extend(given);
        arguments.extend([bytes, sizes]);
        arguments.extend([trees.len(), width as usize].map(Argument::Length));
        let of_layout = [layout.head, layout.threshold, layout.length, layout.bits, layout.first];
        arguments.extend(of_layout.map(|n| Argument::Whole(n as i64)));
        arguments.push(Argument::Whole(layout.unit.into()));
        lowering.step("forest", arguments);
    }
    Ok(())
}

/// Codes, and by feature how many it has.
struct OfCodes {
    sides: Sides,
    n_codes: Vec<usize>,
}

impl OfCodes {
    fn try_new(
        lowering: &mut Lowering<'_>,
        node: &Node,
        forest: &Forest,
        asked: &[[bool; 2]],
    ) -> Result<OfCodes, Error> {
        let n_codes: Vec<usize> = forest.features().iter().map(|f| f.n_codes.into()).collect();
        let (mut right_places, mut left_places) = (vec![0; asked.len()], vec![0; asked.len()]);
        for (feature, &[right, left]) in asked.iter().enumerate() {
            if right && !forest.features()[feature].ordered {
                right_places[feature] = lowering.set_code(node, feature, n_codes[feature])?;
            } else if right {
                right_places[feature] = lowering.code_with(node, feature, MISSING)?;
            }
            if left {
                left_places[feature] = lowering.code_with(node, feature, 0)?;
            }
        }
        let sides = Sides { right: right_places, left: left_places, n: lowering.program.n_codes };
        Ok(OfCodes { sides, n_codes })
    }
}

impl Places for OfCodes {
    fn sides(&self) -> &Sides {
        &self.sides
    }

    fn threshold_bytes(&self) -> usize {
        1
    }

    fn threshold(&self, _split: &Split, above: u8) -> usize {
        above.into()
    }

    /// A set covers all codes, missing and all that are not known.
    fn set_bytes(&self, split: &Split) -> usize {
        match split.test {
            Test::Greater(_) => 0,
            Test::In(_) => (self.n_codes[split.feature as usize] + 2).div_ceil(8),
        }
    }

    fn missing(&self, split: &Split) -> usize {
        self.n_codes[split.feature as usize]
    }
}

/// Integers that were given, missing as the largest and as the smallest one, and by feature the thresholds.
struct OfValues {
    sides: Sides,
    thresholds: Vec<Vec<i64>>,
    bytes: usize,
    slot: usize,
}

impl OfValues {
    /// None where the forest asks for anything else, or where codes are shorter.
    fn where_shorter(
        lowering: &mut Lowering<'_>,
        node: &Node,
        trees: &[&Tree],
        asked: &[[bool; 2]],
    ) -> Result<Option<OfValues>, Error> {
        let n = asked.len();
        let (mut columns, mut lows, mut highs) = (vec![0; n], vec![0; n], vec![0; n]);
        let (mut thresholds, mut saved, mut bytes) = (vec![Vec::new(); n], 0, 1);
        for feature in (0..n).filter(|&feature| asked[feature] != [false; 2]) {
            let Some(given) = codes::given_whole(lowering, node, feature)? else { return Ok(None) };
            let (low, high) = given.integer.range();
            let of_edge = match high - low {
                ..256 => 1,
                256..65_536 => 2,
                _ => return Ok(None),
            };
            bytes = of_edge.max(bytes);
            saved += if given.is_coded { 0 } else { given.edges.len() * of_edge + CALL };
            thresholds[feature] = given.edges.iter().map(|edge| edge - low).collect();
            (lows[feature], highs[feature]) = (low, high);
            columns[feature] = u16::try_from(given.column).map_err(|_| lowering.misfit(node))?;
        }
        // Missing is above, or not above, each threshold that an integer is above and another one is not.
        let parts = |split: &Split| match split.test {
            Test::Greater(above) => {
                let feature = split.feature as usize;
                let threshold = thresholds[feature].get(usize::from(above));
                threshold.is_some_and(|t| (0..highs[feature] - lows[feature]).contains(t))
            }
            Test::In(_) => false,
        };
        let mut splits = trees.iter().flat_map(|tree| &tree.splits);
        let n_splits = splits.clone().count();
        if n_splits == 0 || !splits.all(parts) || n_splits * (bytes - 1) > saved {
            return Ok(None);
        }

        let (mut right, mut left) = (vec![0; n], vec![0; n]);
        let mut features = Vec::new();
        for (side, places) in [&mut right, &mut left].into_iter().enumerate() {
            for feature in (0..n).filter(|&feature| asked[feature][side]) {
                places[feature] = features.len();
                features.push(feature);
            }
        }
        let n_right = asked.iter().filter(|[right, _]| *right).count();
        let (element, take, fill) = match bytes {
            1 => (Element::U8, "take_u8", "fill_u8"),
            _ => (Element::U16, "take_u16", "fill_u16"),
        };
        let slot = lowering.slot(element, features.len());
        for (place, &feature) in features.iter().enumerate() {
            let number = Argument::Number(columns[feature].into());
            lowering.step(take, vec![Argument::OutFrom(slot, place), number, Argument::Whole(lows[feature])]);
        }
        let of_place = features.iter().map(|&feature| columns[feature]).collect();
        let of_place = lowering.table(Table::U16(of_place));
        let lengths = [lowering.program.columns.len(), n_right, features.len()].map(Argument::Length);
        lowering
            .step(fill, [vec![Argument::Out(slot), Argument::Missing, of_place], lengths.to_vec()].concat());
        let sides = Sides { right, left, n: features.len() };
        Ok(Some(OfValues { sides, thresholds, bytes, slot }))
    }
}

impl Places for OfValues {
    fn sides(&self) -> &Sides {
        &self.sides
    }

    fn threshold_bytes(&self) -> usize {
        self.bytes
    }

    /// The edge itself: a code is above `above` where the number is above the edge of this place.
    fn threshold(&self, split: &Split, above: u8) -> usize {
        let of_feature = &self.thresholds[split.feature as usize];
        of_feature.get(usize::from(above)).map_or(0, |&threshold| threshold as usize)
    }

    fn set_bytes(&self, _split: &Split) -> usize {
        0
    }

    fn missing(&self, _split: &Split) -> usize {
        0
    }
}
