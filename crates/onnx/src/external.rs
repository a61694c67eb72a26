//! Elements that stand in other files beside the model.
//!
//! The importer never opens a file by itself: the caller hands over who reads them. [`Folder`] is the reader for models
//! on disk; it refuses every path that could leave its folder.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Reads parts of files that a model names.
pub trait External {
    /// `length` bytes (to the end if there is none) from `offset` on of the file that the model calls `location`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the file.
    fn read(&self, location: &str, offset: u64, length: Option<u64>) -> Result<Vec<u8>, String>;
}

/// For models that are one file.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExternal;

impl External for NoExternal {
    fn read(&self, _: &str, _: u64, _: Option<u64>) -> Result<Vec<u8>, String> {
        Err("is not at hand; import the model from the folder that holds it".to_string())
    }
}

/// Files of one folder, links that leave it not among them.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder of a model's file.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    fn path(&self, location: &str) -> Result<PathBuf, String> {
        let inside = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || location.contains('\\') || !Path::new(location).components().all(inside) {
            return Err("lies outside the model's folder; name it relative to the model".to_string());
        }
        let missing = |e: std::io::Error| format!("cannot be read ({e}); put it beside the model");
        let path = self.0.join(location).canonicalize().map_err(missing)?;
        let root = self.0.canonicalize().map_err(missing)?;
        if !path.starts_with(root) {
            return Err("is a link that leaves the model's folder; put the file itself there".to_string());
        }
        Ok(path)
    }
}

impl External for Folder {
    fn read(&self, location: &str, offset: u64, length: Option<u64>) -> Result<Vec<u8>, String> {
        let path = self.path(location)?;
        let fail = |e: std::io::Error| format!("cannot be read ({e})");
        let mut file = File::open(path).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        let left =
            size.checked_sub(offset).ok_or_else(|| format!("has {size} bytes, fewer than {offset}"))?;
        let wanted = length.unwrap_or(left);
        if wanted > left {
            return Err(format!("has {left} bytes from {offset} on, fewer than {wanted}; it is cut short"));
        }
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        let mut bytes = Vec::new();
        file.take(wanted).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }
}
