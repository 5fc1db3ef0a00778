//! Going on after a pause.

use super::flow_runs::{of_request, read};
use super::inputs;
use super::propose_state::{self, Decision, Outcome};
use crate::app::App;
use crate::app::tx::Tx;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::parameters::{Required, Unfit};
use crate::domain::rules::{Client, Generation, Policy};
use crate::domain::run_input::NewRunInput;
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::weight;
use crate::storage::{Job, run_inputs, states};

/// What became of a wish that a run go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Resumed {
    /// It was proposed.
    Decided(Decision),
    /// It was not: the pause waits for other input.
    Unfit {
        /// Why the input does not do.
        why: String,
        /// Where the run stands.
        paused: State,
    },
}

impl App {
    /// Has a paused run go on: in its process where that waits for it, or by a new one. A pause
    /// that waits for input is given it, where it conforms to the schema that the run handed in;
    /// input that says how its values are made gives way to those.
    pub async fn resume_flow_run(
        &self,
        id: FlowRunId,
        mut input: JsonMap,
        client: Client,
    ) -> Result<Resumed> {
        let seen = self.flow_run(id).await?.state;
        let paused = seen.as_ref();
        if let Some(paused) = paused.filter(|state| state.kind == StateType::Paused)
            && let Some(keys) = &paused.details.run_input_keyset
        {
            let key = keys.get("schema").cloned().unwrap_or_default();
            match self.fit(id, key, input).await? {
                Ok(fit) => input = fit,
                Err(why) => {
                    let paused = paused.clone();
                    return Ok(Resumed::Unfit { why, paused });
                }
            }
        }
        let bytes = weight::of_map(&input);
        let decision = self.write_as(Job::prompt(bytes), move |tx| {
            let run = read(tx.db, id)?;
            resume(tx, &run, seen.as_ref(), &input, client)
        });
        decision.await.map(Resumed::Decided)
    }

    /// The input with its values made, where it conforms to the schema that the run keeps under
    /// that key; otherwise why it does not.
    async fn fit(
        &self,
        id: FlowRunId,
        key: String,
        input: JsonMap,
    ) -> Result<Result<JsonMap, String>> {
        let input = match self.hydrated(input).await? {
            Ok(input) => input,
            Err(dry) => return Ok(Err(format!("Error hydrating run input: {dry}"))),
        };
        let stored = self.by_key(move |db| run_inputs::by_key(db, id, &key));
        let Some(stored) = stored.await? else {
            return Ok(Err("Run input schema not found.".to_owned()));
        };
        let Ok(schema) = serde_json::from_str::<JsonMap>(&stored.value) else {
            return Ok(Err("Run input schema is not valid JSON.".to_owned()));
        };
        let checked = self.conforms(input.clone(), schema, Required::Yes).await?;
        Ok(match checked {
            Ok(()) => Ok(input),
            Err(circular @ Unfit::Circular) => Err(circular.to_string()),
            Err(unfit) => Err(format!("Reason: {unfit}")),
        })
    }
}

fn resume(
    tx: &mut Tx<'_>,
    run: &FlowRun,
    seen: Option<&State>,
    input: &JsonMap,
    client: Client,
) -> Result<Decision> {
    let policy = Policy::Normal(Generation::V3);
    let current = run.state.as_ref();
    let paused = current.filter(|state| state.kind == StateType::Paused);
    let proposed = match paused.is_some_and(|state| state.details.pause_reschedule) {
        true => ProposedState::scheduled(tx.now).named("Resuming"),
        false => ProposedState::new(StateType::Running),
    };
    let proposed = of_request(tx, proposed);
    let is_answered = match proposed.id {
        Some(id) => states::of_flow_run_by_id(tx.db, id)?.is_some(),
        None => false,
    };
    if is_answered {
        return propose_state::for_flow_run(tx, run, proposed, policy, client);
    }
    let Some(paused) = paused else {
        let why = "Cannot resume a flow run that is not paused.".to_owned();
        return Ok(Decision {
            state: None,
            outcome: Outcome::Aborted { why, current: None },
        });
    };
    if seen.map(|state| state.id) != Some(paused.id) {
        // Rare, and right when it is tried again.
        return Err(Error::new(
            Kind::Unavailable,
            "The run has just come to another pause; try again.",
        ));
    }
    let decision = propose_state::for_flow_run(tx, run, proposed, policy, client)?;
    let keys = paused.details.run_input_keyset.as_ref();
    let key = keys.and_then(|keys| keys.get("response"));
    if let Some(key) = key.filter(|_| decision.outcome == Outcome::Accepted && !input.is_empty()) {
        hand_in(tx, run.id, key.clone(), input)?;
    }
    Ok(decision)
}

fn hand_in(tx: &Tx<'_>, id: FlowRunId, key: String, input: &JsonMap) -> Result<()> {
    let value = serde_json::to_string(input).map_err(Error::internal)?;
    let sender = None;
    let new = NewRunInput { key, value, sender };
    new.check()?;
    // What lay there is of an earlier attempt.
    run_inputs::delete(tx.db, id, &new.key)?;
    inputs::insert(tx.db, id, &new, tx.now)?;
    Ok(())
}
