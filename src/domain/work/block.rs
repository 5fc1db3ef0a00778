//! Infrastructure blocks, by which deployments of Prefect 2 say what their runs run on.
//!
//! Prefect's own agent of that generation loads the block and makes what it says. So does this
//! daemon's, of the blocks that are a process or a container.

use serde_json::Value;

use crate::domain::JsonMap;
use crate::domain::runner::RunnerKind;
use crate::domain::template::{TemplateError, laid_over};

/// What executes a flow run in every release of that generation.
const COMMAND: [&str; 3] = ["python", "-m", "prefect.engine"];

/// A block that says what runs run on.
#[derive(Clone, Debug, PartialEq)]
pub struct InfrastructureBlock {
    /// As what they run.
    pub kind: BlockKind,
    /// Its values, those of blocks within it included.
    pub data: JsonMap,
}

/// The blocks that something is made of here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A process of the agent's machine.
    Process,
    /// A container.
    DockerContainer,
}

impl BlockKind {
    /// That of a block type's slug.
    pub fn of_slug(slug: &str) -> Option<Self> {
        match slug {
            "process" => Some(Self::Process),
            "docker-container" => Some(Self::DockerContainer),
            _ => None,
        }
    }
}

impl InfrastructureBlock {
    /// The settings of a job of a work pool that mean the same, with the overrides of the
    /// deployment and of the run laid over the block's.
    ///
    /// # Errors
    /// Where an override names a part of something that has no such parts.
    pub fn job(
        &self,
        deployment: &JsonMap,
        run: &JsonMap,
    ) -> Result<(RunnerKind, JsonMap), TemplateError> {
        let mut job = laid_over(laid_over(self.data.clone(), deployment)?, run)?;
        job.remove("type");
        let command = job.remove("command").map(words).unwrap_or_default();
        let is_usual = command.is_empty() || command == COMMAND;
        let kind = match self.kind {
            BlockKind::Process => RunnerKind::ProcessJob,
            BlockKind::DockerContainer => {
                container(&mut job);
                RunnerKind::DockerJob
            }
        };
        let command = match (self.kind, is_usual) {
            // The agent's own Python executes it.
            (BlockKind::Process, true) => return Ok((kind, job)),
            (BlockKind::DockerContainer, true) => COMMAND.join(" "),
            (_, false) => quoted(&command),
        };
        job.insert("command".to_owned(), command.into());
        Ok((kind, job))
    }
}

/// Turns what containers' blocks spell otherwise.
fn container(job: &mut JsonMap) {
    if let Some(login) = job.remove("image_registry") {
        job.insert("registry_credentials".to_owned(), login);
    }
    let policy = job.get("image_pull_policy").and_then(Value::as_str);
    let policy = match policy {
        Some("IF_NOT_PRESENT") => "IfNotPresent",
        Some("ALWAYS") => "Always",
        Some("NEVER") => "Never",
        _ => return,
    };
    job.insert("image_pull_policy".to_owned(), policy.into());
}

/// The words of a command, which blocks have in a list.
fn words(command: Value) -> Vec<String> {
    match command {
        Value::Array(words) => { words.into_iter() }
            .map(|word| match word {
                Value::String(word) => word,
                other => other.to_string(),
            })
            .collect(),
        Value::String(command) => vec![command],
        _ => Vec::new(),
    }
}

/// The same as one text, which a shell would part into them.
fn quoted(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@,+%".contains(c);
    let quoted = words.iter().map(
        |word| match !word.is_empty() && word.chars().all(is_plain) {
            true => word.clone(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        },
    );
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> JsonMap {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    fn job(kind: BlockKind, data: Value, overrides: Value) -> (RunnerKind, Value) {
        let block = InfrastructureBlock {
            kind,
            data: map(data),
        };
        let (kind, job) = block.job(&map(overrides), &JsonMap::new()).unwrap();
        (kind, job.into())
    }

    #[test]
    fn a_process_is_made_by_the_agents_own_python_unless_its_block_says_another() {
        let block = json!({ "type": "process", "env": { "A": "1" }, "stream_output": true,
            "command": ["python", "-m", "prefect.engine"] });
        let (kind, settings) = job(BlockKind::Process, block.clone(), json!({ "env.B": "2" }));
        assert_eq!(kind, RunnerKind::ProcessJob);
        let expected = json!({ "env": { "A": "1", "B": "2" }, "stream_output": true });
        assert_eq!(settings, expected);
        for (given, expected) in [
            (
                json!(["/opt/my env/python", "-m", "x"]),
                "'/opt/my env/python' -m x",
            ),
            (json!(["sh", "-c", "it's", ""]), r"sh -c 'it'\''s' ''"),
        ] {
            let overrides = json!({ "command": given });
            let (_, settings) = job(BlockKind::Process, block.clone(), overrides);
            assert_eq!(settings["command"], expected);
        }
    }

    #[test]
    fn a_container_is_made_as_its_block_says_in_a_docker_pools_words() {
        let login = json!({ "username": "u", "password": "p", "registry_url": "r" });
        let block = json!({ "type": "docker-container", "image": "i", "command": null,
            "image_pull_policy": "NEVER", "image_registry": login, "networks": ["n"] });
        let (kind, settings) = job(BlockKind::DockerContainer, block, json!({ "image": "j" }));
        assert_eq!(kind, RunnerKind::DockerJob);
        let expected = json!({ "image": "j", "command": "python -m prefect.engine",
            "image_pull_policy": "Never", "registry_credentials": login, "networks": ["n"] });
        assert_eq!(settings, expected);
    }

    #[test]
    fn an_override_of_a_part_that_cannot_be_is_refused() {
        let block = InfrastructureBlock {
            kind: BlockKind::Process,
            data: map(json!({ "env": "x" })),
        };
        let overrides = map(json!({ "env.A": "1" }));
        assert!(block.job(&JsonMap::new(), &overrides).is_err());
    }
}
