//! Running a deployment.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::signature;
use crate::api::v3::wire::{Deployment, FlowRun, RunRequest, StateCreate, WorkPool};
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
    let (deployment, path) = find::deployment(&ctl.client, wanted).await?;
    let parameters = fitting(params, deployment.parameter_openapi_schema.as_ref())?;
    if !unchecked {
        signature::check(ctl, &deployment, &path, &parameters).await?;
        check_job_variables(ctl, &deployment, &job_variables).await?;
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

/// Refuses job variables that the pool's template does not have.
async fn check_job_variables(ctl: &Ctl, deployment: &Deployment, given: &JsonMap) -> Result<()> {
    let Some(pool) = deployment
        .work_pool_name
        .as_deref()
        .filter(|_| !given.is_empty())
    else {
        return Ok(());
    };
    let path = format!("/work_pools/{}", find::encoded(pool));
    let pool: WorkPool = ctl.client.get(&path).await?;
    let known = pool.base_job_template.get("variables");
    let known = known.and_then(|variables| variables.get("properties")?.as_object());
    let Some(known) = known.filter(|known| !known.is_empty()) else {
        return Ok(());
    };
    let Some(unknown) = given.keys().find(|name| !known.contains_key(*name)) else {
        return Ok(());
    };
    let names: Vec<_> = known.keys().map(|name| render::name(name)).collect();
    Err(Failure::usage(format!(
        "the work pool {} has no job variable {}; it has {}; with --unchecked it is run nevertheless",
        render::name(&pool.name),
        render::name(unknown),
        names.join(", "),
    )))
}

/// The member of an object that says how a value is made.
const KIND: &str = "__prefect_kind";

/// Reads `key=value`, the value as JSON or as text.
pub fn pairs(given: &[String]) -> Result<JsonMap> {
    fitting(given, None)
}

/// The same with the values as a schema wants them, as far as that can be told: a text need not be
/// in quotes where nothing but a text is wanted, and truth may be written as Python does.
fn fitting(given: &[String], schema: Option<&JsonMap>) -> Result<JsonMap> {
    let properties = schema.and_then(|schema| schema.get("properties"));
    let read = |pair: &String| {
        let (key, text) = pair
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::usage(format!("{pair:?} is not of the form KEY=VALUE")))?;
        let kind = properties.and_then(|properties| properties.get(key)?.get("type")?.as_str());
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let value = match (kind, text) {
            // What says how its value is made is made by the daemon.
            (Some("string"), _) if !value.is_string() && value.get(KIND).is_none() => {
                Value::from(text)
            }
            (Some("boolean"), "True") => Value::Bool(true),
            (Some("boolean"), "False") => Value::Bool(false),
            _ => value,
        };
        Ok((key.to_owned(), value))
    };
    given.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_the_schema_wants() {
        let schema = serde_json::json!({"properties": {
            "name": {"type": "string"}, "on": {"type": "boolean"}, "n": {"type": "integer"},
            "any": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}});
        let given = ["name=123", "on=True", "n=123", "any=123", "other=True"].map(str::to_owned);
        let read = fitting(&given, schema.as_object()).unwrap();
        let want =
            serde_json::json!({"name": "123", "on": true, "n": 123, "any": 123, "other": "True"});
        assert_eq!(Value::Object(read), want);
        let quoted = ["name=\"a b\"".to_owned(), "on=true".to_owned()];
        let read = fitting(&quoted, schema.as_object()).unwrap();
        assert_eq!(
            Value::Object(read),
            serde_json::json!({"name": "a b", "on": true})
        );
    }

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
