//! What the operators that see other rows mean; part of the reference interpreter.

use crate::error::Error;
use crate::numbers::doubles;
use crate::reference::Inputs;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use ir::fixed::{key_f64, math};
use ir::op::{Past, PastKind, Related, RelatedKind};
use ir::{Tensor, TensorData};

/// Statistics of values in the order given; NaN where there is none.
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { f64::NAN } else { sum(values) / values.len() as f64 }
}

fn sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, v| sum + v)
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().fold(0.0, |sum, v| sum + (v - mean) * (v - mean));
    if values.is_empty() { f64::NAN } else { math::sqrt(squares / values.len() as f64) }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |least, v| if v >= least { least } else { v })
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |most, v| if v <= most { most } else { v })
}

/// Every NaN is the one of [`f64::NAN`].
fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

/// What nodes share that see other rows by the same columns; found by the values that they take.
#[derive(Default)]
pub(crate) struct Memo {
    /// By order and group.
    past: RefCell<BTreeMap<[Option<u32>; 2], Rc<Sorted>>>,
    /// By key and key of the second table.
    related: RefCell<BTreeMap<[u32; 2], Rc<Matches>>>,
}

/// Rows by group, then order, then place.
struct Sorted {
    rows: Vec<usize>,
    /// The group of each row of the table.
    groups: Vec<usize>,
}

/// The rows of a second table that have the key of each row.
struct Matches {
    /// Place of the key of each row among `rows`; none if no row of the second table has it.
    keys: Vec<Option<usize>>,
    /// Rows of the second table, by key.
    rows: Vec<Vec<usize>>,
}

fn sorted(inputs: &Inputs<'_, '_>, order: &[f64]) -> Result<Rc<Sorted>, Error> {
    let taken = &inputs.node.inputs;
    let key = [taken.get(1).map(|v| v.0), taken.get(2).map(|v| v.0)];
    if let Some(known) = inputs.memo.past.borrow().get(&key) {
        return Ok(Rc::clone(known));
    }
    let n_rows = inputs.n_rows;
    let mut groups = vec![0usize; n_rows];
    if taken.len() > 2 {
        let column = inputs.column(2)?;
        let mut known: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for (row, group) in groups.iter_mut().enumerate() {
            let next = known.len();
            *group = *known.entry(column.text(row)).or_insert(next);
        }
    }
    let mut rows: Vec<usize> = (0..n_rows).filter(|&row| !order[row].is_nan()).collect();
    rows.sort_unstable_by_key(|&row| (groups[row], key_f64(order[row]), row));
    let sorted = Rc::new(Sorted { rows, groups });
    inputs.memo.past.borrow_mut().insert(key, Rc::clone(&sorted));
    Ok(sorted)
}

fn matches(inputs: &Inputs<'_, '_>, key: usize, other_key: usize) -> Result<Rc<Matches>, Error> {
    let value = |place: usize| inputs.node.inputs.get(place).map_or(0, |v| v.0);
    let known = [value(key), value(other_key)];
    if let Some(known) = inputs.memo.related.borrow().get(&known) {
        return Ok(Rc::clone(known));
    }
    let (key, other_key) = (inputs.column(key)?, inputs.column_of_either(other_key)?);
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for row in 0..other_key.n_rows() {
        if let Some(key) = other_key.text(row) {
            let place = *places.entry(key).or_insert(rows.len());
            if place == rows.len() {
                rows.push(Vec::new());
            }
            rows[place].push(row);
        }
    }
    let keys = (0..inputs.n_rows).map(|row| places.get(key.text(row)?).copied()).collect();
    let made = Rc::new(Matches { keys, rows });
    inputs.memo.related.borrow_mut().insert(known, Rc::clone(&made));
    Ok(made)
}

pub(crate) fn past(inputs: &Inputs<'_, '_>, op: Past) -> Result<Tensor, Error> {
    let (values, order) = (doubles(inputs, 0)?.values, doubles(inputs, 1)?.values);
    let n_rows = inputs.n_rows;
    let sorted = sorted(inputs, &order)?;
    let Sorted { rows, groups } = &*sorted;
    let mut made = vec![f64::NAN; n_rows];
    if op.kind == PastKind::Count {
        order.iter().zip(&mut made).filter(|(o, _)| !o.is_nan()).for_each(|(_, m)| *m = 0.0);
    }
    let steps = op.steps as usize;
    // Places of the group's first row, and of the first row of the same moment.
    let (mut start, mut earlier) = (0, 0);
    let mut window = Vec::new();
    for at in 0..rows.len() {
        let same = |a: usize, b: usize| groups[rows[a]] == groups[rows[b]];
        if at == 0 || !same(at - 1, at) {
            (start, earlier) = (at, at);
        } else if order[rows[at]] != order[rows[at - 1]] {
            earlier = at;
        }
        let value =
            |place: Option<usize>| place.filter(|&p| p >= start).map_or(f64::NAN, |p| values[rows[p]]);
        made[rows[at]] = plain(match op.kind {
            PastKind::Lag => value(earlier.checked_sub(steps)),
            PastKind::Change => value(earlier.checked_sub(1)) - value(earlier.checked_sub(1 + steps)),
            PastKind::Count => (earlier - start) as f64,
            PastKind::Mean | PastKind::Deviation | PastKind::Min | PastKind::Max => {
                window.clear();
                let first = earlier.saturating_sub(steps).max(start);
                window.extend(rows[first..earlier].iter().map(|&r| values[r]).filter(|v| !v.is_nan()));
                match op.kind {
                    PastKind::Mean => mean(&window),
                    PastKind::Deviation => deviation(&window),
                    PastKind::Min => least(&window),
                    _ => largest(&window),
                }
            }
        });
    }
    Ok(Tensor::vector(TensorData::F64(made)))
}

/// Moments of the second table.
struct Others {
    moments: Option<Vec<f64>>,
    latest: f64,
}

pub(crate) fn related(inputs: &Inputs<'_, '_>, op: Related) -> Result<Tensor, Error> {
    let places = op.places();
    let matches = matches(inputs, places.key, places.other_key)?;
    let moments = places.moment.map(|at| doubles(inputs, at)).transpose()?;
    let others = others(inputs, places.other_moment)?;
    let (numbers, by) = match places.value {
        Some(at) if op.kind == RelatedKind::Share => (None, Some(inputs.column_of_either(at)?)),
        Some(at) => (Some(doubles(inputs, at)?.values), None),
        None => (None, None),
    };
    let keys: &[alloc::string::String] =
        match places.keys.map(|at| inputs.tensor(at)).transpose()?.map(Tensor::data) {
            Some(TensorData::Str(keys)) => keys,
            _ => &[],
        };
    let width = if op.kind == RelatedKind::Share { keys.len() } else { 1 };
    let mut made = Vec::with_capacity(inputs.n_rows * width);
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    let mut first_of_key: Vec<Option<usize>> = vec![None; matches.rows.len()];
    for row in 0..inputs.n_rows {
        let before = moments.as_ref().map(|m| m.values[row]);
        // Without a moment of their own, rows of one key are alike.
        if let (None, Some(place)) = (before, matches.keys[row]) {
            match first_of_key[place] {
                Some(first) => {
                    made.extend_from_within(first * width..(first + 1) * width);
                    continue;
                }
                None => first_of_key[place] = Some(row),
            }
        }
        rows.clear();
        let of_key = matches.keys[row].map_or(&[][..], |place| &matches.rows[place]);
        rows.extend(of_key.iter().copied().filter(|&r| others.is_related(r, before)));
        if op.kind == RelatedKind::Share {
            let mut counts = vec![0u32; keys.len()];
            for &other in &rows {
                let at =
                    by.and_then(|by| by.text(other)).map(|k| keys.binary_search_by(|x| x.as_str().cmp(k)));
                if let Some(Ok(at)) = at {
                    counts[at] += 1;
                }
            }
            made.extend(counts.iter().map(|&n| plain(f64::from(n) / rows.len() as f64)));
            continue;
        }
        values.clear();
        if let Some(numbers) = &numbers {
            values.extend(rows.iter().map(|&r| numbers[r]).filter(|v| !v.is_nan()));
        }
        made.push(plain(match op.kind {
            RelatedKind::Count => rows.len() as f64,
            RelatedKind::Sum => sum(&values),
            RelatedKind::Mean => mean(&values),
            RelatedKind::Deviation => deviation(&values),
            RelatedKind::Min => least(&values),
            RelatedKind::Max => largest(&values),
            RelatedKind::Last => match (others.latest_of(&rows), &numbers) {
                (Some(latest), Some(numbers)) => numbers[latest],
                _ => f64::NAN,
            },
            RelatedKind::Recency => match (others.latest_of(&rows), &others.moments) {
                (Some(latest), Some(m)) => before.unwrap_or(others.latest) - m[latest],
                _ => f64::NAN,
            },
            RelatedKind::Share => f64::NAN,
        }));
    }
    let dims = if op.kind == RelatedKind::Share { vec![inputs.n_rows, width] } else { vec![inputs.n_rows] };
    inputs.finish(dims, TensorData::F64(made))
}

fn others(inputs: &Inputs<'_, '_>, moment: Option<usize>) -> Result<Others, Error> {
    let moments = moment.map(|at| doubles(inputs, at)).transpose()?.map(|m| m.values.into_owned());
    let known = moments.iter().flatten().copied().filter(|m| !m.is_nan());
    let latest = largest(&known.collect::<Vec<_>>());
    Ok(Others { moments, latest })
}

impl Others {
    /// Whether a row of the second table counts for a row of that moment.
    fn is_related(&self, other: usize, before: Option<f64>) -> bool {
        match (&self.moments, before) {
            (None, _) => true,
            (Some(m), None) => !m[other].is_nan(),
            (Some(m), Some(before)) => m[other] < before,
        }
    }

    /// The latest of some rows; of equally late ones the one that stands last.
    fn latest_of(&self, rows: &[usize]) -> Option<usize> {
        let moments = self.moments.as_ref()?;
        rows.iter().copied().max_by_key(|&r| (key_f64(moments[r]), r))
    }
}
