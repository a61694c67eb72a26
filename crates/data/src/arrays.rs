//! Arrays by name: NPY files, which hold one, and NPZ archives.

use crate::error::{Kind, Result};
use ir::fixed::Half;
use ir::{Tensor, TensorData};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Reads an NPY file, whose array has the file's name without its ending, or an NPZ archive, whose arrays have the
/// names of their entries, in the order of the archive. Booleans, integers and floats of either byte order; arrays in
/// column order are turned. Memory is taken as bytes are there, never as a header claims.
///
/// # Errors
/// `Unreadable`; `Part` for bytes that are no array; `ArrayDType` for text, objects, complex numbers and records.
pub fn read_arrays(path: &Path) -> Result<Vec<(String, Tensor)>> {
    let file = path.display().to_string();
    let unreadable = |source| Kind::Unreadable { file: file.clone(), source };
    let mut opened = File::open(path).map_err(unreadable)?;
    let mut magic = [0u8; 2];
    let is_zip = opened.read_exact(&mut magic).is_ok() && &magic == b"PK";
    opened.rewind().map_err(unreadable)?;
    if !is_zip {
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let mut bytes = Vec::new();
        opened.read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(vec![(name.clone(), array(&file, &name, &bytes)?)]);
    }
    let broken = |part: &str, got: String| Kind::Part {
        file: file.clone(),
        part: part.to_owned(),
        expected: "an archive that numpy.savez wrote".to_owned(),
        got,
        cure: "write it again",
    };
    let mut archive = ZipArchive::new(opened).map_err(|e| broken("archive", e.to_string()))?;
    let mut arrays = Vec::with_capacity(archive.len().min(1024));
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|e| broken(&format!("entry {at}"), e.to_string()))?;
        let full = entry.name().map_err(|e| broken(&format!("entry {at}"), e.to_string()))?.into_owned();
        let name = full.strip_suffix(".npy").unwrap_or(&full).to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| broken(&full, e.to_string()))?;
        arrays.push((name.clone(), array(&file, &name, &bytes)?));
    }
    Ok(arrays)
}

/// An array from the bytes of an NPY file.
fn array(file: &str, name: &str, bytes: &[u8]) -> Result<Tensor> {
    let broken = |expected: &str, got: String| Kind::Part {
        file: file.to_owned(),
        part: format!("array \"{name}\""),
        expected: expected.to_owned(),
        got,
        cure: "write it with numpy.save or numpy.savez",
    };
    let Some((Header { descr, by_column, dims }, data)) = Header::read(bytes) else {
        return Err(broken("an NPY header", "other bytes".to_owned()).into());
    };
    let unread = || {
        let (file, name, got) = (file.to_owned(), name.to_owned(), descr.clone());
        Kind::ArrayDType { file, name, got, cure: "write booleans, integers or floats" }
    };
    let (is_big, kind) = match descr.split_at_checked(1) {
        Some((">", kind)) => (true, kind),
        Some(("<" | "|" | "=", kind)) => (false, kind),
        _ => return Err(unread().into()),
    };
    let size = kind.get(1..).and_then(|size| size.parse::<usize>().ok()).ok_or_else(unread)?;
    let n = dims.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
    let Some(data) = n.and_then(|n| data.get(..n.checked_mul(size)?)) else {
        let (expected, got) = (format!("elements of shape {dims:?}"), format!("{} bytes", data.len()));
        return Err(broken(&expected, got).into());
    };
    let cells = Cells { data, is_big, by_column, dims: &dims };
    let data = match kind {
        "b1" => TensorData::Bool(cells.each(|[b]: [u8; 1]| b != 0)),
        "i1" => TensorData::I8(cells.each(i8::from_le_bytes)),
        "i2" => TensorData::I16(cells.each(i16::from_le_bytes)),
        "i4" => TensorData::I32(cells.each(i32::from_le_bytes)),
        "i8" => TensorData::I64(cells.each(i64::from_le_bytes)),
        "u1" => TensorData::U8(cells.each(u8::from_le_bytes)),
        "u2" => TensorData::U16(cells.each(u16::from_le_bytes)),
        "u4" => TensorData::U32(cells.each(u32::from_le_bytes)),
        "u8" => TensorData::U64(cells.each(u64::from_le_bytes)),
        "f2" => TensorData::Half(Half::F16, cells.each(u16::from_le_bytes)),
        "f4" => TensorData::F32(cells.each(f32::from_le_bytes)),
        "f8" => TensorData::F64(cells.each(f64::from_le_bytes)),
        _ => return Err(unread().into()),
    };
    let got = format!("{} elements", data.len());
    Tensor::try_new(dims, data).ok_or_else(|| broken("as many elements as the shape says", got).into())
}

/// What stands before the elements.
struct Header {
    descr: String,
    by_column: bool,
    dims: Vec<usize>,
}

impl Header {
    /// Reads versions 1 to 3 of the format: a Python dictionary of three keys. `None` for anything else.
    /// # Source  NumPy enhancement proposal 1.
    fn read(bytes: &[u8]) -> Option<(Header, &[u8])> {
        let rest = bytes.strip_prefix(b"\x93NUMPY")?;
        let (&[major, _], rest) = rest.split_first_chunk::<2>()?;
        let (len, rest) = match major {
            1 => {
                rest.split_first_chunk::<2>().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest))?
            }
            2 | 3 => {
                rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest))?
            }
            _ => return None,
        };
        let (text, data) = rest.split_at_checked(len)?;
        let text = std::str::from_utf8(text).ok()?.trim();
        let value = |key: &str| {
            let (_, behind) = text.split_once(&format!("'{key}'"))?;
            Some(behind.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = value("descr")?;
        // Records and the like are lists: their text stands for them in the message.
        let descr = match descr.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next()?.to_owned(),
            None => descr.chars().take(40).collect(),
        };
        let by_column = value("fortran_order")?.starts_with("True");
        let inside = value("shape")?.strip_prefix('(')?.split(')').next()?;
        let lengths = inside.split(',').map(str::trim).filter(|n| !n.is_empty());
        let dims = lengths.map(|n| n.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?;
        Some((Header { descr, by_column, dims }, data))
    }
}

/// The bytes of elements.
struct Cells<'a> {
    data: &'a [u8],
    is_big: bool,
    by_column: bool,
    dims: &'a [usize],
}

impl Cells<'_> {
    /// The elements, row-major.
    fn each<const N: usize, T: Clone>(&self, from: impl Fn([u8; N]) -> T) -> Vec<T> {
        let cells = self.data.as_chunks::<N>().0.iter().map(|cell| {
            let mut cell = *cell;
            if self.is_big {
                cell.reverse();
            }
            from(cell)
        });
        let stored: Vec<T> = cells.collect();
        if !self.by_column || self.dims.len() < 2 || stored.is_empty() {
            return stored;
        }
        // Column-major: the first axis moves fastest.
        let mut strides = vec![1usize; self.dims.len()];
        for axis in 1..self.dims.len() {
            strides[axis] = strides[axis - 1] * self.dims[axis - 1];
        }
        let mut at = vec![0usize; self.dims.len()];
        let mut turned = Vec::with_capacity(stored.len());
        for _ in 0..stored.len() {
            let place: usize = at.iter().zip(&strides).map(|(i, s)| i * s).sum();
            turned.extend(stored.get(place).cloned());
            for axis in (0..self.dims.len()).rev() {
                at[axis] += 1;
                if at[axis] < self.dims[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        turned
    }
}

/// Writes arrays by name as an NPZ archive; the same arrays give the same bytes. `file` is the name for messages.
///
/// # Errors
/// `ArrayDType` for text, bags and numbers that NumPy has not; `Write`.
pub fn write_npz<W: Write + Seek>(out: W, file: &str, arrays: &[(String, &Tensor)]) -> Result<()> {
    let failed = |why: String| Kind::Write { why };
    let mut archive = ZipWriter::new(out);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, tensor) in arrays {
        archive.start_file(format!("{name}.npy"), options).map_err(|e| failed(e.to_string()))?;
        let bytes = npy_bytes(file, name, tensor)?;
        archive.write_all(&bytes).map_err(|e| failed(e.to_string()))?;
    }
    archive.finish().map(drop).map_err(|e| failed(e.to_string()).into())
}

fn npy_bytes(file: &str, name: &str, tensor: &Tensor) -> Result<Vec<u8>> {
    fn cells<const N: usize, T: Copy>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|&v| to(v)).collect()
    }
    let (descr, cells) = match tensor.data() {
        TensorData::Bool(v) => ("|b1", cells(v, |b| [u8::from(b)])),
        TensorData::I8(v) => ("|i1", cells(v, i8::to_le_bytes)),
        TensorData::I16(v) => ("<i2", cells(v, i16::to_le_bytes)),
        TensorData::I32(v) => ("<i4", cells(v, i32::to_le_bytes)),
        TensorData::I64(v) => ("<i8", cells(v, i64::to_le_bytes)),
        TensorData::U8(v) => ("|u1", v.clone()),
        TensorData::U16(v) => ("<u2", cells(v, u16::to_le_bytes)),
        TensorData::U32(v) => ("<u4", cells(v, u32::to_le_bytes)),
        TensorData::U64(v) => ("<u8", cells(v, u64::to_le_bytes)),
        TensorData::Half(Half::F16, v) => ("<f2", cells(v, u16::to_le_bytes)),
        TensorData::F32(v) => ("<f4", cells(v, f32::to_le_bytes)),
        TensorData::F64(v) => ("<f8", cells(v, f64::to_le_bytes)),
        other => {
            let (file, name, got) = (file.to_owned(), name.to_owned(), other.dtype().to_string());
            let cure = "NumPy has no such type; write another output";
            return Err(Kind::ArrayDType { file, name, got, cure }.into());
        }
    };
    Ok([header(descr, tensor.dims()), cells].concat())
}

/// The header of an array, padded so that elements begin at a multiple of 64 bytes.
fn header(descr: &str, dims: &[usize]) -> Vec<u8> {
    let shape = dims.iter().map(|n| format!("{n},")).collect::<Vec<_>>().join(" ");
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let whole = (text.len() + 11).next_multiple_of(64);
    text.push_str(&" ".repeat(whole - text.len() - 11));
    text.push('\n');
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let start: Vec<u8> = match u16::try_from(len) {
        Ok(len) => [&b"\x93NUMPY\x01\x00"[..], &len.to_le_bytes()].concat(),
        Err(_) => [&b"\x93NUMPY\x02\x00"[..], &len.to_le_bytes()].concat(),
    };
    [start, text.into_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let fortran = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn tensor(dims: &[usize], data: TensorData) -> Tensor {
        Tensor::try_new(dims.to_vec(), data).unwrap()
    }

    #[test]
    fn arrays_are_read() {
        let floats = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let cases = [
            (
                npy("<f4", false, "(2, 3)", &floats(&[0., 1., 2., 3., 4., 5.])),
                tensor(&[2, 3], TensorData::F32(vec![0., 1., 2., 3., 4., 5.])),
            ),
            (
                npy("<f4", true, "(2, 3)", &floats(&[0., 3., 1., 4., 2., 5.])),
                tensor(&[2, 3], TensorData::F32(vec![0., 1., 2., 3., 4., 5.])),
            ),
            (npy(">i2", false, "(2,)", &[1, 0, 255, 255]), tensor(&[2], TensorData::I16(vec![256, -1]))),
            (npy("|u1", false, "()", &[7]), tensor(&[], TensorData::U8(vec![7]))),
            (npy("|b1", false, "(3,)", &[0, 1, 1]), tensor(&[3], TensorData::Bool(vec![false, true, true]))),
            (npy("<f2", false, "(1,)", &[0, 0x3c]), tensor(&[1], TensorData::Half(Half::F16, vec![0x3c00]))),
            (npy("<i8", false, "(0, 4)", &[]), tensor(&[0, 4], TensorData::I64(vec![]))),
        ];
        for (bytes, expected) in cases {
            assert_eq!(array("f.npy", "a", &bytes).unwrap(), expected);
        }
    }

    #[test]
    fn damaged_arrays_are_refused() {
        let cases = [
            (b"no array".to_vec(), "expected an NPY header"),
            (npy("<f4", false, "(1152921504606846976,)", &[0; 8]), "elements of shape [1152921504606846976]"),
            (npy("<f8", false, "(4611686018427387904, 4611686018427387904)", &[0; 8]), "got 8 bytes"),
            (npy("<f4", false, "(9,)", &[0; 8]), "elements of shape [9], got 8 bytes"),
            (npy("<U3", false, "(1,)", &[0; 12]), "is not supported"),
            (npy("|O", false, "(1,)", &[0; 12]), "is not supported"),
            (npy("<f4", false, "(-1,)", &[0; 8]), "an NPY header"),
            (npy("<f99999999999999999999", false, "(1,)", &[0; 8]), "is not supported"),
            (npy("[('a', '<f4')]", false, "(1,)", &[0; 8]), "is not supported"),
            (npy("<c8", false, "(1,)", &[0; 8]), "is not supported"),
        ];
        for (bytes, message) in cases {
            let got = array("f.npy", "a", &bytes).unwrap_err().to_string();
            assert!(got.contains(message) && got.starts_with("f.npy: array \"a\": "), "{got}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let arrays = [
            tensor(&[2, 2], TensorData::F64(vec![1.5, -0.0, f64::INFINITY, 3.0])),
            tensor(&[3], TensorData::I8(vec![-1, 0, 1])),
            tensor(&[1], TensorData::Half(Half::F16, vec![0x3c01])),
            tensor(&[2], TensorData::U64(vec![u64::MAX, 0])),
            tensor(&[2], TensorData::Bool(vec![true, false])),
        ];
        let named: Vec<(String, &Tensor)> =
            arrays.iter().enumerate().map(|(i, t)| (format!("out/{i}"), t)).collect();
        let bytes = || {
            let mut out = Cursor::new(Vec::new());
            write_npz(&mut out, "o.npz", &named).unwrap();
            out.into_inner()
        };
        assert_eq!(bytes(), bytes());
        let path = folder.path().join("o.npz");
        std::fs::write(&path, bytes()).unwrap();
        let read = read_arrays(&path).unwrap();
        assert_eq!(read, named.iter().map(|(n, t)| (n.clone(), (*t).clone())).collect::<Vec<_>>());
        for cut in [3, 40, bytes().len() - 30] {
            std::fs::write(&path, &bytes()[..cut]).unwrap();
            assert!(read_arrays(&path).is_err(), "{cut}");
        }
        let text = tensor(&[1], TensorData::Str(vec!["x".into()]));
        let error = write_npz(Cursor::new(Vec::new()), "o.npz", &[("t".into(), &text)]).unwrap_err();
        assert!(error.to_string().contains("o.npz: array \"t\": type string is not supported"), "{error}");
    }
}
