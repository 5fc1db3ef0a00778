//! A run's whole life as its engine tells it: twelve requests.

use anyhow::ensure;

use super::bodies;
use super::http::Client;

/// How many task runs a flow run has, and how many lines it logs.
pub const TASKS: usize = 2;
const LINES: usize = 10;

/// From creation to reading back the completed run. Any answer that is not the expected one
/// is a failure of the whole.
pub async fn live(mut client: Client, flow: String) -> anyhow::Result<Client> {
    expect(
        &mut client,
        "POST",
        "/flow_runs/",
        &bodies::flow_run(&flow),
        201,
    )
    .await?;
    let run = client.id()?.to_owned();
    let set_state = format!("/flow_runs/{run}/set_state");
    for (kind, name) in [("PENDING", "Pending"), ("RUNNING", "Running")] {
        let body = bodies::set_state(kind, name, Some(&run), None);
        expect(&mut client, "POST", &set_state, &body, 201).await?;
    }
    for key in 0..TASKS {
        let body = bodies::task_run(&run, key);
        expect(&mut client, "POST", "/task_runs/", &body, 201).await?;
        let task = client.id()?.to_owned();
        let path = format!("/task_runs/{task}/set_state");
        for (kind, name) in [("RUNNING", "Running"), ("COMPLETED", "Completed")] {
            let body = bodies::set_state(kind, name, Some(&run), Some(&task));
            expect(&mut client, "POST", &path, &body, 201).await?;
        }
    }
    expect(
        &mut client,
        "POST",
        "/logs/",
        &bodies::logs(&run, LINES),
        201,
    )
    .await?;
    let body = bodies::set_state("COMPLETED", "Completed", Some(&run), None);
    expect(&mut client, "POST", &set_state, &body, 201).await?;
    expect(&mut client, "GET", &format!("/flow_runs/{run}"), "", 200).await?;
    ensure!(
        client.body().contains("\"state_type\":\"COMPLETED\""),
        "the run was not completed"
    );
    Ok(client)
}

/// Sends a request whose answer must have that status.
pub async fn expect(
    client: &mut Client,
    method: &str,
    path: &str,
    body: &str,
    status: u16,
) -> anyhow::Result<()> {
    let answered = client.send(method, path, body).await?;
    ensure!(
        answered == status,
        "{method} {path} answered {answered}: {}",
        client.body()
    );
    Ok(())
}
