//! What `tests/fuzz` calls: each reader of this dialect over one body.

use serde::de::DeserializeOwned;

use super::extract::{self, AimedBody};
use super::{
    admin, artifacts, automations, blocks, bulk, concurrency, deployments, events, flow_runs,
    flows, saved_searches, slots, wire, work_pools, work_queues, workers,
};
use crate::domain::automation::{NewAutomation, PlanUpdate, jinja};
use crate::domain::block::{NewBlockDocument, NewBlockSchema, NewBlockType, checksum};
use crate::domain::event::Event;
use crate::domain::template::check_base;
use crate::domain::time::Timestamp;
use crate::domain::work::{NewWorkPool, NewWorkQueue, WorkPoolUpdate, WorkQueueUpdate};

/// Reads a body in every way that a route of this dialect does.
pub fn read(body: &[u8]) {
    runs(body);
    planned(body);
    agents(body);
    many(body);
    work(body);
    automated(body);
    told(body);
    kept(body);
    limited(body);
}

fn runs(body: &[u8]) {
    one::<wire::Query>(body).map(wire::Query::filters);
    one::<wire::SetState>(body).map(AimedBody::meaning);
    one::<wire::State>(body).map(wire::State::into_domain);
    one::<wire::RunRequest>(body).map(AimedBody::meaning);
    one::<wire::FlowRunCreate>(body).map(AimedBody::meaning);
    one::<wire::FlowRunUpdate>(body).map(AimedBody::meaning);
    one::<flow_runs::create::LabelsUpdate>(body).map(AimedBody::meaning);
    one::<flow_runs::inputs::RunInputCreate>(body).map(AimedBody::meaning);
    one::<flow_runs::inputs::RunInputQuery>(body);
    one::<flow_runs::resume::Resume>(body).map(AimedBody::meaning);
    one::<wire::TaskRunCreate>(body).map(AimedBody::meaning);
    one::<wire::HistoryQuery>(body);
    one::<wire::PageQuery>(body);
}

fn planned(body: &[u8]) {
    let now = Timestamp::from_micros(0);
    one::<wire::DeploymentCreate>(body).map(|it| it.meaning(now, None));
    one::<wire::DeploymentUpdate>(body).map(|it| it.meaning(now, None));
    one::<wire::ScheduleCreate>(body).map(|it| it.meaning(now));
    one::<Vec<wire::ScheduleCreate>>(body);
    one::<wire::ScheduleUpdate>(body).map(|it| it.meaning(now));
    one::<deployments::wire::ScheduleRange>(body).map(|it| it.meaning());
    one::<deployments::wire::DueQuery>(body).map(|it| it.parts());
    one::<wire::FlowCreate>(body);
    one::<flows::wire::FlowUpdate>(body);
}

fn agents(body: &[u8]) {
    one::<wire::Ids>(body);
    one::<wire::CheckupIn>(body);
    one::<wire::AgentReport>(body);
    one::<wire::ReportIn>(body);
    one::<wire::ClaimIn>(body);
    one::<wire::MadeIn>(body);
    one::<wire::KeyIn>(body);
    one::<wire::EndIn>(body);
    one::<admin::wire::ResultStorageUpdate>(body);
}

fn many(body: &[u8]) {
    one::<bulk::wire::BulkFlows>(body).map(|it| it.parts());
    one::<bulk::wire::BulkDeployments>(body).map(|it| it.parts());
    one::<bulk::wire::BulkFlowRuns>(body).map(|it| it.parts());
    one::<bulk::wire::BulkSetState>(body).map(|it| it.parts());
    one::<Vec<wire::RunRequest>>(body);
}

fn work(body: &[u8]) {
    let pool = one::<work_pools::wire::WorkPoolCreate>(body).map(NewWorkPool::try_from);
    pool.and_then(Result::ok)
        .map(|pool| check_base(&pool.base_job_template));
    one::<work_pools::wire::WorkPoolChanges>(body).map(WorkPoolUpdate::try_from);
    one::<wire::WorkPoolQuery>(body).map(wire::WorkPoolQuery::parts);
    one::<work_queues::wire::WorkQueueCreate>(body).map(NewWorkQueue::try_from);
    one::<work_queues::wire::WorkQueueChanges>(body).map(WorkQueueUpdate::try_from);
    one::<wire::WorkQueueQuery>(body).map(wire::WorkQueueQuery::parts);
    one::<work_queues::runs::ScheduledQuery>(body);
    one::<work_queues::runs::QueueRunsQuery>(body);
    one::<workers::wire::Heartbeat>(body);
    one::<wire::WorkerQuery>(body).map(wire::WorkerQuery::parts);
    one::<slots::PoolQuery>(body);
    one::<slots::QueueQuery>(body);
}

fn automated(body: &[u8]) {
    let new = one::<automations::wire::AutomationCreate>(body).map(NewAutomation::from);
    new.map(|new| new.plan.checked());
    let update = one::<automations::wire::AutomationUpdate>(body).map(PlanUpdate::from);
    update.map(PlanUpdate::checked);
    one::<wire::AutomationChanges>(body);
    one::<wire::AutomationQuery>(body).map(wire::AutomationQuery::parts);
    one::<automations::wire::Template>(body).map(|template| jinja::check(&template.0));
}

fn told(body: &[u8]) {
    let now = Timestamp::from_micros(0);
    one::<events::wire::EventIn>(body).map(Event::try_from);
    one::<Vec<events::wire::EventIn>>(body).map(AimedBody::meaning);
    one::<events::filter::EventFilter>(body).map(|it| it.asked(now));
    one::<events::filter::EventQuery>(body);
    one::<events::count::CountQuery>(body);
    one::<wire::LogQuery>(body).map(wire::LogQuery::parts);
    one::<wire::LogCreate>(body).map(|line| vec![line].meaning());
    one::<Vec<wire::LogCreate>>(body).map(AimedBody::meaning);
    one::<wire::LinesQuery>(body);
    one::<wire::NewsQuery>(body);
}

fn kept(body: &[u8]) {
    one::<artifacts::wire::ArtifactCreate>(body).map(AimedBody::meaning);
    one::<artifacts::wire::ArtifactChanges>(body).map(AimedBody::meaning);
    one::<artifacts::filter::ArtifactQuery>(body).map(|it| it.parts());
    one::<artifacts::filter::LatestQuery>(body).map(|it| it.parts());
    one::<blocks::wire::BlockTypeCreate>(body).map(NewBlockType::from);
    one::<blocks::wire::BlockTypeChanges>(body);
    let schema = one::<blocks::wire::BlockSchemaCreate>(body).map(NewBlockSchema::from);
    schema.map(|schema| (schema.check(), checksum(&schema.fields)));
    one::<blocks::document_wire::BlockDocumentCreate>(body).map(NewBlockDocument::from);
    one::<blocks::document_wire::BlockDocumentChanges>(body);
    one::<blocks::filter::TypeQuery>(body).map(|it| it.parts());
    one::<blocks::filter::SchemaQuery>(body).map(|it| it.parts());
    one::<blocks::filter::DocumentQuery>(body).map(|it| it.parts());
    one::<super::variables::wire::VariableCreate>(body);
    one::<super::variables::wire::VariableChanges>(body);
    one::<wire::VariableQuery>(body).map(wire::VariableQuery::parts);
    one::<saved_searches::SavedSearchCreate>(body);
    one::<saved_searches::SavedSearchQuery>(body);
}

fn limited(body: &[u8]) {
    one::<concurrency::wire::LimitCreate>(body);
    one::<concurrency::wire::LimitChanges>(body);
    one::<concurrency::wire::LimitPage>(body).map(|it| it.page());
    one::<concurrency::slots::SlotsWanted>(body).map(|it| it.asked());
    one::<concurrency::slots::SlotsBack>(body).map(|it| it.parts());
    one::<concurrency::slots::Release>(body);
    one::<concurrency::slots::LeaseTime>(body);
    one::<concurrency::tags::TagLimitCreate>(body);
    one::<concurrency::tags::TagReset>(body);
    one::<concurrency::tags::TagSlots>(body);
}

fn one<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    extract::read(body).ok().map(extract::Read::into_value)
}
