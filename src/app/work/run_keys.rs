//! Verbs of run keys: made for whoever holds a run, and taken back.

use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use super::claims::is_held;
use crate::app::App;
use crate::app::request::Repeat;
use crate::app::runs::flow_runs::read;
use crate::app::tx::Tx;
use crate::domain::access::RunKey;
use crate::domain::error::{Error, Result};
use crate::domain::ids::FlowRunId;
use crate::storage::run_keys;

impl App {
    /// Makes a key for a run that the agent holds. It takes the place of those that were made before.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where the agent holds the run no more.
    ///
    /// [`Kind::Conflict`]: crate::domain::error::Kind::Conflict
    pub async fn make_run_key(&self, agent: &str, id: FlowRunId) -> Result<RunKey> {
        let mut random = [0; 32];
        let made = SystemRandom::new().fill(&mut random);
        made.map_err(|_| Error::internal("the system gives no random bytes"))?;
        let key = RunKey::new(random);
        let (agent, digest) = (agent.to_owned(), key.digest());
        let keeping = self.write(move |tx| {
            let run = read(tx.db, id)?;
            let claim = run.claim.as_ref().filter(|_| is_held(&run, &agent));
            let Some(claim) = claim else {
                let words = format!("The run is not held by the agent {agent:?} any more.");
                return Err(Error::conflict(words));
            };
            run_keys::revoke(tx.db, id, tx.now)?;
            run_keys::add(tx.db, &digest, id, claim.at)?;
            Ok(Kept)
        });
        keeping.await?;
        Ok(key)
    }

    /// Takes back the keys of a run that the agent holds, if it does: whatever has one does not speak
    /// for the run any more.
    pub async fn revoke_run_keys(&self, agent: &str, id: FlowRunId) -> Result<()> {
        let agent = agent.to_owned();
        self.write(move |tx| match is_held(&read(tx.db, id)?, &agent) {
            true => run_keys::revoke(tx.db, id, tx.now),
            false => Ok(()),
        })
        .await
    }
}

/// A key is kept. A request that comes again makes another one: nobody knows the first any more.
struct Kept;

impl Repeat for Kept {
    fn made(&self) -> Option<Vec<Uuid>> {
        None
    }

    fn again(_: &mut Tx<'_>, _: &[Uuid]) -> Result<Self> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::app::testing::{Ahead, app};
    use crate::domain::access::RunIdentity;
    use crate::domain::agent::EMBEDDED;
    use crate::domain::deployment::NewDeployment;
    use crate::domain::flow::NewFlow;
    use crate::domain::flow_run::DeploymentRunRequest;
    use crate::domain::state::{ProposedState, StateType};

    /// A run that the daemon's agent has taken.
    async fn taken(app: &App) -> FlowRunId {
        let flow = app.create_flow(NewFlow::named("f")).await.unwrap().get().id;
        let deployment = app.create_deployment(NewDeployment::named(flow, "d")).await;
        let now = DeploymentRunRequest {
            state: Some(ProposedState::scheduled(app.now())),
            ..DeploymentRunRequest::default()
        };
        let deployment = deployment.unwrap().get().id;
        let run = app.create_run_of_deployment(deployment, now).await;
        let run = run.unwrap().get().id;
        let claimed = app.claim_due_runs(EMBEDDED, true, 1).await.unwrap();
        assert_eq!(claimed.len(), 1);
        run
    }

    async fn of(app: &App, key: &RunKey) -> RunIdentity {
        app.run_of_key(key.digest()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_key_is_in_force_as_long_as_the_run_is_held_by_whom_it_was_made_for() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Ahead::default();
        let app = app(dir.path(), clock.clone());
        let run = taken(&app).await;
        let first = app.make_run_key(EMBEDDED, run).await.unwrap();
        assert_eq!(of(&app, &first).await.id, run);
        assert!(of(&app, &first).await.is_its_own);
        assert!(app.make_run_key("another", run).await.is_err());
        app.revoke_run_keys("another", run).await.unwrap();
        assert!(of(&app, &first).await.is_its_own);
        let second = app.make_run_key(EMBEDDED, run).await.unwrap();
        assert_ne!(first, second);
        assert!(!of(&app, &first).await.is_its_own);
        assert!(of(&app, &second).await.is_its_own);
        clock.0.store(5_000_000, SeqCst);
        let end = ProposedState::new(StateType::Failed);
        assert!(app.end_run(EMBEDDED, run, end).await.unwrap());
        let ended = of(&app, &second).await;
        assert!(ended.is_its_own && ended.ended.is_some());
        app.revoke_run_keys(EMBEDDED, run).await.unwrap();
        assert!(!of(&app, &second).await.is_its_own);
        let unknown = RunKey::new([0; 32]);
        assert_eq!(app.run_of_key(unknown.digest()).await.unwrap(), None);
    }
}
