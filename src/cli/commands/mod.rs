//! The commands, by noun.

mod agent;
mod auth;
mod automation;
mod backup;
mod compat;
mod complete;
mod completions;
mod config;
mod deploy;
mod deployment;
mod doctor;
mod event;
mod flow;
mod flow_run;
mod limit;
mod man;
mod node;
mod restore;
mod status;
mod task_run;
mod top;
mod ui;
mod work_pool;

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::args::{Agent, Args, Auth, Command, Config, Node, Output};
use super::client::{Client, Target, api_key};
use super::failure::{Failure, Result};
use super::names::pages_of;
use super::{pages, select};
use crate::api::v3::wire::{Deployment, DeploymentFilter, FlowRun, Ids, Query};
use crate::domain::filter::MAX_PAGE;
use flow_run::Names;

use flow_run::history as flow_run_history;

/// How often a list that is watched is read.
const REFRESH: Duration = Duration::from_secs(2);
/// The fewest characters of an id that are shown.
const SHORT: usize = 8;

/// Carries a command out.
pub async fn carry_out(args: Args) -> Result<()> {
    if let Command::Completions { shell } = &args.command {
        return completions::print(*shell);
    }
    if let Command::Man { folder } = &args.command {
        return man::write(folder);
    }
    if let Command::Restore {
        file,
        state_dir,
        force,
    } = args.command
    {
        let names_daemon = args.socket.is_some() || std::env::var_os("PREFECTD_SOCKET").is_some();
        if state_dir.is_none() && names_daemon {
            let line = "a socket does not say in which directory its daemon keeps its state; name that with \
                        --state-dir";
            return Err(Failure::usage(line));
        }
        return restore::restore(args.output, &file, state_dir, force);
    }
    if let Command::Ui(command) = args.command {
        return ui::carry_out(args.output, command).await;
    }
    if let Command::Auth(Auth::Hash) = &args.command {
        return auth::hash(args.output);
    }
    if let Command::Complete { words } = &args.command {
        return complete::print(&args, words).await;
    }
    let key = api_key(args.api_key_file.as_deref())?;
    let (target, is_named) = (Target::of(&args)?, Target::is_named(&args));
    if let Command::Agent(Agent::Start(start)) = args.command {
        return super::agent::start(target, key, is_named, start).await;
    }
    let client = Client::new(target, key.as_ref());
    let ctl = Ctl {
        client: if args.show_secrets {
            client
        } else {
            client.masking()
        },
        output: args.output,
    };
    match args.command {
        Command::Status => status::status(&ctl).await,
        Command::Doctor { image } => doctor::doctor(&ctl, image).await,
        Command::Version => status::version(&ctl).await,
        Command::Deployment(command) => deployment::carry_out(&ctl, command).await,
        Command::Flow(command) => flow::carry_out(&ctl, command).await,
        Command::FlowRun(command) => flow_run::carry_out(&ctl, command).await,
        Command::TaskRun(command) => task_run::carry_out(&ctl, command).await,
        Command::WorkPool(command) => work_pool::carry_out(&ctl, command).await,
        Command::Limit(command) => limit::carry_out(&ctl, command).await,
        Command::Automation(command) => automation::carry_out(&ctl, command).await,
        Command::Event(command) => event::carry_out(&ctl, command).await,
        Command::Compat => compat::compat(&ctl).await,
        Command::Top { once } => top::top(&ctl, once).await,
        Command::Agent(Agent::Ls) => agent::ls(&ctl).await,
        Command::Node(Node::Ls) => node::ls(&ctl).await,
        Command::Config(Config::Show { all }) => config::show(&ctl, all).await,
        Command::Backup { to, force, keep } => backup::backup(&ctl, &to, force, keep).await,
        Command::Auth(_)
        | Command::Agent(Agent::Start(_))
        | Command::Restore { .. }
        | Command::Ui(_)
        | Command::Complete { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(()),
    }
}

/// What every command uses.
struct Ctl {
    client: Client,
    output: Output,
}

impl Ctl {
    /// The names of flows.
    async fn flow_names(&self, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, String>> {
        super::names::flow_names(&self.client, ids).await
    }

    /// The names around runs.
    async fn names_of(&self, runs: &[FlowRun]) -> Result<Names> {
        let flows = self.flow_names(runs.iter().map(|run| run.flow_id)).await?;
        let mut deployments = HashMap::new();
        for ids in pages_of(runs.iter().filter_map(|run| run.deployment_id)) {
            let query = Query {
                deployments: Some(DeploymentFilter {
                    id: Some(select::any_of(ids)),
                    ..DeploymentFilter::default()
                }),
                ..Query::default()
            };
            let found: Vec<Deployment> =
                pages::all(&self.client, "/deployments/filter", &query, MAX_PAGE).await?;
            let paths = found.into_iter().map(|it| {
                let flow = flows.get(&it.flow_id).map_or("?", String::as_str);
                (it.id, format!("{flow}/{}", it.name))
            });
            deployments.extend(paths);
        }
        Ok(Names { flows, deployments })
    }

    /// Ids as short as tells each from all others of the noun, such as `flow_runs`; whole where
    /// the daemon does not say how short that is.
    async fn short_ids(
        &self,
        noun: &str,
        ids: impl Iterator<Item = Uuid>,
    ) -> HashMap<Uuid, String> {
        let mut short = HashMap::new();
        for ids in pages_of(ids) {
            let path = format!("/prefectd/ids/{noun}/lengths");
            let asked = Ids { ids };
            let lengths: Vec<usize> = self.client.post(&path, &asked).await.unwrap_or_default();
            let lengths = lengths.into_iter().chain(std::iter::repeat(usize::MAX));
            for (id, length) in asked.ids.into_iter().zip(lengths) {
                let whole = id.to_string();
                let shown = whole.get(..length.max(SHORT)).unwrap_or(&whole);
                short.insert(id, shown.trim_end_matches('-').to_owned());
            }
        }
        short
    }
}
