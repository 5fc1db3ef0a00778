//! Verbs on the graphs of flow runs.

use super::flow_runs::read;
use crate::app::App;
use crate::domain::error::{Error, Result};
use crate::domain::graph::{Graph, MOST_ARTIFACTS, MOST_NODES, nodes};
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use crate::storage::{StateOf, graph, states};

impl App {
    /// What a flow run did, but for what had ended before `since`.
    ///
    /// Fails as refused where that is more than [`MOST_NODES`].
    pub async fn flow_run_graph(&self, id: FlowRunId, since: Option<Timestamp>) -> Result<Graph> {
        self.scan(move |db| {
            let run = read(db, id)?;
            let steps = graph::steps(db, id, MOST_NODES + 1)?;
            if steps.len() > MOST_NODES {
                return Err(Error::refused(format!(
                    "The graph of flow run {id} has more than {MOST_NODES} nodes."
                )));
            }
            let is_asked = |end: Option<Timestamp>| end.is_none_or(|end| Some(end) >= since);
            let mut nodes = nodes(&steps);
            nodes.retain(|node| is_asked(node.end_time));
            Ok(Graph {
                start_time: { run.statistics.start_time }.or(run.statistics.expected_start_time),
                end_time: run.statistics.end_time,
                nodes,
                artifacts: graph::left(db, id, MOST_ARTIFACTS)?,
                states: states::of_run(db, StateOf::FlowRun(id))?,
            })
        })
        .await
    }
}
