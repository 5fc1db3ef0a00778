//! Is the interpreter of subprocess runs fit for them?

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::domain::checkup::Check;

/// How long it may take to say what it has.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What it is asked: its version, and that of prefect, which is not imported, since that takes
/// seconds.
const QUESTION: &str = "\
import sys
from importlib.metadata import PackageNotFoundError, version
try: prefect = version('prefect')
except PackageNotFoundError: prefect = ''
print('%d.%d.%d' % sys.version_info[:3], prefect)";

/// Whether `python` (`runners.python`), started by this process, is there and has prefect.
/// That it is not there is no fault where all runs are containers.
pub async fn examine(python: &str) -> Check {
    const NAME: &str = "runners.python";
    let asked = Command::new(python)
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let advice = "subprocess runs need it: have runners.python name a Python with prefect, or \
                  `pip install prefect` for this one; containers are not concerned";
    let output = match tokio::time::timeout(TIMEOUT, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Check::warn(NAME, format!("{python}: {error}"), advice),
        Err(_) => {
            let secs = TIMEOUT.as_secs();
            return Check::warn(NAME, format!("{python} did not answer in {secs} s"), advice);
        }
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = said.split_whitespace();
    match (words.next(), words.next()) {
        (Some(version), Some(prefect)) => Check::ok(
            NAME,
            format!("{python} is {version} with prefect {prefect}"),
        ),
        (Some(version), None) => {
            Check::warn(NAME, format!("{python} ({version}) has no prefect"), advice)
        }
        (None, _) => {
            let told = String::from_utf8_lossy(&output.stderr);
            let last = told.trim_end().lines().last().unwrap_or("nothing");
            Check::warn(NAME, format!("{python} said: {last}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::CheckResult;

    #[tokio::test]
    async fn what_is_missing_is_told() {
        for (python, told) in [
            ("/nowhere/python", "No such file"),
            ("/bin/false", "said: nothing"),
        ] {
            let check = examine(python).await;
            assert_eq!(check.verdict, CheckResult::Warn);
            assert!(check.found.contains(told), "{check:?}");
        }
    }
}
