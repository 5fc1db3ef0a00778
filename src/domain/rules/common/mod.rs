//! The rules that hold in every generation.

pub(super) mod cancelling;
pub(super) mod double_submission;
pub(super) mod policy;
pub(super) mod scheduled_time;
pub(super) mod slots;
