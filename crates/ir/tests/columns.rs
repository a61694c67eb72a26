//! Columns, bitmaps and tensors: what is refused, and that slices keep the rows.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use proptest::prelude::*;
use smidgen_ir::{Bits, Column, ColumnData, DType, Tensor, TensorData};

#[test]
fn bitmaps() {
    let bytes = [0b1010_0101, 0b0000_0001];
    for (offset, len, fits) in
        [(0, 16, true), (0, 17, false), (16, 0, true), (17, 0, false), (7, 9, true), (usize::MAX, 1, false)]
    {
        assert_eq!(Bits::try_new(&bytes, offset, len).is_some(), fits, "{len} from {offset}");
    }
    let bits = Bits::try_new(&bytes, 2, 7).unwrap();
    let read: Vec<bool> = (0..8).map(|row| bits.get(row)).collect();
    assert_eq!(read, [true, false, false, true, false, true, true, false]);
    assert!(!bits.get(usize::MAX), "past the end is false, whatever the offset");
    assert_eq!((bits.len(), bits.is_empty()), (7, false));
    assert!(Bits::try_new(&[], 0, 0).unwrap().is_empty());
}

#[test]
fn strings_that_are_refused() {
    let cases: [(&[i32], &[u8], bool, &str); 11] = [
        (&[0, 1, 3], b"abc", true, "plain"),
        (&[0], b"", true, "no row"),
        (&[1, 2], b"\xffa\xff", true, "bytes outside the rows may be anything"),
        (&[0, 0, 0], b"", true, "empty rows"),
        (&[], b"", false, "no offset"),
        (&[0, 2, 1], b"abc", false, "falling"),
        (&[-1, 1], b"abc", false, "negative"),
        (&[0, 4], b"abc", false, "beyond the bytes"),
        (&[0, 1, 2], "é".as_bytes(), false, "a character cut"),
        (&[0, 2], b"\xc3\x28", false, "no UTF-8"),
        (&[1, 2], "é".as_bytes(), false, "a character cut at the start"),
    ];
    for (offsets, bytes, fits, why) in cases {
        let data = ColumnData::Str { offsets, bytes };
        assert_eq!(Column::try_new(data, None).is_some(), fits, "{why}");
    }
}

#[test]
fn a_bitmap_has_the_length_of_its_column() {
    let bits = |n| Bits::try_new(&[0xff, 0xff], 3, n);
    let flags = Bits::try_new(&[0b10], 0, 2).unwrap();
    let columns = [
        (ColumnData::F64(&[1.0, 2.0]), DType::F64),
        (ColumnData::F32(&[1.0, 2.0]), DType::F32),
        (ColumnData::I64(&[1, 2]), DType::I64),
        (ColumnData::I32(&[1, 2]), DType::I32),
        (ColumnData::U8(&[1, 2]), DType::U8),
        (ColumnData::Bool(flags), DType::Bool),
        (ColumnData::Str { offsets: &[0, 1, 2], bytes: b"ab" }, DType::Str),
    ];
    for (data, dtype) in columns {
        for n in [0, 1, 3, 13] {
            assert!(Column::try_new(data, bits(n)).is_none(), "{dtype} with {n} bits");
        }
        let column = Column::try_new(data, bits(2)).unwrap();
        assert_eq!((column.dtype(), column.n_rows(), column.all_valid()), (dtype, 2, false));
        for (start, len, fits) in
            [(0, 2, true), (2, 0, true), (1, 1, true), (1, 2, false), (3, 0, false), (usize::MAX, 2, false)]
        {
            let slice = column.slice(start, len);
            assert_eq!(slice.map(|s| s.n_rows()), fits.then_some(len), "{dtype}: {len} from {start}");
        }
    }
    let column = Column::try_new(ColumnData::I64(&[1]), None).unwrap();
    assert!(column.all_valid() && column.is_valid(0));
    assert_eq!(column.text(0), None, "a number has no text");
}

proptest! {
    /// A slice of a slice holds the rows that it names, with their validity.
    #[test]
    fn slices_keep_rows(words in proptest::collection::vec("[a-zé]{0,3}", 0..40), map in any::<[u8; 8]>(), offset in 0usize..24, cuts in any::<[u16; 4]>()) {
        let mut offsets = vec![0i32];
        let mut bytes = Vec::new();
        for word in &words {
            bytes.extend_from_slice(word.as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let n = words.len();
        let validity = Bits::try_new(&map, offset, n).unwrap();
        let whole = Column::try_new(ColumnData::Str { offsets: &offsets, bytes: &bytes }, Some(validity)).unwrap();
        let flags = Column::try_new(ColumnData::Bool(validity), None).unwrap();
        let mut from = 0;
        let (mut text, mut flag) = (whole, flags);
        for pair in cuts.chunks(2) {
            let start = usize::from(pair[0]) % (text.n_rows() + 1);
            let len = usize::from(pair[1]) % (text.n_rows() - start + 1);
            (text, flag) = (text.slice(start, len).unwrap(), flag.slice(start, len).unwrap());
            from += start;
            for row in 0..len {
                let bit = offset + from + row;
                let valid = map[bit / 8] >> (bit % 8) & 1 == 1;
                prop_assert_eq!(text.text(row), valid.then_some(&words[from + row][..]));
                prop_assert_eq!(text.is_valid(row), valid);
                let ColumnData::Bool(b) = flag.data() else { panic!("{flag:?}") };
                prop_assert_eq!(b.get(row), valid);
            }
            prop_assert_eq!(text.text(len), None);
        }
    }
}

#[test]
fn tensors_fill_their_shape() {
    let data = |n: usize| TensorData::U8(vec![0; n]);
    for (dims, n, fits) in [
        (vec![2, 3], 6, true),
        (vec![], 1, true),
        (vec![0, 5], 0, true),
        (vec![2, 3], 5, false),
        (vec![], 0, false),
        (vec![usize::MAX, 2], 0, false),
    ] {
        assert_eq!(Tensor::try_new(dims.clone(), data(n)).is_some(), fits, "{dims:?} of {n}");
    }
    assert_eq!(Tensor::vector(data(4)).dims(), [4]);
}
