//! What functions of the reference look at, beyond the form of a value. Those that are not here
//! refuse nothing, or what is refused in other words elsewhere.

use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::Faults;
use super::table::{Model, Operation, Shape, TABLE};
use crate::api::v3::automations::wire::AutomationCreate;
use crate::api::v3::wire::Duration;
use crate::domain::automation::NewAutomation;
use crate::domain::event;
use crate::domain::schedule::{Cron, Schedule};
use crate::domain::task_run::{LONGEST_CACHE_KEY, MOST_DELAYS};
use crate::domain::{template, variable};

/// What a function says of a value.
pub struct Said {
    kind: &'static str,
    message: String,
    context: Value,
}

impl Said {
    /// In words of its own.
    fn told(message: impl Into<String>) -> Option<Self> {
        Some(Self {
            kind: "value_error",
            message: format!("Value error, {}", message.into()),
            context: json!({ "error": {} }),
        })
    }

    /// Adds it to the faults.
    pub fn add_to(self, faults: &mut Faults, given: &Value) {
        faults.add_with(self.kind, self.message, given, self.context);
    }
}

/// What a function makes of a value before it is looked at; none where that is the value.
pub fn before(function: &str, given: &Value) -> Option<Result<Value, String>> {
    match function {
        // A name that is none is chosen by the server.
        "set_name" if is_void(given) => Some(Ok("chosen".into())),
        "cast_none_to_empty_dict" | "_normalize_parameter_schema" if given.is_null() => {
            Some(Ok(json!({})))
        }
        // A template may be given as the object that it is to make.
        "ensure_payload_is_a_string" if given.is_object() => Some(Ok("made of it".into())),
        "non_emptyish" => {
            let named = given.as_str()?.trim_matches(['\'', ' ', '"']);
            let said = || Err("name cannot be an empty string".to_owned());
            named.is_empty().then(said)
        }
        "_validate_concurrency_limits" => {
            let both = ["concurrency_limit", "global_concurrency_limit_id"];
            let has_both = both
                .iter()
                .all(|name| !is_void(given.get(name).unwrap_or(&Value::Null)));
            let said = "A deployment cannot have both a concurrency limit and a global \
                        concurrency limit.";
            has_both.then(|| Err(said.to_owned()))
        }
        "validate_name_is_present_if_not_anonymous" => {
            let of = |name: &str| given.get(name).unwrap_or(&Value::Null);
            let is_nameless = is_void(of("is_anonymous")) && is_void(of("name"));
            let said = "Names must be provided for block documents.";
            (given.is_object() && is_nameless).then(|| Err(said.to_owned()))
        }
        "check_variable_value" => {
            let said = || {
                let most = variable::LARGEST_VALUE;
                Err(format!(
                    "Variable value must be less than {most} characters"
                ))
            };
            variable::check_value(given).is_err().then(said)
        }
        "enforce_minimum_within_for_proactive_triggers" => {
            let within = given.get("within")?;
            if within.is_null() {
                return Some(Err("`within` should be a valid timedelta".to_owned()));
            }
            let is_proactive = given.get("posture").and_then(Value::as_str) == Some("Proactive");
            let said =
                "`within` for Proactive triggers must be greater than or equal to 10 seconds";
            let length = length(within)?;
            let is_short = is_proactive && length != 0.0 && length < 10.0;
            is_short.then(|| Err(said.to_owned()))
        }
        _ => None,
    }
}

/// Does to a body what functions of the reference do to it, which is repeated so: the parameters of a
/// deployment are noted, and what triggers wait for are seconds with a fraction.
pub fn alter(operation: &Operation, body: &mut Value) {
    let parameters = operation.groups.iter().flat_map(|group| &group.parameters);
    let models = parameters.filter_map(|parameter| match &parameter.field.shape {
        Shape::Model(name) => TABLE.model(name),
        _ => None,
    });
    let notes = |model: &Model| model.before.iter().any(|it| it == NOTES_PARAMETERS);
    let is_noted = models.into_iter().any(notes);
    let is_stopped = matches!(before("_validate_concurrency_limits", body), Some(Err(_)));
    let Value::Object(members) = body else {
        return;
    };
    if is_noted && !is_stopped {
        let parameters = members.entry("parameters");
        parameters.or_insert_with(|| json!({}));
    }
    if let Some(trigger) = members.get_mut("trigger") {
        in_seconds(trigger);
    }
}

const NOTES_PARAMETERS: &str = "_validate_parameters_conform_to_schema";

fn in_seconds(trigger: &mut Value) {
    let Value::Object(members) = trigger else {
        return;
    };
    if let Some(within) = members.get_mut("within")
        && let Some(whole) = within.as_i64()
    {
        *within = json!(whole as f64);
    }
    let within = members.get_mut("triggers").and_then(Value::as_array_mut);
    within.into_iter().flatten().for_each(in_seconds);
}

/// Whether Python takes it for nothing.
fn is_void(given: &Value) -> bool {
    match given {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// What a function says of a value that is as it should be otherwise.
pub fn after(function: &str, given: &Value) -> Option<Said> {
    let (function, about) = function.split_once(':').unwrap_or((function, ""));
    let text = given.as_str();
    match function {
        "raise_on_name_alphanumeric_dashes_only" => only(
            text?,
            |c| c == '-',
            &format!("{about} must only contain lowercase letters, numbers, and dashes."),
        ),
        "raise_on_name_alphanumeric_dashes_underscores_only" => only(
            text?,
            |c| c == '-' || c == '_',
            &format!(
                "{about} must only contain lowercase letters, numbers, and dashes or underscores."
            ),
        ),
        "_validate_positive_interval" if length(given)? <= 0.0 => {
            Said::told("interval must be positive")
        }
        "validate_max_scheduled_runs" if given.as_i64()? > 50 => {
            Said::told("`max_scheduled_runs` must be less than or equal to 50.")
        }
        "validate_configured_retry_delays" if given.as_array()?.len() > MOST_DELAYS => Said::told(
            format!("Can not configure more than {MOST_DELAYS} retry delays per task."),
        ),
        "validate_cache_key" if text?.chars().count() > LONGEST_CACHE_KEY => Said::told(format!(
            "Cache key exceeded maximum allowed length of {LONGEST_CACHE_KEY} characters."
        )),
        "_validate_event_name_length" if text?.chars().count() > event::MOST_NAME => {
            let most = event::MOST_NAME;
            Said::told(format!("Event name must be at most {most} characters"))
        }
        "enforce_maximum_labels" if given.as_object()?.len() > event::MOST_LABELS => {
            let most = event::MOST_LABELS;
            Said::told(format!(
                "The maximum number of labels per resource is {most}"
            ))
        }
        "enforce_maximum_related_resources" if given.as_array()?.len() > event::MOST_RELATED => {
            let most = event::MOST_RELATED;
            Said::told(format!("The maximum number of related resources is {most}"))
        }
        "_validate_non_negative_timedelta" if length(given)? < 0.0 => {
            Said::told("schedule_after must be non-negative")
        }
        "valid_cron_string" => cron(text?),
        "validate_jitter_factor" if given.as_f64()? < 0.0 => {
            Said::told("`retry_jitter_factor` must be >= 0.")
        }
        "validate_rrule_str" => rule(text?),
        "validate_timezone" => zone(given.get("timezone")?.as_str()?),
        "validate_base_job_template" => job_template(given),
        "requires_resource_id" => label(given, "prefect.resource.id", "Resources"),
        "requires_resource_role" => label(given, "prefect.resource.role", "Related Resources"),
        "selected_deployment_requires_id" => selected(given, "deployment_id"),
        "selected_work_queue_requires_id" => selected(given, "work_queue_id"),
        "selected_work_pool_requires_id" => selected(given, "work_pool_id"),
        "selected_automation_requires_id" => selected(given, "automation_id"),
        "validate_require" => required(given),
        "prevent_run_deployment_loops" => loops(given),
        "max_length_validator" => {
            let most: usize = about.parse().ok()?;
            let is_long = text?.chars().count() > most;
            is_long
                .then(|| Said::told(format!("Value must be less than {most} characters long.")))?
        }
        _ => None,
    }
}

/// How long a value is, in seconds.
fn length(given: &Value) -> Option<f64> {
    let Duration(span) = Duration::deserialize(given).ok()?;
    Some(span.as_secs_f64())
}

fn cron(expression: &str) -> Option<Said> {
    let cron = Cron {
        expression: expression.to_owned(),
        timezone: None,
        day_or: true,
    };
    let is_one = Schedule::Cron(cron).check().is_ok();
    (!is_one).then(|| Said::told(format!("Invalid cron string: \"{expression}\"")))?
}

fn zone(name: &str) -> Option<Said> {
    let is_one = name.is_empty() || jiff::tz::TimeZone::get(name).is_ok();
    let said = "(specify in IANA tzdata format, for example, America/New_York)";
    (!is_one).then(|| Said::told(format!("Invalid timezone: \"{name}\" {said}")))?
}

/// A rule without which there is no schedule, or that is no list of names and values.
fn rule(text: &str) -> Option<Said> {
    let rule = text.lines().next_back().unwrap_or_default();
    let rule = rule.rsplit(':').next().unwrap_or_default();
    let error = if text.trim().is_empty() {
        "empty string"
    } else if rule.split(';').any(|part| !part.contains('=')) {
        "not enough values to unpack (expected 2, got 1)"
    } else {
        return None;
    };
    Said::told(format!("Invalid RRule string \"{text}\": {error}"))
}

/// The template of a pool's jobs has both parts, or none.
fn job_template(given: &Value) -> Option<Said> {
    let members = given.as_object()?;
    let has = |name: &str| !is_void(given.get(name).unwrap_or(&Value::Null));
    if members.is_empty() {
        return None;
    }
    if has("job_configuration") && has("variables") {
        let unknown: Vec<_> = template::unknown_variables(members).into_iter().collect();
        let said = format!(
            "The variables specified in the job configuration template must be present as \
             properties in the variables schema. Your job configuration uses the following \
             undeclared variable(s): {}.",
            unknown.join(", ")
        );
        return (!unknown.is_empty()).then(|| Said::told(said))?;
    }
    Said::told(
        "The `base_job_template` must contain both a `job_configuration` key and a `variables` \
         key.",
    )
}

fn label(given: &Value, name: &str, about: &str) -> Option<Said> {
    match given.get(name) {
        None => Said::told(format!("{about} must include the {name} label")),
        Some(label) if is_void(label) => Said::told(format!("The {name} label must be non-empty")),
        Some(_) => None,
    }
}

/// What is selected has an id, and nothing else has.
fn selected(given: &Value, id: &str) -> Option<Said> {
    let has_id = given.get(id).is_some_and(|it| !is_void(it));
    let source = given.get("source").and_then(Value::as_str);
    if (source.unwrap_or("selected") == "selected") == has_id {
        return None;
    }
    let what = if has_id { "not allowed" } else { "required" };
    Said::told(format!("{id} is {what}"))
}

/// An automation does not begin runs because of the runs that it begins.
fn loops(given: &Value) -> Option<Said> {
    let create = AutomationCreate::deserialize(given).ok()?;
    let automation = NewAutomation::from(create);
    Said::told(automation.plan.check_no_loop().err()?)
}

/// How many of the triggers within have to fire.
fn required(given: &Value) -> Option<Said> {
    let count = given.get("triggers")?.as_array()?.len();
    let required = given.get("require")?.as_i64()?;
    if required < 1 {
        return Said::told("require must be at least 1");
    }
    let is_more = usize::try_from(required).is_ok_and(|required| required > count);
    is_more.then(|| Said::told("require must be less than or equal to the number of triggers"))?
}

fn only(text: &str, is_else: impl Fn(char) -> bool, message: &str) -> Option<Said> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || is_else(c);
    match text.chars().all(fits) {
        true => None,
        false => Said::told(message),
    }
}
