//! The statements under `sql/queries`, with the fragments that several of them share: the SELECT
//! list of a noun, and the sets of states. Each is written once.

use std::sync::LazyLock;

use crate::domain::state::StateType;

/// A statement with the fragments that it names, put together when it is first used.
pub(super) type Statement = LazyLock<String>;

/// The statement of a file that names fragments, such as `{flow_run}`.
macro_rules! statement {
    ($file:literal) => {
        std::sync::LazyLock::new(|| {
            $crate::storage::sql::expanded(include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/sql/queries/",
                $file
            )))
        })
    };
}
pub(super) use statement;

/// A SELECT list; those of runs have that of their states.
type List = LazyLock<String>;

const STATE: &str = include_str!("../../sql/fragments/state.sql");

macro_rules! lists {
    ($($name:ident: $file:literal),* $(,)?) => {$(
        pub(super) static $name: List = LazyLock::new(|| {
            let list = include_str!(concat!("../../sql/fragments/", $file));
            list.replace("{state}", STATE.trim_end()).trim_end().to_owned()
        });
    )*};
}

lists! {
    FLOW: "flow.sql",
    DEPLOYMENT: "deployment.sql",
    FLOW_RUN: "flow_run.sql",
    TASK_RUN: "task_run.sql",
    LOG: "log.sql",
    SAVED_SEARCH: "saved_search.sql",
    WORK_POOL: "work_pool.sql",
    WORK_QUEUE: "work_queue.sql",
    WORKER: "worker.sql",
    VARIABLE: "variable.sql",
    EVENT: "event.sql",
    CONCURRENCY_LIMIT: "concurrency_limit.sql",
    DEPLOYMENT_LIMIT: "deployment_limit.sql",
    AUTOMATION: "automation.sql",
    ARTIFACT: "artifact.sql",
    LATEST_ARTIFACT: "latest_artifact.sql",
    GLANCE: "glance.sql",
    BLOCK_TYPE: "block_type.sql",
    BLOCK_SCHEMA: "block_schema.sql",
    BLOCK_DOCUMENT: "block_document.sql",
    FOREIGN: "foreign.sql",
}

/// What names stand for.
static FRAGMENTS: LazyLock<[(&str, String); 26]> = LazyLock::new(|| {
    [
        ("{flow}", FLOW.clone()),
        ("{deployment}", DEPLOYMENT.clone()),
        ("{flow_run}", FLOW_RUN.clone()),
        ("{task_run}", TASK_RUN.clone()),
        ("{log}", LOG.clone()),
        ("{saved_search}", SAVED_SEARCH.clone()),
        ("{work_pool}", WORK_POOL.clone()),
        ("{work_queue}", WORK_QUEUE.clone()),
        ("{worker}", WORKER.clone()),
        ("{variable}", VARIABLE.clone()),
        ("{event}", EVENT.clone()),
        ("{concurrency_limit}", CONCURRENCY_LIMIT.clone()),
        ("{deployment_limit}", DEPLOYMENT_LIMIT.clone()),
        ("{automation}", AUTOMATION.clone()),
        ("{artifact}", ARTIFACT.clone()),
        ("{latest_artifact}", LATEST_ARTIFACT.clone()),
        ("{glance}", GLANCE.clone()),
        ("{block_type}", BLOCK_TYPE.clone()),
        ("{block_schema}", BLOCK_SCHEMA.clone()),
        ("{block_document}", BLOCK_DOCUMENT.clone()),
        ("{foreign}", FOREIGN.clone()),
        ("{state}", STATE.trim_end().to_owned()),
        ("{live}", words(|kind| !kind.is_terminal())),
        ("{terminal}", words(StateType::is_terminal)),
        ("{is_live}", any_of(|kind| !kind.is_terminal())),
        ("{has_ended}", any_of(StateType::is_terminal)),
    ]
});

/// A text with the fragments that it names.
pub(super) fn expanded(text: &str) -> String {
    let fragments = FRAGMENTS.iter();
    fragments.fold(text.to_owned(), |text, (name, fragment)| {
        text.replace(name, fragment)
    })
}

/// The words of some types of states, as a list.
pub(super) fn words(which: impl Fn(StateType) -> bool) -> String {
    quoted(which).collect::<Vec<_>>().join(", ")
}

/// A run's state is of one of these types, as partial indexes have it: they serve where a statement
/// has the same words in the same order. For a list SQLite would make a table at each write of a
/// row.
fn any_of(which: impl Fn(StateType) -> bool) -> String {
    let each = quoted(which).map(|word| format!("state_type = {word}"));
    format!("({})", each.collect::<Vec<_>>().join(" OR "))
}

fn quoted(which: impl Fn(StateType) -> bool) -> impl Iterator<Item = String> {
    let kinds = StateType::ALL.into_iter().filter(move |kind| which(*kind));
    kinds.map(|kind| format!("'{}'", kind.word()))
}
