//! Sets of images with their classes: IDX files, folders and zip archives of images by class, tables of paths.
//!
//! A set knows its images by name and decodes them when they are asked for, so that it may be larger than memory.
//! Classes of folders are in the order of numbers if all are numbers, else in the order of bytes; those of IDX files are
//! the numbers from 0 to the largest label.

mod files;
mod idx;
mod listed;

use crate::error::{Kind, Result};
use image::{DynamicImage, ImageReader};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zip::ZipArchive;

/// What is told of a set beside its path.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageOptions<'a> {
    /// The file of labels of an IDX file; found by its name if `None`.
    pub labels: Option<&'a Path>,
    /// The column of classes of a table of paths.
    pub target: Option<&'a str>,
}

/// Images, and their classes where these are known.
#[derive(Debug)]
pub struct ImageSet {
    file: String,
    place: Place,
    names: Vec<String>,
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
}

/// Where the images of a set are.
#[derive(Debug)]
enum Place {
    /// Pixels `[n, height, width, channels]`.
    Pixels { bytes: Vec<u8>, height: usize, width: usize, channels: usize },
    /// A file each.
    Files(Vec<PathBuf>),
    /// Entries of an archive, by number.
    Archive { archive: Mutex<ZipArchive<File>>, entries: Vec<usize> },
}

/// Pixels of one image, `[height, width, channels]`, channels red, green and blue, or grey alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels a row.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
    /// Row-major.
    pub bytes: Vec<u8>,
}

impl ImageSet {
    /// Opens a set: a folder, a zip archive, an IDX file (plain or gzip), or a CSV with a column of paths. `None` for a
    /// file that is none of these.
    ///
    /// # Errors
    /// `Unreadable`; `Part` for a damaged set, one without images, or labels of another number.
    pub fn open(path: &Path, options: ImageOptions<'_>) -> Result<Option<ImageSet>> {
        let file = path.display().to_string();
        let about = fs::metadata(path).map_err(|source| Kind::Unreadable { file: file.clone(), source })?;
        if about.is_dir() {
            return files::folder(path, file).map(Some);
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "zip" => files::archive(path, file).map(Some),
            "csv" => listed::listed(path, file, options.target),
            "npy" | "npz" | "parquet" => Ok(None),
            _ => idx::idx(path, file, options.labels),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True for a set without images, which is never made.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How each image is called: its path within the set, or its number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Class of each image.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// Names of the classes, in class order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Pixels of some images, as grey or as red, green and blue; a picture of the other kind is converted.
    ///
    /// # Errors
    /// `Part` for an image that cannot be decoded; a set of archives, for an entry that is damaged.
    pub fn decode(&self, images: Range<usize>, colour: bool) -> Result<Vec<Pixels>> {
        match &self.place {
            Place::Pixels { bytes, height, width, channels } => {
                let size = height * width * channels;
                let image = |at: usize| {
                    let bytes = bytes.get(at * size..(at + 1) * size).unwrap_or_default();
                    pixels_of(bytes, (*height, *width, *channels), colour)
                };
                Ok(images.map(image).collect())
            }
            Place::Files(paths) => images
                .map(|at| {
                    let path = &paths[at];
                    let file = path.display().to_string();
                    let bytes = fs::read(path).map_err(|source| Kind::Unreadable { file, source })?;
                    self.decoded(at, &bytes, colour)
                })
                .collect(),
            Place::Archive { archive, entries } => {
                // An archive is only read: what a panic elsewhere left is as good as before.
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                images
                    .map(|at| {
                        let bytes = files::entry(&mut archive, entries[at], &self.file)?;
                        self.decoded(at, &bytes, colour)
                    })
                    .collect()
            }
        }
    }

    fn decoded(&self, at: usize, bytes: &[u8], colour: bool) -> Result<Pixels> {
        let broken = |got: String| Kind::Part {
            file: self.file.clone(),
            part: format!("image {}", self.names[at]),
            expected: "a PNG, JPEG, GIF, BMP, WebP or PNM image".to_owned(),
            got,
            cure: "convert it, or leave it out",
        };
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        let image = reader.map_err(|e| broken(e.to_string()))?.decode().map_err(|e| broken(e.to_string()))?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (channels, bytes) = if colour { (3, image.into_rgb8().into_raw()) } else { (1, grey(image)) };
        Ok(Pixels { height, width, channels, bytes })
    }
}

fn grey(image: DynamicImage) -> Vec<u8> {
    image.into_luma8().into_raw()
}

/// Stored pixels as grey or in colour.
fn pixels_of(bytes: &[u8], (height, width, channels): (usize, usize, usize), colour: bool) -> Pixels {
    let (channels, bytes) = match (channels, colour) {
        (1, true) => (3, bytes.iter().flat_map(|&b| [b; 3]).collect()),
        (3, false) => {
            let image = image::RgbImage::from_raw(width as u32, height as u32, bytes.to_vec());
            (1, image.map_or_else(Vec::new, |image| grey(DynamicImage::ImageRgb8(image))))
        }
        _ => (channels, bytes.to_vec()),
    };
    Pixels { height, width, channels, bytes }
}

/// Classes in their order, and the class of each image.
fn classified(of_images: &[String]) -> (Vec<String>, Vec<u32>) {
    let mut classes: Vec<String> = of_images.to_vec();
    classes.sort();
    classes.dedup();
    let numbers: Option<Vec<f64>> =
        classes.iter().map(|c| c.parse::<f64>().ok().filter(|n| n.is_finite())).collect();
    if let Some(numbers) = numbers {
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        classes = order.into_iter().map(|at| classes[at].clone()).collect();
    }
    let places: BTreeMap<&String, u32> = classes.iter().zip(0..).collect();
    let labels = of_images.iter().map(|class| places.get(class).copied().unwrap_or_default()).collect();
    (classes, labels)
}

#[cfg(test)]
mod tests;
