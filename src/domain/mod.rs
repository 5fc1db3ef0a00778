//! The nouns and the rules.
//!
//! Nothing in this room waits, reads a clock, opens a file or knows a wire format: what it
//! needs to know is handed in, and what it decides is handed back. Every other room may
//! import from here; this room imports nothing of ours.

pub mod access;
pub mod actor;
pub mod agent;
pub mod alert;
pub mod artifact;
pub mod automation;
pub mod block;
pub mod checkup;
pub mod concurrency_limit;
pub mod container;
pub mod deployment;
pub mod document;
pub mod error;
pub mod event;
pub mod filter;
pub mod flow;
pub mod flow_run;
pub mod flow_run_policy;
pub mod glance;
pub mod graph;
pub mod history;
pub mod ids;
pub mod log;
pub mod log_filter;
pub mod names;
pub mod node;
pub mod notification;
pub mod observed;
pub mod parameters;
pub mod patch;
pub mod proxies;
pub mod retention;
pub mod rules;
pub mod run;
pub mod run_input;
pub mod runner;
pub mod saved_search;
pub mod schedule;
pub mod settings;
pub mod state;
pub mod task_run;
pub mod template;
pub mod time;
pub mod usage;
pub mod variable;
pub mod weight;
pub mod why;
pub mod work;

/// A JSON object, kept in the order in which it was written.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;
