//! What can be asked of runs.

use proptest::prelude::*;

use super::world::{World, moment};
use crate::domain::filter::{
    Criteria, Filters, Test, deployment, flow, flow_run, task_run, work_pool,
};
use crate::domain::state::StateType;

/// What can be asked of runs of either kind: numbers say which of it is.
#[derive(Clone, Debug)]
pub(super) struct Asks {
    expected: (Option<i64>, Option<i64>),
    started: (Option<i64>, Option<i64>),
    never_started: bool,
    kinds: Option<Vec<StateType>>,
    name: Option<&'static str>,
    around: usize,
    sub_flow: Option<bool>,
}

pub(super) fn question() -> impl Strategy<Value = Asks> {
    let maybe = || prop::option::of(moment());
    let kinds = prop::collection::vec(prop::sample::select(&StateType::ALL[..]), 1..4);
    (
        (maybe(), maybe()),
        prop_oneof![3 => Just((None, None)), 2 => (maybe(), maybe())],
        prop::bool::weighted(0.1),
        prop::option::of(kinds),
        prop::option::weighted(0.2, Just("a")),
        0_usize..9,
        prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)],
    )
        .prop_map(
            |(expected, started, never_started, kinds, name, around, sub_flow)| Asks {
                expected,
                started,
                never_started,
                kinds,
                name,
                around,
                sub_flow,
            },
        )
}

impl Asks {
    pub(super) fn of_flow_runs(&self, world: &World) -> Filters {
        let mut own = Vec::new();
        for (field, (from, to)) in [
            (&flow_run::EXPECTED_START_TIME, self.expected),
            (&flow_run::START_TIME, self.started),
        ] {
            own.extend(from.map(|at| field.asked(Test::AtLeast(at))));
            own.extend(to.map(|at| field.asked(Test::AtMost(at))));
        }
        if self.never_started {
            own.push(flow_run::START_TIME.asked(Test::IsNull(true)));
        }
        if let Some(kinds) = &self.kinds {
            own.push(flow_run::STATE_TYPE.is_one_of(kinds.iter().map(|kind| kind.word())));
        }
        own.extend(self.name.map(|name| flow_run::STATE_NAME.is_one_of([name])));
        let mut filters = Filters::default();
        let some = |one| Some(Criteria::from(vec![one]));
        match self.around {
            1 => filters.flows = some(flow::ID.is_one_of_ids([world.flows[0].uuid()])),
            2 => filters.deployments = some(deployment::NAME.is_one_of(["d"])),
            3 => filters.work_pools = some(work_pool::NAME.is_one_of(["p"])),
            4 => own.push(flow_run::DEPLOYMENT_ID.is_one_of_ids([world.deployment.uuid()])),
            5 => own.push(flow_run::WORK_QUEUE_NAME.is_one_of(["q"])),
            6 => own.push(flow_run::WORK_QUEUE_NAME.asked(Test::IsNull(true))),
            7 => own.push(flow_run::DEPLOYMENT_ID.asked(Test::IsNull(false))),
            _ => {}
        }
        let own = Criteria::from(own);
        let either = [
            Criteria::One(flow_run::STATE_TYPE.is_one_of([StateType::Failed.word()])),
            Criteria::One(flow_run::WORK_QUEUE_NAME.is_one_of(["q"])),
        ];
        filters.flow_runs = Some(match self.around {
            8 => Criteria::All(vec![own, Criteria::Any(either.to_vec())]),
            _ => own,
        });
        filters
    }

    pub(super) fn of_task_runs(&self) -> Filters {
        let mut own = Vec::new();
        for (field, (from, to)) in [
            (&task_run::EXPECTED_START_TIME, self.expected),
            (&task_run::START_TIME, self.started),
        ] {
            own.extend(from.map(|at| field.asked(Test::AtLeast(at))));
            own.extend(to.map(|at| field.asked(Test::AtMost(at))));
        }
        if let Some(kinds) = &self.kinds {
            own.push(task_run::STATE_TYPE.is_one_of(kinds.iter().map(|kind| kind.word())));
        }
        own.extend(
            self.sub_flow
                .map(|is| task_run::SUBFLOW_RUNS.asked(Test::Is(is))),
        );
        Filters {
            task_runs: Some(own.into()),
            flow_runs: (self.around % 2 == 1).then_some(Criteria::NOTHING),
            ..Filters::default()
        }
    }
}
