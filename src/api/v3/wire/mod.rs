//! The modern generation's shapes, by noun. The daemon writes what `prefectctl` reads, so
//! most go both ways.

mod agent;
mod checkup;
mod deployment;
mod filter;
mod flow;
mod flow_run;
mod lines;
mod log;
mod names;
mod state;
mod status;
mod task_run;
mod time;
mod usage;
mod why;

pub use agent::{
    Agent, AgentReport, ClaimIn, Due, EndIn, HeldRun, MadeIn, News, OutputSeen, ReportIn,
};
pub use checkup::{Check, CheckupIn, CheckupPlan, Part, Setting};
pub use deployment::{Deployment, DeploymentCreate, FlowRunner, RunRequest};
pub use filter::{
    ById, ByState, ByTags, ByText, ByTime, DeploymentFilter, FlowFilter, FlowRunFilter, LogQuery,
    Query, TaskRunFilter,
};
pub use flow::{Flow, FlowCreate};
pub use flow_run::{FlowRun, FlowRunCreate, FlowRunUpdate};
pub use lines::{LinesPage, LinesQuery, MAX_LINES, OutputState, Place};
pub use log::{Log, LogCreate};
pub use names::{Around, Brief, Ids, Named};
pub use state::{Decision, SetState, State, StateCreate};
pub use status::{Readiness, Status};
pub use task_run::{TaskRun, TaskRunCreate};
pub use time::Instant;
pub use usage::Process;
pub use why::{Holder, Why};
