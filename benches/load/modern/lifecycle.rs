//! A run's whole life as a 3.9.1 engine tells it: over HTTP, and over a websocket of the run's own.

use anyhow::ensure;
use uuid::Uuid;

use super::bodies;
use super::events::{self, Run};
use super::socket::Socket;
use crate::call::FRESH;
use crate::http::Client;
use crate::orion::lifecycle::{LINES, TASKS};

/// From creation to reading back the completed run. Any answer that is not the expected one
/// is a failure of the whole.
pub async fn live(mut client: Client, flow: String) -> anyhow::Result<Client> {
    run(&mut client, flow).await?;
    Ok(client)
}

/// The same, and which run it was.
pub async fn run(client: &mut Client, flow: String) -> anyhow::Result<Run> {
    let run = created(client, flow).await?;
    set_state(client, "PENDING", "Pending", &run.id).await?;
    set_state(client, "RUNNING", "Running", &run.id).await?;
    let mut socket = Socket::open(client.address(), "/events/in").await?;
    for key in 0..TASKS {
        for event in events::task_run(&run, key) {
            socket.say(&event).await?;
        }
    }
    socket.checkpoint().await?;
    socket.close().await?;
    let lines = bodies::logs(&run.id, LINES);
    client.expect("POST", "/logs/", &lines, 201).await?;
    set_state(client, "COMPLETED", "Completed", &run.id).await?;
    let path = format!("/flow_runs/{}", run.id);
    client.expect("GET", &path, "", 200).await?;
    ensure!(
        client.body().contains("\"state_type\":\"COMPLETED\""),
        "the run was not completed"
    );
    Ok(run)
}

/// Makes a run.
async fn created(client: &mut Client, flow: String) -> anyhow::Result<Run> {
    let body = bodies::due_flow_run(&flow);
    client.expect("POST", "/flow_runs/", &body, 201).await?;
    Ok(Run {
        id: client.id()?,
        name: client.field("name")?,
        flow,
    })
}

/// Has a run enter a state, which must be accepted.
async fn set_state(client: &mut Client, kind: &str, name: &str, run: &str) -> anyhow::Result<()> {
    let body = bodies::set_state(kind, name, run);
    let body = body.replace(FRESH, &Uuid::new_v4().to_string());
    let path = format!("/flow_runs/{run}/set_state");
    client.expect("POST", &path, &body, 201).await?;
    ensure!(
        client.body().contains("\"ACCEPT\""),
        "{name} was not accepted: {}",
        client.body()
    );
    Ok(())
}
