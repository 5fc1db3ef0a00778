//! What of runs is shown to whom: who only looks sees no secrets, as in the API.

use std::collections::HashSet;

use crate::api::redaction::{Mask, Reader, Redact};
use crate::app::LimitNow;
use crate::domain::flow::Flow;
use crate::domain::flow_run::FlowRun;
use crate::domain::graph::Graph;
use crate::domain::ids::FlowRunId;
use crate::domain::log::Log;
use crate::domain::state::State;
use crate::domain::task_run::TaskRun;
use crate::domain::why::Why;

fn mask_state(mask: &Mask<'_>, state: &mut State) {
    let State {
        id: _,
        kind: _,
        name,
        timestamp: _,
        message,
        data,
        details,
    } = state;
    mask.over(name);
    mask.over(message);
    mask.over(data);
    mask.over(&mut details.extra);
}

impl Redact for FlowRun {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_flow_run(self.id, self.deployment_id.is_some());
        for text in [
            &mut self.flow_version,
            &mut self.idempotency_key,
            &mut self.deployment_version,
            &mut self.infrastructure_pid,
        ] {
            mask.over(text);
        }
        mask.over(&mut self.name);
        for map in [
            &mut self.parameters,
            &mut self.context,
            &mut self.empirical_config,
            &mut self.labels,
        ] {
            mask.over(map);
        }
        mask.over(&mut self.tags);
        mask.over_infrastructure(&mut self.job_variables);
        mask.over_infrastructure(&mut self.infrastructure.config);
        if let Some(queue) = &mut self.queue {
            mask.over(&mut queue.name);
            mask.over(&mut queue.pool_name);
        }
        if let Some(claim) = &mut self.claim {
            mask.over(&mut claim.agent);
            mask.over(&mut claim.infrastructure_id);
        }
        if let Some(state) = &mut self.state {
            mask_state(&mask, state);
        }
    }
}

impl Redact for TaskRun {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.within_flow_run(self.spec.flow_run_id);
        let spec = &mut self.spec;
        for text in [&mut spec.name, &mut spec.task_key, &mut spec.dynamic_key] {
            mask.over(text);
        }
        mask.over(&mut spec.cache_key);
        mask.over(&mut spec.task_version);
        mask.over(&mut spec.tags);
        for map in [
            &mut spec.empirical_policy,
            &mut spec.labels,
            &mut spec.task_inputs,
        ] {
            mask.over(map);
        }
        if let Some(state) = &mut self.state {
            mask_state(&mask, state);
        }
    }
}

impl Redact for State {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.within_flow_run(self.details.flow_run_id);
        mask_state(&mask, self);
    }
}

impl Redact for Log {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.line.flow_run_id);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.within_flow_run(self.line.flow_run_id);
        mask.over(&mut self.line.name);
        mask.over(&mut self.line.message);
    }
}

impl Redact for Why {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        mask.over(&mut self.reason);
        for holder in &mut self.holders {
            mask.over(&mut holder.name);
            mask.over(&mut holder.agent);
        }
    }
}

impl Redact for Flow {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        mask.over(&mut self.name);
        mask.over(&mut self.tags);
        mask.over(&mut self.labels);
    }
}

impl Redact for LimitNow {
    fn redact(&mut self, reader: &Reader<'_>) {
        reader.of_nobody().over(&mut self.limit.name);
    }
}

impl Redact for Graph {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        self.nodes
            .iter_mut()
            .for_each(|node| mask.over(&mut node.label));
    }
}
