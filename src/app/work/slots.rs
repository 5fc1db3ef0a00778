//! Verbs that tell who holds the slots of pools and queues.

use super::{pools, queues};
use crate::app::App;
use crate::app::QueueName;
use crate::domain::error::Result;
use crate::domain::filter::{Criteria, Filters, Page, Sort, flow_run, work_queue};
use crate::domain::glance::Glance;
use crate::domain::ids::{WorkPoolId, WorkQueueId};
use crate::domain::state::StateType;
use crate::domain::work::{WorkPool, WorkQueue};
use crate::storage::{Connection, rows};

/// In which states a run holds a slot of its pool, as on the reference.
const OF_POOL: &[StateType] = &[StateType::Pending, StateType::Running];
/// In which states a run holds a slot of its queue, where the queue is asked.
const OF_QUEUE: &[StateType] = &[
    StateType::Pending,
    StateType::Running,
    StateType::Cancelling,
];

/// The runs that hold slots of a queue.
#[derive(Clone, Debug)]
pub struct QueueSlots {
    /// The queue.
    pub queue: WorkQueue,
    /// How many they are.
    pub taken: u64,
    /// A page of them.
    pub runs: Vec<Glance>,
}

/// The runs that hold slots of a pool.
#[derive(Clone, Debug)]
pub struct PoolSlots {
    /// The pool.
    pub pool: WorkPool,
    /// How many they are.
    pub taken: u64,
    /// How many queues the pool has.
    pub queues: u64,
    /// A page of these.
    pub some: Vec<QueueSlots>,
}

impl App {
    /// Who holds the slots of a queue.
    pub async fn queue_slots(&self, id: WorkQueueId, page: Page) -> Result<QueueSlots> {
        self.scan(move |db| {
            let queue = queues::read(db, &QueueName::Id(id))?;
            of_queue(db, queue, OF_QUEUE, page)
        })
        .await
    }

    /// Who holds the slots of a pool, by queue: of each queue on that page `most` runs at most.
    pub async fn pool_slots(&self, name: String, page: Page, most: u64) -> Result<PoolSlots> {
        self.scan(move |db| {
            let pool = pools::by_name(db, &name)?;
            let all = queues_of(pool.id);
            let some: Vec<WorkQueue> = rows::page(db, &all, work_queue::BY_PRIORITY, page)?;
            let first = Page {
                limit: most,
                offset: 0,
            };
            let some = some
                .into_iter()
                .map(|queue| of_queue(db, queue, OF_POOL, first));
            Ok(PoolSlots {
                taken: rows::count::<Glance>(db, &holders(&all, OF_POOL))?,
                queues: rows::count::<WorkQueue>(db, &all)?,
                some: some.collect::<Result<_>>()?,
                pool,
            })
        })
        .await
    }
}

fn queues_of(pool: WorkPoolId) -> Filters {
    Filters {
        work_queues: Some(one(work_queue::WORK_POOL_ID.is_one_of_ids([pool.uuid()]))),
        ..Filters::default()
    }
}

fn one(criterion: crate::domain::filter::Criterion) -> Criteria {
    vec![criterion].into()
}

/// The runs in these states in those queues.
fn holders(queues: &Filters, states: &[StateType]) -> Filters {
    let words = states.iter().map(|kind| kind.word());
    Filters {
        flow_runs: Some(one(flow_run::STATE_TYPE.is_one_of(words))),
        ..queues.clone()
    }
}

fn of_queue(
    db: &Connection,
    queue: WorkQueue,
    states: &[StateType],
    page: Page,
) -> Result<QueueSlots> {
    let this = Filters {
        work_queues: Some(one(work_queue::ID.is_one_of_ids([queue.id.uuid()]))),
        ..Filters::default()
    };
    let holders = holders(&this, states);
    Ok(QueueSlots {
        taken: rows::count::<Glance>(db, &holders)?,
        runs: rows::page(db, &holders, Sort::up("id"), page)?,
        queue,
    })
}
