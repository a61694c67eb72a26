//! `QLut`: any function of one code, of the integer form.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit, one, word};
use crate::op::Attrs;
use crate::{DType, Dim};
use alloc::vec::Vec;

const NAME: &str = "QLut";

/// `y = table[x]` of `u8`, `table[x + 128]` of `i8`.
///
/// Inputs: `x` of `i8` or `u8`; the table, `to [256]`. Output: `to`, which is `i8`, `u8`, `i16` or `u16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QLut {
    /// The dtype of the output.
    pub to: DType,
}

impl Payload for QLut {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        alloc::vec![("output_dtype", word(self.to.name()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, table] = arity(NAME, inputs)?;
        if !matches!(x.dtype, DType::I8 | DType::U8) {
            return Err(misfit(NAME, "input", "i8 or u8", &x.describe()));
        }
        if !matches!(self.to, DType::I8 | DType::U8 | DType::I16 | DType::U16) {
            return Err(misfit(NAME, "output_dtype", "i8, u8, i16 or u16", &self.to));
        }
        let fits = match table.shape.axes() {
            None => true,
            Some([n]) => super::met(n, &Dim::Fixed(256)).is_some(),
            Some(_) => false,
        };
        if table.dtype != self.to || !fits {
            let expected = alloc::format!("{} [256]", self.to);
            return Err(misfit(NAME, "table", &expected, &table.describe()));
        }
        one(self.to, x.shape.clone())
    }
}

impl Stored for QLut {
    fn parse(name: &str, attrs: &Attrs) -> Found<QLut> {
        (name == NAME).then(|| Ok(QLut { to: attrs.dtype(NAME, "output_dtype")? }))
    }
}
