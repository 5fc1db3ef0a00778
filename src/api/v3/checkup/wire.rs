//! What `prefectctl doctor` asks and prints. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::redaction::{Reader, Redact};
use crate::domain::checkup::{self, CheckResult};
use crate::domain::settings::Effective;

/// What is to be looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CheckupIn {
    /// The part of it; absent: all, with the images and networks of the plan.
    pub part: Option<Part>,
    /// The image to make a container from; absent: that of the deployment that changed last.
    pub image: Option<String>,
    /// The network to put the container on, as Docker's `--network`; absent: Docker's default
    /// bridge.
    pub network: Option<String>,
}

/// A part of a checkup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(rename_all = "lowercase")]
pub enum Part {
    /// The database, the clock, the directory, the settings, the engine: some seconds at most.
    Machine,
    /// One image, or one network, from within a container: up to some minutes.
    Container,
    /// One image, from within a container on each node of the swarm: up to some minutes.
    Cluster,
}

impl From<Part> for String {
    fn from(part: Part) -> Self {
        match part {
            Part::Machine => "machine".to_owned(),
            Part::Container => "container".to_owned(),
            Part::Cluster => "cluster".to_owned(),
        }
    }
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "machine" => Ok(Self::Machine),
            "container" => Ok(Self::Container),
            "cluster" => Ok(Self::Cluster),
            _ => Err(format!(
                "{word:?} is no part: machine, container or cluster"
            )),
        }
    }
}

/// What containers are to be looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CheckupPlan {
    /// The images that deployments name or that their docker pools give them, the last changed
    /// first; ten at most.
    pub images: Vec<String>,
    /// How many more there are.
    #[serde(default)]
    pub images_left_out: u64,
    /// The network of `docker.defaults` and those that deployments name; ten at most.
    pub networks: Vec<String>,
    /// How many more there are.
    #[serde(default)]
    pub networks_left_out: u64,
    /// The images of runs on the swarm's nodes; ten at most.
    #[serde(default)]
    pub cluster_images: Vec<String>,
}

impl CheckupPlan {
    /// What is not looked at for being too many, to be told.
    pub fn left_out(&self) -> Vec<checkup::Check> {
        let of = |name: &str, count: u64, more: &str| {
            let words = format!("{count} more that deployments use are not looked at{more}");
            (count > 0).then(|| checkup::Check::skip(name, words))
        };
        let one = "; `prefectctl doctor --image IMAGE` looks at one";
        let images = of("images", self.images_left_out, one);
        images
            .into_iter()
            .chain(of("networks", self.networks_left_out, ""))
            .collect()
    }
}

/// A setting as it is in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Setting {
    /// Its name with its section, such as `agent.slots`.
    pub key: String,
    /// Its value, a secret masked.
    #[schema(value_type = Object)]
    pub value: serde_json::Value,
    /// Who said it: a file's path, a variable's name, a flag, or `default`.
    pub source: String,
}

impl From<Effective> for Setting {
    fn from(setting: Effective) -> Self {
        Self {
            key: setting.key,
            value: setting.value,
            source: setting.source,
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// `ok`, `warn`, `fail`, or `skip` for what could not be looked at.
    pub verdict: String,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl From<checkup::Check> for Check {
    fn from(check: checkup::Check) -> Self {
        Self {
            name: check.name,
            verdict: check.verdict.word().to_owned(),
            found: check.found,
            advice: check.advice,
        }
    }
}

impl Check {
    /// Whether it must be mended.
    pub fn is_failure(&self) -> bool {
        self.verdict == CheckResult::Fail.word()
    }
}

impl Redact for Check {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            name: _,
            verdict: _,
            found,
            advice,
        } = self;
        let mask = reader.of_nobody();
        mask.over(found);
        mask.over(advice);
    }
}

impl Redact for CheckupPlan {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            images,
            images_left_out: _,
            networks,
            networks_left_out: _,
            cluster_images,
        } = self;
        let mask = reader.of_nobody();
        mask.over(images);
        mask.over(cluster_images);
        mask.over(networks);
    }
}

impl Redact for Setting {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            key,
            value,
            source: _,
        } = self;
        reader.of_nobody().over_member(key, value);
    }
}
