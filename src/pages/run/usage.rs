//! What a run uses of the machine, over time: looked at while somebody looks at its page, and
//! kept in memory for as long as the daemon lives.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::api::Ctx;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::StateType;
use crate::domain::usage::Usage;
use crate::pages::show::bytes;

/// How often the engine is asked at most.
const EVERY: Duration = Duration::from_secs(5);
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many moments of a run are kept: half an hour's.
const MOMENTS: usize = 360;
/// Of how many runs.
const RUNS: usize = 64;
/// How high a chart is.
const HEIGHT: f64 = 42.0;

/// What runs used while somebody looked; clones share it.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<HashMap<FlowRunId, Ring>>>);

/// What one run used.
struct Ring {
    moments: VecDeque<(Instant, Usage)>,
    asked: Instant,
}

/// A curve.
pub struct Curve {
    /// What it is of.
    pub name: &'static str,
    /// How much it is now.
    pub now: String,
    /// Its class.
    pub class: &'static str,
    /// Its points, in a box of 100 by 42.
    pub line: String,
    /// The same with the ground below.
    pub area: String,
}

impl Meter {
    /// What a run uses, as far as it is known; asks anew where it is time. Nothing where it is
    /// known for less than two moments.
    pub async fn look(&self, ctx: &Ctx, id: FlowRunId) -> Vec<Curve> {
        if self.is_time(id) {
            self.ask(ctx, id).await;
        }
        let all = self.0.lock();
        all.get(&id)
            .map(|ring| curves(&ring.moments))
            .unwrap_or_default()
    }

    /// Whether a run was not asked about lately; from now on it was.
    fn is_time(&self, id: FlowRunId) -> bool {
        let now = Instant::now();
        let mut all = self.0.lock();
        if let Some(ring) = all.get_mut(&id) {
            let is_time = now.duration_since(ring.asked) >= EVERY;
            if is_time {
                ring.asked = now;
            }
            return is_time;
        }
        if all.len() >= RUNS {
            let oldest = all.iter().min_by_key(|(_, ring)| ring.asked);
            let oldest = oldest.map(|(id, _)| *id);
            oldest.and_then(|id| all.remove(&id));
        }
        let ring = Ring {
            moments: VecDeque::new(),
            asked: now,
        };
        all.insert(id, ring);
        true
    }

    async fn ask(&self, ctx: &Ctx, id: FlowRunId) {
        let Ok(run) = ctx.app.flow_run(id).await else {
            return;
        };
        if !has_process(&run) {
            return;
        }
        let made = run.claim.and_then(|claim| claim.infrastructure_id);
        let asked = ctx.host.usage(vec![(id, made)]);
        let Ok(told) = tokio::time::timeout(PATIENCE, asked).await else {
            return;
        };
        let mut all = self.0.lock();
        if let (Some(usage), Some(ring)) = (told.get(&id), all.get_mut(&id)) {
            ring.moments.push_back((Instant::now(), *usage));
            if ring.moments.len() > MOMENTS {
                ring.moments.pop_front();
            }
        }
    }
}

fn has_process(run: &FlowRun) -> bool {
    let kind = run.state.as_ref().map(|state| state.kind);
    let live = [
        StateType::Pending,
        StateType::Running,
        StateType::Cancelling,
    ];
    run.claim.is_some() && kind.is_some_and(|kind| live.contains(&kind))
}

fn curves(moments: &VecDeque<(Instant, Usage)>) -> Vec<Curve> {
    let pairs = moments.iter().zip(moments.iter().skip(1));
    let cores: Vec<f64> = pairs
        .map(|((began, before), (ended, after))| {
            let passed = ended.duration_since(*began).as_secs_f64().max(0.001);
            after.cpu.saturating_sub(before.cpu).as_secs_f64() / passed
        })
        .collect();
    let memory: Vec<f64> = moments
        .iter()
        .map(|(_, usage)| usage.memory as f64)
        .collect();
    let (Some(core), Some((_, last))) = (cores.last(), moments.back()) else {
        return Vec::new();
    };
    let core = format!("{core:.2} cores");
    vec![
        curve("CPU", core, "s-running", &cores),
        curve("Memory", bytes(last.memory), "s-paused", &memory),
    ]
}

fn curve(name: &'static str, now: String, class: &'static str, values: &[f64]) -> Curve {
    let most = values.iter().copied().fold(0.0, f64::max).max(1e-9);
    let step = 100.0 / (values.len().max(2) - 1) as f64;
    let points = values.iter().enumerate().map(|(place, value)| {
        let y = HEIGHT - 2.0 - value / most * (HEIGHT - 4.0);
        format!("{:.1},{y:.1}", place as f64 * step)
    });
    let mut points: Vec<_> = points.collect();
    let second = match points.as_slice() {
        [only] => only.split_once(',').map(|(_, y)| format!("100,{y}")),
        _ => None,
    };
    points.extend(second);
    let line = points.join(" ");
    Curve {
        name,
        now,
        class,
        area: format!("0,{HEIGHT} {line} 100,{HEIGHT}"),
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(all: &[(u64, u64)]) -> VecDeque<(Instant, Usage)> {
        let begun = Instant::now();
        let each = all.iter().zip(0u64..).map(|((cpu, memory), place)| {
            let usage = Usage {
                cpu: Duration::from_millis(*cpu),
                memory: *memory,
            };
            (begun + Duration::from_secs(place * 5), usage)
        });
        each.collect()
    }

    #[test]
    fn processor_time_becomes_cores() {
        assert!(curves(&moments(&[])).is_empty());
        assert!(curves(&moments(&[(0, 1024)])).is_empty());
        let two = curves(&moments(&[(0, 1024), (5000, 2048)]));
        assert_eq!(two[0].now, "1.00 cores");
        assert_eq!(two[0].line, "0.0,2.0 100,2.0");
        assert_eq!(
            (two[1].now.as_str(), two[1].line.as_str()),
            ("2.0 KiB", "0.0,21.0 100.0,2.0")
        );
        // A process that began again has used less than before.
        assert_eq!(curves(&moments(&[(9000, 1), (10, 1)]))[0].now, "0.00 cores");
    }

    #[test]
    fn the_engine_is_not_asked_all_the_time_nor_for_all_runs() {
        let meter = Meter::default();
        let id = FlowRunId::new();
        assert!(meter.is_time(id));
        assert!(!meter.is_time(id));
        for _ in 0..200 {
            meter.is_time(FlowRunId::new());
        }
        assert_eq!(meter.0.lock().len(), RUNS);
    }
}
