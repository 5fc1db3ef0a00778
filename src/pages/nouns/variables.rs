//! Variables.

use axum::extract::State;

use super::table::{Part, Table, columns, link};
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::domain::filter::{Filters, Sort, Test, variable};
use crate::domain::variable::Variable;
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, json, short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get("/variables", "Lists variables").needs(Need::Inspect, list)]
}

impl Redact for Variable {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        mask.over_member(&self.name, &mut self.value);
        mask.over(&mut self.tags);
    }
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let asked = (!part.q.is_empty()).then(|| variable::NAME.asked(Test::Like(part.q.clone())));
    let filters = Filters {
        variables: asked.map(|asked| vec![asked].into()),
        ..Filters::default()
    };
    let found = ctx.app.variables(filters, Sort::NAME, part.range()).await?;
    let mut found = visitor.masked(found).await?;
    let is_more = part.cut(&mut found);
    let now = ctx.app.now();
    let rows = found.iter().map(|variable| {
        vec![
            link(
                &format!("/variables/variable/{}", variable.id),
                &Html::of(format!("<code>{}</code>", short(&variable.name))),
            ),
            json::shown(&variable.value),
            short(&variable.tags.join(", ")),
            times::when(variable.updated, now),
        ]
    });
    let (newer, older) = part.around("/variables", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame: visitor.frame(&ctx, "variables", "Variables").await?,
        title: "Variables",
        lead: String::new(),
        columns: columns(&[
            ("Name", ""),
            ("Value", "k2 why"),
            ("Tags", "w"),
            ("Changed", "num"),
        ]),
        empty: (
            "No variable yet",
            "Flows and pools look values up by name; a client makes them: prefect variable set NAME VALUE",
        ),
        shell: "prefect variable ls",
        search: Some(("/variables", part.shown())),
        newer,
        older,
    })
}
