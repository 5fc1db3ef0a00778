//! The schedules of a deployment, and what a change of several of them comes to.

use std::collections::HashSet;

use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::ids::{DeploymentId, ScheduleId};
use crate::domain::schedule::Schedule;
use crate::domain::time::Timestamp;

/// Told where two schedules of a deployment would have one name.
const SAME_SLUG: &str = "Schedule slugs must be unique within a deployment.";
const NO_RULE: &str = "Unable to create new deployment schedules without a schedule configuration.";

/// One of the schedules by which a deployment is run by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DeploymentSchedule {
    /// Its id.
    pub id: ScheduleId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Names it within its deployment, if it has a name.
    pub slug: Option<String>,
    /// When there are runs.
    pub rule: Schedule,
    /// Whether it is followed while its deployment's schedules are.
    pub active: bool,
    /// How many runs it may have made ahead, as its author wrote; the reference goes by its own
    /// number all the same.
    pub max_scheduled_runs: Option<i64>,
    /// Laid over the deployment's parameters.
    pub parameters: JsonMap,
}

/// What a client says of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSchedule {
    /// See [`DeploymentSchedule::slug`].
    pub slug: Option<String>,
    /// When there are runs.
    pub rule: Schedule,
    /// See [`DeploymentSchedule::active`].
    pub active: bool,
    /// See [`DeploymentSchedule::max_scheduled_runs`].
    pub max_scheduled_runs: Option<i64>,
    /// Laid over the deployment's parameters.
    pub parameters: JsonMap,
}

/// As dialects say it in which a deployment has one schedule and nothing more to it.
impl From<Schedule> for NewSchedule {
    fn from(rule: Schedule) -> Self {
        Self {
            slug: None,
            rule,
            active: true,
            max_scheduled_runs: None,
            parameters: JsonMap::new(),
        }
    }
}

/// Changes to one schedule; what is not said stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleUpdate {
    /// The name within the deployment.
    pub slug: Option<String>,
    /// When there are runs.
    pub rule: Option<Schedule>,
    /// Whether it is followed.
    pub active: Option<bool>,
    /// How many runs it may have made ahead.
    pub max_scheduled_runs: Option<i64>,
    /// Laid over the deployment's parameters.
    pub parameters: Option<JsonMap>,
}

/// One of the schedules that a deployment shall have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleChange {
    /// What is said of it.
    pub update: ScheduleUpdate,
    /// The name, until then, of the schedule that is meant.
    pub replaces: Option<String>,
}

impl DeploymentSchedule {
    /// The same after changes.
    #[must_use]
    pub fn changed(self, update: ScheduleUpdate, now: Timestamp) -> Self {
        Self {
            id: self.id,
            created: self.created,
            updated: now,
            slug: update.slug.or(self.slug),
            rule: update.rule.unwrap_or(self.rule),
            active: update.active.unwrap_or(self.active),
            max_scheduled_runs: update.max_scheduled_runs.or(self.max_scheduled_runs),
            parameters: update.parameters.unwrap_or(self.parameters),
        }
    }

    fn new(id: ScheduleId, new: NewSchedule, now: Timestamp) -> Self {
        Self {
            id,
            created: now,
            updated: now,
            slug: new.slug,
            rule: new.rule,
            active: new.active,
            max_scheduled_runs: new.max_scheduled_runs,
            parameters: new.parameters,
        }
    }
}

/// The id of the next schedule of a deployment that has these.
fn next_id(deployment: DeploymentId, known: &[DeploymentSchedule]) -> ScheduleId {
    ScheduleId::nth_of(deployment, known.len())
}

/// Gives a deployment these schedules in the place of those that are known, in their order. Each
/// has the id of the known one in its place, so that the runs stay known that it made.
///
/// # Errors
/// A conflict where two have one name.
pub fn replaced(
    deployment: DeploymentId,
    known: &[DeploymentSchedule],
    new: Vec<NewSchedule>,
    now: Timestamp,
) -> Result<Vec<DeploymentSchedule>> {
    let all = new.into_iter().enumerate().map(|(at, new)| {
        let before = known.get(at);
        let id = before.map_or_else(|| ScheduleId::nth_of(deployment, at), |before| before.id);
        DeploymentSchedule {
            created: before.map_or(now, |before| before.created),
            ..DeploymentSchedule::new(id, new, now)
        }
    });
    distinct(all.collect())
}

/// Gives a deployment more schedules.
///
/// # Errors
/// A conflict where two have one name.
pub fn with_new(
    deployment: DeploymentId,
    mut known: Vec<DeploymentSchedule>,
    new: Vec<NewSchedule>,
    now: Timestamp,
) -> Result<Vec<DeploymentSchedule>> {
    for new in new {
        let id = next_id(deployment, &known);
        known.push(DeploymentSchedule::new(id, new, now));
    }
    distinct(known)
}

/// The schedules of a deployment that a client changes as a whole, by the reference's rules: where
/// all that are there and all that are named have slugs, those are meant that have them, and what
/// is not named stays; where those that are there have none, they are replaced.
///
/// # Errors
/// Invalid where it cannot be told which are meant, a conflict where two have one name.
pub fn changed(
    deployment: DeploymentId,
    known: Vec<DeploymentSchedule>,
    asked: Vec<ScheduleChange>,
    now: Timestamp,
) -> Result<Vec<DeploymentSchedule>> {
    let are_named = !known.is_empty() && known.iter().all(|it| it.slug.is_some());
    let name_all = asked.iter().all(|it| it.update.slug.is_some());
    match (are_named, name_all) {
        (true, true) => by_slug(deployment, known, asked, now),
        (true, false) => Err(Error::invalid(
            "Please provide a slug for each schedule in your request to ensure schedules are \
             updated correctly.",
        )),
        (false, _) => {
            let new = asked.into_iter().filter_map(|it| created(it.update));
            replaced(deployment, &known, new.collect(), now)
        }
    }
}

fn by_slug(
    deployment: DeploymentId,
    mut known: Vec<DeploymentSchedule>,
    asked: Vec<ScheduleChange>,
    now: Timestamp,
) -> Result<Vec<DeploymentSchedule>> {
    check_renames(&known, &asked)?;
    // By the names until then, so that schedules can swap theirs.
    let names: Vec<_> = known.iter().map(|it| it.slug.clone()).collect();
    for ScheduleChange { update, replaces } in asked {
        let target = replaces.or_else(|| update.slug.clone());
        match names.iter().position(|name| *name == target) {
            Some(at) => {
                if let Some(schedule) = known.get_mut(at) {
                    *schedule = schedule.clone().changed(update, now);
                }
            }
            None => {
                let new = created(update).ok_or_else(|| Error::invalid(NO_RULE))?;
                let id = next_id(deployment, &known);
                known.push(DeploymentSchedule::new(id, new, now));
            }
        }
    }
    distinct(known)
}

fn check_renames(known: &[DeploymentSchedule], asked: &[ScheduleChange]) -> Result<()> {
    let mut replaced = HashSet::new();
    for it in asked.iter().filter_map(|it| it.replaces.as_deref()) {
        if !replaced.insert(it) {
            return Err(Error::invalid(format!(
                "Multiple schedules have 'replaces' targeting the same slug: {it}"
            )));
        }
    }
    for it in asked {
        let (Some(from), Some(to)) = (it.replaces.as_deref(), it.update.slug.as_deref()) else {
            continue;
        };
        let is_taken = known.iter().any(|it| it.slug.as_deref() == Some(to));
        if is_taken && !replaced.contains(to) {
            return Err(Error::invalid(format!(
                "Cannot rename schedule from '{from}' to '{to}': a schedule with slug '{to}' \
                 already exists."
            )));
        }
    }
    Ok(())
}

/// What is said of a schedule that is not there yet; none where nothing says when it is due.
fn created(update: ScheduleUpdate) -> Option<NewSchedule> {
    Some(NewSchedule {
        slug: update.slug,
        rule: update.rule?,
        active: update.active.unwrap_or(true),
        max_scheduled_runs: update.max_scheduled_runs,
        parameters: update.parameters.unwrap_or_default(),
    })
}

/// All of them, unless two have one name.
///
/// # Errors
/// A conflict otherwise.
pub fn distinct(all: Vec<DeploymentSchedule>) -> Result<Vec<DeploymentSchedule>> {
    let mut names = HashSet::new();
    let mut slugs = all.iter().filter_map(|it| it.slug.as_deref());
    match slugs.all(|slug| names.insert(slug)) {
        true => Ok(all),
        false => Err(Error::conflict(SAME_SLUG)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::Cron;

    fn cron(minute: u32) -> Schedule {
        Schedule::Cron(Cron {
            expression: format!("{minute} * * * *"),
            timezone: None,
            day_or: true,
        })
    }

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// Schedules of those names, each due at the minute of its place.
    fn named(deployment: DeploymentId, names: &[Option<&str>]) -> Vec<DeploymentSchedule> {
        let new = names.iter().zip(0..).map(|(name, minute)| NewSchedule {
            slug: name.map(str::to_owned),
            ..NewSchedule::from(cron(minute))
        });
        with_new(deployment, Vec::new(), new.collect(), at(1)).unwrap()
    }

    fn change(slug: Option<&str>, rule: Option<u32>, replaces: Option<&str>) -> ScheduleChange {
        ScheduleChange {
            update: ScheduleUpdate {
                slug: slug.map(str::to_owned),
                rule: rule.map(cron),
                ..ScheduleUpdate::default()
            },
            replaces: replaces.map(str::to_owned),
        }
    }

    /// The names and minutes after changes, or the first words of the refusal.
    fn after(names: &[Option<&str>], changes: Vec<ScheduleChange>) -> String {
        let id = DeploymentId::new();
        match changed(id, named(id, names), changes, at(2)) {
            Ok(all) => {
                let told = all.iter().map(|it| match &it.rule {
                    Schedule::Cron(cron) => format!(
                        "{}@{}",
                        it.slug.as_deref().unwrap_or("-"),
                        cron.expression.split(' ').next().unwrap()
                    ),
                    _ => unreachable!(),
                });
                told.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error
                .message()
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn which_schedules_a_change_means() {
        let (a, b) = (Some("a"), Some("b"));
        type Case<'a> = (&'a [Option<&'a str>], Vec<ScheduleChange>, &'a str);
        let cases: [Case<'_>; 12] = [
            // Named ones are changed by their names, and others stay.
            (&[a, b], vec![change(a, Some(7), None)], "a@7 b@1"),
            (&[a, b], vec![change(a, None, None)], "a@0 b@1"),
            (&[a, b], vec![], "a@0 b@1"),
            (
                &[a, b],
                vec![change(Some("c"), Some(7), None)],
                "a@0 b@1 c@7",
            ),
            (
                &[a, b],
                vec![change(Some("c"), None, None)],
                "Unable to create",
            ),
            (
                &[a, b],
                vec![change(None, Some(7), None)],
                "Please provide a",
            ),
            // Renamed.
            (&[a, b], vec![change(Some("c"), None, a)], "c@0 b@1"),
            (&[a, b], vec![change(b, None, a)], "Cannot rename schedule"),
            (
                &[a, b],
                vec![change(b, None, a), change(a, None, b)],
                "b@0 a@1",
            ),
            (
                &[a, b],
                vec![change(b, None, a), change(Some("c"), None, a)],
                "Multiple schedules have",
            ),
            // Unnamed ones are replaced.
            (&[None, b], vec![change(Some("c"), Some(7), None)], "c@7"),
            (&[None, None], vec![], ""),
        ];
        for (names, changes, expected) in cases {
            assert_eq!(after(names, changes.clone()), expected, "{changes:?}");
        }
        let same = vec![change(a, Some(1), None), change(a, Some(2), None)];
        assert_eq!(after(&[], same), "Schedule slugs must");
    }

    #[test]
    fn what_is_not_said_of_a_schedule_stays() {
        let deployment = DeploymentId::new();
        let known = named(deployment, &[Some("a")]).remove(0);
        assert_eq!(known.id.uuid(), deployment.uuid());
        let paused = ScheduleUpdate {
            active: Some(false),
            ..ScheduleUpdate::default()
        };
        let expected = DeploymentSchedule {
            active: false,
            updated: at(2),
            ..known.clone()
        };
        assert_eq!(known.changed(paused, at(2)), expected);
    }
}
