//! The routes of the modern dialect.

use axum::routing::{delete, get, patch, post};

use super::wire::{
    Agent, Around, Check, CheckupIn, CheckupPlan, ClaimIn, Decision, Deployment, DeploymentCreate,
    Due, EndIn, Flow, FlowCreate, FlowRun, FlowRunCreate, FlowRunUpdate, HeldRun, Ids, LinesPage,
    LinesQuery, Log, LogCreate, LogQuery, MadeIn, Named, News, OutputSeen, OutputState, Process,
    Query, Readiness, ReportIn, RunRequest, SetState, Setting, State, Status, TaskRun,
    TaskRunCreate, Why,
};
use super::{
    admin, agents, backup, checkup, deployments, flow_runs, flows, lines, logs, names, states,
    task_runs,
};
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::api::dialect::V3;

/// Every route, each noun's handlers in its own file.
pub fn all() -> Routes {
    let routes = Routes::below(V3);
    let routes = about_the_server(routes);
    let routes = about_the_daemon(routes);
    let routes = for_agents(routes);
    let routes = for_prefectctl(routes);
    let routes = about_flows(routes);
    let routes = about_deployments(routes);
    let routes = about_flow_runs(routes);
    let routes = about_task_runs(routes);
    about_logs(routes)
}

fn about_the_server(routes: Routes) -> Routes {
    routes
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
            "GET /hello",
            "Waves",
            Talk::plain("string").needs(Need::Read),
            get(admin::hello),
        )
        .add(
            "GET /version",
            "Tells the version of the API",
            Talk::plain("string").needs(Need::Read),
            get(admin::version),
        )
        .add(
            "GET /admin/version",
            "Tells the version of the API",
            Talk::plain("string").needs(Need::Inspect),
            get(admin::version),
        )
}

fn about_the_daemon(routes: Routes) -> Routes {
    routes
        .add(
            "GET /prefectd/status",
            "Tells what the daemon is doing",
            Talk::one::<Status>().needs(Need::Inspect),
            get(admin::status),
        )
        .add(
            "GET /prefectd/backup",
            "Sends an archive of the database and all documents",
            Talk::plain("string"),
            get(backup::backup),
        )
        .add(
            "POST /prefectd/doctor",
            "Looks at the database, the engine, and the API from within a container",
            Talk::many::<Check>().asks::<CheckupIn>(),
            post(checkup::checkup),
        )
        .add(
            "GET /prefectd/doctor",
            "Tells which images and networks a checkup looks at",
            Talk::one::<CheckupPlan>(),
            get(checkup::plan),
        )
        .add(
            "GET /prefectd/settings",
            "Tells the settings that are in force, and who said each",
            Talk::many::<Setting>(),
            get(checkup::settings),
        )
        .add(
            "GET /prefectd/ready",
            "Tells whether the database takes writes and the engine answers",
            Talk::one::<Readiness>().needs(Need::Inspect),
            get(admin::readiness),
        )
}

fn for_agents(routes: Routes) -> Routes {
    routes
        .add(
            "GET /prefectd/agents",
            "Lists the agents that are there",
            Talk::many::<Agent>().needs(Need::Inspect),
            get(agents::list),
        )
        .add(
            "POST /prefectd/agents/{name}/report",
            "Keeps an agent's lease, and waits for news",
            Talk::one::<News>().asks::<ReportIn>(),
            post(agents::report),
        )
        .add(
            "POST /prefectd/agents/{name}/claim",
            "Takes due runs for an agent",
            Talk::many::<HeldRun>().asks::<ClaimIn>(),
            post(agents::claim),
        )
        .add(
            "GET /prefectd/agents/{name}/runs",
            "Lists the runs that an agent holds",
            Talk::many::<HeldRun>(),
            get(agents::held),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/made",
            "Notes what an agent made for a run",
            Talk::silent().asks::<MadeIn>(),
            post(agents::made),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/end",
            "Ends a run that an agent holds",
            Talk::plain("boolean").asks::<EndIn>(),
            post(agents::end),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/output_kept",
            "Notes that all that a run's process printed is stored",
            Talk::silent(),
            post(agents::output_kept),
        )
        .add(
            "GET /prefectd/due",
            "Tells when a run is due next",
            Talk::one::<Due>().needs(Need::Inspect),
            get(agents::due),
        )
        .add(
            "GET /prefectd/flow_runs/{id}/output_seen",
            "Tells how much of a run's output is stored",
            Talk::one::<OutputSeen>().needs(Need::Inspect),
            get(agents::output_seen),
        )
        .add(
            "GET /prefectd/flow_runs/{id}/why",
            "Tells why a run is not further than it is",
            Talk::one::<Why>().needs(Need::Inspect),
            get(agents::why),
        )
}

fn for_prefectctl(routes: Routes) -> Routes {
    routes
        .add(
            "GET /prefectd/ids/{noun}/{beginning}",
            "Finds flows, deployments, flow_runs or task_runs by the beginning of their ids",
            Talk::many::<Named>().needs(Need::Inspect),
            get(names::beginning),
        )
        .add(
            "POST /prefectd/ids/{noun}/lengths",
            "Tells how many characters of each id tell it from all others",
            Talk::plain("any").asks::<Ids>().needs(Need::Inspect),
            post(names::lengths),
        )
        .add(
            "POST /prefectd/deployments/around",
            "Tells which run of each deployment is next, and which was last",
            Talk::many::<Around>().asks::<Ids>().needs(Need::Inspect),
            post(names::around),
        )
        .add(
            "POST /prefectd/logs/page",
            "Reads a run's log from a place on, or what has arrived since",
            Talk::one::<LinesPage>()
                .asks::<LinesQuery>()
                .needs(Need::Inspect),
            post(lines::page),
        )
        .add(
            "POST /prefectd/flow_runs/{id}/cancel",
            "Ends a flow run unless it has ended, by way of Cancelling where it has a process",
            Talk::made::<Decision>(),
            post(flow_runs::cancel),
        )
        .add(
            "GET /prefectd/flow_runs/{id}/output",
            "Tells whether a run's log is complete",
            Talk::one::<OutputState>().needs(Need::Inspect),
            get(lines::output),
        )
        .add(
            "GET /prefectd/processes",
            "Lists the runs that have processes, and what these use",
            Talk::many::<Process>().needs(Need::Inspect),
            get(lines::processes),
        )
}

fn about_flows(routes: Routes) -> Routes {
    routes
        .add(
            "POST /flows/",
            "Creates a flow, or answers the one that is there",
            Talk::made::<Flow>()
                .asks::<FlowCreate>()
                .needs(Need::RegisterFlow),
            post(flows::create),
        )
        .add(
            "POST /flows/filter",
            "Finds flows",
            Talk::many::<Flow>().asks::<Query>().needs(Need::Read),
            post(flows::filter),
        )
        .add(
            "POST /flows/count",
            "Counts flows",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(flows::count),
        )
        .add(
            "GET /flows/{id}",
            "Reads a flow",
            Talk::one::<Flow>().needs(Need::Read),
            get(flows::read),
        )
        .add(
            "DELETE /flows/{id}",
            "Deletes a flow; one that has deployments only with ?force=true",
            Talk::silent(),
            delete(flows::delete),
        )
        .add(
            "GET /flows/name/{name}",
            "Reads a flow by its name",
            Talk::one::<Flow>().needs(Need::Read),
            get(flows::read_by_name),
        )
}

fn about_deployments(routes: Routes) -> Routes {
    routes
        .add(
            "POST /deployments/",
            "Creates a deployment, or answers the one that is there",
            Talk::made::<Deployment>().asks::<DeploymentCreate>(),
            post(deployments::create),
        )
        .add(
            "POST /deployments/filter",
            "Finds deployments",
            Talk::many::<Deployment>().asks::<Query>().needs(Need::Read),
            post(deployments::filter),
        )
        .add(
            "POST /deployments/count",
            "Counts deployments",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(deployments::count),
        )
        .add(
            "GET /deployments/{id}",
            "Reads a deployment",
            Talk::one::<Deployment>().needs(Need::Read),
            get(deployments::read),
        )
        .add(
            "DELETE /deployments/{id}",
            "Deletes a deployment",
            Talk::silent(),
            delete(deployments::delete),
        )
        .add(
            "GET /deployments/name/{flow_name}/{deployment_name}",
            "Reads a deployment by its names",
            Talk::one::<Deployment>().needs(Need::Read),
            get(deployments::read_by_name),
        )
        .add(
            "POST /deployments/{id}/create_flow_run",
            "Runs a deployment",
            Talk::made::<FlowRun>()
                .asks::<RunRequest>()
                .needs(Need::RunOfDeployment),
            post(deployments::create_flow_run),
        )
        .add(
            "POST /deployments/{id}/pause_deployment",
            "Switches its schedule off",
            Talk::plain("any"),
            post(deployments::pause),
        )
        .add(
            "POST /deployments/{id}/resume_deployment",
            "Switches its schedule on",
            Talk::plain("any"),
            post(deployments::resume),
        )
}

fn about_flow_runs(routes: Routes) -> Routes {
    routes
        .add(
            "POST /flow_runs/",
            "Creates a flow run, or answers the one that is there",
            Talk::made::<FlowRun>()
                .asks::<FlowRunCreate>()
                .needs(Need::NewFlowRun),
            post(flow_runs::create),
        )
        .add(
            "POST /flow_runs/filter",
            "Finds flow runs",
            Talk::many::<FlowRun>().asks::<Query>().needs(Need::Read),
            post(flow_runs::filter),
        )
        .add(
            "POST /flow_runs/count",
            "Counts flow runs",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(flow_runs::count),
        )
        .add(
            "GET /flow_runs/{id}",
            "Reads a flow run",
            Talk::one::<FlowRun>().needs(Need::Read),
            get(flow_runs::read),
        )
        .add(
            "PATCH /flow_runs/{id}",
            "Changes a flow run",
            Talk::silent()
                .asks::<FlowRunUpdate>()
                .needs(Need::ChangeFlowRun),
            patch(flow_runs::update),
        )
        .add(
            "DELETE /flow_runs/{id}",
            "Deletes a flow run",
            Talk::silent(),
            delete(flow_runs::delete),
        )
        .add(
            "POST /flow_runs/{id}/set_state",
            "Proposes a state; the rules decide",
            Talk::made::<Decision>()
                .asks::<SetState>()
                .needs(Need::StateOfFlowRun),
            post(flow_runs::set_state),
        )
        .add(
            "GET /flow_run_states/",
            "Lists the states of a flow run",
            Talk::many::<State>().needs(Need::Read),
            get(states::of_flow_run),
        )
        .add(
            "GET /flow_run_states/{id}",
            "Reads a state of a flow run",
            Talk::one::<State>().needs(Need::Read),
            get(states::read_of_flow_run),
        )
}

fn about_task_runs(routes: Routes) -> Routes {
    routes
        .add(
            "POST /task_runs/",
            "Creates a task run, or answers the one that is there",
            Talk::made::<TaskRun>()
                .asks::<TaskRunCreate>()
                .needs(Need::NewTaskRun),
            post(task_runs::create),
        )
        .add(
            "POST /task_runs/filter",
            "Finds task runs",
            Talk::many::<TaskRun>().asks::<Query>().needs(Need::Read),
            post(task_runs::filter),
        )
        .add(
            "POST /task_runs/count",
            "Counts task runs",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(task_runs::count),
        )
        .add(
            "GET /task_runs/{id}",
            "Reads a task run",
            Talk::one::<TaskRun>().needs(Need::Read),
            get(task_runs::read),
        )
        .add(
            "DELETE /task_runs/{id}",
            "Deletes a task run",
            Talk::silent(),
            delete(task_runs::delete),
        )
        .add(
            "POST /task_runs/{id}/set_state",
            "Proposes a state; the rules decide",
            Talk::made::<Decision>()
                .asks::<SetState>()
                .needs(Need::StateOfTaskRun),
            post(task_runs::set_state),
        )
        .add(
            "GET /task_run_states/",
            "Lists the states of a task run",
            Talk::many::<State>().needs(Need::Read),
            get(states::of_task_run),
        )
        .add(
            "GET /task_run_states/{id}",
            "Reads a state of a task run",
            Talk::one::<State>().needs(Need::Read),
            get(states::read_of_task_run),
        )
}

fn about_logs(routes: Routes) -> Routes {
    routes
        .add(
            "POST /logs/",
            "Keeps log lines",
            Talk::plain("any")
                .asks_many::<LogCreate>()
                .needs(Need::Lines),
            post(logs::create),
        )
        .add(
            "POST /logs/filter",
            "Finds log lines",
            Talk::many::<Log>().asks::<LogQuery>().needs(Need::Read),
            post(logs::filter),
        )
}
