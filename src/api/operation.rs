//! Operations. Each is declared once, beside its handler: method, path, what it is for, what it
//! asks and answers, and what it needs of who asks. The route, the check of who asks and the
//! description are made from the declaration.
//!
//! There is no default for the need. It is given together with the handler, and before that there
//! is no operation:
//!
//! ```
//! use prefectd::api::{Need, Operation};
//!
//! async fn wave() -> &'static str {
//!     "hello"
//! }
//!
//! let declared: Operation = Operation::get("/wave", "Waves")
//!     .tells("string")
//!     .needs(Need::Read, wave);
//! ```
//!
//! Without one it does not compile:
//!
//! ```compile_fail,E0308
//! use prefectd::api::Operation;
//!
//! let declared: Operation = Operation::get("/wave", "Waves").tells("string");
//! ```
//!
//! Nor does an operation that aims at what its request names, whose handler would be called
//! before that is authorised:
//!
//! ```compile_fail,E0277
//! use prefectd::api::Operation;
//!
//! async fn change(body: String) -> String {
//!     body
//! }
//!
//! let declared: Operation = Operation::patch("/wave", "Waves otherwise").aims(change);
//! ```

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::future::BoxFuture;
use utoipa::ToSchema;

use super::Ctx;
use super::access::{Authorising, Guarded};
use super::openapi::{Doc, Shape};
use super::sockets;
use crate::domain::access::Need;

/// An operation.
pub struct Operation {
    method: Method,
    path: &'static str,
    summary: &'static str,
    doc: Doc,
    need: Need,
    handler: MethodRouter<Ctx>,
}

/// An operation of which it is not yet said what it needs.
pub struct Draft {
    method: Method,
    path: &'static str,
    summary: &'static str,
    doc: Doc,
    is_routine: bool,
}

impl Operation {
    /// `GET`; `path` is below the dialect's prefix and has its parameters in braces.
    pub fn get(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::GET, path, summary)
    }

    /// `POST`.
    pub fn post(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::POST, path, summary)
    }

    /// `PUT`.
    pub fn put(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::PUT, path, summary)
    }

    /// `PATCH`.
    pub fn patch(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::PATCH, path, summary)
    }

    /// `DELETE`.
    pub fn delete(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::DELETE, path, summary)
    }

    /// A websocket.
    pub fn socket(path: &'static str, summary: &'static str) -> Draft {
        Draft::new(Method::GET, path, summary)
    }

    /// Its method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its path below the prefix.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// What it is for, in a few words.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// What it needs of who asks.
    pub fn need(&self) -> Need {
        self.need
    }

    /// What it asks and answers.
    pub(super) fn doc(&self) -> &Doc {
        &self.doc
    }
}

impl Draft {
    fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            doc: Doc::default(),
            is_routine: false,
        }
    }

    /// Asks a body like `T`.
    pub fn asks<T: ToSchema>(self) -> Self {
        self.asks_like(Shape::of::<T>())
    }

    /// Asks a list of `T`.
    pub fn asks_many<T: ToSchema>(self) -> Self {
        self.asks_like(Shape::list_of::<T>())
    }

    /// Asks a body of that shape.
    pub fn asks_like(mut self, shape: Shape) -> Self {
        self.doc.asks = Some(shape);
        self
    }

    /// Asks a parameter in the query.
    pub fn asks_query(mut self, name: &'static str) -> Self {
        self.doc.query = Some(name);
        self
    }

    /// Answers one `T`.
    pub fn answers<T: ToSchema>(self) -> Self {
        let statuses = &[("200", "As asked"), ("404", "There is none")];
        self.answers_with(Some(Shape::of::<T>()), statuses)
    }

    /// Answers the `T` that is there (200) or was made (201).
    pub fn makes<T: ToSchema>(self) -> Self {
        let statuses = &[("200", "It was there"), ("201", "It was made")];
        self.answers_with(Some(Shape::of::<T>()), statuses)
    }

    /// Answers a list of `T`.
    pub fn lists<T: ToSchema>(self) -> Self {
        let statuses = &[("200", "All that were found")];
        self.answers_with(Some(Shape::list_of::<T>()), statuses)
    }

    /// Answers a plain value of that kind.
    pub fn tells(self, kind: &'static str) -> Self {
        self.answers_with(Some(Shape::Plain(kind)), &[("200", "As asked")])
    }

    /// Answers 204.
    pub fn is_silent(self) -> Self {
        self.answers_with(None, &[("204", "Done"), ("404", "There is none")])
    }

    fn answers_with(
        mut self,
        shape: Option<Shape>,
        statuses: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.doc.answers = shape;
        self.doc.statuses = statuses;
        self
    }

    /// Programs ask this all the time, so the log does not tell who did.
    pub fn is_routine(mut self) -> Self {
        self.is_routine = true;
        self
    }

    /// What the operation needs of who asks, and what answers those who meet that.
    pub fn needs<H, T>(self, need: Need, handler: H) -> Operation
    where
        H: Handler<T, Ctx, Future = BoxFuture<'static, Response>>,
        T: 'static,
    {
        let Self {
            method,
            path,
            summary,
            doc,
            is_routine,
        } = self;
        // Of the methods above each has its filter.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        let guarded = Guarded::new(need, handler).routine(is_routine);
        Operation {
            method,
            path,
            summary,
            doc,
            need,
            handler: on(filter, guarded),
        }
    }

    /// What the websocket needs of who opens it, and what is done on it then. What a message says
    /// is authorised by the conversation.
    pub(super) fn talks(self, need: Need, talking: sockets::Talking) -> Operation {
        let open = move |State(ctx): State<Ctx>, request: Request| async move {
            sockets::open(ctx, need, talking, request).await
        };
        Operation {
            method: self.method,
            path: self.path,
            summary: self.summary,
            doc: self.doc,
            need,
            handler: on(MethodFilter::GET, open),
        }
    }

    /// The operation is for whoever may aim at what its request names. The handler's last
    /// argument sees to that, before the handler is called.
    pub fn aims<H, T>(self, handler: H) -> Operation
    where
        H: Handler<T, Ctx, Future = BoxFuture<'static, Response>>,
        T: Authorising + 'static,
    {
        self.needs(Need::Aim, handler)
    }
}

/// The operations below one prefix.
pub struct Routes {
    prefix: &'static str,
    operations: Vec<Operation>,
    shapes: Vec<(String, Shape)>,
    words_are_ids: bool,
}

impl Routes {
    /// These, below `prefix`.
    pub fn below(prefix: &'static str, operations: Vec<Operation>) -> Self {
        Self {
            prefix,
            operations,
            shapes: Vec::new(),
            words_are_ids: false,
        }
    }

    /// Names shapes for others to refer to.
    pub fn with_shapes(mut self, shapes: Vec<(String, Shape)>) -> Self {
        self.shapes = shapes;
        self
    }

    /// Words such as `count` lie where ids do; whatever the word's own operations do not take
    /// is taken as an id, which it is not.
    pub fn with_words_as_ids(mut self) -> Self {
        self.words_are_ids = true;
        self
    }

    /// What all paths begin with.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// All of them.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The shapes that have names.
    pub(super) fn shapes(&self) -> &[(String, Shape)] {
        &self.shapes
    }

    /// The same, for seeing that it takes all of them.
    #[cfg(test)]
    pub fn into_router(self) -> Router<Ctx> {
        self.router()
    }

    /// The router that calls them.
    pub(super) fn router(&self) -> Router<Ctx> {
        let mut router = Router::new();
        for operation in &self.operations {
            let paths = std::iter::once(operation.path).chain(self.words_beside(operation));
            for path in paths {
                let whole = format!("{}{path}", self.prefix);
                router = router.route(&whole, operation.handler.clone());
            }
        }
        router
    }

    /// The paths of the words that lie where the operation's id does.
    fn words_beside(&self, operation: &Operation) -> BTreeSet<&'static str> {
        let parent = operation.path.strip_suffix("{id}");
        let Some(parent) = parent.filter(|_| self.words_are_ids) else {
            return BTreeSet::new();
        };
        let is_word = |word: &str| !word.is_empty() && !word.contains(['/', '{']);
        let paths = self.operations.iter().map(Operation::path);
        paths
            .filter(|path| path.strip_prefix(parent).is_some_and(is_word))
            .collect()
    }
}
