//! What is looked up when somebody asks.

use prometheus::{Counter, Gauge, GaugeVec, Opts, Registry, Result};

/// The state of things at one moment.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// How many flow runs are in a state of each type.
    pub runs: Vec<(&'static str, u64)>,
    /// The agents that are there.
    pub agents: Vec<AgentVitals>,
    /// The nodes of the cluster, where runs run on one.
    pub nodes: Vec<NodeVitals>,
    /// The database file's size.
    pub database_bytes: u64,
    /// Its write-ahead log's size.
    pub wal_bytes: u64,
    /// Pages in the file that hold nothing.
    pub free_pages: u64,
    /// How many writes wait for the database's writer.
    pub waiting_writes: u64,
    /// When the process started, in seconds since 1970.
    pub started_secs: f64,
}

/// An agent at one moment.
#[derive(Clone, Debug, Default)]
pub struct AgentVitals {
    /// Its name.
    pub name: String,
    /// How many runs it may hold.
    pub slots: u64,
    /// How many it holds.
    pub runs: u64,
    /// How many of them are containers.
    pub containers: u64,
    /// Whether it has lost its engine.
    pub engine_away: bool,
}

/// A node of the cluster at one moment.
#[derive(Clone, Debug, Default)]
pub struct NodeVitals {
    /// Its name.
    pub name: String,
    /// Whether its manager hears of it.
    pub is_ready: bool,
    /// How many runs are there that have not ended.
    pub runs: u64,
}

impl Vitals {
    pub(super) fn register(&self, registry: &Registry) -> Result<()> {
        let page = Page(registry);
        page.labelled(
            "prefectd_build_info",
            "The version, as a label.",
            "version",
            [(env!("CARGO_PKG_VERSION"), 1)],
        )?;
        page.labelled(
            "prefectd_flow_runs",
            "Flow runs by the type of their state.",
            "state",
            self.runs.iter().copied(),
        )?;
        self.agents(&page)?;
        self.nodes(&page)?;
        page.gauge(
            "prefectd_agents",
            "Agents that are there.",
            self.agents.len() as f64,
        )?;
        page.gauge(
            "prefectd_database_bytes",
            "The size of the database file.",
            self.database_bytes as f64,
        )?;
        page.gauge(
            "prefectd_database_wal_bytes",
            "The size of the database's write-ahead log.",
            self.wal_bytes as f64,
        )?;
        page.gauge(
            "prefectd_database_free_pages",
            "Pages of the database file that hold nothing.",
            self.free_pages as f64,
        )?;
        page.gauge(
            "prefectd_writer_queue_depth",
            "Writes that wait for the database's writer.",
            self.waiting_writes as f64,
        )?;
        self.process(&page)
    }

    fn agents(&self, page: &Page<'_>) -> Result<()> {
        let each = |value: fn(&AgentVitals) -> u64| {
            let agents = self.agents.iter();
            agents.map(move |agent| (agent.name.as_str(), value(agent)))
        };
        page.labelled(
            "prefectd_agent_slots",
            "How many runs an agent may hold.",
            "agent",
            each(|agent| agent.slots),
        )?;
        page.labelled(
            "prefectd_agent_runs",
            "How many runs an agent holds.",
            "agent",
            each(|agent| agent.runs),
        )?;
        page.labelled(
            "prefectd_containers",
            "How many containers an agent has for runs that have not ended.",
            "agent",
            each(|agent| agent.containers),
        )?;
        page.labelled(
            "prefectd_agent_engine_up",
            "0 while an agent's container engine does not answer any more.",
            "agent",
            each(|agent| u64::from(!agent.engine_away)),
        )
    }

    fn nodes(&self, page: &Page<'_>) -> Result<()> {
        let each = |value: fn(&NodeVitals) -> u64| {
            let nodes = self.nodes.iter();
            nodes.map(move |node| (node.name.as_str(), value(node)))
        };
        page.labelled(
            "prefectd_node_up",
            "0 while a node of the swarm is not ready.",
            "node",
            each(|node| u64::from(node.is_ready)),
        )?;
        page.labelled(
            "prefectd_node_runs",
            "How many runs a node of the swarm has.",
            "node",
            each(|node| node.runs),
        )
    }

    /// Under the names that Prometheus' own libraries use.
    fn process(&self, page: &Page<'_>) -> Result<()> {
        page.gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
            self.started_secs,
        )?;
        if let Some(bytes) = resident_bytes() {
            page.gauge(
                "process_resident_memory_bytes",
                "Resident memory.",
                bytes as f64,
            )?;
        }
        if let Ok(fds) = std::fs::read_dir("/proc/self/fd") {
            page.gauge(
                "process_open_fds",
                "Open file descriptors.",
                fds.count() as f64,
            )?;
        }
        match nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF) {
            Ok(usage) => page.counter(
                "process_cpu_seconds_total",
                "Time spent on the processors, the system's part included.",
                seconds(usage.user_time()) + seconds(usage.system_time()),
            ),
            Err(_) => Ok(()),
        }
    }
}

fn seconds(time: nix::sys::time::TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(size).ok()?)
}

/// Adds single values to a registry.
struct Page<'a>(&'a Registry);

impl Page<'_> {
    fn gauge(&self, name: &str, help: &str, value: f64) -> Result<()> {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value);
        self.0.register(Box::new(gauge))
    }

    fn counter(&self, name: &str, help: &str, value: f64) -> Result<()> {
        let counter = Counter::new(name, help)?;
        counter.inc_by(value);
        self.0.register(Box::new(counter))
    }

    fn labelled<'a>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Result<()> {
        let gauges = GaugeVec::new(Opts::new(name, help), &[label])?;
        for (key, value) in values {
            gauges.with_label_values(&[key]).set(value as f64);
        }
        self.0.register(Box::new(gauges))
    }
}
