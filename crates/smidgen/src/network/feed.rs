//! What a network is run on: arrays by name, or images with their classes.

use super::{Layout, Network, NetworkOptions, Port};
use crate::Error;
use data::{ImageOptions, ImageSet, Pixels, read_arrays};
use ir::{DType, Dim, PixelMap, Tensor, TensorData};
use std::path::Path;

/// Rows of the inputs, some at a time; or all inputs of one run.
pub(crate) enum Feed {
    /// Images, and how they become an input.
    Images(Box<ImageSet>, Box<Geometry>),
    /// Arrays by the names of the inputs, all of as many rows.
    Rows(Vec<(String, Tensor)>),
    /// Arrays by the names of the inputs, which do not all begin with rows: one run.
    Whole(Vec<(String, Tensor)>),
}

/// How the pixels of an image are laid out in an input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Geometry {
    /// Name of the input.
    input: String,
    layout: Layout,
    /// The lengths behind the first axis, as the input has them.
    dims: Vec<Option<usize>>,
    colour: bool,
    height: Option<usize>,
    width: Option<usize>,
    dtype: DType,
    /// The number of each pixel, by channel.
    numbers: [Vec<f64>; 3],
}

impl Feed {
    /// Opens data for a network: NPY, NPZ, IDX, a folder or an archive of images, a table of paths.
    ///
    /// # Errors
    /// It can be read as none of these, or does not fit the network's inputs.
    pub(crate) fn open(
        network: &Network,
        data: &str,
        target: Option<&str>,
        options: &NetworkOptions,
    ) -> Result<Feed, Error> {
        let path = Path::new(data);
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if matches!(ending.as_str(), "npy" | "npz") {
            return arrays(network, path);
        }
        let images = ImageSet::open(path, ImageOptions { labels: options.labels.as_deref(), target })?;
        let Some(images) = images else {
            return Err(Error::input(format!(
                "{data}: expected data for a network, got another kind of file; give NPY, NPZ, IDX, a folder or zip archive of images by class, or a CSV with a column of paths"
            )));
        };
        let input = network.only_input()?;
        let options = network.with_signature(options)?;
        let geometry = Geometry::of(&input, &options).map_err(|what| network.fail(&what))?;
        Ok(Feed::Images(Box::new(images), Box::new(geometry)))
    }

    /// Number of rows: those of the first array where all are one run.
    pub(crate) fn n_rows(&self) -> usize {
        match self {
            Feed::Images(images, _) => images.len(),
            Feed::Rows(arrays) | Feed::Whole(arrays) => {
                arrays.first().and_then(|(_, array)| array.dims().first().copied()).unwrap_or(0)
            }
        }
    }

    /// Some rows as the inputs take them; all of one run.
    pub(crate) fn rows(&self, rows: std::ops::Range<usize>) -> Result<Vec<(String, Tensor)>, Error> {
        match self {
            Feed::Images(images, geometry) => {
                let pixels = images.decode(rows.clone(), geometry.colour)?;
                let tensor = geometry.tensor(&pixels).map_err(|(at, what)| {
                    Error::input(format!("image {}: {what}", images.names()[rows.start + at]))
                })?;
                Ok(vec![(geometry.input.clone(), tensor)])
            }
            Feed::Rows(arrays) => arrays
                .iter()
                .map(|(name, array)| Some((name.clone(), array.rows(rows.clone())?)))
                .collect::<Option<_>>()
                .ok_or_else(|| Error::bug("network: rows that an array has not")),
            Feed::Whole(arrays) => Ok(arrays.clone()),
        }
    }
}

/// Arrays for the inputs.
fn arrays(network: &Network, path: &Path) -> Result<Feed, Error> {
    let mut arrays = read_arrays(path)?;
    let file = path.display();
    let inputs = network.inputs();
    if let ([input], [_]) = (&inputs[..], &arrays[..]) {
        let Some((name, array)) = arrays.pop() else { return Err(Error::bug("network: no array")) };
        return Ok(Feed::Rows(vec![(input.name.clone(), fitting(&file, &name, array, input)?)]));
    }
    let mut fed = Vec::with_capacity(inputs.len());
    for input in &inputs {
        let at = arrays.iter().position(|(name, _)| *name == input.name);
        let Some(at) = at else {
            let names = arrays.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let (name, shape) = (&input.name, &input.shape);
            return Err(Error::input(format!(
                "{file}: expected an array \"{name}\" ({} {shape}), got {names}; name arrays as the network's inputs",
                input.dtype
            )));
        };
        let (name, array) = arrays.swap_remove(at);
        fed.push((name.clone(), fitting(&file, &name, array, input)?));
    }
    Ok(if have_rows(&inputs, &fed) { Feed::Rows(fed) } else { Feed::Whole(fed) })
}

/// True if all inputs begin with one and the same axis, and all arrays with as many rows.
fn have_rows(inputs: &[Port], fed: &[(String, Tensor)]) -> bool {
    let (Some(first), Some((_, array))) = (inputs.first(), fed.first()) else { return false };
    let axis = first.shape.0.first();
    let is_same =
        |input: &Port| input.shape.0.first() == axis && !matches!(axis, Some(Dim::Unknown | Dim::Rest));
    let as_many = |(_, other): &(String, Tensor)| other.dims().first() == array.dims().first();
    match inputs {
        [_] => true,
        _ => axis.is_some() && inputs.iter().all(is_same) && fed.iter().all(as_many),
    }
}

/// An array in the dtype of an input. Whole numbers and floats become floats; nothing else changes its kind.
fn fitting(file: &dyn std::fmt::Display, name: &str, array: Tensor, input: &Port) -> Result<Tensor, Error> {
    if array.dtype() == input.dtype {
        return Ok(array);
    }
    let got = array.dtype();
    let data = match (input.dtype, numbers(array.data()), array.data().whole_numbers()) {
        (DType::F32, Some(v), _) => TensorData::F32(v.into_iter().map(|x| x as f32).collect()),
        (DType::F64, Some(v), _) => TensorData::F64(v),
        (DType::I64, _, Some(v)) => TensorData::I64(v),
        (DType::I32, _, Some(v)) if v.iter().all(|x| i32::try_from(*x).is_ok()) => {
            TensorData::I32(v.into_iter().map(|x| x as i32).collect())
        }
        _ => {
            return Err(Error::input(format!(
                "{file}: array \"{name}\": expected {}, got {got}; cast it first",
                input.dtype
            )));
        }
    };
    let dims = array.dims().to_vec();
    Tensor::try_new(dims, data).ok_or_else(|| Error::bug("network: a cast changed a length"))
}

/// Elements as doubles.
pub(crate) fn numbers(data: &TensorData) -> Option<Vec<f64>> {
    match data {
        TensorData::F32(v) => Some(v.iter().map(|&x| f64::from(x)).collect()),
        TensorData::F64(v) => Some(v.clone()),
        TensorData::Half(kind, v) => Some(v.iter().map(|&bits| f64::from(kind.to_f32(bits))).collect()),
        other => other.whole_numbers().map(|v| v.into_iter().map(|x| x as f64).collect()),
    }
}

impl Geometry {
    /// How images fit an input `[N, C, H, W]`, `[N, H, W, C]`, `[N, H, W]` or `[N, pixels]`; what is wrong if they do
    /// not.
    pub(crate) fn of(input: &Port, options: &NetworkOptions) -> Result<Geometry, String> {
        let shape = format!("input \"{}\" of {} {}", input.name, input.dtype, input.shape);
        let dims: Vec<Option<usize>> = match &input.shape.0[..] {
            [Dim::Rest] | [] => {
                return Err(format!("expected an input of known rank for images, got {shape}"));
            }
            [_, rest @ ..] => rest
                .iter()
                .map(|dim| match dim {
                    Dim::Fixed(n) => Some(*n),
                    _ => None,
                })
                .collect(),
        };
        if !matches!(input.dtype, DType::F32 | DType::F64 | DType::U8) {
            return Err(format!("expected an input of f32, f64 or u8 for images, got {shape}"));
        }
        let has_channels = |at: usize| matches!(dims.get(at), Some(Some(1 | 3)));
        let (layout, channels, height, width) = match (&dims[..], options.layout) {
            (&[c, h, w], Some(Layout::Nchw)) => (Layout::Nchw, c, h, w),
            (&[h, w, c], Some(Layout::Nhwc)) => (Layout::Nhwc, c, h, w),
            (&[c, h, w], None) if has_channels(0) && !has_channels(2) => (Layout::Nchw, c, h, w),
            (&[h, w, c], None) if has_channels(2) && !has_channels(0) => (Layout::Nhwc, c, h, w),
            (&[_, _, _], None) => {
                return Err(format!("{shape}: where do channels stand? say --layout nchw or --layout nhwc"));
            }
            (&[h, w], _) => (Layout::Nchw, Some(1), h, w),
            (&[_], _) => (Layout::Nchw, Some(1), None, None),
            _ => return Err(format!("expected an input of 2 to 4 axes for images, got {shape}")),
        };
        let colour = match channels {
            Some(1) => false,
            Some(3) => true,
            _ => return Err(format!("expected 1 or 3 channels for images, got {shape}")),
        };
        let n_channels = if colour { 3 } else { 1 };
        for (flag, values) in [("--input-std", &options.std), ("--input-mean", &options.mean)] {
            if !(values.len() <= 1 || values.len() == n_channels) {
                return Err(format!(
                    "{flag}: expected one number, or one for each of {n_channels} channels, got {}",
                    values.len()
                ));
            }
        }
        if options.std.contains(&0.0) {
            return Err("--input-std: expected numbers that are not 0".to_owned());
        }
        let is_changed = options.scale.is_some() || !options.mean.is_empty() || !options.std.is_empty();
        if input.dtype == DType::U8 && is_changed {
            return Err(format!(
                "{shape} takes pixels as they are; leave out --input-scale, --input-mean and --input-std"
            ));
        }
        let map = PixelMap {
            scale: options.scale.unwrap_or(1.0),
            mean: options.mean.clone(),
            std: options.std.clone(),
            layout: Some(layout),
        };
        let numbers = [0, 1, 2].map(|c| (0..=255).map(|pixel| map.of(c, pixel)).collect());
        let name = input.name.clone();
        Ok(Geometry { input: name, layout, dims, colour, height, width, dtype: input.dtype, numbers })
    }

    /// Where channels stand.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Images as the input takes them; the place of one that does not fit, and why.
    fn tensor(&self, images: &[Pixels]) -> Result<Tensor, (usize, String)> {
        let mut cells: Vec<f64> = Vec::new();
        let mut bytes: Vec<u8> = Vec::new();
        let first = images.first().map(|image| (image.height, image.width));
        for (at, image) in images.iter().enumerate() {
            let (height, width) = (image.height, image.width);
            let fits = self.height.is_none_or(|h| h == height) && self.width.is_none_or(|w| w == width);
            let flat = self.dims.len() == 1 && self.dims[0].is_some_and(|n| n != height * width);
            if !fits || flat || Some((height, width)) != first {
                let side = |n: Option<usize>| n.map_or("any".to_owned(), |n| n.to_string());
                let expected = match self.dims[..] {
                    [Some(n)] => format!("{n} pixels"),
                    _ if fits => "the size of the others".to_owned(),
                    _ => format!("{} x {} pixels", side(self.height), side(self.width)),
                };
                return Err((at, format!("expected {expected}, got {height} x {width}; resize the images")));
            }
            let channels = image.channels;
            let pixel = |c: usize, y: usize, x: usize| {
                image.bytes.get((y * width + x) * channels + c).copied().unwrap_or(0)
            };
            let mut take = |c: usize, byte: u8| match self.dtype {
                DType::U8 => bytes.push(byte),
                _ => cells.push(self.numbers[c][usize::from(byte)]),
            };
            match self.layout {
                Layout::Nchw => {
                    for c in 0..channels {
                        (0..height).for_each(|y| (0..width).for_each(|x| take(c, pixel(c, y, x))));
                    }
                }
                Layout::Nhwc => {
                    for y in 0..height {
                        (0..width).for_each(|x| (0..channels).for_each(|c| take(c, pixel(c, y, x))));
                    }
                }
            }
        }
        let (height, width) = first.unwrap_or((0, 0));
        let channels = if self.colour { 3 } else { 1 };
        let mut dims = vec![images.len()];
        match (self.dims.len(), self.layout) {
            (1, _) => dims.push(height * width),
            (2, _) => dims.extend([height, width]),
            (_, Layout::Nchw) => dims.extend([channels, height, width]),
            (_, Layout::Nhwc) => dims.extend([height, width, channels]),
        }
        let data = match self.dtype {
            DType::U8 => TensorData::U8(bytes),
            DType::F64 => TensorData::F64(cells),
            _ => TensorData::F32(cells.into_iter().map(|x| x as f32).collect()),
        };
        Tensor::try_new(dims, data).ok_or((0, "pixels that do not fit together".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::Shape;

    fn input(dtype: DType, dims: &[usize]) -> Port {
        Port { name: "x".to_owned(), dtype, shape: Shape::fixed(dims) }
    }

    fn two_by_one() -> Pixels {
        Pixels { height: 1, width: 2, channels: 3, bytes: vec![10, 20, 30, 40, 50, 60] }
    }

    #[test]
    fn pixels_are_laid_out_and_scaled() {
        let scaled = NetworkOptions {
            scale: Some(0.5),
            mean: vec![1.0, 2.0, 3.0],
            std: vec![2.0],
            ..NetworkOptions::default()
        };
        let made = |input: &Port, options: &NetworkOptions| {
            Geometry::of(input, options).unwrap().tensor(&[two_by_one()]).unwrap()
        };
        let first = made(
            &input(DType::F32, &[1, 3, 1, 2]),
            &NetworkOptions { layout: Some(Layout::Nchw), ..NetworkOptions::default() },
        );
        assert_eq!(
            (first.dims(), first.data()),
            (&[1, 3, 1, 2][..], &TensorData::F32(vec![10., 40., 20., 50., 30., 60.]))
        );
        let last =
            made(&input(DType::F64, &[1, 1, 2, 3]), &NetworkOptions { layout: Some(Layout::Nhwc), ..scaled });
        let expected = [10., 20., 30., 40., 50., 60.]
            .iter()
            .zip([1., 2., 3.].iter().cycle())
            .map(|(p, m)| (p * 0.5 - m) / 2.0);
        assert_eq!(last.data(), &TensorData::F64(expected.collect()));
        let grey = Pixels { height: 2, width: 2, channels: 1, bytes: vec![1, 2, 3, 4] };
        for dims in [&[9, 4][..], &[9, 2, 2], &[9, 1, 2, 2]] {
            let geometry = Geometry::of(&input(DType::U8, dims), &NetworkOptions::default()).unwrap();
            let made = geometry.tensor(std::slice::from_ref(&grey)).unwrap();
            assert_eq!(
                (made.dims()[0], made.dims()[1..] == dims[1..], made.data()),
                (1, true, &TensorData::U8(vec![1, 2, 3, 4]))
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let plain = NetworkOptions::default();
        let cases = [
            (input(DType::F32, &[1, 3, 8, 3]), plain.clone(), "say --layout"),
            (input(DType::F32, &[1, 5, 8, 8]), plain.clone(), "say --layout"),
            (input(DType::F32, &[1, 2, 3, 8, 8]), plain.clone(), "2 to 4 axes"),
            (input(DType::I64, &[1, 3, 8, 8]), plain.clone(), "expected an input of f32"),
            (
                input(DType::U8, &[1, 3, 8, 8]),
                NetworkOptions { scale: Some(2.0), ..plain.clone() },
                "leave out --input-scale",
            ),
            (input(DType::F32, &[1, 3, 8, 8]), NetworkOptions { std: vec![0.0], ..plain.clone() }, "not 0"),
            (
                input(DType::F32, &[1, 1, 8, 8]),
                NetworkOptions { mean: vec![1.0; 3], ..plain.clone() },
                "--input-mean",
            ),
        ];
        for (input, options, message) in cases {
            let got = Geometry::of(&input, &options).unwrap_err();
            assert!(got.contains(message), "{got}");
        }
        let geometry = Geometry::of(&input(DType::F32, &[1, 3, 8, 8]), &plain).unwrap();
        let (at, what) = geometry.tensor(&[two_by_one()]).unwrap_err();
        assert_eq!((at, what.as_str()), (0, "expected 8 x 8 pixels, got 1 x 2; resize the images"));
    }
}
