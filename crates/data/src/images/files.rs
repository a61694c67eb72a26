//! Folders and zip archives of images, one folder a class.

use super::{ImageSet, Place, classified};
use crate::error::{Kind, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use zip::ZipArchive;

/// Endings of names of images.
const ENDINGS: [&str; 10] = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "pnm", "pgm", "ppm", "pbm"];
/// Most bytes of one image in an archive: its packed form may claim any length.
const MOST_BYTES: u64 = 1 << 30;
/// Folders within folders that are looked into.
const MOST_DEPTH: usize = 8;

/// True for the name of an image.
pub(super) fn is_image(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    name.contains('.') && ENDINGS.contains(&ending.as_str())
}

/// The images below a folder, in the order of their paths.
pub(super) fn folder(path: &Path, file: String) -> Result<ImageSet> {
    let mut found = Vec::new();
    look(path, &file, MOST_DEPTH, &mut found)?;
    found.sort();
    let within =
        |full: &PathBuf| full.strip_prefix(path).unwrap_or(full).to_string_lossy().replace('\\', "/");
    let names: Vec<String> = found.iter().map(within).collect();
    set(file, Place::Files(found), names)
}

fn look(folder: &Path, file: &str, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |source| Kind::Unreadable { file: file.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        if path.is_dir() && depth > 0 {
            look(&path, file, depth - 1, found)?;
        } else if path.is_file() && is_image(&path.to_string_lossy()) {
            found.push(path);
        }
    }
    Ok(())
}

/// The images of a zip archive, in the order of their paths.
pub(super) fn archive(path: &Path, file: String) -> Result<ImageSet> {
    let opened = open_archive(path, &file)?;
    let mut found: Vec<(String, usize)> = Vec::new();
    for at in 0..opened.len() {
        let name = opened.name_for_index(at).and_then(std::result::Result::ok);
        let Some(name) = name.map(std::borrow::Cow::into_owned) else { continue };
        let is_hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        if is_image(&name) && !is_hidden {
            found.push((name, at));
        }
    }
    found.sort();
    let (names, entries) = found.into_iter().unzip();
    set(file, Place::Archive { archive: Mutex::new(opened), entries }, names)
}

/// A set whose classes are the folders that hold the images; of images without a folder none is known.
fn set(file: String, place: Place, names: Vec<String>) -> Result<ImageSet> {
    if names.is_empty() {
        return Err(Kind::Part {
            file,
            part: "set of images".to_owned(),
            expected: format!("images ({}), one folder a class", ENDINGS.join(", ")),
            got: "none".to_owned(),
            cure: "name a folder or a zip archive that holds images",
        }
        .into());
    }
    let folder = |name: &String| name.rsplit('/').nth(1).map(str::to_owned);
    let folders: Option<Vec<String>> = names.iter().map(folder).collect();
    let (classes, labels) = match folders {
        Some(folders) => {
            let (classes, labels) = classified(&folders);
            (classes, Some(labels))
        }
        None => (Vec::new(), None),
    };
    Ok(ImageSet { file, place, names, labels, classes })
}

/// Opens an archive.
fn open_archive(path: &Path, file: &str) -> Result<ZipArchive<File>> {
    let opened = File::open(path).map_err(|source| Kind::Unreadable { file: file.to_owned(), source })?;
    ZipArchive::new(opened).map_err(|e| broken(file, "archive".to_owned(), e.to_string()).into())
}

/// The bytes of an entry.
pub(super) fn entry(archive: &mut ZipArchive<File>, at: usize, file: &str) -> Result<Vec<u8>> {
    let mut entry = archive.by_index(at).map_err(|e| broken(file, format!("entry {at}"), e.to_string()))?;
    let name = entry.name().map_err(|e| broken(file, format!("entry {at}"), e.to_string()))?.into_owned();
    let mut bytes = Vec::new();
    let mut limited = (&mut entry).take(MOST_BYTES);
    limited.read_to_end(&mut bytes).map_err(|e| broken(file, name.clone(), e.to_string()))?;
    if bytes.len() as u64 == MOST_BYTES {
        return Err(broken(file, name, format!("{MOST_BYTES} bytes or more")).into());
    }
    Ok(bytes)
}

fn broken(file: &str, part: String, got: String) -> Kind {
    let expected = "a zip archive of images".to_owned();
    Kind::Part { file: file.to_owned(), part, expected, got, cure: "pack it again" }
}
