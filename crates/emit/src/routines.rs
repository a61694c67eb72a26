//! Routines: each one function in C and one in Rust, cut out of files by the line above it.
//!
//! A line `/*: name needs a b */` (in Rust `//: name needs a b`) begins the routine `name`, which calls the routines `a`
//! and `b`; it ends where the next one begins. The C function is `sm_name`, the Rust function `name`. A name that begins
//! with `_` is of one language alone. In Rust, `_link`, `_votes` and `_math` are the very modules of `ir::fixed`, so that
//! they are not written twice.

/// A routine of one language.
#[derive(Clone, Debug)]
pub(crate) struct Routine {
    pub(crate) name: &'static str,
    needs: &'static str,
    pub(crate) text: String,
}

/// Files of routines of one language.
pub(crate) struct Library {
    files: &'static [&'static str],
    modules: &'static [(&'static str, &'static str, &'static str)],
    opens: &'static str,
    closes: &'static str,
}

/// Routines in C.
pub(crate) const C: Library = Library {
    files: &[
        include_str!("routines/codes.c"),
        include_str!("routines/integers.c"),
        include_str!("routines/links.c"),
        include_str!("routines/math.c"),
        include_str!("routines/neighbours.c"),
        include_str!("routines/numbers.c"),
        include_str!("routines/texts.c"),
        include_str!("routines/times.c"),
        include_str!("routines/bags.c"),
        include_str!("routines/proof.c"),
    ],
    modules: &[],
    opens: "/*: ",
    closes: " */",
};

/// Routines in Rust.
pub(crate) const RUST: Library = Library {
    files: &[
        include_str!("routines/codes.rs"),
        include_str!("routines/integers.rs"),
        include_str!("routines/links.rs"),
        include_str!("routines/neighbours.rs"),
        include_str!("routines/numbers.rs"),
        include_str!("routines/texts.rs"),
        include_str!("routines/times.rs"),
        include_str!("routines/bags.rs"),
        include_str!("routines/proof.rs"),
    ],
    modules: &[
        ("_link", "", include_str!("../../ir/src/fixed/link.rs")),
        ("_votes", "_link", include_str!("../../ir/src/fixed/votes.rs")),
        ("_math", "_round_ties_even", include_str!("../../ir/src/fixed/math.rs")),
    ],
    opens: "//: ",
    closes: "",
};

impl Library {
    /// All routines, in the order in which they may be defined.
    pub(crate) fn all(&self) -> Vec<Routine> {
        let modules =
            self.modules.iter().map(|(name, needs, text)| Routine { name, needs, text: module(name, text) });
        modules.chain(self.files.iter().flat_map(|file| self.of_file(file))).collect()
    }

    fn of_file(&self, file: &'static str) -> Vec<Routine> {
        let mut made = Vec::new();
        for part in file.split(self.opens).skip(1) {
            let Some((head, text)) = part.split_once('\n') else { continue };
            let head = head.strip_suffix(self.closes).unwrap_or(head);
            let (name, needs) = head.split_once(" needs ").unwrap_or((head, ""));
            made.push(Routine { name, needs, text: text.trim_end().to_string() });
        }
        made
    }

    /// The routines that these hang on, and they themselves, each after what it needs.
    pub(crate) fn closed(&self, names: &[&str]) -> Vec<Routine> {
        let all = self.all();
        let mut wanted: Vec<bool> = all.iter().map(|r| names.contains(&r.name)).collect();
        loop {
            let needed = |name: &str| {
                let who = all.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
                who.into_iter().any(|(r, _)| r.needs.split(' ').any(|n| n == name))
            };
            let more: Vec<bool> = all.iter().zip(&wanted).map(|(r, w)| *w || needed(r.name)).collect();
            if more == wanted {
                break;
            }
            wanted = more;
        }
        // Files and routines stand in an order in which nothing is called before it is defined, but across files.
        let mut open: Vec<Routine> =
            all.iter().zip(&wanted).filter(|(_, w)| **w).map(|(r, _)| r.clone()).collect();
        let mut closed: Vec<Routine> = Vec::with_capacity(open.len());
        while !open.is_empty() {
            let ready = |r: &Routine| {
                let mut needs = r.needs.split(' ').filter(|n| !n.is_empty());
                needs.all(|n| closed.iter().any(|c| c.name == n))
            };
            let at = open.iter().position(ready).unwrap_or(0);
            closed.push(open.remove(at));
        }
        closed
    }
}

/// A module of the project as a module of a file, without its own words and its tests.
fn module(name: &str, text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or(text);
    let body: Vec<&str> = body.lines().filter(|line| !line.starts_with("//!")).collect();
    let name = name.trim_start_matches('_');
    format!("mod {name} {{\n{}\n}}", body.join("\n").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both languages have the same routines, each once, and what a routine needs exists.
    #[test]
    fn both_languages_have_the_same_routines() {
        let (c, rust) = (C.all(), RUST.all());
        let names = |all: &[Routine]| {
            let mut names: Vec<&str> = all.iter().map(|r| r.name).collect();
            names.sort_unstable();
            names
        };
        let entries =
            |all: &[Routine]| names(all).into_iter().filter(|n| !n.starts_with('_')).collect::<Vec<_>>();
        assert_eq!(entries(&c), entries(&rust));
        for all in [&c, &rust] {
            let names = names(all);
            assert!(names.is_sorted_by(|a, b| a < b), "each once: {names:?}");
            for routine in all {
                for need in routine.needs.split(' ').filter(|n| !n.is_empty()) {
                    assert!(names.binary_search(&need).is_ok(), "{} needs {need}", routine.name);
                }
            }
        }
    }
}
