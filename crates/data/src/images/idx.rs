//! IDX files: a magic number, lengths as big-endian integers, bytes. MNIST and its relatives are spread so.

use super::{ImageSet, Place};
use crate::error::{Kind, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// The images of an IDX file; `None` for a file that does not begin as one.
pub(super) fn idx(path: &Path, file: String, labels: Option<&Path>) -> Result<Option<ImageSet>> {
    let Some((dims, bytes)) = read(path, &file)? else { return Ok(None) };
    let broken = |part: &str, expected: &str, got: String, cure| Kind::Part {
        file: file.clone(),
        part: part.to_owned(),
        expected: expected.to_owned(),
        got,
        cure,
    };
    let (n, height, width, channels) = match dims[..] {
        [n, height, width] => (n, height, width, 1),
        [n, height, width, channels @ (1 | 3)] => (n, height, width, channels),
        _ => {
            let got = format!("lengths {dims:?}");
            return Err(broken(
                "header",
                "images, height, width (and 1 or 3 channels)",
                got,
                "name the file of images",
            )
            .into());
        }
    };
    if n == 0 || height == 0 || width == 0 {
        return Err(broken(
            "header",
            "at least one image of one pixel",
            format!("lengths {dims:?}"),
            "name another file",
        )
        .into());
    }
    let labels = match labels.map(Path::to_path_buf).or_else(|| beside(path)) {
        None => None,
        Some(of) => Some(read_labels(&of, n, &file)?),
    };
    let n_classes = labels.iter().flatten().copied().max().map_or(0, |most| most + 1);
    Ok(Some(ImageSet {
        place: Place::Pixels { bytes, height, width, channels },
        names: (1..=n).map(|row| row.to_string()).collect(),
        classes: (0..n_classes).map(|class| class.to_string()).collect(),
        labels,
        file,
    }))
}

/// The file of labels that stands beside one of images, if it does.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let of_labels = name.replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1");
    let beside = path.with_file_name(&of_labels);
    (of_labels != name && beside.is_file()).then_some(beside)
}

/// One label an image: an IDX file, or an NPY file of integers.
fn read_labels(path: &Path, n: usize, of: &str) -> Result<Vec<u32>> {
    let file = path.display().to_string();
    let broken = |expected: String, got: String| Kind::Part {
        file: file.clone(),
        part: "labels".to_owned(),
        expected,
        got,
        cure: "name the labels of these images with --labels",
    };
    let labels: Vec<u32> = if path.extension().is_some_and(|e| e == "npy") {
        let arrays = crate::read_arrays(path)?;
        let whole = arrays.first().and_then(|(_, tensor)| tensor.data().whole_numbers());
        let whole = whole.and_then(|v| v.into_iter().map(|x| u32::try_from(x).ok()).collect());
        whole.ok_or_else(|| broken("whole numbers from 0".to_owned(), "others".to_owned()))?
    } else {
        match read(path, &file)? {
            Some((dims, bytes)) if dims.len() == 1 => bytes.into_iter().map(u32::from).collect(),
            Some((dims, _)) => {
                return Err(broken("one length".to_owned(), format!("lengths {dims:?}")).into());
            }
            None => {
                return Err(broken("an IDX or NPY file".to_owned(), "another kind of file".to_owned()).into());
            }
        }
    };
    if labels.len() != n {
        return Err(
            broken(format!("{n} labels, one for each image of {of}"), labels.len().to_string()).into()
        );
    }
    Ok(labels)
}

/// Lengths and bytes; `None` for a file that begins otherwise.
fn read(path: &Path, file: &str) -> Result<Option<(Vec<usize>, Vec<u8>)>> {
    let unreadable = |source| Kind::Unreadable { file: file.to_owned(), source };
    let mut plain = File::open(path).map_err(unreadable)?;
    let mut start = [0u8; 2];
    let is_gzip = plain.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
    plain.rewind().map_err(unreadable)?;
    let mut opened: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
    let mut magic = [0u8; 4];
    if opened.read_exact(&mut magic).is_err() || magic[..2] != [0, 0] || magic[3] == 0 || magic[3] > 4 {
        return Ok(None);
    }
    let broken = |expected: String, got: String| Kind::Part {
        file: file.to_owned(),
        part: "IDX header".to_owned(),
        expected,
        got,
        cure: "fetch the file again",
    };
    if magic[2] != 8 {
        return Err(broken("elements of one byte (type 8)".to_owned(), format!("type {}", magic[2])).into());
    }
    let mut dims = Vec::with_capacity(4);
    for _ in 0..magic[3] {
        let mut length = [0u8; 4];
        opened.read_exact(&mut length).map_err(unreadable)?;
        dims.push(u32::from_be_bytes(length) as usize);
    }
    let n = dims.iter().try_fold(1usize, |all, n| all.checked_mul(*n));
    let mut bytes = Vec::new();
    let most = n.unwrap_or(usize::MAX) as u64;
    opened.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if n != Some(bytes.len()) {
        return Err(broken(format!("{dims:?} bytes"), format!("{} bytes", bytes.len())).into());
    }
    Ok(Some((dims, bytes)))
}
