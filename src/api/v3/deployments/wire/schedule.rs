//! Schedules of deployments.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Mask, Reader, Redact};
use crate::api::v3::wire::{Duration, Instant, limit};
use crate::app::Range;
use crate::domain::JsonMap;
use crate::domain::deployment::{self, DeploymentSchedule, NewSchedule, ScheduleChange};
use crate::domain::error::{Error, Result};
use crate::domain::filter::MAX_PAGE;
use crate::domain::ids::DeploymentId;
use crate::domain::schedule::{self, Cron, Interval, Rrule};
use crate::domain::time::{Span, Timestamp};

/// The zone of a schedule that names none.
const UTC: &str = "UTC";

/// The most runs that a schedule may have made ahead, as on the reference.
const MOST_AHEAD: i64 = 50;
/// Where a recurrence begins that does not say.
const BEGINNING: &str = "DTSTART:20200101T000000";

/// One of a deployment's schedules.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its id.
    pub id: Uuid,
    /// When it was created.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its deployment.
    pub deployment_id: Uuid,
    /// When there are runs: `interval`, `cron` or `rrule`, and what belongs to that.
    pub schedule: Value,
    /// Whether it is followed while the deployment is not paused.
    pub active: bool,
    /// How many runs it may have made ahead.
    pub max_scheduled_runs: Option<i64>,
    /// Laid over the deployment's parameters.
    #[schema(value_type = Object)]
    pub parameters: JsonMap,
    /// Its name within the deployment.
    pub slug: Option<String>,
}

impl Schedule {
    /// A schedule of a deployment.
    pub fn of(deployment: DeploymentId, schedule: DeploymentSchedule) -> Self {
        let DeploymentSchedule {
            id,
            created,
            updated,
            slug,
            rule,
            active,
            max_scheduled_runs,
            parameters,
        } = schedule;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            deployment_id: deployment.uuid(),
            schedule: rule_out(&rule),
            active,
            max_scheduled_runs,
            parameters,
            slug,
        }
    }

    /// Those of a deployment, the last changed first, as the reference tells them.
    pub fn all_of(deployment: DeploymentId, schedules: Vec<DeploymentSchedule>) -> Vec<Self> {
        let mut schedules = schedules;
        schedules.sort_by_key(|it| std::cmp::Reverse((it.updated, it.id)));
        let told = schedules.into_iter().map(|it| Self::of(deployment, it));
        told.collect()
    }

    /// Masks the secrets in it.
    pub fn redact_by(&mut self, mask: &Mask<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            deployment_id: _,
            schedule,
            active: _,
            max_scheduled_runs: _,
            parameters,
            slug,
        } = self;
        mask.over(schedule);
        mask.over(parameters);
        mask.over(slug);
    }
}

impl Redact for Schedule {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_deployment(DeploymentId::from_uuid(self.deployment_id));
        self.redact_by(&mask);
    }
}

/// When there are runs, as it is told.
pub fn rule_out(rule: &schedule::Schedule) -> Value {
    match rule {
        schedule::Schedule::Interval(it) => json!({
            "interval": it.every.as_secs_f64(),
            "anchor_date": Instant::from(it.anchor).to_string(),
            "timezone": it.timezone.as_deref().unwrap_or(UTC),
        }),
        schedule::Schedule::Cron(it) => json!({
            "cron": it.expression,
            "timezone": it.timezone,
            "day_or": it.day_or,
        }),
        schedule::Schedule::Rrule(it) => json!({ "rrule": it.rule, "timezone": it.timezone }),
    }
}

/// When there are runs, as clients say it: one of `interval`, `cron` and `rrule`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Rule {
    #[serde(default)]
    interval: Option<Duration>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    anchor_date: Option<DateTime<FixedOffset>>,
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    cron: Option<String>,
    #[serde(default)]
    day_or: Option<bool>,
    #[serde(default)]
    rrule: Option<String>,
}

impl Rule {
    /// The schedule, counted from `now` on where it does not say from when.
    fn meaning(self, now: Timestamp) -> Result<schedule::Schedule> {
        let timezone = self.timezone;
        match (self.interval, self.cron, self.rrule) {
            (Some(Duration(every)), None, None) => {
                let anchor = self.anchor_date.map_or(now, |at| at.to_utc().into());
                let offset = self
                    .anchor_date
                    .map_or(0, |at| at.offset().local_minus_utc());
                Ok(schedule::Schedule::Interval(Interval {
                    every,
                    timezone,
                    anchor,
                    anchor_offset_secs: offset,
                }))
            }
            (None, Some(expression), None) => Ok(schedule::Schedule::Cron(Cron {
                expression,
                timezone,
                day_or: self.day_or.unwrap_or(true),
            })),
            (None, None, Some(rule)) => Ok(with_beginning(Rrule {
                rule,
                timezone: timezone.or_else(|| Some(UTC.to_owned())),
            })),
            _ => Err(Error::invalid(
                "A schedule has one of interval, cron and rrule.",
            )),
        }
    }
}

/// A recurrence that says from when it counts, as the reference keeps it. What is none then stays.
fn with_beginning(rrule: Rrule) -> schedule::Schedule {
    let has_one = rrule.rule.to_ascii_uppercase().contains("DTSTART");
    let begun = schedule::Schedule::Rrule(Rrule {
        rule: format!("{BEGINNING}\n{}", rrule.rule),
        timezone: rrule.timezone.clone(),
    });
    match !has_one && begun.check().is_ok() {
        true => begun,
        false => schedule::Schedule::Rrule(rrule),
    }
}

/// A schedule to be created.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ScheduleCreate {
    schedule: Rule,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    max_scheduled_runs: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: JsonMap,
    #[serde(default)]
    slug: Option<String>,
    /// Known, and without a meaning where nothing is there to be replaced.
    #[serde(default)]
    #[schema(ignore)]
    #[expect(
        dead_code,
        reason = "named so that it is known; it has no meaning here"
    )]
    replaces: Option<String>,
}

impl ScheduleCreate {
    /// What it says.
    pub fn meaning(self, now: Timestamp) -> Result<NewSchedule> {
        Ok(NewSchedule {
            slug: self.slug,
            rule: self.schedule.meaning(now)?,
            active: self.active.unwrap_or(true),
            max_scheduled_runs: ahead(self.max_scheduled_runs)?,
            parameters: self.parameters,
        })
    }
}

/// Changes to a schedule; absent fields stay.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ScheduleUpdate {
    #[serde(default)]
    schedule: Option<Rule>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    max_scheduled_runs: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    parameters: Option<JsonMap>,
    #[serde(default)]
    slug: Option<String>,
    /// The slug, until then, of the schedule that is meant.
    #[serde(default)]
    replaces: Option<String>,
}

impl ScheduleUpdate {
    /// What it says.
    pub fn meaning(self, now: Timestamp) -> Result<ScheduleChange> {
        let rule = self.schedule.map(|rule| rule.meaning(now)).transpose()?;
        Ok(ScheduleChange {
            update: deployment::ScheduleUpdate {
                slug: self.slug,
                rule,
                active: self.active,
                max_scheduled_runs: ahead(self.max_scheduled_runs)?,
                parameters: self.parameters,
            },
            replaces: self.replaces,
        })
    }
}

/// How many runs a schedule may have made ahead.
fn ahead(most: Option<i64>) -> Result<Option<i64>> {
    match positive("max_scheduled_runs", most)? {
        Some(most) if most > MOST_AHEAD => Err(Error::invalid(format!(
            "max_scheduled_runs must be at most {MOST_AHEAD}."
        ))),
        most => Ok(most),
    }
}

/// A number that has to be above zero where it is given.
pub fn positive(name: &str, number: Option<i64>) -> Result<Option<i64>> {
    match number {
        Some(number) if number <= 0 => {
            Err(Error::invalid(format!("{name} must be greater than 0.")))
        }
        number => Ok(number),
    }
}

/// A range of dates for which a deployment's runs are made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ScheduleRange {
    /// From here on; absent: now.
    #[serde(default)]
    start_time: Option<Instant>,
    /// Up to here; absent: a hundred days on.
    #[serde(default)]
    end_time: Option<Instant>,
    /// At most so many; absent: 100.
    #[serde(default)]
    max_runs: Option<i64>,
    /// No more than so many, once they reach far enough; absent: 3.
    #[serde(default)]
    min_runs: Option<i64>,
    /// How many seconds from the beginning are far enough; absent: an hour.
    #[serde(default)]
    min_time: Option<f64>,
}

impl ScheduleRange {
    /// What it means.
    ///
    /// # Errors
    /// Where a length of time is none.
    pub fn meaning(self) -> Result<Range> {
        let Self {
            start_time,
            end_time,
            max_runs,
            min_runs,
            min_time,
        } = self;
        let span = min_time.map(|secs| {
            let words = "min_time must be a number of seconds of a thousand years at most.";
            Span::of_secs(secs).ok_or_else(|| Error::invalid(words))
        });
        Ok(Range {
            from: start_time.map(Timestamp::from),
            until: end_time.map(Timestamp::from),
            least: min_runs.map(|least| u64::try_from(least).unwrap_or_default()),
            span: span.transpose()?,
            most: max_runs.map(|most| most.max(1).unsigned_abs()),
        })
    }
}

/// Which due runs of deployments are asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct DueQuery {
    deployment_ids: Vec<Uuid>,
    #[serde(default)]
    scheduled_before: Option<Instant>,
    #[serde(default)]
    limit: Option<i64>,
}

impl DueQuery {
    /// Of which deployments, due before when, and at most how many.
    pub fn parts(self) -> Result<(Vec<DeploymentId>, Option<Timestamp>, u64)> {
        if self.deployment_ids.len() as u64 > MAX_PAGE {
            return Err(Error::invalid(format!(
                "At most {MAX_PAGE} deployments can be asked for at once."
            )));
        }
        let ids = self.deployment_ids.into_iter();
        let ids = ids.map(DeploymentId::from_uuid).collect();
        let before = self.scheduled_before.map(Timestamp::from);
        Ok((ids, before, limit(self.limit)?))
    }
}
