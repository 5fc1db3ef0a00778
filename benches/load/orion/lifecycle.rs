//! A run's whole life as a 2.0a7 engine tells it: twelve requests.

use anyhow::ensure;

use super::bodies;
use crate::http::Client;

/// How many task runs a flow run has, and how many lines it logs.
pub const TASKS: usize = 2;
/// See [`TASKS`].
pub const LINES: usize = 10;

/// From creation to reading back the completed run. Any answer that is not the expected one
/// is a failure of the whole.
pub async fn live(mut client: Client, flow: String) -> anyhow::Result<Client> {
    let created = bodies::flow_run(&flow);
    client.expect("POST", "/flow_runs/", &created, 201).await?;
    let run = client.id()?;
    let set_state = format!("/flow_runs/{run}/set_state");
    for (kind, name) in [("PENDING", "Pending"), ("RUNNING", "Running")] {
        let body = bodies::set_state(kind, name, Some(&run), None);
        client.expect("POST", &set_state, &body, 201).await?;
    }
    for key in 0..TASKS {
        run_task(&mut client, &run, key).await?;
    }
    let lines = bodies::logs(&run, LINES);
    client.expect("POST", "/logs/", &lines, 201).await?;
    let body = bodies::set_state("COMPLETED", "Completed", Some(&run), None);
    client.expect("POST", &set_state, &body, 201).await?;
    let path = format!("/flow_runs/{run}");
    client.expect("GET", &path, "", 200).await?;
    ensure!(
        client.body().contains("\"state_type\":\"COMPLETED\""),
        "the run was not completed"
    );
    Ok(client)
}

async fn run_task(client: &mut Client, run: &str, key: usize) -> anyhow::Result<()> {
    let created = bodies::task_run(run, key);
    client.expect("POST", "/task_runs/", &created, 201).await?;
    let task = client.id()?;
    let path = format!("/task_runs/{task}/set_state");
    for (kind, name) in [("RUNNING", "Running"), ("COMPLETED", "Completed")] {
        let body = bodies::set_state(kind, name, Some(run), Some(&task));
        client.expect("POST", &path, &body, 201).await?;
    }
    Ok(())
}
