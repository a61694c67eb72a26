//! Attributes of operators: what is printed and stored of them, and how it is read back.

use super::{Payload, misfit};
use crate::fixed::Overflow;
use crate::{DType, Error, Forest, Kind, RealForest, Tensor};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// An attribute of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Attr {
    /// A whole number.
    Int(i64),
    /// A word.
    Word(String),
    /// A number of single precision.
    Float(f32),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A forest; it stands in a section of its own.
    Forest(Arc<Forest>),
    /// A few elements.
    Tensor(Tensor),
    /// A forest with real thresholds.
    RealForest(Box<RealForest>),
}

/// The attributes of a node, by name.
#[derive(Clone, Debug, Default)]
pub struct Attrs(pub Vec<(String, Attr)>);

impl Attrs {
    /// The attribute of a name, if it is there.
    fn find(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, attr)| attr)
    }

    fn get(&self, op: &'static str, name: &str) -> Result<&Attr, Error> {
        self.find(name).ok_or_else(|| misfit(op, "attributes", name, &"none of that name"))
    }

    /// A whole number within a type's range.
    pub(super) fn int<T: TryFrom<i64>>(&self, op: &'static str, name: &str) -> Result<T, Error> {
        match self.get(op, name)? {
            Attr::Int(v) => T::try_from(*v).map_err(|_| misfit(op, name, "a smaller number", v)),
            _ => Err(misfit(op, name, "a whole number", &"another kind of attribute")),
        }
    }

    pub(super) fn word(&self, op: &'static str, name: &str) -> Result<&str, Error> {
        match self.get(op, name)? {
            Attr::Word(v) => Ok(v),
            _ => Err(misfit(op, name, "a word", &"another kind of attribute")),
        }
    }

    /// `weights` of neighbours: true for `distance`, false for `uniform`.
    pub(super) fn by_distance(&self, op: &'static str) -> Result<bool, Error> {
        match self.word(op, "weights")? {
            "uniform" => Ok(false),
            "distance" => Ok(true),
            other => Err(misfit(op, "weights", "uniform or distance", &other)),
        }
    }

    pub(super) fn forest(&self, op: &'static str, name: &str) -> Result<&Arc<Forest>, Error> {
        match self.get(op, name)? {
            Attr::Forest(v) => Ok(v),
            _ => Err(misfit(op, name, "a forest", &"another kind of attribute")),
        }
    }

    /// Refuses attributes that the operator, once it is read, does not have.
    pub(super) fn all_known(&self, name: &str, op: &dyn Payload) -> Result<(), Error> {
        let known = op.attrs();
        match self.0.iter().find(|(n, _)| !known.iter().any(|(k, _)| k == n)) {
            None => Ok(()),
            Some((attr, _)) => {
                let what = alloc::format!("attribute \"{attr}\" of operator \"{name}\"");
                Err(Kind::Unknown { what }.into())
            }
        }
    }

    /// What `read` makes of an attribute that may be left out.
    pub(super) fn maybe<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Attrs) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.find(name).map(|_| read(self)).transpose()
    }

    /// 0 or 1.
    pub(super) fn flag(&self, op: &'static str, name: &str) -> Result<bool, Error> {
        match self.int::<i64>(op, name)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(misfit(op, name, "0 or 1", &other)),
        }
    }

    /// What a small float does beyond its largest number.
    pub(super) fn overflow(&self, op: &'static str) -> Result<Overflow, Error> {
        Ok(if self.flag(op, "saturate")? { Overflow::Saturate } else { Overflow::Special })
    }

    pub(super) fn float(&self, op: &'static str, name: &str) -> Result<f32, Error> {
        match self.get(op, name)? {
            Attr::Float(v) => Ok(*v),
            _ => Err(misfit(op, name, "a number", &"another kind of attribute")),
        }
    }

    pub(super) fn ints<T: TryFrom<i64>>(&self, op: &'static str, name: &str) -> Result<Vec<T>, Error> {
        let Attr::Ints(values) = self.get(op, name)? else {
            return Err(misfit(op, name, "whole numbers", &"another kind of attribute"));
        };
        let narrow = |v: &i64| T::try_from(*v).map_err(|_| misfit(op, name, "numbers in range", v));
        values.iter().map(narrow).collect()
    }

    /// The one number of a list.
    pub(super) fn count<T: TryFrom<i64> + Copy>(&self, op: &'static str, name: &str) -> Result<T, Error> {
        match self.ints(op, name)?[..] {
            [one] => Ok(one),
            ref other => Err(misfit(op, name, "one number", &other.len())),
        }
    }

    pub(super) fn dtype(&self, op: &'static str, name: &str) -> Result<DType, Error> {
        let word = self.word(op, name)?;
        let found = DType::ALL.iter().copied().find(|d| d.name() == word);
        found.ok_or_else(|| misfit(op, name, "a dtype", &word))
    }

    /// A word that stands for one of several members.
    pub(super) fn one_of<T: Copy>(
        &self,
        op: &'static str,
        name: &str,
        all: &[T],
        spelt: impl Fn(&T) -> &'static str,
    ) -> Result<T, Error> {
        let word = self.word(op, name)?;
        all.iter().copied().find(|member| spelt(member) == word).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(spelt).collect();
            misfit(op, name, &known.join(", "), &word)
        })
    }

    pub(super) fn tensor(&self, op: &'static str, name: &str) -> Result<&Tensor, Error> {
        match self.get(op, name)? {
            Attr::Tensor(v) => Ok(v),
            _ => Err(misfit(op, name, "elements", &"another kind of attribute")),
        }
    }

    pub(super) fn real_forest(&self, op: &'static str, name: &str) -> Result<&RealForest, Error> {
        match self.get(op, name)? {
            Attr::RealForest(v) => Ok(v),
            _ => Err(misfit(op, name, "a forest of reals", &"another kind of attribute")),
        }
    }
}
