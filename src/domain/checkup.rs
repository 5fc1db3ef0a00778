//! What `prefectctl doctor` finds.

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// As it should be.
    Ok,
    /// It works, and something should be looked at.
    Warn,
    /// It does not work.
    Fail,
    /// It could not be looked at, or does not apply.
    Skip,
}

impl CheckResult {
    /// Every verdict.
    pub const ALL: [CheckResult; 4] = [
        CheckResult::Ok,
        CheckResult::Warn,
        CheckResult::Fail,
        CheckResult::Skip,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            CheckResult::Ok => "ok",
            CheckResult::Warn => "warn",
            CheckResult::Fail => "fail",
            CheckResult::Skip => "skip",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// How it came out.
    pub verdict: CheckResult,
    /// What was found.
    pub found: String,
    /// What to do about it; absent where there is nothing to do.
    pub advice: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Ok, found.into(), None)
    }

    /// Something to look at.
    pub fn warn(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Warn, found.into(), Some(advice.into()))
    }

    /// Something to mend.
    pub fn fail(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Fail, found.into(), Some(advice.into()))
    }

    /// Not looked at, and why.
    pub fn skip(name: &str, why: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Skip, why.into(), None)
    }

    fn new(name: &str, verdict: CheckResult, found: String, advice: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            found,
            advice,
        }
    }
}
