//! Verbs on single schedules of a deployment.

use uuid::Uuid;

use crate::app::App;
use crate::app::deployments::read;
use crate::app::deployments::write::{check_count, store};
use crate::app::request::Repeat;
use crate::app::tx::Tx;
use crate::domain::deployment::{
    Deployment, DeploymentSchedule, NewSchedule, ScheduleUpdate, schedules,
};
use crate::domain::error::{Error, Result};
use crate::domain::ids::{DeploymentId, ScheduleId};
use crate::domain::time::Timestamp;

/// What became of a deployment's schedules.
struct Edited {
    of: DeploymentId,
    /// Those that were not there before.
    made: Vec<DeploymentSchedule>,
}

impl Repeat for Edited {
    fn made(&self) -> Option<Vec<Uuid>> {
        let made = self.made.iter().map(|it| it.id.uuid());
        Some(std::iter::once(self.of.uuid()).chain(made).collect())
    }

    fn again(tx: &mut Tx<'_>, made: &[Uuid]) -> Result<Self> {
        let (of, ids) = made.split_first().ok_or_else(unknown_schedule)?;
        let of = DeploymentId::from_uuid(*of);
        let all = read(tx.db, of)?.schedules.into_iter();
        let made = all.filter(|it| ids.contains(&it.id.uuid())).collect();
        Ok(Self { of, made })
    }
}

impl App {
    /// Gives a deployment more schedules; answers those that were made. Fails as a conflict where
    /// two would have one slug.
    pub async fn add_schedules(
        &self,
        id: DeploymentId,
        new: Vec<NewSchedule>,
    ) -> Result<Vec<DeploymentSchedule>> {
        check_count(new.len())?;
        let rules = new.iter().map(|new| new.rule.clone()).collect();
        self.check_schedules(rules).await?;
        let edit = move |deployment: &Deployment, now| {
            let known = deployment.schedules.clone();
            schedules::with_new(deployment.id, known, new, now)
        };
        self.edit(id, edit).await
    }

    /// Changes a schedule of a deployment.
    pub async fn update_schedule(
        &self,
        id: DeploymentId,
        schedule: ScheduleId,
        update: ScheduleUpdate,
    ) -> Result<()> {
        let rules = update.rule.clone().into_iter().collect();
        self.check_schedules(rules).await?;
        let edit = move |deployment: &Deployment, now| {
            let mut all = deployment.schedules.clone();
            let place = all.iter_mut().find(|it| it.id == schedule);
            let place = place.ok_or_else(unknown_schedule)?;
            *place = place.clone().changed(update, now);
            schedules::distinct(all)
        };
        self.edit(id, edit).await.map(drop)
    }

    /// Removes a schedule from a deployment, with the runs that it made and that have not begun.
    pub async fn delete_schedule(&self, id: DeploymentId, schedule: ScheduleId) -> Result<()> {
        let edit = move |deployment: &Deployment, _| {
            let mut all = deployment.schedules.clone();
            let place = all.iter().position(|it| it.id == schedule);
            all.remove(place.ok_or_else(unknown_schedule)?);
            Ok(all)
        };
        self.edit(id, edit).await.map(drop)
    }

    /// Gives a deployment the schedules that `edit` makes of what it is; answers those that it did
    /// not have before.
    async fn edit<E>(&self, id: DeploymentId, edit: E) -> Result<Vec<DeploymentSchedule>>
    where
        E: FnOnce(&Deployment, Timestamp) -> Result<Vec<DeploymentSchedule>> + Send + 'static,
    {
        let edited = self.write(move |tx| {
            let known = read(tx.db, id)?;
            let schedules = edit(&known, tx.now)?;
            check_count(schedules.len())?;
            let is_made =
                |it: &&DeploymentSchedule| known.schedules.iter().all(|known| known.id != it.id);
            let made = schedules.iter().filter(is_made).cloned().collect();
            let deployment = Deployment {
                schedules,
                updated: tx.now,
                ..known
            };
            store(tx, &deployment)?;
            Ok(Edited { of: id, made })
        });
        let Edited { of, made } = edited.await?;
        self.follow(of).await?;
        Ok(made)
    }
}

fn unknown_schedule() -> Error {
    Error::not_found("Schedule")
}
