//! What `prefectctl doctor` finds.

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something should be looked at.
    Warn,
    /// It does not work.
    Fail,
    /// It could not be looked at, or does not apply.
    Skip,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 4] = [Verdict::Ok, Verdict::Warn, Verdict::Fail, Verdict::Skip];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; absent where there is nothing to do.
    pub advice: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, found.into(), None)
    }

    /// Something to look at.
    pub fn warn(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Verdict::Warn, found.into(), Some(advice.into()))
    }

    /// Something to mend.
    pub fn fail(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Verdict::Fail, found.into(), Some(advice.into()))
    }

    /// Not looked at, and why.
    pub fn skip(name: &str, why: impl Into<String>) -> Self {
        Self::new(name, Verdict::Skip, why.into(), None)
    }

    fn new(name: &str, verdict: Verdict, found: String, advice: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            found,
            advice,
        }
    }
}
