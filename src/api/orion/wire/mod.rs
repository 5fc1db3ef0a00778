//! The 2.0a7 generation's shapes, by noun: what is read from requests and written to
//! answers.

mod deployment;
mod filter;
mod flow;
mod flow_run;
mod history;
mod log;
mod run;
mod saved_search;
mod schedule;
mod state;
mod task_run;
mod time;

pub use deployment::{DeploymentOut, new_deployment};
pub use filter::{filters, log_criteria, log_sort, page, run_sort};
pub use flow::{FlowOut, flow_tags, new_flow};
pub use flow_run::{FlowRunOut, flow_run_update, new_flow_run, run_request};
pub use history::{BucketOut, buckets_out, history};
pub use log::{LogOut, new_log};
pub use saved_search::{SavedSearchOut, new_saved_search};
pub use state::{DecisionOut, StateOut, document, proposal};
pub use task_run::{DependencyOut, TaskRunOut, new_task_run};
