//! Who we are to a registry, from Docker's own configuration file.

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use std::collections::HashMap;
use tokio::io::AsyncWriteExt;

use crate::runners::spec::RegistryLogin;

/// The registry of images that name none, as Docker's file calls it.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The parts of `config.json` that are about registries.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    auths: HashMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    identitytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// The login for an image's registry; none when nobody logged in. Asked for only when an
/// image is pulled.
pub(in crate::runners) async fn of(image: &str) -> Option<DockerCredentials> {
    let text = tokio::fs::read(file()?).await.ok()?;
    let config: Config = match serde_json::from_slice(&text) {
        Ok(config) => config,
        Err(error) => {
            tracing::warn!(%error, "Docker's config.json cannot be read; pulling without a login");
            return None;
        }
    };
    let registry = registry(image);
    let helper = config.cred_helpers.get(registry);
    if let Some(helper) = helper.or(config.creds_store.as_ref()) {
        return ask(helper, registry).await;
    }
    from_file(&config, registry)
}

/// The login that a job brings along, or else that for its image's registry.
pub(in crate::runners) async fn of_job(
    login: Option<RegistryLogin>,
    image: &str,
) -> Option<DockerCredentials> {
    match login {
        Some(login) => Some(given(login)),
        None => of(image).await,
    }
}

fn given(login: RegistryLogin) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username),
        password: Some(login.password),
        serveraddress: Some(login.registry_url),
        ..DockerCredentials::default()
    }
}

/// `$DOCKER_CONFIG/config.json`, else the one in the home folder.
fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    Some(folder?.join("config.json"))
}

/// The registry's name, as in the image's.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => DOCKER_HUB,
    }
}

fn from_file(config: &Config, registry: &str) -> Option<DockerCredentials> {
    let known = config.auths.iter().find(|(name, _)| {
        let bare = name
            .trim_start_matches("https://")
            .trim_start_matches("http://");
        name.as_str() == registry || bare.split('/').next() == Some(registry)
    });
    let (name, auth) = known?;
    let pair = STANDARD.decode(&auth.auth).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(DockerCredentials {
        username: Some(user.to_owned()),
        password: Some(password.trim_end_matches('\0').to_owned()),
        identitytoken: auth.identitytoken.clone(),
        serveraddress: Some(name.clone()),
        ..DockerCredentials::default()
    })
}

/// Asks a credential helper, as the `docker` command does.
async fn ask(helper: &str, registry: &str) -> Option<DockerCredentials> {
    let mut child = tokio::process::Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut question = child.stdin.take()?;
    question.write_all(registry.as_bytes()).await.ok()?;
    drop(question);
    let answer = child.wait_with_output().await.ok()?;
    let helped: Helped = serde_json::from_slice(&answer.stdout).ok()?;
    // By this name a helper says that the secret is a token.
    let is_token = helped.username == "<token>";
    Some(DockerCredentials {
        username: Some(helped.username).filter(|_| !is_token),
        password: Some(helped.secret.clone()).filter(|_| !is_token),
        identitytoken: Some(helped.secret).filter(|_| is_token),
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_the_image_s_registry() {
        let config = serde_json::json!({ "auths": {
            "https://index.docker.io/v1/": { "auth": STANDARD.encode("hub:h") },
            "https://ghcr.io": { "auth": STANDARD.encode("gh:pass:word") },
            "localhost:5000": { "auth": "not base64!" },
        }});
        let config: Config = serde_json::from_value(config).unwrap();
        let login = |image| {
            let found = from_file(&config, registry(image))?;
            Some((found.username?, found.password?))
        };
        let pair = |user: &str, word: &str| Some((user.to_owned(), word.to_owned()));
        assert_eq!(login("python:3"), pair("hub", "h"));
        assert_eq!(login("user/python"), pair("hub", "h"));
        assert_eq!(login("ghcr.io/a/b:1"), pair("gh", "pass:word"));
        assert_eq!(login("localhost:5000/a"), None);
        assert_eq!(login("quay.io/a"), None);
    }
}
