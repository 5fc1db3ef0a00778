//! What of a plan is refused.

use super::matching::is_cheap;
use super::{Action, EventTrigger, Plan, Posture, Trigger};
use crate::domain::error::{Error, Result};

/// The most characters of a name.
const LONGEST_NAME: usize = 500;
/// The most characters of a description.
const LONGEST_DESCRIPTION: usize = 10_000;
/// The most tags.
const MOST_TAGS: usize = 500;
/// The most triggers, those that are made of others included.
const MOST_TRIGGERS: usize = 50;
/// How many triggers lie within each other at most.
const DEEPEST: usize = 5;
/// The most names, labels and patterns of a trigger.
const MOST_VALUES: usize = 500;
/// The most actions.
const MOST_ACTIONS: usize = 100;
/// The most bytes of a plan, as JSON.
const MOST_BYTES: usize = 512 * 1024;

/// The kind of the resources that flow runs are.
const FLOW_RUN: &str = "prefect.flow-run";
/// The events that every run of a deployment tells.
const OF_EVERY_RUN: [&str; 4] = [
    "prefect.flow-run.Scheduled",
    "prefect.flow-run.Pending",
    "prefect.flow-run.Running",
    "prefect.flow-run.*",
];

impl Plan {
    /// A plan as it is kept: with ids of our own, and what is meant where less is said.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::domain::error::Kind::Invalid), with what is wrong.
    pub fn checked(mut self) -> Result<Self> {
        complete(&mut self.trigger);
        self.check().map_err(Error::invalid)?;
        self.trigger.renew_ids();
        Ok(self)
    }

    /// Whether it is one.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        at_most(
            "characters in a name",
            self.name.chars().count(),
            LONGEST_NAME,
        )?;
        let described = self.description.chars().count();
        at_most(
            "characters in a description",
            described,
            LONGEST_DESCRIPTION,
        )?;
        at_most("tags", self.tags.len(), MOST_TAGS)?;
        at_most("triggers within each other", depth(&self.trigger), DEEPEST)?;
        at_most("triggers", count(&self.trigger), MOST_TRIGGERS)?;
        let lists = [
            &self.actions,
            &self.actions_on_trigger,
            &self.actions_on_resolve,
        ];
        at_most(
            "actions",
            lists.iter().map(|list| list.len()).sum(),
            MOST_ACTIONS,
        )?;
        let bytes = serde_json::to_string(self).map_or(0, |text| text.len());
        at_most("bytes", bytes, MOST_BYTES)?;
        check_trigger(&self.trigger)?;
        lists.into_iter().flatten().try_for_each(Action::check)?;
        self.check_no_loop()
    }

    /// Refuses what begins runs because of the runs that it begins. Mirrors the 3.9 server.
    ///
    /// # Errors
    /// That it does, in a sentence that begins as the reference's.
    pub fn check_no_loop(&self) -> Result<(), String> {
        let Trigger::Event(trigger) = &self.trigger else {
            return Ok(());
        };
        let is_of_every_run =
            { trigger.expect.iter() }.any(|name| OF_EVERY_RUN.contains(&name.as_str()));
        if !self.enabled || trigger.posture != Posture::Reactive || !is_of_every_run {
            return Ok(());
        }
        let is_of_all = trigger.r#match.is_every(FLOW_RUN)
            && trigger
                .match_related
                .all()
                .iter()
                .any(|wanted| wanted.is_every(FLOW_RUN));
        for action in &self.actions {
            let Action::RunDeployment(run) = action else {
                continue;
            };
            match run.deployment_id {
                None => {
                    return Err(
                        "Running an inferred deployment on states that every flow run enters \
                         has each run begin another."
                            .to_owned(),
                    );
                }
                Some(_) if is_of_all => {
                    return Err(
                        "Running a selected deployment on states that every flow run enters \
                         has each run begin another, unless match or match_related leave out \
                         its runs."
                            .to_owned(),
                    );
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), String> {
    match count > most {
        true => Err(format!("An automation has at most {most} {what}.")),
        false => Ok(()),
    }
}

fn depth(trigger: &Trigger) -> usize {
    1 + trigger.parts().iter().map(depth).max().unwrap_or(0)
}

fn count(trigger: &Trigger) -> usize {
    1 + trigger.parts().iter().map(count).sum::<usize>()
}

fn complete(trigger: &mut Trigger) {
    match trigger {
        Trigger::Event(event) => event.completed(),
        Trigger::Compound(compound) => compound.triggers.iter_mut().for_each(complete),
        Trigger::Sequence(sequence) => sequence.triggers.iter_mut().for_each(complete),
    }
}

fn check_trigger(trigger: &Trigger) -> Result<(), String> {
    if let Trigger::Event(event) = trigger {
        return check_event_trigger(event);
    }
    if let Some(composite) = trigger.composite() {
        let (wanted, parts) = (composite.wanted(), composite.triggers.len());
        if wanted < 1 || wanted > parts {
            return Err(format!(
                "require must be at least 1 and at most the number of triggers, {parts}"
            ));
        }
        if composite
            .within
            .is_some_and(|within| within < crate::domain::time::Span::ZERO)
        {
            return Err("within must be 0 or more".to_owned());
        }
    }
    trigger.parts().iter().try_for_each(check_trigger)
}

fn check_event_trigger(trigger: &EventTrigger) -> Result<(), String> {
    trigger.check_window()?;
    let names = [&trigger.after, &trigger.expect, &trigger.for_each];
    let wanted = || std::iter::once(&trigger.r#match).chain(trigger.match_related.all());
    let values = names.iter().map(|list| list.len()).sum::<usize>()
        + wanted().map(|one| one.values()).sum::<usize>();
    at_most(
        "names, labels and patterns in a trigger",
        values,
        MOST_VALUES,
    )?;
    let mut patterns = trigger.after.iter().chain(&trigger.expect);
    let is_cheap = wanted().all(|one| one.is_cheap()) && patterns.all(|one| is_cheap(one));
    match is_cheap {
        true => Ok(()),
        false => Err("A pattern of an automation has at most 8 `*`.".to_owned()),
    }
}
