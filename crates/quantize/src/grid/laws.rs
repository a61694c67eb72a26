//! What every grid must satisfy, and that its integers are those of the runtime.

use super::*;
use crate::rounding::{ROUNDINGS, Rounding};
use crate::statistics::Channel;
use crate::{OBSERVERS, ObserverEntry};
use ir::fixed::Overflow;
use ir::op::TensorOp;
use ir::op::tensor::{DequantizeLinear, QuantizeLinear};
use ir::{DType, Dim, GraphBuilder, Op, Shape, Tensor, TensorData};
use proptest::prelude::*;
use runtime::tensors::{Limits, run};

/// Every grid, with every format that it has.
fn each(law: impl Fn(&Member<GridEntry>, &IntegerFormat)) {
    for entry in GRIDS {
        let grid = Member::parse(entry.name).unwrap();
        for &bits in entry.bits {
            for sign in [Sign::Signed, Sign::Unsigned] {
                for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
                    for span in [Span::Full, Span::Narrow] {
                        law(&grid, &IntegerFormat::try_new(bits, sign, symmetry, span).unwrap());
                    }
                }
            }
        }
    }
}

/// Levels of a grid as spelled.
pub(super) fn levels(
    text: &str,
    data: &Data<'_>,
    range: Range,
    format: &IntegerFormat,
) -> Result<Levels, Error> {
    Member::<GridEntry>::parse(text)?.levels(data, range, format)
}

fn cases() -> Vec<Vec<f32>> {
    let wave = |n: i32| (0..n).map(|i| ((i * 37 % 101) as f32 - 40.0) / 17.0).collect::<Vec<f32>>();
    vec![
        vec![0.0; 5],
        vec![0.7],
        vec![-3.0; 4],
        vec![0.1, 0.2, 0.3, 0.4, 0.5],
        wave(200),
        vec![1e-44],
        vec![3e38, -3e38],
    ]
}

fn fit(grid: &Member<GridEntry>, values: &[f32], format: &IntegerFormat) -> Levels {
    let (low, high) = Channel::of(values).whole().extremes().unwrap();
    let range = Range::try_new(low.min(0.0), high.max(0.0)).unwrap();
    grid.levels(&Data::Values(values), range, format).unwrap()
}

#[test]
fn a_level_has_its_own_code() {
    each(|grid, format| {
        for case in cases() {
            let levels = fit(grid, &case, format);
            for (code, value) in levels.each() {
                assert!(value.is_finite());
                let again = levels.code(value, 0, &Rounding::HALF_EVEN);
                assert_eq!(levels.value(again), value, "{} {format:?} {code} {value}", grid.describe());
            }
        }
    });
}

#[test]
fn no_neighbour_is_nearer() {
    each(|grid, format| {
        if ["log", "ternary"].contains(&grid.entry().name) {
            // They decide by ratios, and by a threshold.
            return;
        }
        for case in cases() {
            let levels = fit(grid, &case, format);
            for x in case.iter().flat_map(|x| [*x, x * 0.37, x * 1.1]).filter(|x| x.is_finite()) {
                let code = levels.code(x, 0, &Rounding::HALF_EVEN);
                let distance = |code: i32| (f64::from(x) - f64::from(levels.value(code))).abs();
                let nearest = distance(code - 1).min(distance(code + 1));
                // Levels and quotients are rounded to single precision.
                let slack = 2e-7 * f64::from(x.abs());
                assert!(distance(code) <= nearest + slack, "{} {format:?} {x}", grid.describe());
            }
        }
    });
}

#[test]
fn codes_are_within_the_dtype_and_keep_the_order() {
    each(|grid, format| {
        for case in cases() {
            let levels = fit(grid, &case, format);
            let mut values = case.clone();
            values.extend([f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0]);
            values.sort_by(f32::total_cmp);
            let codes = levels.codes(&values, &Rounding::HALF_EVEN);
            assert!(codes.is_sorted(), "{} {format:?} {codes:?}", grid.describe());
            let (least, most) = levels.dtype().whole_range().unwrap();
            let nan = levels.code(f32::NAN, 0, &Rounding::HALF_EVEN);
            assert!(codes.iter().chain([&nan]).all(|q| (least..=most).contains(&(*q).into())));
        }
    });
}

#[test]
fn a_network_of_onnx_gives_the_same_bits() {
    each(|grid, format| {
        for case in cases() {
            let levels = fit(grid, &case, format);
            let Levels::Affine(affine) = levels else { return };
            let scale = affine.scale();
            // Ties, neighbours of ties, and beyond both ends.
            let mut values = case.clone();
            for q in -20..300 {
                let tie = (q as f32 + 0.5) * scale;
                values.extend([tie, tie.next_up(), tie.next_down(), -tie]);
            }
            let (codes, reals) = through_the_runtime(&affine, &values);
            let (least, most) = affine.dtype().whole_range().unwrap();
            let (low, high) = (i128::from(affine.low()), i128::from(affine.high()));
            for ((x, code), real) in values.iter().zip(codes).zip(reals) {
                let ours = affine.code(*x, 0, &Rounding::HALF_EVEN);
                // The runtime's integers end where the dtype does.
                let ends = (least.max(low), most.min(high));
                assert_eq!(i128::from(ours), i128::from(code).clamp(ends.0, ends.1), "{affine:?} {x}");
                if i64::from(ours) == code {
                    assert_eq!(affine.value(ours).to_bits(), real.to_bits(), "{affine:?} {x}");
                }
            }
        }
    });
}

fn through_the_runtime(affine: &Affine, values: &[f32]) -> (Vec<i64>, Vec<f32>) {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape(vec![Dim::Fixed(values.len())])).unwrap();
    let scale = b.constant(Tensor::scalar(TensorData::F32(vec![affine.scale()])).unwrap()).unwrap();
    let levels = QParams::try_new(vec![], Granularity::PerTensor, vec![Levels::Affine(*affine)]).unwrap();
    let zero = b.constant(levels.tensor(&[affine.zero_point()]).unwrap()).unwrap();
    let op = QuantizeLinear {
        axis: 0,
        block: 0,
        to: affine.dtype(),
        precision: None,
        overflow: Overflow::Saturate,
    };
    let q = b.node(Op::Tensor(Box::new(TensorOp::QuantizeLinear(op))), &[x, scale, zero]).unwrap();
    let op = DequantizeLinear { axis: 0, block: 0, to: DType::F32 };
    let y = b.node(Op::Tensor(Box::new(TensorOp::DequantizeLinear(op))), &[q, scale, zero]).unwrap();
    let graph = b.finish(&[q, y]).unwrap();
    let input = Tensor::vector(TensorData::F32(values.to_vec()));
    let outputs = run(&graph, vec![("x".to_owned(), input)], Limits::default()).unwrap();
    let codes = match outputs[0].data() {
        TensorData::Narrow(narrow, v) => v.iter().map(|&q| narrow.to_f32(q) as i64).collect(),
        data => data.whole_numbers().unwrap(),
    };
    let TensorData::F32(reals) = outputs[1].data() else { panic!("{}", outputs[1].dtype()) };
    (codes, reals.clone())
}

#[test]
fn tables_of_all_parts_hold_the_same_integers() {
    each(|grid, format| {
        let cases = cases();
        let range = Range::try_new(-1.0, 2.0).unwrap();
        let parts: Vec<Part<'_>> = cases.iter().map(|c| Part { data: Data::Values(c), range }).collect();
        let levels = grid.levels_of_parts(&parts, format).unwrap();
        assert_eq!(levels.len(), parts.len());
        let integers = |levels: &Levels| match levels {
            Levels::Affine(_) => None,
            Levels::Table(table) => Some(table.values().to_vec()),
        };
        assert!(levels.iter().all(|l| integers(l) == integers(&levels[0])), "{}", grid.describe());
        assert!(grid.levels_of_parts(&[], format).unwrap().is_empty());
    });
}

#[test]
fn scales_of_powers_are_powers() {
    each(|grid, format| {
        for case in cases().iter().filter(|_| grid.entry().name == "pow2") {
            assert_eq!(fit(grid, case, format).scale().to_bits() & 0x7f_ffff, 0);
        }
    });
}

#[test]
fn engines_and_codes_agree_on_tables() {
    each(|grid, format| {
        for case in cases() {
            let Levels::Table(table) = fit(grid, &case, format) else { return };
            let codes: Vec<i32> = case.iter().map(|x| table.code(*x, 0, &Rounding::HALF_EVEN)).collect();
            for (integer, code) in table.integers(&codes).iter().zip(&codes) {
                let real = (f64::from(table.scale()) * f64::from(*integer)) as f32;
                assert_eq!(real.to_bits(), table.value(*code).to_bits());
            }
        }
    });
}

#[test]
fn what_a_summary_keeps_is_enough() {
    each(|grid, format| {
        for case in cases() {
            let seen = Channel::of(&case).whole();
            let (low, high) = seen.extremes().unwrap();
            let range = Range::try_new(low.min(0.0), high.max(0.0)).unwrap();
            let levels = grid.levels(&Data::Summary(&seen), range, format).unwrap();
            // Root of the mean squared error: a value is at most a bin away from what the histogram tells of it.
            let error = |levels: &Levels| {
                let back = levels.values(&levels.codes(&case, &Rounding::HALF_EVEN));
                let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
                (case.iter().zip(&back).map(square).sum::<f64>() / case.len() as f64).sqrt()
            };
            let (got, own) = (error(&levels), error(&fit(grid, &case, format)));
            assert!(got <= own + seen.bin_width(), "{} {format:?} {case:?}: {got} {own}", grid.describe());
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_values_have_levels_and_codes(values in prop::collection::vec(any::<f32>(), 1..40), seed in any::<u64>()) {
        let seen = Channel::of(&values);
        let whole = seen.whole();
        let nth = std::cell::Cell::new(seed % 16);
        each(|grid, format| {
            // One format in sixteen, others in each case.
            nth.set((nth.get() + 1) % 16);
            if nth.get() != 0 {
                return;
            }
            for observer in OBSERVERS {
                let observer: Member<ObserverEntry> = Member::parse(observer.name).unwrap();
                let Ok(range) = observer.range(&seen, format) else {
                    assert_eq!(whole.n(), 0);
                    continue;
                };
                for data in [Data::Values(&values), Data::Summary(&whole)] {
                    let levels = grid.levels(&data, range, format).unwrap();
                    for rounding in ROUNDINGS {
                        let codes = levels.codes(&values, &Rounding::parse(rounding.name, seed).unwrap());
                        let (least, most) = levels.dtype().whole_range().unwrap();
                        assert!(codes.iter().all(|q| (least..=most).contains(&(*q).into())));
                        assert!(levels.values(&codes).iter().all(|x| x.is_finite()));
                    }
                }
            }
        });
    }
}

#[test]
fn bits_that_a_grid_has_not_are_refused() {
    for entry in GRIDS {
        let grid: Member<GridEntry> = Member::parse(entry.name).unwrap();
        for bits in (1..=16).filter(|b| !entry.bits.contains(b)) {
            let format = IntegerFormat::weights(bits).unwrap();
            let range = Range::try_new(-1.0, 1.0).unwrap();
            let error = grid.levels(&Data::Values(&[1.0]), range, &format).unwrap_err();
            assert!(matches!(error.kind(), Kind::Bits { .. }), "{error}");
        }
        for param in entry.spec {
            for bad in params::outside(param.range) {
                let text = format!("{}:{}={bad}", entry.name, param.name);
                let message = Member::<GridEntry>::parse(&text).unwrap_err().to_string();
                assert!(message.contains(param.name) && message.contains(&bad), "{message}");
            }
        }
    }
}
