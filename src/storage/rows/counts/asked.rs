//! What is asked of runs, where it can be told by what is counted of them.

use super::boxes::Range;
use crate::domain::filter::{Criteria, Criterion, Filters, Holds, Noun, Test, Values};
use crate::domain::state::StateType;

/// A question about runs, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// When they were expected to start.
    pub expected: Range,
    /// When they started.
    pub started: Range,
    /// Everything but whether they stand for sub-flows.
    pub plain: Filters,
    /// Everything but that and times, in columns that the counts have as well.
    pub rest: Filters,
    /// Of task runs: whether they are part of a flow run, for sure.
    pub in_flow_run: bool,
    /// Of task runs: whether they stand for no sub-flow.
    pub without_sub_flow: bool,
    /// Which types of states it leaves.
    pub kinds: Vec<StateType>,
}

impl Asked {
    /// Of a noun by filters; nothing where more is asked than is counted, where it is asked only of
    /// runs that have not ended, or where an index leads to fewer rows.
    pub fn of(noun: Noun, filters: &Filters) -> Option<Self> {
        if !is_about_counted_things(noun, filters) {
            return None;
        }
        let own = filters.about(noun);
        let mut asked = Self {
            expected: Range::ALL,
            started: Range::ALL,
            plain: Filters::default(),
            rest: Filters::default(),
            in_flow_run: false,
            without_sub_flow: false,
            kinds: StateType::ALL.to_vec(),
        };
        let mut kept = Kept::default();
        if let Some(own) = own {
            asked.take_apart(own, &mut kept)?;
        }
        if asked.kinds.iter().all(|kind| !kind.is_terminal()) || asked.is_found_sooner(filters) {
            return None;
        }
        (asked.plain, asked.rest) = (filters.clone(), filters.clone());
        let [plain, rest] = [kept.plain, kept.rest].map(|kept| own.map(|_| Criteria::All(kept)));
        match noun {
            Noun::TaskRun => {
                asked.in_flow_run = asked.rest.flow_runs.take().is_some();
                (asked.plain.task_runs, asked.rest.task_runs) = (plain, rest);
            }
            _ => (asked.plain.flow_runs, asked.rest.flow_runs) = (plain, rest),
        }
        Some(asked)
    }

    /// Whether an index leads to as few rows: to the runs of a time, of which those without sub-flows
    /// are told apart one by one, and, where no time is said, to the runs of what is around them.
    fn is_found_sooner(&self, filters: &Filters) -> bool {
        if self.expected.is_bounded() {
            return self.without_sub_flow;
        }
        let around = [
            &filters.flows,
            &filters.deployments,
            &filters.work_pools,
            &filters.work_queues,
        ];
        let own = filters.flow_runs.iter().flat_map(Criteria::certain);
        around.iter().any(|it| it.is_some())
            || own
                .into_iter()
                .any(|it| matches!(it.field.holds, Holds::Id | Holds::QueueName))
    }

    /// Whether runs that have not ended may be among them.
    pub fn is_of_live_ones(&self) -> bool {
        self.kinds.iter().any(|kind| !kind.is_terminal())
    }

    /// Keeps what is asked beside sub-flows, and beside times.
    fn take_apart(&mut self, criteria: &Criteria, kept: &mut Kept) -> Option<()> {
        let one = match criteria {
            Criteria::All(parts) => {
                return parts.iter().try_for_each(|it| self.take_apart(it, kept));
            }
            Criteria::Any(_) if is_counted(criteria) => {
                kept.plain.push(criteria.clone());
                kept.rest.push(criteria.clone());
                return Some(());
            }
            Criteria::Any(_) => return None,
            Criteria::One(one) => one,
        };
        match (one.field.holds, one.field.column) {
            (Holds::SubFlow, _) => {
                // Those that stand for one are found by way of these.
                self.without_sub_flow = one.test == Test::Is(false);
                return self.without_sub_flow.then_some(());
            }
            (Holds::Time, _) if one.field.or.is_some() => return None,
            (Holds::Time, "expected_start_time") => {
                self.expected = narrowed(self.expected, &one.test)?;
            }
            (Holds::Time, "start_time") => self.started = narrowed(self.started, &one.test)?,
            _ if is_counted_of(one) => {
                self.leave_only(one);
                kept.rest.push(criteria.clone());
            }
            _ => return None,
        }
        kept.plain.push(criteria.clone());
        Some(())
    }

    /// Leaves the types of states that are asked for.
    fn leave_only(&mut self, one: &Criterion) {
        if let (Holds::StateType, Test::In(Values::Words(words))) = (one.field.holds, &one.test) {
            self.kinds
                .retain(|kind| words.iter().any(|word| word == kind.word()));
        }
    }
}

/// What is kept of a question that is taken apart.
#[derive(Default)]
struct Kept {
    plain: Vec<Criteria>,
    rest: Vec<Criteria>,
}

/// Whether all that is asked of other things is asked by way of what is counted.
fn is_about_counted_things(noun: Noun, filters: &Filters) -> bool {
    match noun {
        Noun::FlowRun => filters.is_only_about(&[
            Noun::FlowRun,
            Noun::Flow,
            Noun::Deployment,
            Noun::WorkPool,
            Noun::WorkQueue,
        ]),
        Noun::TaskRun => {
            filters.is_only_about(&[Noun::TaskRun, Noun::FlowRun])
                && filters.flow_runs.as_ref().is_none_or(Criteria::is_nothing)
        }
        _ => false,
    }
}

fn is_counted(criteria: &Criteria) -> bool {
    match criteria {
        Criteria::One(one) => is_counted_of(one),
        Criteria::All(parts) | Criteria::Any(parts) => parts.iter().all(is_counted),
    }
}

fn is_counted_of(one: &Criterion) -> bool {
    match (one.field.holds, one.field.column) {
        (Holds::StateType, _) | (Holds::Text, "state_name") => true,
        // An empty id stands for none.
        (Holds::Id, "deployment_id") | (Holds::QueueName, _) => matches!(one.test, Test::In(_)),
        _ => false,
    }
}

fn narrowed(range: Range, test: &Test) -> Option<Range> {
    match test {
        Test::AtLeast(time) => Some(range.at_least(*time)),
        Test::AtMost(time) => Some(range.at_most(*time)),
        Test::IsNull(true) => Some(range.within(Range::NONE)),
        _ => None,
    }
}
