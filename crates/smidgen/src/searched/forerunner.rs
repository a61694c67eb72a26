//! What a trial is added to, ready to be fitted before it.

use super::Workshop;
use crate::Error;
use jobs::Ctx;
use learn::LearnerEntry;
use params::{Params, settings_of};
use recipe::Prepared;
use search::{Added, Trial};
use std::rc::Rc;

/// What is fitted first.
pub(crate) struct Forerunner<'t> {
    pub(super) learner: &'static LearnerEntry,
    pub(super) params: Params,
    pub(super) prepared: Rc<Prepared<'t>>,
}

impl Forerunner<'_> {
    /// As a candidate takes it.
    pub(super) fn of_fit(&self) -> recipe::Forerunner<'_> {
        recipe::Forerunner { prepared: &self.prepared, learner: self.learner, params: &self.params }
    }

    /// For people.
    pub(super) fn recipe(&self) -> String {
        self.prepared.recipe(&self.params)
    }
}

impl<'t> Workshop<'t> {
    /// What a trial is added to, if it is.
    ///
    /// # Errors
    /// A learner, a setting or a step that cannot be fitted.
    pub(super) fn forerunner_of(
        &self,
        trial: &Trial,
        ctx: &Ctx<'_>,
    ) -> Result<Option<Forerunner<'t>>, Error> {
        let Some(first) = &trial.onto else { return Ok(None) };
        let learner = learn::learner(&first.learner)?;
        let params = learner.params(&first.settings)?;
        let prepared = self.prepared((learner, &params), first, ctx)?;
        Ok(Some(Forerunner { learner, params, prepared }))
    }

    /// What candidates are added to, as it is asked for.
    pub(super) fn added(&self) -> Added {
        match &self.options.onto {
            None => Added::Auto,
            Some(_) => self.named_forerunner().map_or(Added::Never, Added::To),
        }
    }

    /// The trial that all others are added to, if a learner is named.
    pub(super) fn named_forerunner(&self) -> Option<Box<Trial>> {
        let name = self.options.named_forerunner()?;
        let settings = settings_of(&self.options.settings, name);
        let transforms = self.options.transforms.clone();
        Some(Box::new(Trial { learner: name.clone(), settings, transforms, ..Trial::default() }))
    }
}
