//! Tables with a column of paths to images.

use super::files::is_image;
use super::{ImageSet, Place, classified};
use crate::error::{Kind, Result};
use std::path::Path;

/// The images that a CSV names, relative to it; `None` if none of its columns holds paths of images. Classes stand in
/// the column `target`.
pub(super) fn listed(path: &Path, file: String, target: Option<&str>) -> Result<Option<ImageSet>> {
    let broken = |part: String, expected: &str, got: String, cure| Kind::Part {
        file: file.clone(),
        part,
        expected: expected.to_owned(),
        got,
        cure,
    };
    let unread =
        |e: ::csv::Error| broken("table".to_owned(), "CSV with a header", e.to_string(), "mend the line");
    let mut reader = ::csv::Reader::from_path(path).map_err(unread)?;
    let header = reader.headers().map_err(unread)?.clone();
    let mut records = reader.into_records();
    let Some(first) = records.next() else { return Ok(None) };
    let first = first.map_err(unread)?;
    let Some(column) = first.iter().position(is_image) else { return Ok(None) };
    let target = match target {
        None => None,
        Some(name) => Some(header.iter().position(|h| h == name).ok_or_else(|| {
            let names = header.iter().collect::<Vec<_>>().join(", ");
            broken(
                format!("column \"{name}\""),
                "one of its columns",
                names,
                "name the column of classes with --target",
            )
        })?),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let (mut names, mut paths, mut of_images) = (Vec::new(), Vec::new(), Vec::new());
    for (row, record) in std::iter::once(Ok(first)).chain(records).enumerate() {
        let record = record.map_err(unread)?;
        let name = record.get(column).unwrap_or_default().trim().to_owned();
        let image = folder.join(&name);
        if !image.is_file() {
            let cure = "paths are relative to the table; mend the path";
            return Err(broken(
                format!("row {}", row + 1),
                "a path of an image",
                format!("\"{name}\""),
                cure,
            )
            .into());
        }
        of_images.extend(target.map(|at| record.get(at).unwrap_or_default().trim().to_owned()));
        names.push(name);
        paths.push(image);
    }
    let (classes, labels) = match target {
        Some(_) => {
            let (classes, labels) = classified(&of_images);
            (classes, Some(labels))
        }
        None => (Vec::new(), None),
    };
    Ok(Some(ImageSet { file, place: Place::Files(paths), names, labels, classes }))
}
