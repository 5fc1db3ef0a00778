//! Routes that describe themselves: each is given with what it is for, what it asks and what
//! it answers, and from that both the router and the OpenAPI document are made. The document
//! takes several times as much memory as all else at the start, and few ask for it, so it is
//! only noted how it is made.

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, Paths, Ref, RefOr, Required, ResponseBuilder, Type,
};

use super::Ctx;
use super::access::Need;

/// A schema, or a reference to one.
type Shape = RefOr<Schema>;

/// How a shape is made once it is asked for.
pub enum Sketch {
    /// A type's own, which is given its name.
    Of(fn(&mut Components) -> Shape),
    /// A list of these.
    ListOf(fn(&mut Components) -> Shape),
    /// A plain value of that kind.
    Plain(&'static str),
    /// An object from its fields, as [`fields`] reads them, of a dialect.
    Fields(&'static str, String),
}

impl Sketch {
    fn shape(&self, components: &mut Components) -> Shape {
        match self {
            Sketch::Of(one) => one(components),
            Sketch::ListOf(one) => ArrayBuilder::new().items(one(components)).into(),
            Sketch::Plain(kind) => typed(kind),
            Sketch::Fields(prefix, text) => fields(prefix, text),
        }
    }
}

/// The routes of one dialect.
pub struct Routes {
    router: Router<Ctx>,
    description: Description,
}

/// What is told of a dialect's routes.
pub struct Description {
    prefix: &'static str,
    operations: Vec<Operation>,
    named: Vec<(String, Sketch)>,
}

struct Operation {
    route: &'static str,
    summary: &'static str,
    talk: Talk,
}

/// What a route asks and answers.
#[derive(Default)]
pub struct Talk {
    asks: Option<Sketch>,
    answers: Option<Sketch>,
    statuses: &'static [(&'static str, &'static str)],
    need: Need,
}

impl Routes {
    /// No routes yet; they will be below `prefix`.
    pub fn below(prefix: &'static str) -> Self {
        Self {
            router: Router::new(),
            description: Description {
                prefix,
                operations: Vec::new(),
                named: Vec::new(),
            },
        }
    }

    /// Adds a route, such as `GET /flows/{id}`, to a handler for that method.
    pub fn add(
        mut self,
        route: &'static str,
        summary: &'static str,
        talk: Talk,
        handler: MethodRouter<Ctx>,
    ) -> Self {
        let (_, path) = method_and_path(route);
        let full = format!("{}{path}", self.description.prefix);
        self.router = self.router.route(&full, handler);
        self.description.operations.push(Operation {
            route,
            summary,
            talk,
        });
        self
    }

    /// Names a shape for others to refer to.
    pub fn name(mut self, name: &str, shape: Sketch) -> Self {
        self.description.named.push((name.to_owned(), shape));
        self
    }

    /// The routes, and what is told of them.
    pub fn parts(self) -> (Router<Ctx>, Description) {
        (self.router, self.description)
    }
}

impl Description {
    /// What each route needs of who asks, with its method and its whole path.
    pub fn needs(&self) -> impl Iterator<Item = (Method, String, Need)> {
        self.operations.iter().map(|operation| {
            let (method, path) = method_and_path(operation.route);
            // The words are those of this source.
            let method = method.parse().unwrap_or(Method::TRACE);
            (
                method,
                format!("{}{path}", self.prefix),
                operation.talk.need,
            )
        })
    }

    /// The dialect's part of the document.
    pub fn document(&self) -> OpenApi {
        let mut components = Components::new();
        for (name, sketch) in &self.named {
            let shape = sketch.shape(&mut components);
            components.schemas.insert(name.clone(), shape);
        }
        let mut paths = Paths::new();
        for operation in &self.operations {
            let (method, path) = method_and_path(operation.route);
            let full = format!("{}{path}", self.prefix);
            let told = operation.told(self.prefix, &mut components);
            paths.add_path_operation(full, vec![verb(method)], told);
        }
        let info = Info::new("prefectd", env!("CARGO_PKG_VERSION"));
        let mut document = OpenApi::new(info, paths);
        document.components = Some(components);
        document
    }
}

impl Operation {
    fn told(&self, prefix: &str, components: &mut Components) -> OperationBuilder {
        let (route, talk) = (self.route, &self.talk);
        let (_, path) = method_and_path(route);
        let prefix = prefix.trim_start_matches("/api/");
        let noun = path.split('/').nth(1).unwrap_or_default();
        let mut operation = OperationBuilder::new()
            .tag(format!("{prefix}: {}", noun.replace('_', " ")))
            .summary(Some(self.summary))
            .operation_id(Some(
                format!("{prefix} {route}").replace(['/', ' ', '{', '}'], "_"),
            ));
        for name in path.split('{').skip(1) {
            operation = operation.parameter(parameter(name, ParameterIn::Path));
        }
        if path.ends_with("_states/") {
            let name = if noun.starts_with("flow") {
                "flow_run_id"
            } else {
                "task_run_id"
            };
            operation = operation.parameter(parameter(name, ParameterIn::Query));
        }
        if let Some(asks) = &talk.asks {
            let shape = asks.shape(components);
            let body = RequestBodyBuilder::new();
            let content = ContentBuilder::new().schema(Some(shape)).build();
            operation =
                operation.request_body(Some(body.content("application/json", content).build()));
        }
        for (status, what) in talk.statuses {
            let mut response = ResponseBuilder::new().description(*what);
            if let (Some(answers), true) = (&talk.answers, status.starts_with('2')) {
                let shape = answers.shape(components);
                let content = ContentBuilder::new().schema(Some(shape)).build();
                response = response.content("application/json", content);
            }
            operation = operation.response(*status, response);
        }
        operation
    }
}

fn method_and_path(route: &'static str) -> (&'static str, &'static str) {
    route.split_once(' ').unwrap_or(("GET", route))
}

/// A reference to `T`, which is given its name with all that it refers to.
fn named<T: ToSchema>(components: &mut Components) -> Shape {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    components.schemas.extend(all);
    Ref::from_schema_name(T::name()).into()
}

fn verb(word: &str) -> HttpMethod {
    match word {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn parameter(text: &str, place: ParameterIn) -> ParameterBuilder {
    let name = text.split('}').next().unwrap_or_default();
    let kind = if name.ends_with("id") {
        "uuid"
    } else {
        "string"
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::True)
        .schema(Some(typed(kind)))
}

impl Talk {
    /// Answers one `T`.
    pub fn one<T: ToSchema>() -> Self {
        Self {
            answers: Some(Sketch::Of(named::<T>)),
            statuses: &[("200", "As asked"), ("404", "There is none")],
            ..Self::default()
        }
    }

    /// Answers the `T` that is there (200) or was made (201).
    pub fn made<T: ToSchema>() -> Self {
        Self {
            statuses: &[("200", "It was there"), ("201", "It was made")],
            ..Self::one::<T>()
        }
    }

    /// Answers a list of `T`.
    pub fn many<T: ToSchema>() -> Self {
        Self {
            answers: Some(Sketch::ListOf(named::<T>)),
            statuses: &[("200", "All that were found")],
            ..Self::default()
        }
    }

    /// Answers a plain value of that kind.
    pub fn plain(kind: &'static str) -> Self {
        Self {
            answers: Some(Sketch::Plain(kind)),
            statuses: &[("200", "As asked")],
            ..Self::default()
        }
    }

    /// Answers 204.
    pub fn silent() -> Self {
        Self {
            statuses: &[("204", "Done"), ("404", "There is none")],
            ..Self::default()
        }
    }

    /// What it needs of who asks; of an operator, unless this is said.
    pub fn needs(mut self, need: Need) -> Self {
        self.need = need;
        self
    }

    /// Asks a body like `T`.
    pub fn asks<T: ToSchema>(mut self) -> Self {
        self.asks = Some(Sketch::Of(named::<T>));
        self
    }

    /// Asks a list of `T`.
    pub fn asks_many<T: ToSchema>(mut self) -> Self {
        self.asks = Some(Sketch::ListOf(named::<T>));
        self
    }

    /// Asks a body of that shape.
    pub fn asks_like(mut self, shape: Sketch) -> Self {
        self.asks = Some(shape);
        self
    }
}

/// An object from its fields, written `name: kind, other?: [kind]`; a question mark tells
/// those that may be left out, and a kind with a capital refers to a named shape.
fn fields(prefix: &str, text: &str) -> Shape {
    let mut object = ObjectBuilder::new();
    for field in text.split(", ") {
        let (name, kind) = field.split_once(": ").unwrap_or((field, "any"));
        let required = name.strip_suffix('?').is_none();
        let name = name.trim_end_matches('?');
        object = object.property(name, kind_of(prefix, kind));
        if required {
            object = object.required(name);
        }
    }
    object.into()
}

fn kind_of(prefix: &str, kind: &str) -> Shape {
    if let Some(item) = kind.strip_prefix('[') {
        let item = kind_of(prefix, item.trim_end_matches(']'));
        return ArrayBuilder::new().items(item).into();
    }
    match kind.starts_with(char::is_uppercase) {
        true => Ref::from_schema_name(format!("{prefix}.{kind}")).into(),
        false => typed(kind),
    }
}

fn typed(kind: &str) -> Shape {
    use utoipa::openapi::{KnownFormat, SchemaFormat};
    let (of, format) = match kind {
        "uuid" => (Type::String, Some(KnownFormat::Uuid)),
        "datetime" => (Type::String, Some(KnownFormat::DateTime)),
        "integer" => (Type::Integer, None),
        "number" => (Type::Number, None),
        "boolean" => (Type::Boolean, None),
        "object" => (Type::Object, None),
        _ => (Type::String, None),
    };
    ObjectBuilder::new()
        .schema_type(of)
        .format(format.map(SchemaFormat::KnownFormat))
        .into()
}
