//! By which name Swarm is told an image. A node asks the registry for each task whose image is told by
//! a tag, and waits for that; one told by its digest, or by its id, it looks for at home first.

use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;

use super::trouble;
use crate::domain::container::Pull;
use crate::runners::RunnerError;
use crate::runners::docker::errors;

/// How long a registry may take to say which image is meant.
const PATIENCE: Duration = Duration::from_secs(5);

/// The image as Swarm is to be told it.
pub(super) async fn settled(
    docker: &Docker,
    image: &str,
    pull: Pull,
    login: Option<DockerCredentials>,
) -> Result<String, RunnerError> {
    if pull != Pull::Never && (image.contains('@') || pull == Pull::Always) {
        return Ok(image.to_owned());
    }
    let local = match docker.inspect_image(image).await {
        Ok(found) => Some(found),
        Err(error) if errors::is_gone(&error) => None,
        Err(error) => return Err(trouble::of(error)),
    };
    if let Some(local) = local {
        // One that is told by its id is looked for at home alone.
        if let (Pull::Never, Some(id)) = (pull, &local.id) {
            return Ok(id.clone());
        }
        let pinned = local.repo_digests.unwrap_or_default();
        let pinned = pinned.into_iter().find(|one| is_of(one, image));
        // An image that was built here is nowhere else under its name.
        return Ok(pinned.or(local.id).unwrap_or_else(|| image.to_owned()));
    }
    if pull == Pull::Never {
        return Err(RunnerError::Refused(format!(
            "The image {image} is not to be pulled, and the engine of the swarm's manager does not \
             have it, by whose id the nodes would be told it."
        )));
    }
    let asked = docker.inspect_registry_image(image, login);
    let digest = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(found)) => found.descriptor.digest,
        // The nodes ask for themselves, and say why they do not get it.
        Ok(Err(_)) | Err(_) => None,
    };
    Ok(match digest {
        Some(digest) => format!("{image}@{digest}"),
        None => image.to_owned(),
    })
}

/// Whether `name@digest` is of the same name as an image with a tag, or without one.
fn is_of(pinned: &str, image: &str) -> bool {
    let name = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    // Docker's own registry goes without saying.
    let short = ["docker.io/", "index.docker.io/"];
    let short = short.iter().find_map(|host| name.strip_prefix(host));
    let short = short.unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    pinned.split('@').next() == Some(short)
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn a_digest_is_of_the_image_s_own_name() {
        for (pinned, image, expected) in [
            ("a@sha256:1", "a:1", true),
            ("a@sha256:1", "a", true),
            ("h:5000/a@sha256:1", "h:5000/a:2", true),
            ("h:5000/a@sha256:1", "h:5000/a", true),
            ("a/b@sha256:1", "docker.io/a/b:1", true),
            ("a@sha256:1", "docker.io/library/a", true),
            ("b@sha256:1", "a:1", false),
        ] {
            assert_eq!(is_of(pinned, image), expected, "{pinned} {image}");
        }
    }
}
