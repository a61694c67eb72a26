//! Finished trials on disk: one small file a trial, named by what was tried on what.
//!
//! A file is written whole or not at all, and one that is damaged is as good as missing, so a run that was killed at any
//! moment goes on where it was, and loses at most the trial in flight.

use crate::error::{Error, Kind};
use crate::trial::{Outcome, Trial};
use ir::digest::Digest;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Trials of one study in a folder.
pub struct Store {
    folder: PathBuf,
    /// Digest of the rows and of all that trials of a study have in common.
    study: u64,
}

/// Largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

impl Store {
    /// The folder, made if it is missing. Trials of other studies in it stay and do not count.
    ///
    /// # Errors
    /// `Folder`: it cannot be made, or is no folder.
    pub fn open(folder: &Path, study: u64) -> Result<Store, Error> {
        let folder = folder.to_path_buf();
        fs::create_dir_all(&folder)
            .map_err(|e| Kind::Folder { folder: folder.clone(), what: e.to_string() })?;
        Ok(Store { folder, study })
    }

    /// What came of a trial, if it is known.
    pub fn get(&self, trial: &Trial) -> Option<Outcome> {
        let path = self.path(trial);
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let object: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let is_of = object["study"] == json!(name(self.study));
        let same = Trial::of(&object["trial"]).as_ref() == Some(trial);
        let outcome = &object["outcome"];
        let is_intact = object["digest"] == json!(name(digest(outcome.to_string().as_bytes())));
        if !(is_of && same && is_intact) {
            return None;
        }
        Outcome::of(outcome)
    }

    /// Keeps what came of a trial.
    ///
    /// # Errors
    /// `Folder`: the disk is full, or the folder cannot be written; what is there stays as it is.
    pub fn put(&self, trial: &Trial, outcome: &Outcome) -> Result<(), Error> {
        let outcome = outcome.json();
        let object = json!({
            "schema": 1,
            "study": name(self.study),
            "trial": trial.json(),
            "outcome": outcome,
            "digest": name(digest(outcome.to_string().as_bytes())),
        });
        let failed = |e: std::io::Error| Kind::Folder { folder: self.folder.clone(), what: e.to_string() };
        let mut file =
            tempfile::Builder::new().prefix(".trial-").tempfile_in(&self.folder).map_err(failed)?;
        file.write_all(format!("{object}\n").as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(self.path(trial)).map_err(|e| failed(e.error))?;
        Ok(())
    }

    fn path(&self, trial: &Trial) -> PathBuf {
        let key = digest(&[&self.study.to_le_bytes()[..], &trial.bytes()].concat());
        self.folder.join(format!("{}.json", name(key)))
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.bytes(bytes);
    digest.finish()
}

fn name(digest: u64) -> String {
    format!("{digest:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(leaves: u32) -> Trial {
        let settings = vec![("max_leaves".to_owned(), leaves.to_string())];
        Trial { learner: "gbdt".to_owned(), settings, bars: [None, Some(0.25)], ..Trial::default() }
    }

    #[test]
    fn trials_come_back_but_not_damaged_ones() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/study");
        let store = Store::open(&folder, 7).unwrap();
        let outcome = Outcome { error: Some(0.125), work: 3.0, is_whole: true, ..Outcome::default() };
        assert_eq!(store.get(&trial(7)), None);
        store.put(&trial(7), &outcome).unwrap();
        store.put(&trial(9), &Outcome::default()).unwrap();
        assert_eq!(store.get(&trial(7)), Some(outcome.clone()));
        // Another study, another trial, another bar.
        assert_eq!(Store::open(&folder, 8).unwrap().get(&trial(7)), None);
        assert_eq!(store.get(&trial(8)), None);
        assert_eq!(store.get(&trial(7).without_bars()), None);
        // Cut off and changed at every byte: as it was, or unknown.
        let path = store.path(&trial(7));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 1 {
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(store.get(&trial(7)), None, "cut at {at}");
            let mut other = whole.clone();
            other[at] ^= 1;
            fs::write(&path, &other).unwrap();
            let got = store.get(&trial(7));
            assert!(got.is_none() || got.as_ref() == Some(&outcome), "changed at {at}: {got:?}");
        }
        // Only trials stand in the folder.
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        let refused = Store::open(&path.join("x"), 7).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("--resume"), "{refused}");
    }
}
