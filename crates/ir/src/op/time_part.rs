//! `TimePart`: a point in time to one of its parts.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::text::time::{Part, TimeFormat};
use crate::{DType, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "TimePart";

/// A part of a point in time as a number; missing, and text that the format does not read, give NaN.
///
/// Input: a column `[N]`, `string` in one format (blanks at both ends do not count), or `i64` in
/// microseconds since 1970-01-01 00:00 UTC. Output: `f64 [N]`, whole numbers; moments beyond 2^53
/// microseconds (the year 2255) are rounded to the nearest double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimePart {
    /// The part.
    pub part: Part,
    /// The format of a string column; none for `i64`.
    pub format: Option<TimeFormat>,
}

impl TimePart {
    pub(super) fn parse(attrs: &Attrs) -> Result<TimePart, Error> {
        let word = attrs.word(NAME, "part")?;
        let part = Part::parse(word).ok_or_else(|| misfit(NAME, "part", "a part of a time", &word))?;
        let tag: i64 = attrs.int(NAME, "format")?;
        let format = match tag {
            -1 => None,
            tag => {
                let known = u8::try_from(tag).ok().and_then(TimeFormat::from_tag);
                Some(known.ok_or_else(|| misfit(NAME, "format", "the tag of a format, or -1", &tag))?)
            }
        };
        Ok(TimePart { part, format })
    }
}

impl Payload for TimePart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let format = self.format.map_or(-1, |f| i64::from(f.tag()));
        vec![("part", Attr::Word(self.part.name().to_string())), ("format", Attr::Int(format))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column] = arity(NAME, inputs)?;
        let expected = if self.format.is_some() { DType::Str } else { DType::I64 };
        if column.dtype != expected || column.shape.rank() != 1 {
            return Err(misfit(NAME, "column", expected.name(), &column.dtype));
        }
        Ok(vec![(DType::F64, column.shape.clone())])
    }
}
