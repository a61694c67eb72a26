//! From statistics to decisions: the grid of each value, the codes of each weight.

use crate::Channel;
use crate::correct::bias_range::weight_scale;
use crate::decisions::{Decisions, StoredWeights};
use crate::error::Error;
use crate::grid::{Affine, Data, Granularity, Levels, QParams};
use crate::places::Places;
use crate::portability::make_portable;
use crate::qdq::integers;
use crate::roles::{Layer, Role, Roles, weights};
use crate::scheme::{BORDER_BITS, Scheme, Sharing};
use crate::{Correction, Observed, Rounding};
use ir::{Node, NodeIdx, Tensor, TensorData, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};

/// Bits of a bias without its sign, as many as an `i32` has; it is never cut off, whatever corrections are asked for.
const BIAS_BITS: u32 = 31;

/// Bits of what is wide.
const WIDE_BITS: u8 = 16;

/// Bits of a layer, where they differ from the scheme's; from the fewest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// As the scheme says.
    Scheme,
    /// Activations that the layer takes have 16 bits, weights 8 or more.
    Wide,
    /// Activations and weights have 16 bits.
    Widest,
    /// The layer stays as it is.
    Float,
}

/// The decisions for a network.
///
/// # Errors
/// A grid or an observer that does not fit the values.
pub fn decide(
    observed: &Observed<'_>,
    scheme: &Scheme,
    precision: &dyn Fn(NodeIdx) -> Precision,
) -> Result<Decisions, Error> {
    let roles = &observed.roles;
    let places = Places::of(roles, &|idx| precision(idx) == Precision::Float);
    let mut grids = BTreeMap::new();
    let wide = wide_groups(roles, &places, precision);
    for group in places.values().map(|(_, group)| group).collect::<BTreeSet<_>>() {
        // All others of a group are elements of its first value.
        let known = match (observed.statistics(group), roles.graph().constant(group).map(Tensor::data)) {
            (Some(statistics), _) => statistics.channels().first().cloned(),
            (None, Some(TensorData::F32(values))) => Some(Channel::of(values)),
            _ => None,
        };
        let whole = known.unwrap_or_default();
        let bits = if wide.contains(&group) { WIDE_BITS } else { scheme.activations.codes.bits };
        let format = scheme.activations.format(bits)?;
        let range = scheme.activations.observer.range(&whole, &format)?;
        grids.insert(group, scheme.activations.grid.levels(&Data::Summary(&whole.whole()), range, &format)?);
    }
    let mut decisions = Decisions { places, grids, ..Decisions::default() };
    let layers: Vec<(NodeIdx, &Node, Layer)> = roles
        .nodes()
        .filter_map(|(idx, node, role)| match role {
            Role::Layer(layer) if precision(idx) != Precision::Float => Some((idx, node, layer)),
            _ => None,
        })
        .collect();
    let ends = [layers.first().map(|l| l.0), layers.last().map(|l| l.0)];
    for (idx, node, layer) in layers {
        let Some(tensor) = weights(roles.graph(), node.inputs.get(1), |_| true) else { continue };
        let bits = match precision(idx) {
            Precision::Widest => WIDE_BITS,
            Precision::Scheme if !ends.contains(&Some(idx)) => scheme.weights.codes.bits,
            _ => scheme.weights.codes.bits.max(BORDER_BITS),
        };
        let axis = layer.output_axis(node);
        let beside = match (bias_of(roles, node), node.inputs.first().and_then(|x| decisions.levels(*x))) {
            (Some(bias), Some(Levels::Affine(x))) => Some(Beside { bias, scale: x.scale() }),
            _ => None,
        };
        let Chosen { mut params, mut codes, n_coarser } =
            choose(scheme, bits, tensor, axis, beside.as_ref())?;
        decisions.n_coarser += n_coarser;
        if let (Some(_), Some(x), TensorData::F32(values)) = (
            scheme.corrections.get(Correction::Portable),
            node.inputs.first().and_then(|x| decisions.levels(*x)),
            tensor.data(),
        ) {
            let n;
            let of = (&values[..], &scheme.rounding);
            (params, codes, n) = make_portable(params, codes, of, x, (layer, node))?;
            decisions.n_clipped += n;
        }
        decisions.weights.insert(idx, StoredWeights::of(&params, &codes)?);
    }
    Ok(decisions)
}

/// Groups of 16 bits: what wide layers take, and what that is the sum or the largest of.
fn wide_groups(
    roles: &Roles<'_>,
    places: &Places,
    precision: &dyn Fn(NodeIdx) -> Precision,
) -> BTreeSet<ValueIdx> {
    let mut wide = BTreeSet::new();
    // Values that are wide behind bounds, before which they are not rounded.
    let mut bounded = BTreeSet::new();
    for (idx, node, role) in roles.nodes().rev() {
        let is_wide =
            |v: &ValueIdx| bounded.contains(v) || places.group(*v).is_some_and(|g| wide.contains(&g));
        let is_of_wide = node.outputs.iter().any(is_wide);
        let taken: Vec<ValueIdx> = match role {
            Role::Layer(_) if matches!(precision(idx), Precision::Wide | Precision::Widest) => {
                node.inputs.first().copied().into_iter().collect()
            }
            Role::Joint(_) | Role::Passing if is_of_wide => roles.activations(node).collect(),
            Role::Curve if is_of_wide => {
                let root = |o: &ValueIdx| roles.root_of(*o).filter(|_| roles.bounds(*o).is_some());
                let root = node.outputs.first().and_then(root);
                bounded.extend(root);
                root.into_iter().collect()
            }
            _ => continue,
        };
        wide.extend(taken.iter().filter_map(|v| places.group(*v)));
    }
    wide
}

/// What is added to products of weights, and the scale of what they are multiplied by.
struct Beside<'g> {
    bias: &'g [f32],
    scale: f32,
}

fn bias_of<'g>(roles: &Roles<'g>, node: &Node) -> Option<&'g [f32]> {
    match roles.graph().constant(*node.inputs.get(2)?)?.data() {
        TensorData::F32(bias) => Some(bias),
        _ => None,
    }
}

/// Weights of a layer as the scheme stores them; a grid without so many bits gives way to an affine one.
pub fn stored(scheme: &Scheme, bits: u8, tensor: &Tensor, axis: usize) -> Result<StoredWeights, Error> {
    let Chosen { params, codes, .. } = choose(scheme, bits, tensor, axis, None)?;
    StoredWeights::of(&params, &codes)
}

/// Levels and codes of weights.
struct Chosen {
    params: QParams,
    codes: Vec<i32>,
    /// Scales that were raised.
    n_coarser: usize,
}

/// Chooses them, with scales so large that every bias is an `i32` on the grid of its product.
fn choose(
    scheme: &Scheme,
    bits: u8,
    tensor: &Tensor,
    axis: usize,
    beside: Option<&Beside<'_>>,
) -> Result<Chosen, Error> {
    let side = &scheme.weights;
    let format = side.format(bits)?;
    let affine;
    let grid = if side.grid.entry().bits.contains(&bits) || bits == side.codes.bits {
        &side.grid
    } else {
        affine = crate::Member::parse("affine")?;
        &affine
    };
    let TensorData::F32(values) = tensor.data() else {
        return Err(crate::error::misfit("weights", "f32", tensor.dtype()));
    };
    let granularity = match scheme.sharing {
        Sharing::Tensor => Granularity::PerTensor,
        Sharing::Channel => Granularity::PerChannel { axis },
        Sharing::Group(len) => Granularity::PerGroup { axis, len },
    };
    let observe = |part: &[f32]| side.observer.range(&Channel::of(part), &format);
    let mut n_coarser = 0;
    let mut params = QParams::by_grid(values, tensor.dims(), granularity, grid, &format, observe)?;
    if let Some(beside) = beside {
        let asked = scheme.corrections.get(Correction::BiasRange).map(|m| m.params().int("bits"));
        let bits = asked.and_then(|b| u32::try_from(b).ok()).unwrap_or(BIAS_BITS);
        (params, n_coarser) = with_room(params, granularity.split(tensor.dims(), values)?, beside, bits)?;
    }
    let codes = params.codes(values, &scheme.rounding)?;
    Ok(Chosen { params, codes, n_coarser })
}

/// Levels of channels whose bias would lie beyond `i32` are made coarser; those of channels that do nothing get the
/// scale that their bias needs.
fn with_room(
    params: QParams,
    parts: Vec<Vec<f32>>,
    beside: &Beside<'_>,
    bits: u32,
) -> Result<(QParams, usize), Error> {
    let n = params.levels().len();
    if n != beside.bias.len() && n != 1 {
        return Ok((params, 0));
    }
    let mut levels = Vec::with_capacity(n);
    let mut n_coarser = 0;
    for (at, (own, part)) in params.levels().iter().zip(&parts).enumerate() {
        let Levels::Affine(affine) = own else { return Ok((params, 0)) };
        let of_part = if n == 1 { beside.bias } else { &beside.bias[at..=at] };
        let is_dead = part.iter().all(|w| *w == 0.0);
        let wanted = |bias: &f32| weight_scale(*bias, beside.scale, affine.scale(), is_dead, bits);
        let scale = of_part.iter().map(wanted).fold(0.0, f32::max);
        let scale = if scale > 0.0 { scale } else { affine.scale() };
        n_coarser += usize::from(scale > affine.scale());
        let (low, high) = (affine.low(), affine.high());
        levels.push(Levels::Affine(Affine::try_new(scale, affine.zero_point(), low, high, affine.dtype())?));
    }
    Ok((QParams::try_new(params.dims().to_vec(), params.granularity(), levels)?, n_coarser))
}

impl StoredWeights {
    /// Codes of a tensor with the levels of its parts.
    ///
    /// # Errors
    /// Tables that differ from part to part; groups of a tensor of more than two axes.
    pub fn of(params: &QParams, codes: &[i32]) -> Result<StoredWeights, Error> {
        use crate::error::misfit;
        let dims = params.dims().to_vec();
        let first = params.levels().first().ok_or_else(|| misfit("weights", "one or more", "none"))?;
        let whole: Vec<i64> = codes.iter().map(|&c| c.into()).collect();
        let dtype = first.dtype();
        let data = integers(dtype, &whole).ok_or_else(|| misfit("codes", dtype, "others"))?;
        let codes = Tensor::try_new(dims.clone(), data)
            .ok_or_else(|| misfit("codes", "one a weight", whole.len()))?;
        let (axis, block, of_scales) = match params.granularity() {
            Granularity::PerTensor => (0, 0, Vec::new()),
            Granularity::PerChannel { axis } => (axis, 0, vec![dims[axis]]),
            Granularity::PerGroup { axis, len } => {
                if dims.len() != 2 {
                    return Err(misfit("weights in groups", "two axes", dims.len()));
                }
                let mut of_scales = dims.clone();
                of_scales[1 - axis] = dims[1 - axis].div_ceil(len);
                (1 - axis, len, of_scales)
            }
        };
        // Parts stand channel by channel; scales in the order of the axes.
        let order: Vec<usize> = match params.granularity() {
            Granularity::PerGroup { axis: 1, .. } => {
                let (groups, channels) = (of_scales[0], of_scales[1]);
                (0..groups).flat_map(|g| (0..channels).map(move |c| c * groups + g)).collect()
            }
            _ => (0..params.levels().len()).collect(),
        };
        let levels: Vec<&Levels> = order.iter().filter_map(|&at| params.levels().get(at)).collect();
        let scales = TensorData::F32(levels.iter().map(|l| l.scale()).collect());
        let scales = Tensor::try_new(of_scales.clone(), scales)
            .ok_or_else(|| misfit("scales", format!("{of_scales:?}"), levels.len()))?;
        let zeros: Vec<i64> = levels
            .iter()
            .map(|l| match l {
                Levels::Affine(affine) => affine.zero_point().into(),
                Levels::Table(_) => 0,
            })
            .collect();
        let zero_points = if zeros.iter().all(|z| *z == 0) {
            None
        } else {
            integers(dtype, &zeros).and_then(|data| Tensor::try_new(of_scales, data))
        };
        let table = match first {
            Levels::Affine(_) => None,
            Levels::Table(table) => {
                let values = table.values();
                let is_like = |l: &&Levels| matches!(l, Levels::Table(t) if t.values() == values);
                if !levels.iter().all(is_like) {
                    return Err(misfit("levels of a codebook", "one table for all channels", "several"));
                }
                Some(Tensor::vector(narrowest(values)))
            }
        };
        Ok(StoredWeights { codes, table, scales, zero_points, axis, block })
    }

    /// A constant on one grid.
    ///
    /// # Errors
    /// As [`StoredWeights::of`].
    pub fn of_tensor(tensor: &Tensor, levels: &Levels) -> Result<StoredWeights, Error> {
        let TensorData::F32(values) = tensor.data() else {
            return Err(crate::error::misfit("constant", "f32", tensor.dtype()));
        };
        let params = QParams::try_new(tensor.dims().to_vec(), Granularity::PerTensor, vec![levels.clone()])?;
        StoredWeights::of(&params, &params.codes(values, &Rounding::parse("half_even", 0)?)?)
    }
}

/// Whole numbers in 8 bits if they fit.
fn narrowest(values: &[i16]) -> TensorData {
    let short: Option<Vec<i8>> = values.iter().map(|&v| i8::try_from(v).ok()).collect();
    short.map_or_else(|| TensorData::I16(values.to_vec()), TensorData::I8)
}
