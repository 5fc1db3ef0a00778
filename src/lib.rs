//! The control plane of the Prefect workflow system as one small native daemon.
//!
//! This page is the map. Each room is a module, and imports go only along these arrows;
//! `tests/it/rooms.rs` names whoever strays.
//!
//! ```text
//!  bin ─► daemon ─► everything below        cli ─► api::v3::wire
//!            │                               cli::agent ─► services, runners
//!            │                               cli: restore ─► storage::backup
//!            │                               pages ─► api, app
//!            │                               relay ─► nothing of ours
//!     ┌──────┴───────┐
//!    api          services ─► runners ─┐
//!     │              │                 │
//!     └────► app ◄───┘                 │
//!             │ └─► outgoing ─► domain │
//!          storage ──► domain ◄────────┘
//! ```
//!
//! - [`domain`]: the nouns and the rules. No I/O, no clock, no wire. Start with
//!   [`domain::state`] and [`domain::rules`].
//!   [`domain::work`] says who serves what, and [`domain::template`] what a job is made of.
//! - [`storage`]: the only room that knows SQLite. One writer with two lanes, what somebody
//!   waits for and what is bulk, that commits in groups and carries out what its writes entail,
//!   and readers in lanes: by key, short, and scans, which have a slice of time in a quick lane and
//!   a deadline in a slow one. `storage::rows` finds, counts and removes things of every noun, by
//!   the tables of fields in [`domain::filter`]. Runs that have ended and events are counted as they
//!   come, by parts of time, so that counts and histories do not grow with the tables
//!   (`storage::rows::counts`, `storage::run_counts`, `storage::events`). The secrets of blocks lie
//!   in it under seal (`storage::seal`).
//! - [`app`]: what the daemon can do, a verb at a time, by area. A verb is a function of a
//!   transaction (`app::tx`) that pushes what it entails, and tells events: of states, and of all that
//!   is made, changed and removed ([`domain::event::lifecycle`]). The one road to every change of a run's
//!   state is `app::runs::propose_state`. Automations ([`domain::automation`]) see every event in
//!   the transaction that stores it; what they decide is work that `app::automations` does afterwards,
//!   once.
//! - [`outgoing`]: messages to services elsewhere, over HTTP and by mail, for `app`. What a block
//!   comes to is said by [`domain::notification`].
//! - [`api`]: HTTP. One router, two dialects: [`api::orion`] (the 2.0a7 generation) and
//!   [`api::v3`] (the modern one, a folder a noun). An operation is declared beside its handler,
//!   with what it needs of who asks ([`api::operation`]); [`api::access`] finds out who that is,
//!   and [`domain::access`] decides, about a request that aims at something once it is read.
//!   A run in a container is known by the key in the address that it asks, which is taken out of the
//!   path before anything else sees it (`api::run_key`).
//!   Websockets (`api::sockets`) are operations, too; on `/events/in` a ping is answered once all
//!   that came before it is committed.
//!   What an answer shows to whom is said by its shape (`api::redaction`). Bodies of both
//!   dialects are read by one parser with limits (`api::json`). What the modern dialect refuses is
//!   told in the reference's words, by a table of all that it takes (`api::v3::shapes`). It looks at
//!   the version that a client speaks (`api::versions`), and ignores and counts the fields of Prefect
//!   clients that it does not know (`api::compat`). What clients of Prefect 2 (2.3 to 2.20) say and
//!   hear otherwise is known in one place (`api::earlier`).
//! - [`pages`]: what people see in a browser, made of templates here and whole without a script:
//!   a page asks verbs, and is an operation like those of the API. A small module of ours keeps it
//!   up to date by server-sent events (`pages::live`), which are made once for all who look at the
//!   same. Prefect's own UI is served beside it where it is installed (`pages::official`). Forms have
//!   tokens, and a browser that has given the key has a session (`api::access::session`).
//! - [`runners`]: how a run's process is made: containers, on the engine or as jobs of a swarm
//!   ([`runners::placed`] leads each to its place), and subprocesses.
//! - [`services`]: what goes on by itself: the agent, the scheduler, the marking of late runs,
//!   the leases of agents elsewhere, what ends at its time, the notice of workers that fall silent,
//!   what automations wait for and have decided, the deletion of what is old.
//! - [`daemon`]: the only assembler: listeners, lock, logging, signals, what systemd hands over
//!   and hears, the order of stopping. `systemd/` holds its units and its package.
//! - [`cli`]: what `prefectctl` does. Its `agent start` is the same agent, whose control plane
//!   is over HTTP ([`services::agent::ControlPlane`]).
//! - [`config`]: what an operator may say.
//! - [`relay`]: a small process between the runs and the daemon, so that a daemon that is
//!   killed and comes back is a pause to them. The daemon keeps what the relay has, sockets and
//!   unfinished requests, so that the same holds for the relay. Events that a run tells are kept
//!   there until a daemon has confirmed them.
//! - [`clock`]: where the time comes from. [`logging`]: where the log goes. [`fault`]: where a
//!   test can have it all die. [`state_dir`]: what lies where, and who holds it.
//!   [`metrics`]: what is counted.
//!
//! # The life of one run
//!
//! `prefectctl deployment run my-flow/example` sends a request over the Unix socket. It is
//! settled which dialect it speaks ([`api::dialect`]), a handler extracts, calls
//! [`app::App::create_run_of_deployment`], and renders. The verb hands a closure to the
//! writer: the run's row and its first state, Scheduled, are committed together, and the
//! agent's bell is rung.
//!
//! The agent ([`services::agent`]) wakes and claims the run: in one transaction it becomes
//! Pending and carries the agent's name, so nobody else gets it. [`runners::spec`] turns it
//! into the description of a container, without any I/O; [`runners::docker`] creates the
//! container, named after the run and labelled with its id; its id is recorded; it is
//! started.
//!
//! ```text
//!  Scheduled ──claim──► Pending ──engine──► Running ──engine──► Completed
//!                          │                   │
//!                          └─ cannot start ────┴─ process gone ─► Crashed
//! ```
//!
//! Inside, `python -m prefect.engine` speaks the 2.0a7 dialect over TCP, through Docker's
//! bridge, on which the daemon's relay listens and hands on what it hears. Each proposal of a
//! state takes the one road: facts are read, [`domain::rules::decide`] answers, the
//! verdict is written, all in one transaction, and the answer leaves after the commit. What
//! the container prints is streamed into the run's log.
//!
//! When the container ends, the agent looks at the run. A run that has ended itself is left
//! alone; any other becomes Crashed, with the exit code and the last lines.
//!
//! If the daemon is killed at any point of this, the container lives on. The next daemon
//! finds the runs that carry the agent's name, asks the engine for the containers that carry
//! this daemon's label, and goes on from what it sees ([`services::agent`]): start-up and
//! recovery are the same code as normal operation.

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod domain;
pub mod fault;
pub mod logging;
pub mod metrics;
pub mod outgoing;
pub mod pages;
pub mod relay;
pub mod runners;
#[cfg(test)]
mod seeds;
pub mod services;
pub mod state_dir;
pub mod storage;
