use super::*;

/// Everything that can be needed.
const NEEDS: [Need; 8] = [
    Need::Open,
    Need::Read,
    Need::Inspect,
    Need::Fetch,
    Need::Persist,
    Need::Register,
    Need::Aim,
    Need::Operate,
];

fn met(who: &Who) -> Vec<Need> {
    let needs = NEEDS.into_iter();
    needs.filter(|need| may(who, *need).is_ok()).collect()
}

/// What can be aimed at, the runs of all being those that [`aimed`] tells of.
fn aims() -> [Aim; 4] {
    [
        Aim::Log(Targets::default()),
        Aim::Change(Targets::default()),
        Aim::Infrastructure,
        Aim::Elsewhere,
    ]
}

fn aimed(who: &Who, is_own: bool) -> Vec<Aim> {
    let aims = aims().into_iter();
    aims.filter(|aim| may_aim(who, aim, is_own).is_ok())
        .collect()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_micros(secs * 1_000_000)
}

fn run(is_its_own: bool, ended: Option<i64>, now: i64) -> Who {
    Who::Run(RunIdentity {
        id: FlowRunId::new(),
        deployment: None,
        is_its_own,
        ended: ended.map(at),
        now: at(now),
    })
}

#[test]
fn operators_do_all_viewers_look_and_strangers_learn_that_it_lives() {
    assert_eq!(met(&Who::Operator), NEEDS);
    assert_eq!(met(&Who::Viewer), [Need::Open, Need::Read, Need::Inspect]);
    assert_eq!(met(&Who::Stranger("no")), [Need::Open]);
    for is_own in [true, false] {
        assert_eq!(aimed(&Who::Operator, is_own), aims());
        assert_eq!(aimed(&Who::Viewer, is_own), []);
        assert_eq!(aimed(&Who::Stranger("no"), is_own), []);
    }
}

#[test]
fn a_run_does_what_a_running_flow_needs_and_only_to_its_own() {
    let flow_s_needs = [
        Need::Open,
        Need::Read,
        Need::Fetch,
        Need::Persist,
        Need::Register,
        Need::Aim,
    ];
    let who = run(true, None, 1000);
    assert_eq!(met(&who), flow_s_needs);
    assert_eq!(aimed(&who, true), aims()[..2]);
    assert_eq!(aimed(&who, false), []);
}

#[test]
fn a_run_that_has_ended_may_hand_in_its_last_lines_and_for_a_while() {
    let last_lines = &aims()[..1];
    for (ended, now, is_own, needs, expected) in [
        (
            1000,
            1000,
            true,
            &[Need::Open, Need::Read, Need::Aim][..],
            last_lines,
        ),
        (
            1000,
            1899,
            true,
            &[Need::Open, Need::Read, Need::Aim],
            last_lines,
        ),
        (1000, 1900, true, &[Need::Open], &[]),
        (1000, 1001, false, &[Need::Open, Need::Read, Need::Aim], &[]),
    ] {
        let who = run(true, Some(ended), now);
        assert_eq!(met(&who), needs, "{who:?}");
        assert_eq!(aimed(&who, is_own), expected, "{who:?}");
    }
}

#[test]
fn what_does_not_execute_the_run_it_names_is_nobody() {
    for ended in [None, Some(999)] {
        let who = run(false, ended, 1000);
        assert_eq!(met(&who), [Need::Open]);
        assert_eq!(aimed(&who, true), []);
    }
}

#[test]
fn what_executes_a_run_is_what_its_record_says() {
    let peer = |maker| PeerIdentity {
        flow_run: None,
        maker,
        infrastructure_id: "docker:a".to_owned(),
        described: String::new(),
    };
    for (maker, taken, recorded, expected) in [
        (Maker::Us, true, Some("docker:a"), true),
        (Maker::Us, true, Some("docker:b"), false),
        (Maker::Us, true, None, false),
        (Maker::Unnamed, false, None, true),
        (Maker::Unnamed, true, None, false),
        (Maker::Unnamed, true, Some("docker:a"), false),
        (Maker::AnotherDaemon, false, None, false),
        (Maker::AnotherDaemon, true, Some("docker:a"), false),
    ] {
        let is_it = executes(&peer(maker), taken, recorded);
        assert_eq!(is_it, expected, "{maker:?} {taken} {recorded:?}");
    }
}

#[test]
fn groups_tell_local_users_apart() {
    let groups = |operators: &[&str], viewers: &[&str]| Groups {
        operators: operators.iter().map(|name| (*name).to_owned()).collect(),
        viewers: viewers.iter().map(|name| (*name).to_owned()).collect(),
    };
    let peer = |uid, groups: &[&str]| LocalUser {
        uid,
        pid: None,
        user: "u".to_owned(),
        groups: groups.iter().map(|name| (*name).to_owned()).collect(),
    };
    let stranger = Who::Stranger("You are in none of the groups that may use this daemon.");
    for (config, who, expected) in [
        (groups(&[], &[]), peer(7, &[]), Who::Operator),
        (groups(&["ops"], &[]), peer(7, &["x", "ops"]), Who::Operator),
        (groups(&["ops"], &[]), peer(7, &["x"]), stranger.clone()),
        (groups(&["ops"], &[]), peer(0, &[]), Who::Operator),
        (groups(&["ops"], &[]), peer(5, &[]), Who::Operator),
        (groups(&[], &["look"]), peer(7, &["look"]), Who::Viewer),
        (groups(&[], &["look"]), peer(7, &["x"]), stranger),
        (
            groups(&["ops"], &["look"]),
            peer(7, &["look", "ops"]),
            Who::Operator,
        ),
    ] {
        assert_eq!(config.role(&who, 5), expected, "{config:?} {who:?}");
    }
}

#[test]
fn secrets_are_known_by_name_and_passwords_by_their_place() {
    let more = ["dsn".to_owned()];
    for (name, value, shown) in [
        ("AWS_SECRET_ACCESS_KEY", "x", Some(MASK)),
        ("ApiToken", "x", Some(MASK)),
        ("DB_PASS", "x", Some(MASK)),
        ("SENTRY_DSN", "x", Some(MASK)),
        ("REGION", "eu", None),
        ("URL", "http://host/a:b@c", None),
        ("URL", "pg://u:p@h:5/d", Some("pg://u:********@h:5/d")),
        ("URL", "pg://u:p@q@h", Some("pg://u:********@h")),
        ("URL", "pg://u@h", None),
    ] {
        assert_eq!(
            masked(name, value, &more).as_deref(),
            shown,
            "{name}={value}"
        );
    }
}

#[test]
fn a_secret_shows_itself_to_nobody() {
    for text in ["hunter2", "$argon2id$v=19$hunter2"] {
        assert!(!format!("{:?}", Secret::from_text(text)).contains("hunter2"));
    }
    assert!(Secret::from_text("hunter2\n").is_plain());
    assert!(!Secret::from_text("$argon2id$v=19$x").is_plain());
}

#[test]
fn flow_runners_are_veiled_wherever_they_lie() {
    let mut value = serde_json::json!([{
        "deployment": { "flow_runner": { "config": { "env": { "KEY": "x", "N": 1, "PASS": 2 } } } },
        "env": { "KEY": "x" },
    }]);
    mask_runners(&mut value, &[]);
    let shown = serde_json::json!([{
        "deployment": { "flow_runner": { "config": { "env": { "KEY": MASK, "N": 1, "PASS": MASK } } } },
        "env": { "KEY": "x" },
    }]);
    assert_eq!(value, shown);
}
