//! What each route needs of who asks, as it was declared where the route is.

use std::collections::BTreeMap;

use axum::http::Method;

/// What a route needs. One that says nothing of it is the operators'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// An operator.
    #[default]
    Operator,
    /// Nothing: it tells that the daemon lives.
    Nothing,
    /// Somebody who may read what the API keeps.
    Read,
    /// Somebody who may have a document's bytes, which nobody can look through for secrets.
    Fetch,
    /// Somebody who may look at the daemon itself.
    Inspect,
    /// The same, for a text that is no JSON and holds nothing that clients sent.
    Page,
    /// Somebody who may keep a document.
    Persist,
    /// Somebody who may register a flow.
    RegisterFlow,
    /// Somebody who may create the flow run in the body.
    NewFlowRun,
    /// Somebody who may create the task run in the body.
    NewTaskRun,
    /// Somebody who may have a deployment run as the body wants it.
    RunOfDeployment,
    /// Somebody who may change the flow run in the path as the body wants it.
    ChangeFlowRun,
    /// Somebody who may tell the state of the flow run in the path.
    StateOfFlowRun,
    /// Somebody who may tell the state of the task run in the path.
    StateOfTaskRun,
    /// Somebody who may hand in the lines in the body.
    Lines,
}

/// The needs of all routes, found as the router finds the routes: by the same matching.
#[derive(Default)]
pub struct Needs(matchit::Router<Vec<(Method, Need)>>);

/// What was found for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'p> {
    /// What its route needs.
    pub need: Need,
    /// The `{id}` in its path, as it was sent.
    pub id: Option<&'p str>,
}

impl Needs {
    /// Of routes, each with its method and its path as the router knows it.
    pub fn new(routes: impl Iterator<Item = (Method, String, Need)>) -> Self {
        let mut paths: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (method, path, need) in routes {
            paths.entry(path).or_default().push((method, need));
        }
        let mut needs = Self::default();
        for (path, methods) in paths {
            // What the table does not take, it does not find, and that is nobody's but the
            // operators'. The router takes the same paths, and does not start with bad ones.
            let _ = needs.0.insert(path, methods);
        }
        needs
    }

    /// What a request needs; `None` where no route has its method and path.
    pub fn of<'p>(&self, method: &Method, path: &'p str) -> Option<Found<'p>> {
        let found = self.0.at(path).ok()?;
        // The router answers HEAD by what answers GET.
        let method = match *method {
            Method::HEAD => &Method::GET,
            _ => method,
        };
        let (_, need) = found.value.iter().find(|(one, _)| one == method)?;
        Some(Found {
            need: *need,
            id: found.params.get("id"),
        })
    }
}
