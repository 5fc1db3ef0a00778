//! What both servers are sent, by theme. Each file starts from what it makes itself.

mod administration;
mod deliberate;
mod deployments;
mod filters;
mod flow_runs;
mod flows;
mod histories;
mod invalid;
mod logs;
mod oddities;
mod paths;
mod task_runs;
mod transitions;

use super::pair::Pair;

/// An id that nothing has.
const UNKNOWN: &str = "00000000-1111-4222-8333-444444444444";

/// All of them; the database is empty at first.
pub fn send_all(pair: &mut Pair) {
    administration::send(pair);
    flows::send(pair);
    deployments::send(pair);
    flow_runs::send(pair);
    task_runs::send(pair);
    transitions::send(pair);
    logs::send(pair);
    paths::send(pair);
    invalid::send(pair);
    oddities::send(pair);
    administration::clear(pair);
    filters::send(pair);
    administration::clear(pair);
    histories::send(pair);
    administration::clear(pair);
    // Whatever the client calls itself, the explicit path speaks this dialect.
    pair.call_itself("curl/8.5.0");
    flows::send(pair);
    flow_runs::send(pair);
    pair.call_itself("python-httpx/0.22.0");
    // Last, since the databases are not the same any more.
    deliberate::send(pair);
}
