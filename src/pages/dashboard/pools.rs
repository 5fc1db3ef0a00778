//! What is free: the slots of agents and of work pools.

use crate::api::Ctx;
use crate::domain::agent::EMBEDDED;
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page};
use crate::domain::work::{PoolKind, PoolStatus};
use crate::pages::show::{Html, in_address, short};

/// The most pools that are shown.
const MOST: u64 = 12;
/// The most slots that are drawn one by one.
pub const DRAWN: u64 = 64;

/// How many slots of their full width there is room for.
const IN_A_ROW: u64 = 14;

/// The slots of an agent or a pool.
pub struct Slots {
    /// Its page; empty where it has none.
    pub href: String,
    /// Its name.
    pub name: Html,
    /// Of what kind it is.
    pub kind: Html,
    /// How many are taken.
    pub used: u64,
    /// How many there are; absent: any number.
    pub limit: Option<u64>,
    /// Where each slot is drawn, how wide, and its class.
    pub boxes: Vec<(String, String, &'static str)>,
    /// A word on it.
    pub note: String,
}

impl Slots {
    /// So many of so many.
    pub fn new(name: Html, kind: Html, used: u64, limit: Option<u64>) -> Self {
        let drawn = limit.filter(|limit| *limit <= DRAWN).unwrap_or(0);
        let boxes = (0..drawn).map(|place| {
            let class = match place < used {
                true => "slot used s-running",
                false => "slot",
            };
            match drawn <= IN_A_ROW {
                true => (format!("{}.5", place * 18), "14".to_owned(), class),
                // Many share the width that there is.
                false => {
                    let each = 100.0 / drawn as f64;
                    let x = format!("{:.2}%", place as f64 * each);
                    (x, format!("{:.2}%", each * 0.78), class)
                }
            }
        });
        Self {
            href: String::new(),
            boxes: boxes.collect(),
            name,
            kind,
            used,
            limit,
            note: String::new(),
        }
    }

    /// What they say in numbers.
    pub fn words(&self) -> String {
        match self.limit {
            Some(limit) => format!("{} of {limit}", self.used),
            None => format!("{} in use", self.used),
        }
    }
}

/// Agents, then pools.
///
/// # Errors
/// Where the store cannot be read.
pub async fn read(ctx: &Ctx) -> Result<Vec<Slots>> {
    let vitals = ctx.app.vitals().await?;
    let mut all: Vec<_> = vitals
        .agents
        .iter()
        .map(|agent| {
            let report = &agent.known.report;
            let name = match agent.known.name.as_str() {
                EMBEDDED => Html::fixed("Built-in agent"),
                name => short(name),
            };
            let mut slots = Slots::new(name, Html::fixed("agent"), agent.runs, Some(report.slots));
            slots.note = match &report.engine_trouble {
                Some(_) => "no container engine".to_owned(),
                None => match report.pulling.len() {
                    0 => String::new(),
                    some => format!(
                        "pulling {}",
                        crate::pages::show::count(some as u64, "image")
                    ),
                },
            };
            slots
        })
        .collect();
    let page = Page {
        limit: MOST,
        offset: 0,
    };
    let service = ctx.app.service();
    let pools = ctx.app.work_pools(Filters::default(), page).await?;
    all.extend(
        pools
            .iter()
            .filter(|pool| pool.kind != PoolKind::Agent)
            .map(|pool| {
                let used = pool.active_slots.max(0).unsigned_abs();
                let limit = pool
                    .concurrency_limit
                    .map(|limit| limit.max(0).unsigned_abs());
                let mut slots = Slots::new(short(&pool.name), short(pool.kind.word()), used, limit);
                slots.href = format!("/work-pools/work-pool/{}", in_address(&pool.name));
                slots.note = match service.of_pool(pool) {
                    Some(PoolStatus::Paused) => "paused".to_owned(),
                    Some(PoolStatus::NotReady) => "nobody serves it".to_owned(),
                    Some(PoolStatus::Ready) if service.is_ours(&pool.kind, pool.online_until) => {
                        "served by this daemon".to_owned()
                    }
                    Some(PoolStatus::Ready) => "served by a worker".to_owned(),
                    None => String::new(),
                };
                slots
            }),
    );
    Ok(all)
}
