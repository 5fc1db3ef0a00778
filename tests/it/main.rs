//! Tests of the whole: the real binaries, spoken to as their clients speak.

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod agent_versions;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod alike;
#[cfg(test)]
mod automations;
#[cfg(test)]
mod background;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod cancelling;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cli_deployments;
#[cfg(test)]
mod cli_limits;
#[cfg(test)]
mod cli_logs;
#[cfg(test)]
mod cli_pools;
#[cfg(test)]
mod cli_runs;
#[cfg(test)]
mod cli_shells;
#[cfg(test)]
mod cli_tables;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clock_jumps;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod compose;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod deploying;
#[cfg(test)]
mod described;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod docker;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod earlier;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod events;
#[cfg(test)]
mod first_hour;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod generations;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod io_errors;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod man_pages;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod modern;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod old_databases;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod orion;
#[cfg(test)]
mod own_calls;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod private_files;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod relay_bounds;
#[cfg(test)]
mod relay_killed;
#[cfg(test)]
mod relay_old;
#[cfg(test)]
mod relay_streams;
#[cfg(test)]
mod repeated;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod run_keys;
#[cfg(test)]
mod schedule_limits;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod side_by_side;
#[cfg(test)]
mod slots;
#[cfg(test)]
mod storage_faults;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod swarm;
#[cfg(test)]
#[cfg(feature = "systemd")]
mod systemd;
#[cfg(test)]
mod v3;
#[cfg(test)]
mod why;
#[cfg(test)]
mod workers;
