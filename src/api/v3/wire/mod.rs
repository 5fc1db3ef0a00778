//! The modern generation's shapes, each in its noun's folder, and what several share. The daemon
//! writes what `prefectctl` reads, so most go both ways.

mod duration;
mod filter;
mod labels;
mod names;
pub(super) mod operators;
mod pages;
mod patch;
mod query;
mod run_of_task;
mod time;

pub use super::agents::wire::{
    Agent, AgentReport, ClaimIn, Due, EndIn, HeldRun, KeyIn, KeyOut, MadeIn, News, ReportIn,
};
pub use super::automations::wire::{Automation, AutomationChanges, AutomationQuery};
pub use super::checkup::wire::{Check, CheckupIn, CheckupPlan, Part, Setting};
pub use super::concurrency::holders::Held;
pub use super::concurrency::wire::GlobalLimit;
pub use super::deployments::around::{Around, Brief};
pub use super::deployments::wire::{
    Deployment, DeploymentCreate, DeploymentUpdate, FlowRunner, RunRequest, Schedule,
    ScheduleCreate, ScheduleUpdate,
};
pub use super::flow_runs::create::{FlowRunCreate, FlowRunUpdate};
pub use super::flow_runs::wire::FlowRun;
pub use super::flows::wire::{Flow, FlowCreate};
pub use super::ids::wire::{Ids, Named};
pub use super::logs::pages::{
    LinesPage, LinesQuery, LogPosition, MAX_LINES, NewsQuery, OutputSeen, OutputState, RunNews,
};
pub use super::logs::wire::{Log, LogCreate};
pub use super::nodes::wire::Node;
pub use super::processes::wire::Process;
pub use super::server::wire::{IgnoredField, Readiness, Status};
pub use super::states::wire::{Decision, SetState, State, StateCreate};
pub use super::task_runs::wire::{TaskRun, TaskRunCreate};
pub use super::variables::wire::{Variable, VariableQuery};
pub use super::why::wire::{Holder, Why};
pub use super::work_pools::wire::{WorkPool, WorkPoolFilter, WorkPoolQuery};
pub use super::work_queues::wire::{WorkQueue, WorkQueueFilter, WorkQueueQuery};
pub use super::workers::wire::{Worker, WorkerQuery};
pub use duration::Duration;
pub use filter::{ByState, DeploymentFilter, FlowFilter, FlowRunFilter, LogFilter, TaskRunFilter};
pub use labels::Labels;
pub(super) use names::{plain_name, telling_name, unreserved_name};
pub use operators::{
    ByAnyTags, ById, ByIdOrNot, ByIdOrNull, ByName, ByStateType, ByTags, ByText, ByTextOrNot,
    ByTime, ByTimeOrNull, StateWord,
};
pub use pages::Paginated;
pub(super) use patch::{check_limit, or_default, said};
pub use query::{HistoryQuery, LogQuery, PageQuery, Query};
pub(super) use query::{limit, page, sort};
pub use time::Instant;
