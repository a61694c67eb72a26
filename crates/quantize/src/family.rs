//! How a member of a family is named: `NAME` or `NAME:PARAM=VALUE,PARAM=VALUE`, as in `mean_std:k=3`.
//!
//! One reader for all families of this crate. Names are written with underscores; hyphens are read as these.

use crate::error::{Error, Kind};
use params::{ParamSpec, Params};

/// An entry of a family's table.
pub trait Family: Sized + Sync + 'static {
    /// What a member is called in messages, as in `unknown observer`.
    const FAMILY: &'static str;

    /// Every member.
    fn table() -> &'static [&'static Self];

    /// Name on the command line.
    fn name(&self) -> &'static str;

    /// Names that others give it.
    fn aliases(&self) -> &'static [&'static str];

    /// Parameters of the member.
    fn spec(&self) -> &'static [ParamSpec];
}

/// A member with its parameters.
#[derive(Debug)]
pub struct Member<F: Family> {
    entry: &'static F,
    params: Params,
}

impl<F: Family> Clone for Member<F> {
    fn clone(&self) -> Member<F> {
        Member { entry: self.entry, params: self.params.clone() }
    }
}

impl<F: Family> Member<F> {
    /// The member that a text names, with the parameters that it sets.
    ///
    /// # Errors
    /// `UnknownMember`, `Spelling`, `Params`.
    pub fn parse(text: &str) -> Result<Member<F>, Error> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let name = name.trim().replace('-', "_");
        let entry = F::table()
            .iter()
            .find(|e| e.name() == name || e.aliases().contains(&&*name))
            .copied()
            .ok_or_else(|| {
                let names = || F::table().iter().map(|e| e.name());
                let suggestion = params::suggestion(&name, names());
                let known = names().collect::<Vec<_>>().join(", ");
                Error::from(Kind::UnknownMember { family: F::FAMILY, name: name.clone(), suggestion, known })
            })?;
        let setting = |part: &str| match part.split_once('=') {
            Some((param, value)) => Ok((param.trim().replace('-', "_"), value.trim().to_owned())),
            None => {
                Err(Kind::Spelling { family: F::FAMILY, text: text.to_owned(), part: part.to_owned() }.into())
            }
        };
        let settings: Result<Vec<_>, Error> = rest.iter().flat_map(|r| r.split(',')).map(setting).collect();
        Ok(Member { entry, params: Params::parse(entry.name(), &[entry.spec()], &settings?)? })
    }

    /// Its line of the table.
    pub fn entry(&self) -> &'static F {
        self.entry
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The member and what was set, as [`Member::parse`] reads it.
    pub fn describe(&self) -> String {
        let shown = self.params.describe();
        match shown.split_once(' ') {
            None => shown,
            Some((name, settings)) => format!("{name}:{}", settings.replace(' ', ",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CorrectionEntry, GridEntry, ObserverEntry, RoundingEntry};

    fn names<F: Family>() {
        let mut known = std::collections::BTreeSet::new();
        for entry in F::table() {
            for name in entry.aliases().iter().chain([&entry.name()]) {
                assert!(known.insert(*name), "{} {name} stands twice", F::FAMILY);
                for text in [(*name).to_owned(), name.replace('_', "-")] {
                    assert_eq!(Member::<F>::parse(&text).unwrap().describe(), entry.name());
                }
            }
        }
    }

    #[test]
    fn every_name_leads_to_its_member() {
        names::<ObserverEntry>();
        names::<GridEntry>();
        names::<RoundingEntry>();
        names::<CorrectionEntry>();
    }

    #[test]
    fn members_are_read_and_written() {
        for (text, shown) in [
            ("min-max", "min_max"),
            (" min_max ", "min_max"),
            ("mean-std:k=2.50", "mean_std:k=2.5"),
            ("mean_std: n-std = 4", "mean_std:k=4"),
            ("lp:p=2,p=3", "lp:p=3"),
        ] {
            let member = Member::<ObserverEntry>::parse(text).unwrap();
            assert_eq!(member.describe(), shown);
            let again = Member::<ObserverEntry>::parse(shown).unwrap();
            assert_eq!(again.params(), member.params());
        }
        for (text, message) in [
            ("max", "unknown observer \"max\"; did you mean \"min_max\"?; known: min_max"),
            ("min_max:k=3", "min_max: unknown parameter \"k\"; known: "),
            (
                "min_max:k",
                "observer \"min_max:k\": expected NAME or NAME:PARAM=VALUE,PARAM=VALUE.., got \"k\"",
            ),
            ("min_max:", "observer \"min_max:\": expected NAME or NAME:PARAM=VALUE,PARAM=VALUE.., got \"\""),
        ] {
            let got = Member::<ObserverEntry>::parse(text).unwrap_err().to_string();
            assert!(got.starts_with(message), "{got}");
        }
    }
}
