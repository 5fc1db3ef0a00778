//! What `prefectctl doctor` asks and prints. Ours, not Prefect's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::checkup::{self, Verdict};

/// What is to be looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckupIn {
    /// The image to make a container from; absent: that of the deployment that changed last.
    pub image: Option<String>,
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
        self.verdict == Verdict::Fail.word()
    }
}
