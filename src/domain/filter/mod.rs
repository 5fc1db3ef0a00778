//! What can be asked of the store, as data: each noun has a table of fields, and a question is a
//! list of criteria on them. What a dialect allows to be asked is its own business; it compiles
//! to these tables.

pub mod artifact;
pub mod automation;
pub mod block;
mod criteria;
pub mod deployment;
mod field;
pub mod flow;
pub mod flow_run;
pub mod log;
pub mod task_run;
mod text_query;
pub mod variable;
pub mod work_pool;
pub mod work_queue;

use super::ids::FlowRunId;
use super::state::StateType;
use super::time::Timestamp;

pub use criteria::{Criteria, Joined};
pub use field::{Criterion, Field, Holds, Test, Values};
pub use text_query::TextQuery;

/// The most items that one page holds.
pub const MAX_PAGE: u64 = 200;

/// What has ids and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// Flows.
    Flow,
    /// Deployments.
    Deployment,
    /// Flow runs.
    FlowRun,
    /// Task runs.
    TaskRun,
    /// Log lines; no path names them.
    Log,
    /// Work pools.
    WorkPool,
    /// Queues of work pools.
    WorkQueue,
    /// Variables.
    Variable,
    /// Automations.
    Automation,
    /// Artifacts.
    Artifact,
    /// Of each key the latest artifact.
    LatestArtifact,
    /// Types of blocks.
    BlockType,
    /// Schemas of blocks.
    BlockSchema,
    /// Documents of blocks.
    BlockDocument,
}

impl Noun {
    /// What the word of a path means, such as `flow_runs`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "flows" => Self::Flow,
            "deployments" => Self::Deployment,
            "flow_runs" => Self::FlowRun,
            "task_runs" => Self::TaskRun,
            _ => return None,
        })
    }
}

/// Which part of the result to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many items.
    pub limit: u64,
    /// After skipping so many.
    pub offset: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: MAX_PAGE,
            offset: 0,
        }
    }
}

/// An order of things of a noun, by one of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub column: &'static str,
    /// The column that counts where that one is empty.
    pub or: Option<&'static str>,
    /// From the largest down.
    pub descending: bool,
    /// The moment up to which a run counts that is running, where its [`RUN_TIME`] is meant.
    pub now: Timestamp,
}

/// How long a run has run, which is no column.
pub const RUN_TIME: &str = "run_time";

impl Sort {
    /// By name.
    pub const NAME: Self = Self::up("name");
    /// Newest first.
    pub const NEWEST: Self = Self::down("id");

    /// From the smallest up.
    pub const fn up(column: &'static str) -> Self {
        Self {
            column,
            or: None,
            descending: false,
            now: Timestamp::from_micros(0),
        }
    }

    /// From the largest down.
    pub const fn down(column: &'static str) -> Self {
        Self {
            column,
            or: None,
            descending: true,
            now: Timestamp::from_micros(0),
        }
    }

    /// The same, at a moment.
    pub const fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// By another column where that one is empty.
    const fn or(self, column: &'static str) -> Self {
        Self {
            or: Some(column),
            ..self
        }
    }
}

/// The orders of what has a name, by the words of the modern dialect; the first is the usual one.
pub const NAMED_SORTS: &[(&str, Sort)] = &[
    ("NAME_ASC", Sort::NAME),
    ("NAME_DESC", Sort::down("name")),
    ("CREATED_DESC", Sort::down("created")),
    ("UPDATED_DESC", Sort::down("updated")),
];

/// The orders of flow runs and of task runs, by the words of the 2.0a7 dialect.
pub const RUN_SORTS: &[(&str, Sort)] = &[
    ("ID_DESC", Sort::NEWEST),
    ("EXPECTED_START_TIME_ASC", Sort::up("expected_start_time")),
    (
        "EXPECTED_START_TIME_DESC",
        Sort::down("expected_start_time"),
    ),
    (
        "NEXT_SCHEDULED_START_TIME_ASC",
        Sort::up("next_scheduled_start_time"),
    ),
    ("END_TIME_DESC", Sort::down("end_time")),
];

/// Questions about an item and the items around it. All given ones must hold; `Some` of an
/// empty list asks only that such a neighbour exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// About its flow.
    pub flows: Option<Criteria>,
    /// About its flow run, or one of them.
    pub flow_runs: Option<Criteria>,
    /// About its task run, or one of them.
    pub task_runs: Option<Criteria>,
    /// About its deployment, or one of them.
    pub deployments: Option<Criteria>,
    /// About log lines themselves.
    pub logs: Option<Criteria>,
    /// About its work pool.
    pub work_pools: Option<Criteria>,
    /// About its queue, or one of them.
    pub work_queues: Option<Criteria>,
    /// About variables themselves.
    pub variables: Option<Criteria>,
    /// About automations themselves.
    pub automations: Option<Criteria>,
    /// About artifacts themselves.
    pub artifacts: Option<Criteria>,
    /// About the type of a block.
    pub block_types: Option<Criteria>,
    /// About its schema, or one of them.
    pub block_schemas: Option<Criteria>,
    /// About documents themselves.
    pub block_documents: Option<Criteria>,
}

impl Filters {
    /// What is asked about a noun.
    pub fn about(&self, noun: Noun) -> Option<&Criteria> {
        let criteria = match noun {
            Noun::Flow => &self.flows,
            Noun::Deployment => &self.deployments,
            Noun::FlowRun => &self.flow_runs,
            Noun::TaskRun => &self.task_runs,
            Noun::Log => &self.logs,
            Noun::WorkPool => &self.work_pools,
            Noun::WorkQueue => &self.work_queues,
            Noun::Variable => &self.variables,
            Noun::Automation => &self.automations,
            Noun::Artifact | Noun::LatestArtifact => &self.artifacts,
            Noun::BlockType => &self.block_types,
            Noun::BlockSchema => &self.block_schemas,
            Noun::BlockDocument => &self.block_documents,
        };
        criteria.as_ref()
    }

    /// The one criterion about a noun, where nothing else is asked about anything.
    pub fn only(&self, noun: Noun) -> Option<&Criterion> {
        let is_alone = self.asked().count() == 1;
        self.about(noun)?.only().filter(|_| is_alone)
    }

    /// Whether all of a noun are asked for: of itself nothing, and nothing of what is around it.
    pub fn is_of_all(&self, noun: Noun) -> bool {
        self.is_only_about(&[noun]) && self.about(noun).is_none_or(Criteria::is_nothing)
    }

    /// Whether nothing is asked about anything but these; an empty list about something is asked as well.
    pub fn is_only_about(&self, nouns: &[Noun]) -> bool {
        self.asked().all(|noun| nouns.contains(&noun))
    }

    /// What something is asked about; artifacts for the latest ones as well.
    fn asked(&self) -> impl Iterator<Item = Noun> {
        let Self {
            flows,
            flow_runs,
            task_runs,
            deployments,
            logs,
            work_pools,
            work_queues,
            variables,
            automations,
            artifacts,
            block_types,
            block_schemas,
            block_documents,
        } = self;
        let all = [
            (Noun::Flow, flows),
            (Noun::FlowRun, flow_runs),
            (Noun::TaskRun, task_runs),
            (Noun::Deployment, deployments),
            (Noun::Log, logs),
            (Noun::WorkPool, work_pools),
            (Noun::WorkQueue, work_queues),
            (Noun::Variable, variables),
            (Noun::Automation, automations),
            (Noun::Artifact, artifacts),
            (Noun::BlockType, block_types),
            (Noun::BlockSchema, block_schemas),
            (Noun::BlockDocument, block_documents),
        ];
        let asked = all.into_iter().filter(|(_, criteria)| criteria.is_some());
        asked.map(|(noun, _)| noun)
    }

    /// About one flow run.
    pub fn of_flow_run(id: FlowRunId) -> Self {
        Self {
            flow_runs: Some(vec![flow_run::ID.is_one_of_ids([id.uuid()])].into()),
            ..Self::default()
        }
    }

    /// About flow runs in states of one of these types.
    pub fn of_flow_runs_in(kinds: &[StateType]) -> Self {
        let words = kinds.iter().map(|kind| kind.word());
        Self {
            flow_runs: Some(vec![flow_run::STATE_TYPE.is_one_of(words)].into()),
            ..Self::default()
        }
    }
}
