//! The OpenAPI document of the declared operations. It takes several times as much memory as all
//! else at the start, and few ask for it, so it is only noted how it is made.

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{
    Components, ContentBuilder, Info, KnownFormat, OpenApi, Paths, Ref, RefOr, Required,
    ResponseBuilder, SchemaFormat, Type,
};

use super::operation::{Operation, Routes};

/// A schema, or a reference to one.
type Made = RefOr<Schema>;

/// The shape of a body, made into a schema once it is asked for.
pub enum Shape {
    /// A type's own, which is given its name.
    Of(fn(&mut Components) -> Made),
    /// A list of these.
    ListOf(fn(&mut Components) -> Made),
    /// A plain value of that kind.
    Plain(&'static str),
    /// An object from its fields, as [`fields`] reads them, of a dialect.
    Fields(&'static str, String),
}

impl Shape {
    /// That of `T`.
    pub fn of<T: ToSchema>() -> Self {
        Self::Of(named::<T>)
    }

    /// A list of `T`.
    pub fn list_of<T: ToSchema>() -> Self {
        Self::ListOf(named::<T>)
    }

    fn made(&self, components: &mut Components) -> Made {
        match self {
            Shape::Of(one) => one(components),
            Shape::ListOf(one) => ArrayBuilder::new().items(one(components)).into(),
            Shape::Plain(kind) => plain(kind),
            Shape::Fields(dialect, text) => fields(dialect, text),
        }
    }
}

/// What is told of an operation beside its method, its path and what it is for.
#[derive(Default)]
pub struct Doc {
    /// The name of its parameter in the query.
    pub query: Option<&'static str>,
    /// Its body.
    pub asks: Option<Shape>,
    /// The body of a good answer.
    pub answers: Option<Shape>,
    /// The statuses that it answers, and what each means.
    pub statuses: &'static [(&'static str, &'static str)],
}

/// The part of the document that tells of these.
pub fn document(routes: &Routes) -> OpenApi {
    let mut components = Components::new();
    for (name, shape) in routes.shapes() {
        let made = shape.made(&mut components);
        components.schemas.insert(name.clone(), made);
    }
    let prefix = routes.prefix();
    let mut paths = Paths::new();
    for operation in routes.operations() {
        let told = told(operation, prefix, &mut components);
        let path = format!("{prefix}{}", operation.path());
        paths.add_path_operation(path, vec![method(operation)], told);
    }
    let info = Info::new("prefectd", env!("CARGO_PKG_VERSION"));
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    document
}

fn told(operation: &Operation, prefix: &str, components: &mut Components) -> OperationBuilder {
    let (path, doc) = (operation.path(), operation.doc());
    let dialect = prefix.trim_start_matches("/api/");
    let noun = path.split('/').nth(1).unwrap_or_default();
    let id = format!("{dialect} {} {path}", operation.method());
    let mut told = OperationBuilder::new()
        .tag(format!("{dialect}: {}", noun.replace('_', " ")))
        .summary(Some(operation.summary()))
        .operation_id(Some(id.replace(['/', ' ', '{', '}'], "_")));
    for name in path.split('{').skip(1) {
        let name = name.split('}').next().unwrap_or_default();
        told = told.parameter(parameter(name, ParameterIn::Path));
    }
    if let Some(name) = doc.query {
        told = told.parameter(parameter(name, ParameterIn::Query));
    }
    if let Some(asks) = &doc.asks {
        let content = ContentBuilder::new().schema(Some(asks.made(components)));
        let body = RequestBodyBuilder::new().content("application/json", content.build());
        told = told.request_body(Some(body.build()));
    }
    for (status, what) in doc.statuses {
        let mut response = ResponseBuilder::new().description(*what);
        if let (Some(answers), true) = (&doc.answers, status.starts_with('2')) {
            let content = ContentBuilder::new().schema(Some(answers.made(components)));
            response = response.content("application/json", content.build());
        }
        told = told.response(*status, response);
    }
    told
}

fn method(operation: &Operation) -> HttpMethod {
    match operation.method().as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn parameter(name: &str, place: ParameterIn) -> ParameterBuilder {
    let kind = if name.ends_with("id") {
        "uuid"
    } else {
        "string"
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::True)
        .schema(Some(plain(kind)))
}

/// A reference to `T`, which is given its name with all that it refers to.
fn named<T: ToSchema>(components: &mut Components) -> Made {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    components.schemas.extend(all);
    Ref::from_schema_name(T::name()).into()
}

/// An object from its fields, written `name: kind, other?: [kind]`; a question mark tells
/// those that may be left out, and a kind with a capital refers to a named shape.
fn fields(dialect: &str, text: &str) -> Made {
    let mut object = ObjectBuilder::new();
    for field in text.split(", ") {
        let (name, kind) = field.split_once(": ").unwrap_or((field, "any"));
        let required = name.strip_suffix('?').is_none();
        let name = name.trim_end_matches('?');
        object = object.property(name, kind_of(dialect, kind));
        if required {
            object = object.required(name);
        }
    }
    object.into()
}

fn kind_of(dialect: &str, kind: &str) -> Made {
    if let Some(item) = kind.strip_prefix('[') {
        let item = kind_of(dialect, item.trim_end_matches(']'));
        return ArrayBuilder::new().items(item).into();
    }
    if kind.starts_with(char::is_uppercase) {
        return Ref::from_schema_name(format!("{dialect}.{kind}")).into();
    }
    plain(kind)
}

fn plain(kind: &str) -> Made {
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
