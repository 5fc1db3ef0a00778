//! What goes on by itself while the daemon runs.

pub mod agent;
mod automations;
mod deadlines;
mod driver;
mod foreman;
mod late_runs;
mod leases;
mod removals;
mod retention;
mod scheduler;

pub use automations::automations;
pub use deadlines::deadlines;
pub use foreman::foreman;
pub use late_runs::late_runs;
pub use leases::leases;
pub use removals::removals;
pub use retention::retention;
pub use scheduler::scheduler;
