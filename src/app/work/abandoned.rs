//! Runs that were taken by workers which are not there any more.

use crate::app::App;
use crate::app::runs::flow_runs::read;
use crate::app::runs::propose_state;
use crate::app::tx::Tx;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRunUpdate;
use crate::domain::ids::FlowRunId;
use crate::domain::patch::Patch;
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::state::ProposedState;
use crate::storage::{Job, flow_runs, workers};

/// How many runs one transaction puts back.
const AT_ONCE: u64 = 32;

impl App {
    /// Puts back the runs that a worker took which has fallen silent, and for which it has made
    /// nothing that is known of, or a process, which has gone with it where it did not begin the run:
    /// they wait again, for whoever serves their pool. Should that worker live after all and have made
    /// something, the rules do not let that execute a run that another has taken. Answers how many.
    ///
    /// On Prefect's server such runs stay Pending.
    pub async fn put_back_abandoned_runs(&self) -> Result<u64> {
        let mut all = 0;
        loop {
            let some = self.write_as(Job::bulk(0), |tx| {
                let abandoned = workers::abandoned(tx.db, tx.now, AT_ONCE)?;
                for id in &abandoned {
                    put_back(tx, *id)?;
                }
                Ok(abandoned.len() as u64)
            });
            let some = some.await?;
            all += some;
            if some < AT_ONCE {
                return Ok(all);
            }
        }
    }
}

fn put_back(tx: &mut Tx<'_>, id: FlowRunId) -> Result<()> {
    // There is nothing of it to stop any more.
    let nothing_made = FlowRunUpdate {
        infrastructure_pid: Patch::Clear,
        ..FlowRunUpdate::default()
    };
    flow_runs::update(tx.db, read(tx.db, id)?, nothing_made, tx.now)?;
    let run = read(tx.db, id)?;
    let due = run.state.as_ref().and_then(|it| it.details.scheduled_time);
    let worker = run.taker().unwrap_or_default();
    let words = format!("The worker '{worker}', which took the run, fell silent before it began.");
    let again = ProposedState::scheduled(due.unwrap_or(tx.now)).because(words);
    let forced = Policy::Forced(Generation::V3);
    propose_state::for_flow_run(tx, &run, again, forced, Client::default())?;
    Ok(())
}
