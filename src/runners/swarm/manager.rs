//! What the manager is asked, and how a service is changed.

use std::collections::HashMap;

use bollard::models::{Service, ServiceSpec, Task};
use bollard::query_parameters::{
    InspectServiceOptions, ListServicesOptions, ListTasksOptions, UpdateServiceOptions,
};

use super::{SwarmRunner, trouble};
use crate::domain::container::labels as label;
use crate::runners::RunnerError;
use crate::runners::docker::errors;

/// How many times a change is tried that others get ahead of.
const CHANGES: usize = 20;
/// For how many services tasks are asked at once.
const AT_ONCE: usize = 50;

impl SwarmRunner {
    /// A service; `None` where it is gone.
    pub(super) async fn service(&self, id: &str) -> Result<Option<Service>, RunnerError> {
        match self
            .docker
            .inspect_service(id, None::<InspectServiceOptions>)
            .await
        {
            Ok(found) => Ok(Some(found)),
            Err(error) if errors::is_gone(&error) => Ok(None),
            Err(error) => Err(trouble::of(error)),
        }
    }

    /// The tasks of services; none of a service that is gone.
    pub(super) async fn tasks(&self, services: &[String]) -> Result<Vec<Task>, RunnerError> {
        let mut all = Vec::new();
        for some in services.chunks(AT_ONCE) {
            if let Some(tasks) = self.tasks_of(some).await? {
                all.extend(tasks);
                continue;
            }
            // One of them is gone: the others are asked for one by one.
            for one in some {
                let tasks = self.tasks_of(std::slice::from_ref(one)).await?;
                all.extend(tasks.unwrap_or_default());
            }
        }
        Ok(all)
    }

    /// The tasks of some services; `None` where one of them is gone.
    async fn tasks_of(&self, services: &[String]) -> Result<Option<Vec<Task>>, RunnerError> {
        let options = ListTasksOptions {
            filters: Some(HashMap::from([("service".to_owned(), services.to_vec())])),
        };
        match self.docker.list_tasks(Some(options)).await {
            Ok(tasks) => Ok(Some(tasks)),
            Err(error) if errors::is_gone(&error) => Ok(None),
            Err(error) => Err(trouble::of(error)),
        }
    }

    /// The tasks of one service.
    pub(super) async fn tasks_of_one(&self, service: &str) -> Result<Vec<Task>, RunnerError> {
        self.tasks(&[service.to_owned()]).await
    }

    /// This daemon's services.
    pub(super) async fn services(&self) -> Result<Vec<Service>, RunnerError> {
        let ours = format!("{}={}", label::INSTANCE, self.instance);
        let options = ListServicesOptions {
            filters: Some(HashMap::from([("label".to_owned(), vec![ours])])),
            status: None,
        };
        let listed = self.docker.list_services(Some(options)).await;
        listed.map_err(trouble::of)
    }

    /// Changes a service once by what is decided from how it is; `None` where it is to stay so.
    pub(super) async fn change(
        &self,
        id: &str,
        decide: impl Fn(&ServiceSpec) -> Option<ServiceSpec>,
    ) -> Result<(), RunnerError> {
        for _ in 0..CHANGES {
            let Some(service) = self.service(id).await? else {
                return Err(RunnerError::Refused(format!(
                    "The service {id} is gone; somebody has removed it."
                )));
            };
            let Some(spec) = service.spec.as_ref().and_then(&decide) else {
                return Ok(());
            };
            let version = service.version.and_then(|version| version.index);
            let version = i32::try_from(version.unwrap_or_default()).map_err(|_| {
                RunnerError::Refused(
                    "The swarm counts its changes beyond what can be told.".to_owned(),
                )
            })?;
            let options = UpdateServiceOptions {
                version,
                registry_auth_from: "spec".to_owned(),
                rollback: None,
            };
            match self.docker.update_service(id, spec, options, None).await {
                Err(error) if errors::is_out_of_sequence(&error) => {}
                changed => return changed.map(drop).map_err(trouble::of),
            }
        }
        Err(RunnerError::Away(format!(
            "The service {id} is changed by others all the time."
        )))
    }
}
