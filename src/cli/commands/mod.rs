//! The commands, by noun.

mod agent;
mod auth;
mod backup;
mod deploy;
mod deployment;
mod doctor;
mod flow;
mod flow_run;
mod man;
mod restore;
mod status;

use std::collections::HashMap;

use clap::CommandFactory;
use uuid::Uuid;

use super::args::{Agent, Args, Auth, Command, Output};
use super::client::{Client, Target, api_key};
use super::failure::Result;
use crate::api::v3::wire::{ById, Flow, FlowFilter, Query};

/// Carries a command out.
pub async fn carry_out(args: Args) -> Result<()> {
    if let Command::Completions { shell } = &args.command {
        let mut command = Args::command();
        clap_complete::generate(*shell, &mut command, "prefectctl", &mut std::io::stdout());
        return Ok(());
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
        return restore::restore(args.output, &file, state_dir, force);
    }
    if let Command::Auth(Auth::Hash) = &args.command {
        return auth::hash(args.output);
    }
    let key = api_key(args.api_key_file.as_deref())?;
    let (target, is_named) = (Target::of(&args)?, Target::is_named(&args));
    if let Command::Agent(Agent::Start(start)) = args.command {
        return super::agent::start(target, key, is_named, start).await;
    }
    let client = Client::new(target, key.as_ref());
    let ctl = Ctl {
        client: match args.show_secrets {
            true => client,
            false => client.veiled(),
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
        Command::Agent(Agent::Ls) => agent::ls(&ctl).await,
        Command::Backup { to, force, keep } => backup::backup(&ctl, &to, force, keep).await,
        Command::Auth(_)
        | Command::Agent(Agent::Start(_))
        | Command::Restore { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(()),
    }
}

/// What every command has at hand.
struct Ctl {
    client: Client,
    output: Output,
}

impl Ctl {
    /// The names of flows.
    async fn flow_names(&self, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, String>> {
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let query = Query {
            flows: Some(FlowFilter {
                id: Some(ById {
                    any_: Some(ids),
                    ..ById::default()
                }),
                ..FlowFilter::default()
            }),
            ..Query::default()
        };
        let flows: Vec<Flow> = self.client.post("/flows/filter", &query).await?;
        Ok(flows.into_iter().map(|flow| (flow.id, flow.name)).collect())
    }
}
