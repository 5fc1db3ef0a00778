//! Running a deployment.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::signature;
use crate::api::v3::wire::{FlowRun, RunRequest, StateCreate};
use crate::cli::args::Output;
use crate::cli::commands::Ctl;
use crate::cli::failure::{Failure, Result};
use crate::cli::{find, lines, render};
use crate::domain::JsonMap;

/// When, and with what care.
pub struct How {
    /// Laid over the deployment's variables of the job that it runs as.
    pub job_variables: JsonMap,
    /// Then instead of now.
    pub at: Option<DateTime<Utc>>,
    /// Whatever its parameters are called.
    pub unchecked: bool,
    /// Followed to its end.
    pub watch: bool,
}

/// Runs a deployment, and follows the run when asked to.
pub async fn run(ctl: &Ctl, wanted: &str, params: &[String], how: How) -> Result<()> {
    let How {
        job_variables,
        at,
        unchecked,
        watch,
    } = how;
    let parameters = pairs(params)?;
    let (deployment, path) = find::deployment(&ctl.client, wanted).await?;
    if !unchecked {
        signature::check(ctl, &deployment, &path, &parameters).await?;
    }
    let request = RunRequest {
        parameters,
        job_variables: (!job_variables.is_empty()).then_some(job_variables),
        state: at.map(StateCreate::scheduled),
        ..RunRequest::default()
    };
    let path = format!("/deployments/{}/create_flow_run", deployment.id);
    let run: FlowRun = ctl.client.post(&path, &request).await?;
    let due = run.next_scheduled_start_time.filter(|_| at.is_some());
    let due = due.map(|due| format!(", due at {}", render::instant(due)));
    let created = format!(
        "Created flow run '{}' ({}){}",
        render::name(&run.name),
        run.id,
        due.unwrap_or_default()
    );
    if !watch {
        let names = ctl.names_of(std::slice::from_ref(&run)).await?;
        return render::print(ctl.output, &names.told(&run), |_| created);
    }
    if ctl.output == Output::Table {
        render::line(&created)?;
    }
    let run = lines::run_to_its_end(&ctl.client, run.id, ctl.output).await?;
    if ctl.output != Output::Table {
        let names = ctl.names_of(std::slice::from_ref(&run)).await?;
        render::print(ctl.output, &names.told(&run), |_| String::new())?;
    }
    match run.state_type.as_deref() {
        Some("COMPLETED") => Ok(()),
        _ => Err(Failure::new(format!(
            "flow run '{}' ended {}; see `prefectctl flow-run logs {}`",
            render::name(&run.name),
            run.state_name.unwrap_or_default(),
            run.id
        ))),
    }
}

/// Reads `key=value`, the value as JSON or as text.
pub fn pairs(given: &[String]) -> Result<JsonMap> {
    let read = |pair: &String| {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::usage(format!("{pair:?} is not of the form KEY=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok((key.to_owned(), value))
    };
    given.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_where_they_can_be() {
        let given = ["n=3", "s=x=y", "t=\"3\"", "l=[1,2]", "e="].map(str::to_owned);
        let read = Value::Object(pairs(&given).unwrap());
        let want = serde_json::json!({"n": 3, "s": "x=y", "t": "3", "l": [1, 2], "e": ""});
        assert_eq!(read, want);
        let numbers = ["x=202402144809161001040", "y=1.50", "z=1e400"].map(str::to_owned);
        let read = Value::Object(pairs(&numbers).unwrap()).to_string();
        assert_eq!(read, r#"{"x":202402144809161001040,"y":1.50,"z":1e+400}"#);
        for bad in ["novalue", "=x"] {
            assert!(pairs(&[bad.to_owned()]).unwrap_err().is_usage());
        }
    }
}
