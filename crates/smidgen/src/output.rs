//! Writing files whole: to a temporary file beside the target, then renamed.

use crate::Error;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes a file through `write`; on any failure nothing is left behind and an existing file stays.
///
/// # Errors
/// The folder is missing or not writable, the disk is full, or `write` fails.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), Error>,
) -> Result<(), Error> {
    let fail = |what: &str, e: &std::io::Error| {
        Error::input(format!("{}: {what}: {e}; choose another place with -o", path.display()))
    };
    let about = std::fs::metadata(path);
    if about.as_ref().is_ok_and(|a| !a.is_file() && !a.is_dir()) {
        // A pipe or a device is written into; there is nothing to rename into place.
        let file =
            std::fs::OpenOptions::new().write(true).open(path).map_err(|e| fail("cannot be written", &e))?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        return out.flush().map_err(|e| fail("cannot be written", &e));
    }
    // A link stays a link: the file that it names is replaced.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let path = real.as_path();
    if path.is_dir() {
        return Err(Error::input(format!("{}: a folder, not a file; name a file with -o", path.display())));
    }
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("."),
    };
    let file = tempfile::Builder::new()
        .prefix(".smidgen-")
        .tempfile_in(folder)
        .map_err(|e| fail("cannot be written", &e))?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    let file = out.into_inner().map_err(|e| fail("cannot be written", e.error()))?;
    set_usual_permissions(file.as_file());
    file.persist(path).map_err(|e| fail("cannot be put in place", &e.error))?;
    Ok(())
}

/// True if both paths name one file, or are spelt alike.
pub fn same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    a == b || real(a).zip(real(b)).is_some_and(|(a, b)| a == b)
}

/// Refuses to write a result over the table that it is made of.
///
/// # Errors
/// `output` and `input` are the same file.
pub(crate) fn refuse_same_file(output: &Path, input: &str) -> Result<(), Error> {
    if same_file(output, Path::new(input)) && output.is_file() {
        let output = output.display();
        return Err(Error::input(format!("{output}: it is the input as well; choose another place with -o")));
    }
    Ok(())
}

/// Temporary files are private to their owner; a result is readable like any other file.
#[cfg(unix)]
fn set_usual_permissions(file: &std::fs::File) {
    use std::os::unix::fs::PermissionsExt;
    // Failing to widen permissions leaves a file that its owner can still read.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &std::fs::File) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_leaves_the_old_file_and_no_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.smidgen");
        std::fs::write(&path, "old").unwrap();
        let result = write_whole(&path, |out| {
            out.write_all(b"half").unwrap();
            Err(Error::input("stop"))
        });
        assert!(result.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write_whole(&path, |out| out.write_all(b"new").map_err(|e| Error::input(e.to_string()))).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_whole(Path::new("no/such/folder/m.smidgen"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().starts_with("no/such/folder/m.smidgen: cannot be written"), "{error}");
    }
}
