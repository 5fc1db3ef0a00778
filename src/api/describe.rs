//! Routes that describe themselves: each is given with what it is for, what it asks and what
//! it answers, and from that both the router and the OpenAPI document are made.

use axum::Router;
use axum::routing::MethodRouter;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, Paths, Ref, RefOr, Required, ResponseBuilder, Type,
};

use super::Ctx;

/// A schema, or a reference to one.
pub type Shape = RefOr<Schema>;

/// The routes of one dialect.
pub struct Routes {
    router: Router<Ctx>,
    prefix: &'static str,
    paths: Paths,
    components: Components,
}

/// What a route asks and answers.
#[derive(Default)]
pub struct Talk {
    asks: Option<Shape>,
    answers: Option<Shape>,
    statuses: &'static [(&'static str, &'static str)],
    named: Vec<(String, Shape)>,
}

impl Routes {
    /// No routes yet; they will be below `prefix`.
    pub fn below(prefix: &'static str) -> Self {
        Self {
            router: Router::new(),
            prefix,
            paths: Paths::new(),
            components: Components::new(),
        }
    }

    /// Adds a route, such as `GET /flows/{id}`, to a handler for that method.
    pub fn add(
        mut self,
        route: &'static str,
        summary: &str,
        talk: Talk,
        handler: MethodRouter<Ctx>,
    ) -> Self {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        let prefix = self.prefix.trim_start_matches("/api/");
        let noun = path.split('/').nth(1).unwrap_or_default();
        let mut operation = OperationBuilder::new()
            .tag(format!("{prefix}: {}", noun.replace('_', " ")))
            .summary(Some(summary))
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
        if let Some(shape) = talk.asks {
            let body = RequestBodyBuilder::new();
            let content = ContentBuilder::new().schema(Some(shape)).build();
            operation =
                operation.request_body(Some(body.content("application/json", content).build()));
        }
        for (status, what) in talk.statuses {
            let mut response = ResponseBuilder::new().description(*what);
            if let (Some(shape), true) = (&talk.answers, status.starts_with('2')) {
                let content = ContentBuilder::new().schema(Some(shape.clone())).build();
                response = response.content("application/json", content);
            }
            operation = operation.response(*status, response);
        }
        let full = format!("{}{path}", self.prefix);
        self.paths
            .add_path_operation(full, vec![verb(method)], operation);
        self.components.schemas.extend(talk.named);
        self.router = self.router.route(path, handler);
        self
    }

    /// Names a shape for others to refer to.
    pub fn name(mut self, name: &str, shape: Shape) -> Self {
        self.components.schemas.insert(name.to_owned(), shape);
        self
    }

    /// The routes, and their part of the document.
    pub fn parts(self) -> (Router<Ctx>, OpenApi) {
        let info = Info::new("prefectd", env!("CARGO_PKG_VERSION"));
        let mut document = OpenApi::new(info, self.paths);
        document.components = Some(self.components);
        (self.router, document)
    }
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
        let mut named = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut named);
        Self {
            answers: Some(Ref::from_schema_name(T::name()).into()),
            statuses: &[("200", "As asked"), ("404", "There is none")],
            named,
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
        let one = Self::one::<T>();
        let list = one
            .answers
            .map(|item| ArrayBuilder::new().items(item).into());
        Self {
            answers: list,
            statuses: &[("200", "All that were found")],
            ..one
        }
    }

    /// Answers a plain value of that kind.
    pub fn plain(kind: &str) -> Self {
        Self {
            answers: Some(typed(kind)),
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

    /// Asks a body like `T`.
    pub fn asks<T: ToSchema>(mut self) -> Self {
        self.named.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.named);
        self.asks = Some(Ref::from_schema_name(T::name()).into());
        self
    }

    /// Asks a list of `T`.
    pub fn asks_many<T: ToSchema>(self) -> Self {
        let mut talk = self.asks::<T>();
        talk.asks = talk.asks.map(|item| ArrayBuilder::new().items(item).into());
        talk
    }

    /// Asks a body of that shape.
    pub fn asks_like(mut self, shape: Shape) -> Self {
        self.asks = Some(shape);
        self
    }
}

/// An object from its fields, written `name: kind, other?: [kind]`; a question mark tells
/// those that may be left out, and a kind with a capital refers to a named shape.
pub fn fields(prefix: &str, text: &str) -> Shape {
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
