//! Blocks: what is kept for flows and workers. Values are not shown.

use axum::extract::State;

use super::table::{Part, Table, columns, link};
use crate::api::{Ctx, Need, Operation};
use crate::domain::block::BlockDocument;
use crate::domain::filter::{Filters, Sort};
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{short, times};
use crate::pages::visitor::Visitor;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get("/blocks", "Lists blocks").needs(Need::Inspect, list)]
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let part = Part::of(&visitor);
    let found = ctx
        .app
        .block_documents(Filters::default(), Sort::NAME, part.range());
    let mut found = found.await?;
    let is_more = part.cut(&mut found);
    let now = ctx.app.now();
    let rows = found.iter().map(|block| {
        let BlockDocument {
            stored, own, kind, ..
        } = block;
        let fields: Vec<_> = own.keys().map(String::as_str).collect();
        vec![
            link(
                &format!("/blocks/block/{}", stored.id),
                &short(&stored.name),
            ),
            short(&kind.new.name),
            short(&fields.join(", ")),
            times::when(stored.updated, now),
        ]
    });
    let (newer, older) = part.around("/blocks", is_more);
    ok(&Table {
        rows: rows.collect(),
        frame: visitor.frame(&ctx, "blocks", "Blocks").await?,
        title: "Blocks",
        lead: String::new(),
        columns: columns(&[
            ("Block", ""),
            ("Type", "k2"),
            ("Has", "k2 muted why"),
            ("Changed", "num"),
        ]),
        empty: (
            "No block yet",
            "Blocks keep what flows need and nobody should read; flows save them.",
        ),
        shell: "prefect block ls",
        search: None,
        newer,
        older,
    })
}
