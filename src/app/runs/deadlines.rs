//! States that are over at some time unless something happens.
//!
//! Mirrors the services of the 3.9 server that fail pauses that nobody resumed, and cancel runs
//! whose cancellation nobody confirmed.

use super::flow_runs::read;
use super::propose_state;
use crate::app::App;
use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;
use crate::storage::{Job, flow_runs};

/// How many runs one transaction moves on.
const AT_ONCE: i64 = 32;

impl App {
    /// Ends the runs whose states are over; answers how many.
    pub async fn end_overdue_states(&self) -> Result<u64> {
        let mut ended = 0;
        loop {
            let some = self.write_as(Job::bulk(0), |tx| {
                let overdue = flow_runs::overdue(tx.db, tx.now, AT_ONCE)?;
                for id in &overdue {
                    let run = read(tx.db, *id)?;
                    end(tx, &run)?;
                }
                Ok(overdue.len() as u64)
            });
            let some = some.await?;
            ended += some;
            if some < AT_ONCE.unsigned_abs() {
                return Ok(ended);
            }
        }
    }

    /// When the next run's state is over.
    pub async fn next_deadline_of_state(&self) -> Result<Option<Timestamp>> {
        self.read(flow_runs::next_deadline).await
    }
}

/// Whatever the rules would say: the run would be found again and again.
fn end(tx: &mut Tx<'_>, run: &FlowRun) -> Result<()> {
    let kind = run.state.as_ref().map(|state| state.kind);
    let end = match kind {
        Some(StateType::Cancelling) => ProposedState::new(StateType::Cancelled)
            .because("Flow run cancellation timed out; marked this flow run as Cancelled."),
        _ => {
            ProposedState::new(StateType::Failed).because("The flow was paused and never resumed.")
        }
    };
    let forced = Policy::Forced(Generation::V3);
    propose_state::for_flow_run(tx, run, end, forced, Client::default())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::app::testing::{Ahead, app, flow_run};
    use crate::domain::time::Span;

    #[tokio::test]
    async fn a_pause_that_nobody_resumes_fails_and_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let id = flow_run(&app).await;
        let propose = async |state: ProposedState| {
            let policy = Policy::Normal(Generation::V3);
            let client = Client::default();
            app.propose_flow_run_state(id, state, policy, client).await
        };
        propose(ProposedState::new(StateType::Running))
            .await
            .unwrap();
        let mut paused = ProposedState::new(StateType::Paused);
        let end = app.now() + Span::from_micros(60_000_000);
        paused.details.pause_timeout = Some(end);
        let rings = app.deadline_bell().rings();
        propose(paused).await.unwrap();
        assert!(app.deadline_bell().rings() > rings);
        let next = app.next_deadline_of_state().await.unwrap().unwrap();
        assert!(next > end && next < end + Span::from_micros(5_000_000));
        assert_eq!(app.end_overdue_states().await.unwrap(), 0);
        clock.0.store(65_000_000, Ordering::SeqCst);
        assert_eq!(app.end_overdue_states().await.unwrap(), 1);
        let state = app.flow_run(id).await.unwrap().state.unwrap();
        assert_eq!(state.kind, StateType::Failed);
        let told = state.message.unwrap();
        assert_eq!(told, "The flow was paused and never resumed.");
        assert_eq!(app.next_deadline_of_state().await.unwrap(), None);
    }
}
