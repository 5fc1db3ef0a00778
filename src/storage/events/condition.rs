//! Questions about events as parameterised SQL.

use sea_query::{Condition, Expr, ExprTrait, Value};

use super::Cursor;
use crate::domain::event::ROLE;
use crate::domain::event::filter::{Filter, Label, Names, OfRelated, OfResource};
use crate::domain::filter::TextQuery;

/// The text that searches go through.
const SEARCHED: &str = "lower(name || ' ' || resource || ' ' || related || ' ' || payload)";

/// What a filter asks of an event's row.
pub(super) fn of(filter: &Filter) -> Condition {
    let mut all = Condition::all()
        .add(Expr::col("occurred").gte(filter.since.micros()))
        .add(Expr::col("occurred").lte(filter.until.micros()))
        .add(of_name(&filter.name))
        .add(of_resource(&filter.resource))
        .add(of_text(&filter.text));
    if !filter.ids.is_empty() {
        let ids = filter.ids.iter().map(|id| id.as_bytes().to_vec());
        all = all.add(Expr::col("id").is_in(ids));
    }
    for related in filter.related.iter().filter(|one| !one.asks_nothing()) {
        all = all.add(of_related(related));
    }
    for any in filter.any_resource.iter().filter(|one| !one.asks_nothing()) {
        all = all.add(
            Condition::any()
                .add(of_resource(any))
                .add(of_any_related(any)),
        );
    }
    all
}

/// Whether an event comes after another in a filter's order.
pub(super) fn beyond(filter: &Filter, cursor: Cursor) -> Expr {
    let sql = match filter.newest_first {
        true => "(occurred, place) < (?, ?)",
        false => "(occurred, place) > (?, ?)",
    };
    Expr::cust_with_values(sql, [cursor.occurred.micros(), cursor.place])
}

/// Whether an event is the first of its resource in a filter's order.
pub(super) fn is_first(filter: &Filter) -> Expr {
    use sea_query::{Order, Query, WindowStatement};
    let order = match filter.newest_first {
        true => Order::Desc,
        false => Order::Asc,
    };
    let of_each = WindowStatement::partition_by("resource_id")
        .order_by("occurred", order.clone())
        .order_by("place", order)
        .take();
    let numbered = Query::select()
        .column("place")
        .expr_window_as(Expr::cust("row_number()"), of_each, "number")
        .from("events")
        .cond_where(of(filter))
        .take();
    let first = Query::select()
        .column("place")
        .from_subquery(numbered, "numbered")
        .and_where(Expr::col("number").eq(1))
        .take();
    Expr::col("place").in_subquery(first)
}

/// By its name.
pub(super) fn of_name(names: &Names) -> Condition {
    let mut all = Condition::all();
    if !names.prefixes.is_empty() {
        all = all.add(begins("name", &names.prefixes));
    }
    if !names.not_prefixes.is_empty() {
        all = all.add(begins("name", &names.not_prefixes).not());
    }
    if !names.names.is_empty() {
        all = all.add(Expr::col("name").is_in(names.names.clone()));
    }
    if !names.not_names.is_empty() {
        all = all.add(Expr::col("name").is_not_in(names.not_names.clone()));
    }
    all
}

/// Whether a column begins with one of these; by its bytes, since patterns know no bounds.
fn begins(column: &str, prefixes: &[String]) -> Condition {
    prefixes.iter().fold(Condition::any(), |any, prefix| {
        let sql = format!("substr({column}, 1, length(?)) = ?");
        any.add(Expr::cust_with_values(
            sql,
            [prefix.clone(), prefix.clone()],
        ))
    })
}

/// About the resource that an event is about.
fn of_resource(asked: &OfResource) -> Condition {
    let mut all = Condition::all();
    if !asked.ids.is_empty() {
        all = all.add(Expr::col("resource_id").is_in(asked.ids.clone()));
    }
    if !asked.id_prefixes.is_empty() {
        all = all.add(begins("resource_id", &asked.id_prefixes));
    }
    for label in &asked.labels {
        all = all.add(has("events.resource", label));
    }
    all
}

/// About one of the related resources, all of it about the same.
fn of_related(asked: &OfRelated) -> Condition {
    let mut one = Clauses::default();
    if !asked.ids.is_empty() {
        one.add(&id_in(&asked.ids), asked.ids.clone());
    }
    if !asked.roles.is_empty() {
        let roles = marks(asked.roles.len());
        one.add(
            &format!("{} IN ({roles})", label(ROLE)),
            asked.roles.clone(),
        );
    }
    if !asked.in_roles.is_empty() {
        let pair = format!(
            "({} = ? AND {} = ?)",
            label(crate::domain::event::ID),
            label(ROLE)
        );
        let pairs = vec![pair; asked.in_roles.len()].join(" OR ");
        let values = asked
            .in_roles
            .iter()
            .flat_map(|(id, role)| [id.clone(), role.clone()]);
        one.add(&pairs, values.collect());
    }
    one.add_labels(&asked.labels);
    let of_pairs = asked.in_roles.iter().map(|(id, _)| id.clone());
    let known = match asked.ids.is_empty() {
        true => of_pairs.collect(),
        false => asked.ids.clone(),
    };
    Condition::all()
        .add(one.of_some_related())
        .add(indexed(known))
}

/// The same as for the resource that an event is about, of one of the related ones.
fn of_any_related(asked: &OfResource) -> Condition {
    let mut one = Clauses::default();
    if !asked.ids.is_empty() {
        one.add(&id_in(&asked.ids), asked.ids.clone());
    }
    if !asked.id_prefixes.is_empty() {
        let id = label(crate::domain::event::ID);
        let begins = format!("substr({id}, 1, length(?)) = ?");
        let any = vec![begins; asked.id_prefixes.len()].join(" OR ");
        let values = asked
            .id_prefixes
            .iter()
            .flat_map(|one| [one.clone(), one.clone()]);
        one.add(&any, values.collect());
    }
    one.add_labels(&asked.labels);
    Condition::all()
        .add(one.of_some_related())
        .add(indexed(asked.ids.clone()))
}

/// Whether one of these resources is related, by the index; asks nothing where there are none.
fn indexed(ids: Vec<String>) -> Condition {
    if ids.is_empty() {
        return Condition::all();
    }
    let marks = marks(ids.len());
    let sql = format!("place IN (SELECT place FROM event_related WHERE resource_id IN ({marks}))");
    Condition::all().add(Expr::cust_with_values(sql, ids))
}

/// The value of a label of the related resource that is looked at.
fn label(name: &str) -> String {
    format!("one.value ->> '$.\"{name}\"'")
}

fn id_in(ids: &[String]) -> String {
    format!(
        "{} IN ({})",
        label(crate::domain::event::ID),
        marks(ids.len())
    )
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Whether the labels in a column have one that is asked for.
fn has(column: &str, label: &Label) -> Expr {
    let (sql, values) = having(column, label);
    Expr::cust_with_values(sql, values)
}

fn having(column: &str, label: &Label) -> (String, Vec<String>) {
    let each = label
        .patterns
        .iter()
        .map(|pattern| match pattern.is_negated {
            true => "value NOT GLOB ?",
            false => "value GLOB ?",
        });
    let fits: Vec<_> = each.collect();
    let fits = match fits.is_empty() {
        true => "FALSE".to_owned(),
        false => fits.join(" OR "),
    };
    let sql = format!("EXISTS (SELECT 1 FROM json_each({column}) WHERE key = ? AND ({fits}))");
    // A bracket stands for itself.
    let patterns = label
        .patterns
        .iter()
        .map(|one| one.text.replace('[', "[[]"));
    (
        sql,
        std::iter::once(label.name.clone())
            .chain(patterns)
            .collect(),
    )
}

fn of_text(text: &TextQuery) -> Condition {
    let has =
        |term: &String| Expr::cust_with_values(format!("instr({SEARCHED}, ?) > 0"), [term.clone()]);
    let mut all = Condition::all();
    if !text.include.is_empty() {
        let any = text.include.iter().map(has);
        all = all.add(any.fold(Condition::any(), Condition::add));
    }
    all = text.require.iter().map(has).fold(all, Condition::add);
    text.exclude
        .iter()
        .map(|term| has(term).not())
        .fold(all, Condition::add)
}

/// What is asked of one related resource.
#[derive(Default)]
struct Clauses {
    all: Vec<String>,
    values: Vec<String>,
}

impl Clauses {
    fn add(&mut self, sql: &str, values: Vec<String>) {
        self.all.push(format!("({sql})"));
        self.values.extend(values);
    }

    fn add_labels(&mut self, labels: &[Label]) {
        for label in labels {
            let (sql, values) = having("one.value", label);
            self.add(&sql, values);
        }
    }

    /// Whether one of the related resources is such a one.
    fn of_some_related(self) -> Expr {
        let all = self.all.join(" AND ");
        let sql = format!("EXISTS (SELECT 1 FROM json_each(events.related) AS one WHERE {all})");
        Expr::cust_with_values(sql, self.values.into_iter().map(Value::from))
    }
}
