//! Tables that are kept ready for learners, by what they are made ready for.

use super::Workshop;
use crate::Error;
use jobs::Ctx;
use learn::Takes;
use recipe::{ClassWeights, PrepareOptions, Prepared};
use std::cell::RefCell;
use std::rc::Rc;

/// Bytes that tables may take together, the last one not counted.
const KEPT_BYTES: usize = 64 << 20;

/// What a table is made ready by.
#[derive(Clone, PartialEq)]
struct Key {
    takes: Takes,
    max_bins: usize,
    is_balanced: bool,
    /// Transforms and augmentation, as they are described.
    before: Vec<String>,
}

/// Tables that were made, those asked for last at the end.
#[derive(Default)]
pub(crate) struct Ready<'t>(RefCell<Vec<(Key, Rc<Prepared<'t>>)>>);

impl<'t> Ready<'t> {
    /// The table ready as `options` say, made if it is not there.
    pub(super) fn get(
        &self,
        of: &Workshop<'t>,
        options: &PrepareOptions<'t>,
        ctx: &Ctx<'_>,
    ) -> Result<Rc<Prepared<'t>>, Error> {
        let augment = options.augment.iter().map(|augment| augment.params.describe());
        let key = Key {
            takes: options.takes,
            max_bins: options.max_bins,
            is_balanced: options.class_weights == ClassWeights::Balanced,
            before: options.steps.iter().map(|step| step.describe()).chain(augment).collect(),
        };
        let mut ready = self.0.borrow_mut();
        let known = ready.iter().position(|(known, _)| *known == key).map(|at| ready.remove(at));
        let (key, made) = match known {
            Some(known) => known,
            None => {
                // Room first: making one takes memory too.
                while bytes(&ready) > KEPT_BYTES {
                    ready.remove(0);
                }
                (key, Rc::new(Prepared::new(of.table, of.target, options, ctx)?))
            }
        };
        ready.push((key, made.clone()));
        Ok(made)
    }

    /// Lets all of them go.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

fn bytes(ready: &[(Key, Rc<Prepared<'_>>)]) -> usize {
    ready.iter().map(|(_, prepared)| prepared.bytes()).sum()
}
