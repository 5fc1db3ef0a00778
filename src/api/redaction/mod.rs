//! What of an answer is shown to whom.
//!
//! Whoever starts processes needs the values, and that is an operator: an agent on the socket,
//! on the loopback, or with a key. Viewers and runs get the names. Each shape that is answered
//! says by [`Redact`] which of its fields hold what clients wrote, and whose they are; a field
//! that is added does not compile until that is said of it.
//!
//! A run is told the parameters and the results of itself and of its sub-flows, and the flow of
//! its deployment: it works with them.

mod mask;
pub(super) mod plain;

use std::collections::HashSet;

use crate::domain::ids::{DeploymentId, FlowRunId};
pub use mask::{Mask, Maskable};
pub(super) use plain::harmless;

/// Something that is answered, and that may hold secrets.
pub trait Redact {
    /// Notes the flow runs whose secrets it may hold. What notes none is told to a run as to
    /// anybody else.
    fn runs(&self, _noted: &mut HashSet<FlowRunId>) {}

    /// Masks what is not shown to `reader`.
    fn redact(&mut self, reader: &Reader<'_>);

    /// Leaves out the fields that no Prefect server tells, which are for our own programs.
    fn leave_out_ours(&mut self) {}
}

/// Somebody who is not shown everything.
pub struct Reader<'a> {
    /// Further words that make a name a secret's.
    pub words: &'a [String],
    /// The run that asks; otherwise it is somebody who only looks.
    pub run: Option<RunReader>,
}

/// A run that asks.
pub struct RunReader {
    /// Itself.
    pub id: FlowRunId,
    /// Its deployment.
    pub deployment: Option<DeploymentId>,
    /// Those of the answer's runs that are itself or were begun by it.
    pub own: HashSet<FlowRunId>,
}

/// How much is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All that is secret. Documents that cannot be looked into are masked whole.
    All,
    /// The same, but for the flow of a deployment: whoever runs it needs it.
    AllButFlow,
    /// Only what runs run on.
    Infrastructure,
}

impl Reader<'_> {
    /// For what is nobody's in particular.
    pub fn of_nobody(&self) -> Mask<'_> {
        self.mask(Extent::All)
    }

    /// For a flow run. A run of a deployment is given what that holds, which is not its
    /// beginner's.
    pub fn of_flow_run(&self, id: FlowRunId, has_deployment: bool) -> Mask<'_> {
        let is_own = |run: &RunReader| run.id == id || (!has_deployment && run.own.contains(&id));
        self.mask_of(is_own)
    }

    /// For what is part of a flow run; `None` where it is not known of which.
    pub fn within_flow_run(&self, id: Option<FlowRunId>) -> Mask<'_> {
        self.mask_of(|run| id.is_some_and(|id| run.own.contains(&id)))
    }

    /// For a deployment.
    pub fn of_deployment(&self, id: DeploymentId) -> Mask<'_> {
        match self
            .run
            .as_ref()
            .is_some_and(|run| run.deployment == Some(id))
        {
            true => self.mask(Extent::AllButFlow),
            false => self.mask(Extent::All),
        }
    }

    fn mask_of(&self, is_own: impl FnOnce(&RunReader) -> bool) -> Mask<'_> {
        match self.run.as_ref().is_some_and(is_own) {
            true => self.mask(Extent::Infrastructure),
            false => self.mask(Extent::All),
        }
    }

    fn mask(&self, extent: Extent) -> Mask<'_> {
        Mask::new(extent, self.words)
    }
}

impl<T: Redact> Redact for Vec<T> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.iter().for_each(|item| item.runs(noted));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        self.iter_mut().for_each(|item| item.redact(reader));
    }

    fn leave_out_ours(&mut self) {
        self.iter_mut().for_each(T::leave_out_ours);
    }
}

impl<T: Redact> Redact for Option<T> {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.iter().for_each(|item| item.runs(noted));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        self.iter_mut().for_each(|item| item.redact(reader));
    }

    fn leave_out_ours(&mut self) {
        self.iter_mut().for_each(T::leave_out_ours);
    }
}
