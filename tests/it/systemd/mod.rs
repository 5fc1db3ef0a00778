//! The package on a real systemd, from its installation to its removal.
//!
//! One machine is booted for all of it, so the checks build on each other: a failure names
//! the check, and shows the machine's journal.

mod checks;
mod load;
mod machine;
mod package;
mod runs;

use machine::Machine;

/// A named check; it panics when it fails.
type Check = (&'static str, fn(&Machine, &package::Packages));

#[test]
fn the_package_on_a_real_systemd() {
    let packages = package::Packages::build();
    let machine = Machine::boot();
    let checks: &[Check] = &[
        (
            "Debian's checker finds no error",
            checks::lintian_is_content,
        ),
        ("installs", checks::installs),
        ("its units are in order", checks::units_are_in_order),
        (
            "memory has a bound, and no core is dumped",
            checks::what_goes_wrong_has_bounds,
        ),
        (
            "a connection starts the daemon",
            checks::a_connection_starts_it,
        ),
        (
            "the socket is for its group",
            checks::the_socket_is_for_its_group,
        ),
        (
            "good settings are taken at a reload",
            checks::reload_takes_good_settings,
        ),
        (
            "bad settings are refused at a reload",
            checks::reload_refuses_bad_settings,
        ),
        (
            "a run's story is in the journal",
            runs::a_run_s_story_is_in_the_journal,
        ),
        (
            "runs reach the API by the relay",
            runs::runs_reach_the_api_by_the_relay,
        ),
        (
            "restarts under load go unnoticed",
            checks::restarts_go_unnoticed,
        ),
        (
            "a daemon that hangs is replaced",
            checks::a_hanging_daemon_is_replaced,
        ),
        ("the backup timer's service works", checks::backs_up),
        ("an upgrade loses no run", checks::an_upgrade_loses_no_run),
        ("its removal leaves nothing", checks::removal_leaves_nothing),
    ];
    for (name, check) in checks {
        let begun = std::time::Instant::now();
        eprintln!("check: {name}");
        check(&machine, &packages);
        eprintln!("       passed in {:.1} s", begun.elapsed().as_secs_f64());
    }
}
