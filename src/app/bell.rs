//! How a verb wakes whoever should look.

use std::sync::Arc;

use tokio::sync::watch;

/// A bell that counts its rings; clones ring the same.
#[derive(Clone, Debug)]
pub struct Bell {
    rings: Arc<watch::Sender<u64>>,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            rings: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Bell {
    /// Wakes every listener, now or when it next listens.
    pub fn ring(&self) {
        self.rings.send_modify(|rings| *rings += 1);
    }

    /// How often it was rung since the daemon started.
    pub fn rings(&self) -> u64 {
        *self.rings.borrow()
    }

    /// Waits until it was rung oftener than `seen`, and answers how often. A number that it
    /// has not reached yet was told by an earlier daemon: then it answers at once.
    pub async fn rung_since(&self, seen: u64) -> u64 {
        let mut listener = self.rings.subscribe();
        let rung = listener.wait_for(|rings| *rings != seen).await;
        // The sender lives as long as this bell.
        rung.map_or(seen, |rings| *rings)
    }

    /// Listens from here on.
    pub fn listen(&self) -> Listener {
        Listener(self.rings.subscribe())
    }
}

/// Hears the rings of one bell. A ring while nobody waits is heard by the next wait, so that
/// looking and then waiting loses nothing.
#[derive(Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Waits for a ring since the last time one was heard.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could ring.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::testing::{Ahead, app};
    use crate::domain::deployment::NewDeployment;
    use crate::domain::flow::NewFlow;
    use crate::domain::flow_run::DeploymentRunRequest;
    use crate::domain::schedule::{Cron, Schedule};
    use crate::domain::state::ProposedState;

    #[tokio::test]
    async fn every_listener_hears_and_no_ring_is_lost() {
        let bell = Bell::default();
        let (mut one, mut other) = (bell.listen(), bell.listen());
        bell.ring();
        one.rung().await;
        other.rung().await;
        assert_eq!(bell.rung_since(0).await, 1);
        // Another daemon's number.
        assert_eq!(bell.rung_since(7).await, 1);
    }

    #[tokio::test]
    async fn who_leaves_before_the_answer_takes_no_ring_along() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), Ahead::default());
        let flow = NewFlow::named("f");
        let flow_id = app.create_flow(flow).await.unwrap().get().id;
        let schedule = Schedule::Cron(Cron {
            expression: "0 0 * * *".to_owned(),
            timezone: None,
            day_or: true,
        });
        let new = NewDeployment {
            schedules: vec![schedule.into()],
            ..NewDeployment::named(flow_id, "d")
        };
        let (bell, patience) = (app.agent_bell(), Duration::from_secs(20));
        let rings = bell.rings();
        let id = app.create_deployment(new).await.unwrap().get().id;
        assert!(
            bell.rings() > rings,
            "its runs may be due before anybody looks"
        );
        let rings = bell.rings();
        let request = DeploymentRunRequest {
            state: Some(ProposedState::scheduled(app.now())),
            ..DeploymentRunRequest::default()
        };
        // The writer is busy, so that nobody is answered at once.
        let busy = app.write(|_| {
            std::thread::sleep(Duration::from_secs(1));
            Ok(())
        });
        let mut busy = std::pin::pin!(busy);
        assert!(
            tokio::time::timeout(Duration::ZERO, &mut busy)
                .await
                .is_err()
        );
        let run = app.create_run_of_deployment(id, request);
        assert!(tokio::time::timeout(Duration::ZERO, run).await.is_err());
        let rung = tokio::time::timeout(patience, bell.rung_since(rings));
        assert!(rung.await.is_ok());
    }
}
