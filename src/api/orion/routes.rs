//! The routes of the 2.0a7 dialect.

use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::shapes::{FILTERS, SHAPES, filtered, like, lines};
use super::wire::{
    BucketOut, DecisionOut, DependencyOut, DeploymentOut, FlowOut, FlowRunOut, LogOut,
    SavedSearchOut, StateOut, TaskRunOut,
};
use super::{
    admin, data, deployments, flow_runs, flows, logs, saved_searches, settings, states, task_runs,
};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::api::dialect::ORION;

/// Every route, each noun's handlers in its own file.
pub fn all() -> Routes {
    let routes = Routes::below(ORION);
    let routes = SHAPES.iter().fold(routes, |routes, (name, fields)| {
        routes.name(&format!("orion.{name}"), like(fields))
    });
    let routes = about_the_server(routes);
    let routes = about_flows(routes);
    let routes = about_deployments(routes);
    let routes = about_flow_runs(routes);
    let routes = about_task_runs(routes);
    about_searches_and_logs(routes)
}

fn about_the_server(routes: Routes) -> Routes {
    routes
        .add(
            "GET /admin/hello",
            "Waves",
            Talk::plain("string").needs(Need::Inspect),
            get(admin::hello),
        )
        .add(
            "GET /admin/version",
            "Tells the version of Prefect that is spoken",
            Talk::plain("string").needs(Need::Inspect),
            get(admin::version),
        )
        .add(
            "GET /admin/settings",
            "Tells the settings of the server",
            Talk::plain("object").needs(Need::Inspect),
            get(settings::read),
        )
        .add(
            "GET /health",
            "Tells that the process answers",
            Talk::plain("boolean").needs(Need::Nothing),
            get(admin::health),
        )
        .add(
            "GET /ready",
            "Tells that the database takes writes",
            Talk::plain("boolean").needs(Need::Read),
            get(admin::ready),
        )
        .add(
            "POST /admin/database/clear",
            "Empties the database",
            Talk::silent().asks_like(like("confirm?: boolean")),
            post(admin::clear),
        )
        .add(
            "POST /admin/database/drop",
            "Empties the database",
            Talk::silent().asks_like(like("confirm?: boolean")),
            post(admin::clear),
        )
        .add(
            "POST /admin/database/create",
            "Makes sure that the tables are there",
            Talk::silent().asks_like(like("confirm?: boolean")),
            post(admin::create),
        )
        .add(
            "POST /data/persist",
            "Keeps the body as a document",
            Talk::plain("object").needs(Need::Persist),
            post(data::persist),
        )
        .add(
            "POST /data/retrieve",
            "Answers what a document kept here holds",
            Talk::plain("any")
                .asks_like(like("encoding: string, blob: string"))
                .needs(Need::Fetch),
            post(data::retrieve),
        )
}

fn about_flows(routes: Routes) -> Routes {
    routes
        .add(
            "POST /flows/",
            "Creates a flow, or answers the one that is there",
            Talk::made::<FlowOut>()
                .asks_like(like("name: string, tags?: [string]"))
                .needs(Need::RegisterFlow),
            post(flows::create),
        )
        .add(
            "POST /flows/filter",
            "Finds flows",
            Talk::many::<FlowOut>()
                .asks_like(filtered("limit?: integer, offset?: integer"))
                .needs(Need::Read),
            post(flows::filter).merge(a_flow()),
        )
        .add(
            "POST /flows/count",
            "Counts flows",
            Talk::plain("integer")
                .asks_like(like(FILTERS))
                .needs(Need::Read),
            post(flows::count).merge(a_flow()),
        )
        .add(
            "GET /flows/name/{name}",
            "Reads a flow by its name",
            Talk::one::<FlowOut>().needs(Need::Read),
            get(flows::read_by_name),
        )
        .add(
            "GET /flows/{id}",
            "Reads a flow",
            Talk::one::<FlowOut>().needs(Need::Read),
            get(flows::read),
        )
        .add(
            "PATCH /flows/{id}",
            "Changes a flow",
            Talk::silent().asks_like(like("tags?: [string]")),
            patch(flows::update),
        )
        .add(
            "DELETE /flows/{id}",
            "Deletes a flow",
            Talk::silent(),
            delete(flows::delete),
        )
}

fn about_deployments(routes: Routes) -> Routes {
    routes
        .add("POST /deployments/", "Creates a deployment, or answers the one that is there", Talk::made::<DeploymentOut>().asks_like(like("name: string, flow_id: uuid, flow_data: Document, schedule?: object, is_schedule_active?: boolean, parameters?: object, tags?: [string], flow_runner?: FlowRunner")), post(deployments::create))
        .add("POST /deployments/filter", "Finds deployments", Talk::many::<DeploymentOut>().asks_like(filtered("limit?: integer, offset?: integer")).needs(Need::Read), post(deployments::filter).merge(a_deployment()))
        .add("POST /deployments/count", "Counts deployments", Talk::plain("integer").asks_like(like(FILTERS)).needs(Need::Read), post(deployments::count).merge(a_deployment()))
        .add("GET /deployments/name/{flow_name}/{deployment_name}", "Reads a deployment by its names", Talk::one::<DeploymentOut>().needs(Need::Read), get(deployments::read_by_name))
        .add("GET /deployments/{id}", "Reads a deployment", Talk::one::<DeploymentOut>().needs(Need::Read), get(deployments::read))
        .add("DELETE /deployments/{id}", "Deletes a deployment", Talk::silent(), delete(deployments::delete))
        .add("POST /deployments/{id}/schedule", "Makes the runs of a range of its schedule", Talk::plain("any").asks_like(like("start_time?: datetime, end_time?: datetime, max_runs?: integer")), post(deployments::schedule))
        .add("POST /deployments/{id}/set_schedule_active", "Switches its schedule on", Talk::plain("any"), post(deployments::set_schedule_active))
        .add("POST /deployments/{id}/set_schedule_inactive", "Switches its schedule off", Talk::plain("any"), post(deployments::set_schedule_inactive))
        .add("POST /deployments/{id}/create_flow_run", "Runs a deployment", Talk::made::<FlowRunOut>().asks_like(like("name?: string, parameters?: object, context?: object, tags?: [string], idempotency_key?: string, flow_runner?: FlowRunner, state?: StateCreate")).needs(Need::RunOfDeployment), post(deployments::create_flow_run))
}

fn about_flow_runs(routes: Routes) -> Routes {
    routes
        .add("POST /flow_runs/", "Creates a flow run, or answers the one that is there", Talk::made::<FlowRunOut>().asks_like(like("name?: string, flow_id: uuid, deployment_id?: uuid, flow_version?: string, parameters?: object, idempotency_key?: string, context?: object, tags?: [string], parent_task_run_id?: uuid, flow_runner?: FlowRunner, state?: StateCreate")).needs(Need::NewFlowRun), post(flow_runs::create))
        .add("POST /flow_runs/filter", "Finds flow runs", Talk::many::<FlowRunOut>().asks_like(filtered("sort?: string, limit?: integer, offset?: integer")).needs(Need::Read), post(flow_runs::filter).merge(a_flow_run()))
        .add("POST /flow_runs/count", "Counts flow runs", Talk::plain("integer").asks_like(like(FILTERS)).needs(Need::Read), post(flow_runs::count).merge(a_flow_run()))
        .add("POST /flow_runs/history", "Counts flow runs by time and state", Talk::many::<BucketOut>().asks_like(filtered("history_start: datetime, history_end: datetime, history_interval_seconds: number")).needs(Need::Read), post(flow_runs::history).merge(a_flow_run()))
        .add("GET /flow_runs/{id}", "Reads a flow run", Talk::one::<FlowRunOut>().needs(Need::Read), get(flow_runs::read))
        .add("PATCH /flow_runs/{id}", "Changes a flow run", Talk::silent().asks_like(like("name?: string, flow_version?: string, parameters?: object, flow_runner?: FlowRunner")).needs(Need::ChangeFlowRun), patch(flow_runs::update))
        .add("DELETE /flow_runs/{id}", "Deletes a flow run", Talk::silent(), delete(flow_runs::delete))
        .add("GET /flow_runs/{id}/graph", "Lists its task runs, each with those whose results it takes", Talk::many::<DependencyOut>().needs(Need::Read), get(flow_runs::graph))
        .add("POST /flow_runs/{id}/set_state", "Proposes a state; the rules decide", Talk::made::<DecisionOut>().asks_like(like("state: StateCreate, force?: boolean")).needs(Need::StateOfFlowRun), post(flow_runs::set_state))
        .add("GET /flow_run_states/", "Lists the states of a flow run", Talk::many::<StateOut>().needs(Need::Read), get(states::of_flow_run))
        .add("GET /flow_run_states/{id}", "Reads a state of a flow run", Talk::one::<StateOut>().needs(Need::Read), get(states::read_of_flow_run))
}

fn about_task_runs(routes: Routes) -> Routes {
    routes
        .add("POST /task_runs/", "Creates a task run, or answers the one that is there", Talk::made::<TaskRunOut>().asks_like(like("name?: string, flow_run_id: uuid, task_key: string, dynamic_key: string, cache_key?: string, cache_expiration?: datetime, task_version?: string, empirical_policy?: object, tags?: [string], task_inputs?: object, state?: StateCreate")).needs(Need::NewTaskRun), post(task_runs::create))
        .add("POST /task_runs/filter", "Finds task runs", Talk::many::<TaskRunOut>().asks_like(filtered("sort?: string, limit?: integer, offset?: integer")).needs(Need::Read), post(task_runs::filter).merge(a_task_run()))
        .add("POST /task_runs/count", "Counts task runs", Talk::plain("integer").asks_like(like(FILTERS)).needs(Need::Read), post(task_runs::count).merge(a_task_run()))
        .add("POST /task_runs/history", "Counts task runs by time and state", Talk::many::<BucketOut>().asks_like(filtered("history_start: datetime, history_end: datetime, history_interval_seconds: number")).needs(Need::Read), post(task_runs::history).merge(a_task_run()))
        .add("GET /task_runs/{id}", "Reads a task run", Talk::one::<TaskRunOut>().needs(Need::Read), get(task_runs::read))
        .add("DELETE /task_runs/{id}", "Deletes a task run", Talk::silent(), delete(task_runs::delete))
        .add("POST /task_runs/{id}/set_state", "Proposes a state; the rules decide", Talk::made::<DecisionOut>().asks_like(like("state: StateCreate, force?: boolean")).needs(Need::StateOfTaskRun), post(task_runs::set_state))
        .add("GET /task_run_states/", "Lists the states of a task run", Talk::many::<StateOut>().needs(Need::Read), get(states::of_task_run))
        .add("GET /task_run_states/{id}", "Reads a state of a task run", Talk::one::<StateOut>().needs(Need::Read), get(states::read_of_task_run))
}

fn about_searches_and_logs(routes: Routes) -> Routes {
    routes
        .add(
            "PUT /saved_searches/",
            "Saves a search under its name",
            Talk::made::<SavedSearchOut>().asks_like(like("name: string, filters?: object")),
            put(saved_searches::save),
        )
        .add(
            "POST /saved_searches/filter",
            "Lists saved searches",
            Talk::many::<SavedSearchOut>()
                .asks_like(like("limit?: integer, offset?: integer"))
                .needs(Need::Read),
            post(saved_searches::filter).merge(a_saved_search()),
        )
        .add(
            "GET /saved_searches/{id}",
            "Reads a saved search",
            Talk::one::<SavedSearchOut>().needs(Need::Read),
            get(saved_searches::read),
        )
        .add(
            "DELETE /saved_searches/{id}",
            "Deletes a saved search",
            Talk::silent(),
            delete(saved_searches::delete),
        )
        .add(
            "POST /logs/",
            "Keeps log lines",
            Talk::plain("any").asks_like(lines()).needs(Need::Lines),
            post(logs::create),
        )
        .add(
            "POST /logs/filter",
            "Finds log lines",
            Talk::many::<LogOut>()
                .asks_like(like(
                    "sort?: string, limit?: integer, offset?: integer, logs?: LogFilter",
                ))
                .needs(Need::Read),
            post(logs::filter),
        )
}

// What can be done with one of a noun. Words such as `count` lie where ids do: whatever the
// word's own route does not take is taken as an id, which it is not.

fn a_flow() -> MethodRouter<Ctx> {
    get(flows::read).patch(flows::update).delete(flows::delete)
}

fn a_deployment() -> MethodRouter<Ctx> {
    get(deployments::read).delete(deployments::delete)
}

fn a_flow_run() -> MethodRouter<Ctx> {
    get(flow_runs::read)
        .patch(flow_runs::update)
        .delete(flow_runs::delete)
}

fn a_task_run() -> MethodRouter<Ctx> {
    get(task_runs::read).delete(task_runs::delete)
}

fn a_saved_search() -> MethodRouter<Ctx> {
    get(saved_searches::read).delete(saved_searches::delete)
}
