//! Pulling images, each only once however many runs wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bollard::Docker;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptions;
use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, TryStreamExt};

use super::{credentials, errors};
use crate::runners::spec::{Container, RegistryLogin};
use crate::runners::{Progress, RunnerError, Step};

type Pull = Shared<BoxFuture<'static, Result<String, RunnerError>>>;

/// The pulls under way, by image.
#[derive(Clone, Default)]
pub(super) struct Pulls {
    under_way: Arc<Mutex<HashMap<String, Pull>>>,
}

impl Pulls {
    /// Pulls a container's image, or waits for whoever is pulling it.
    pub async fn pull(
        &self,
        docker: &Docker,
        wanted: &Container,
        progress: &Progress,
    ) -> Result<(), RunnerError> {
        let image = wanted.image.as_str();
        let (pull, is_first) = self.join(docker, image, wanted.login.clone());
        progress(Step::Pulling(image.to_owned()));
        progress(Step::Told(if is_first {
            format!("Pulling the image {image}")
        } else {
            format!("Waiting for the image {image}, which is being pulled")
        }));
        let pulled = pull.await;
        self.lock().remove(image);
        progress(Step::Pulled);
        progress(Step::Told(pulled?));
        Ok(())
    }

    fn join(&self, docker: &Docker, image: &str, login: Option<RegistryLogin>) -> (Pull, bool) {
        let mut under_way = self.lock();
        if let Some(pull) = under_way.get(image).filter(|pull| pull.peek().is_none()) {
            return (pull.clone(), false);
        }
        let (docker, name) = (docker.clone(), image.to_owned());
        // In a task of its own: it goes on though the run that began it is cancelled.
        let task = tokio::spawn(async move { fetch(&docker, &name, login).await });
        let lost = || RunnerError::Refused("The pull was broken off.".to_owned());
        let pull = task.map(move |done| done.unwrap_or_else(|_| Err(lost())));
        let pull = pull.boxed().shared();
        under_way.insert(image.to_owned(), pull.clone());
        (pull, true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Pull>> {
        // Each change of the map is one call; it is never left half-done.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pulls; answers what came of it in a sentence. The engine's words are the error.
async fn fetch(
    docker: &Docker,
    image: &str,
    login: Option<RegistryLogin>,
) -> Result<String, RunnerError> {
    let (name, tag) = parts(image);
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let login = credentials::of_job(login, image).await;
    let steps = docker.create_image(Some(options), None, login);
    let counted = steps.try_fold(Layers::default(), |mut layers, step| async move {
        layers.count(&step);
        Ok(layers)
    });
    match counted.await {
        Ok(layers) => Ok(format!("Pulled the image {image}{}", layers.told())),
        Err(error) => Err(match errors::classify(error) {
            RunnerError::Refused(words) => {
                RunnerError::Refused(format!("The image {image} cannot be pulled: {words}"))
            }
            away => away,
        }),
    }
}

/// Name and tag, or name and digest.
fn parts(image: &str) -> (&str, &str) {
    if image.contains('@') {
        return (image, "");
    }
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// What a pull fetched.
#[derive(Default)]
struct Layers {
    fetched: u64,
    bytes: HashMap<String, i64>,
}

impl Layers {
    fn count(&mut self, step: &CreateImageInfo) {
        let id = step.id.clone().unwrap_or_default();
        let detail = step.progress_detail.as_ref();
        match step.status.as_deref() {
            Some("Downloading") => {
                if let Some(total) = detail.and_then(|detail| detail.total) {
                    self.bytes.insert(id, total);
                }
            }
            Some("Pull complete") => self.fetched += 1,
            _ => {}
        }
    }

    fn told(&self) -> String {
        let bytes: i64 = self.bytes.values().sum();
        match self.fetched {
            0 => String::new(),
            layers => format!(": {layers} layers, {} MB", bytes / 1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn names_and_tags_are_told_apart() {
        for (image, expected) in [
            ("a", ("a", "latest")),
            ("a:1", ("a", "1")),
            ("host:5000/a", ("host:5000/a", "latest")),
            ("host:5000/a:2", ("host:5000/a", "2")),
            ("a@sha256:0", ("a@sha256:0", "")),
        ] {
            assert_eq!(parts(image), expected);
        }
    }
}
