//! What is counted while the daemon runs, for Prometheus.
//!
//! Every name stands here once. What happens often ([`Meters`]) is counted where it happens,
//! on atomics; what can be looked up ([`Vitals`]) is looked up when somebody asks. A process
//! has one set of meters, so that they need not travel through every constructor.

mod meters;
mod vitals;

use std::sync::LazyLock;

use prometheus::{Registry, Result, TextEncoder};

pub use meters::{Dialect, Meters};
pub use vitals::{AgentVitals, NodeVitals, Vitals};

/// The form in which [`text`] answers.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Bounds in seconds for what takes from a tenth of a millisecond to seconds.
const FINE: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

static REGISTRY: LazyLock<Result<(Registry, Meters)>> = LazyLock::new(|| {
    let registry = Registry::new();
    let meters = Meters::new(&registry)?;
    Ok((registry, meters))
});

/// The meters of this process. Only names that contradict each other could keep them from
/// being there.
pub fn meters() -> Option<&'static Meters> {
    REGISTRY.as_ref().ok().map(|(_, meters)| meters)
}

/// All meters and the given vitals as Prometheus reads them.
pub fn text(vitals: &Vitals) -> Result<String> {
    let (counted, _) = REGISTRY
        .as_ref()
        .map_err(|error| prometheus::Error::Msg(error.to_string()))?;
    encode(counted, vitals)
}

fn encode(counted: &Registry, vitals: &Vitals) -> Result<String> {
    let looked_up = Registry::new();
    vitals.register(&looked_up)?;
    let mut families = looked_up.gather();
    families.extend(counted.gather());
    TextEncoder::new().encode_to_string(&families)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_counted_and_what_was_looked_up_are_told() {
        // Its own: others count on those of the process meanwhile.
        let registry = Registry::new();
        let meters = Meters::new(&registry).unwrap();
        meters.committed(Duration::from_millis(3), 7);
        meters.dispatched(0.2);
        meters.answered(Dialect::Orion, 404, Duration::from_micros(80));
        meters.deleted("logs", 3);
        let vitals = Vitals {
            runs: vec![("RUNNING", 2)],
            agents: vec![AgentVitals {
                name: "odd \"name\"".to_owned(),
                slots: 4,
                runs: 2,
                containers: 1,
                engine_away: true,
            }],
            ..Vitals::default()
        };
        let told = encode(&registry, &vitals).unwrap();
        for line in [
            "# TYPE prefectd_writer_commit_seconds histogram",
            "prefectd_writer_batch_writes_sum 7",
            "prefectd_dispatch_seconds_bucket{le=\"0.25\"} 1",
            "prefectd_http_request_seconds_count{dialect=\"orion\",status=\"4xx\"} 1",
            "prefectd_retention_deleted_total{kind=\"logs\"} 3",
            "prefectd_flow_runs{state=\"RUNNING\"} 2",
            "prefectd_agent_engine_up{agent=\"odd \\\"name\\\"\"} 0",
            "prefectd_containers{agent=\"odd \\\"name\\\"\"} 1",
        ] {
            assert!(told.contains(line), "{line} is not in\n{told}");
        }
    }
}
