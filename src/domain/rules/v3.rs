//! The rules of the modern generation: so far those of the 2.0a7 one.

pub(super) use super::orion::{FLOW_RUN, FORCED, TASK_RUN};
