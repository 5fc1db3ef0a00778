//! What `tests/fuzz` calls: each reader of this dialect over one body.

use serde::de::DeserializeOwned;

use super::extract::{self, AimedBody};
use super::wire;

/// Reads a body in every way that a route of this dialect does.
pub fn read(body: &[u8]) {
    one::<wire::Query>(body).map(wire::Query::filters);
    one::<wire::LogQuery>(body).map(wire::LogQuery::parts);
    one::<wire::SetState>(body).map(AimedBody::meaning);
    one::<wire::State>(body).map(wire::State::into_domain);
    let now = crate::domain::time::Timestamp::from_micros(0);
    one::<wire::DeploymentCreate>(body).map(|it| it.meaning(now, None));
    one::<wire::DeploymentUpdate>(body).map(|it| it.meaning(now, None));
    one::<wire::ScheduleCreate>(body).map(|it| it.meaning(now));
    one::<wire::RunRequest>(body).map(AimedBody::meaning);
    one::<wire::FlowRunCreate>(body).map(AimedBody::meaning);
    one::<wire::FlowRunUpdate>(body).map(AimedBody::meaning);
    one::<wire::TaskRunCreate>(body).map(AimedBody::meaning);
    one::<wire::LogCreate>(body).map(|line| vec![line].meaning());
    one::<Vec<wire::LogCreate>>(body).map(AimedBody::meaning);
    one::<wire::FlowCreate>(body);
    one::<wire::LinesQuery>(body);
    one::<wire::Ids>(body);
    one::<wire::CheckupIn>(body);
    one::<wire::AgentReport>(body);
    one::<wire::ReportIn>(body);
    one::<wire::ClaimIn>(body);
    one::<wire::MadeIn>(body);
    one::<wire::KeyIn>(body);
    one::<wire::EndIn>(body);
}

fn one<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    extract::read(body).ok().map(extract::Read::into_value)
}
