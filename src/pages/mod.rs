//! Pages in the browser: made here, whole without any script, and kept up to date by one small
//! module of ours over server-sent events.
//!
//! A page is a file with its template in `templates/`: it asks verbs of the app, which operations
//! declare what they need for as in [`crate::api`], has what it found masked for who looks, and
//! fills its template. All that somebody wrote is made [`show::Html`] on the way, once. What is
//! pressed is a form with a token, answered by leading to a page.

mod answer;
mod assets;
mod daemon;
mod dashboard;
mod deployments;
mod form;
mod live;
mod lost;
mod markdown;
mod names;
mod nouns;
mod official;
mod path;
mod place;
mod run;
mod runs;
mod seen;
mod session;
pub mod show;
mod task_run;
mod visitor;

use crate::api::{Declared, Operation, Pages};
pub use place::placed;

/// All that browsers are served. `is_below` says that Prefect's own UI is at `/`, and these pages
/// are not: whoever asks for them is led on by [`placed`].
pub fn pages(is_below: bool) -> Pages {
    place::settle(is_below);
    Pages {
        operations: operations(),
        lost: lost::lost,
    }
}

/// All pages, and what can be pressed on them.
pub fn operations() -> Vec<Operation> {
    let all = [
        assets::operations,
        session::operations,
        dashboard::operations,
        runs::operations,
        run::operations,
        task_run::operations,
        deployments::operations,
        nouns::operations,
        daemon::operations,
        live::operations,
        official::operations,
    ];
    all.into_iter().flat_map(|some| some()).collect()
}

/// All of them, as they are declared.
pub fn declared() -> Vec<Declared> {
    let all = operations();
    let each = all.iter().map(|operation| Declared {
        method: operation.method().clone(),
        path: operation.path().to_owned(),
        need: operation.need(),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_pages_have_one_address() {
        let all = declared();
        let places: HashSet<_> = all.iter().map(|one| (&one.method, &one.path)).collect();
        assert_eq!(places.len(), all.len());
        // The router takes all of them.
        drop(crate::api::operation::Routes::below("", operations()).into_router());
    }
}
