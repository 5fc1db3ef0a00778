//! The kinds of runner: as what a run's process is made.

use std::fmt;

use super::deployment::Infrastructure;

/// As what a run's process is made: the type of a flow runner of the 2.0a7 generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerKind {
    /// A container.
    Docker,
    /// A process of the agent's machine.
    Subprocess,
    /// What the agent takes for a default, which is a subprocess.
    Universal,
    /// A container, by the settings of a job of a work pool.
    DockerJob,
    /// A container on the swarm, likewise.
    SwarmJob,
    /// A process of the agent's machine, likewise.
    ProcessJob,
    /// Nothing of an agent's: what serves the deployment executes its runs, too.
    Served,
    /// A type that only somebody else's agent knows, by its word.
    Other(String),
}

/// What a run runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsAs {
    /// A container of the engine's.
    Container,
    /// A process of the agent's machine.
    Process,
}

impl RunnerKind {
    /// Its word, as rows and both dialects write it.
    pub fn word(&self) -> &str {
        match self {
            Self::Docker => "docker",
            Self::Subprocess => "subprocess",
            Self::Universal => "universal",
            Self::DockerJob => "docker-job",
            Self::SwarmJob => "swarm-job",
            Self::ProcessJob => "process-job",
            Self::Served => "served",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for RunnerKind {
    fn from(word: String) -> Self {
        match word.as_str() {
            "docker" => Self::Docker,
            "subprocess" => Self::Subprocess,
            "universal" => Self::Universal,
            "docker-job" => Self::DockerJob,
            "swarm-job" => Self::SwarmJob,
            "process-job" => Self::ProcessJob,
            "served" => Self::Served,
            _ => Self::Other(word),
        }
    }
}

impl From<RunnerKind> for String {
    fn from(kind: RunnerKind) -> Self {
        match kind {
            RunnerKind::Other(word) => word,
            known => known.word().to_owned(),
        }
    }
}

impl fmt::Display for RunnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Infrastructure {
    /// What a run on this runs as; a type that this program does not know is given back.
    pub fn runs_as(&self) -> Result<RunsAs, &str> {
        match &self.kind {
            Some(RunnerKind::Docker | RunnerKind::DockerJob | RunnerKind::SwarmJob) => {
                Ok(RunsAs::Container)
            }
            None
            | Some(
                RunnerKind::Subprocess
                | RunnerKind::Universal
                | RunnerKind::ProcessJob
                | RunnerKind::Served,
            ) => Ok(RunsAs::Process),
            Some(RunnerKind::Other(word)) => Err(word),
        }
    }

    /// Whether a run on this runs in a container.
    pub fn is_container(&self) -> bool {
        self.runs_as() == Ok(RunsAs::Container)
    }

    /// What a row says was made for a run on this; `id` is the container's, `swarm:<service id>` of
    /// one on a cluster, or `<pid>:<start ticks>` of a process.
    pub fn made(&self, id: &str) -> String {
        if id.starts_with(SERVICE) {
            id.to_owned()
        } else if self.is_container() {
            made_container(id)
        } else {
            format!("process:{id}")
        }
    }
}

/// What a row says of a run for which that container was made.
pub fn made_container(id: &str) -> String {
    format!("{CONTAINER}{id}")
}

/// The id of the container that a row says was made; absent for anything else.
pub fn container_of(made: &str) -> Option<&str> {
    made.strip_prefix(CONTAINER)
}

/// What was made on a cluster, as rows and runners say it.
pub fn made_service(id: &str) -> String {
    format!("{SERVICE}{id}")
}

/// The id of the service that was made on a cluster; absent for anything else.
pub fn service_of(made: &str) -> Option<&str> {
    made.strip_prefix(SERVICE)
}

const CONTAINER: &str = "docker:";
const SERVICE: &str = "swarm:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_own_kind_and_comes_back() {
        let kinds = [
            ("docker", RunnerKind::Docker, Ok(RunsAs::Container)),
            ("subprocess", RunnerKind::Subprocess, Ok(RunsAs::Process)),
            ("universal", RunnerKind::Universal, Ok(RunsAs::Process)),
            ("docker-job", RunnerKind::DockerJob, Ok(RunsAs::Container)),
            ("swarm-job", RunnerKind::SwarmJob, Ok(RunsAs::Container)),
            ("process-job", RunnerKind::ProcessJob, Ok(RunsAs::Process)),
            ("served", RunnerKind::Served, Ok(RunsAs::Process)),
            ("k8s", RunnerKind::Other("k8s".to_owned()), Err("k8s")),
            (
                "Docker",
                RunnerKind::Other("Docker".to_owned()),
                Err("Docker"),
            ),
        ];
        for (word, kind, runs_as) in kinds {
            assert_eq!(RunnerKind::from(word.to_owned()), kind);
            assert_eq!(String::from(kind.clone()), word);
            let on = Infrastructure {
                kind: Some(kind),
                config: None,
            };
            assert_eq!(on.runs_as(), runs_as, "{word}");
            let made = on.made("7");
            assert_eq!(container_of(&made), on.is_container().then_some("7"));
            assert_eq!(service_of(&made), None);
            assert_eq!(on.made(&made_service("7")), "swarm:7");
        }
        assert_eq!(service_of("swarm:7"), Some("7"));
        assert_eq!(Infrastructure::default().runs_as(), Ok(RunsAs::Process));
    }
}
