//! Ids: one type a noun, so that a task run's id never passes for a flow run's.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id. Ids grow with time (UUID version 7), so that "newest first" is the
            /// order of the primary key.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id that a client or a row named.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The plain UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Its sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// Names a flow.
    FlowId,
    /// Names a deployment.
    DeploymentId,
    /// Names a flow run.
    FlowRunId,
    /// Names a task run.
    TaskRunId,
    /// Names one state in a run's history.
    StateId,
    /// Names a log line.
    LogId,
    /// Names a saved search.
    SavedSearchId,
    /// Names a schedule of a deployment.
    ScheduleId,
    /// Names a work pool.
    WorkPoolId,
    /// Names a queue of a work pool.
    WorkQueueId,
    /// Names a worker of a work pool.
    WorkerId,
    /// Names a variable.
    VariableId,
    /// Names something handed to a run.
    RunInputId,
    /// Names a concurrency limit.
    LimitId,
    /// Names the hold on slots of concurrency limits.
    LeaseId,
    /// Names an event.
    EventId,
    /// Names an automation.
    AutomationId,
    /// Names an artifact.
    ArtifactId,
    /// Names the artifacts of one key.
    ArtifactCollectionId,
    /// Names a type of blocks.
    BlockTypeId,
    /// Names a schema of blocks.
    BlockSchemaId,
    /// Names a document of blocks.
    BlockDocumentId,
}

impl ScheduleId {
    /// For the schedule at a place among those of a deployment. The first has the deployment's
    /// own id, by which the runs of deployments are known that have only one.
    pub fn nth_of(deployment: DeploymentId, place: usize) -> Self {
        match place {
            0 => Self::from_uuid(deployment.uuid()),
            _ => Self::new(),
        }
    }
}
