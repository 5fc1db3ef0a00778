use serde_json::{Value, json};

use super::container::container_name;
use super::*;
use crate::domain::JsonMap;
use crate::domain::container::{Allow, Bytes};
use crate::domain::deployment::Infrastructure;
use crate::domain::ids::FlowId;
use crate::domain::run::RunStatistics;
use crate::domain::time::Timestamp;

mod jobs;

fn run(name: &str, kind: Option<&str>, config: Value) -> FlowRun {
    let at = Timestamp::from_micros(0);
    FlowRun {
        id: "018f0000-0000-7000-8000-000000000001".parse().unwrap(),
        created: at,
        updated: at,
        name: name.to_owned(),
        flow_id: FlowId::new(),
        deployment_id: None,
        flow_version: None,
        parameters: JsonMap::new(),
        idempotency_key: None,
        context: JsonMap::new(),
        policy: Default::default(),
        empirical_config: JsonMap::new(),
        tags: Vec::new(),
        parent_task_run_id: None,
        auto_scheduled: false,
        infrastructure: Infrastructure {
            kind: kind.map(|kind| kind.to_owned().into()),
            config: config.as_object().cloned(),
        },
        labels: Default::default(),
        job_variables: None,
        work_queue_id: None,
        queue: None,
        deployment_version: None,
        infrastructure_pid: None,
        created_by: None,
        claim: None,
        statistics: RunStatistics::default(),
        state: None,
    }
}

fn id() -> FlowRunId {
    "018f0000-0000-7000-8000-000000000001".parse().unwrap()
}

fn settings() -> RunnerSettings {
    RunnerSettings {
        home: Some("/home/flows".into()),
        instance: "inst".to_owned(),
        agent: "embedded".to_owned(),
        api_url: Some("http://127.0.0.1:4200/api/".to_owned()),
        container_api_url: Some("http://127.0.0.1:4200/api/".to_owned()),
        advertised_api_url: None,
        placement: Placement::Engine,
        key: None,
        python: "python3".to_owned(),
        containers: ContainerRules {
            allow: Allow {
                host_volumes: vec!["/data".into()],
                host_namespaces: vec!["network".to_owned()],
                ..Allow::default()
            },
            cgroup_parent: Some("prefect-runs.slice".to_owned()),
            ..ContainerRules::default()
        },
    }
}

fn docker(config: Value) -> Container {
    match job(&run("brave-owl", Some("docker"), config), &settings())
        .unwrap()
        .kind
    {
        JobKind::Container(container) => *container,
        other => panic!("{other:?}"),
    }
}

fn subprocess(config: Value) -> Process {
    match job(&run("brave-owl", None, config), &settings())
        .unwrap()
        .kind
    {
        JobKind::Process(process) => process,
        other => panic!("{other:?}"),
    }
}

fn refusal(kind: &str, config: Value) -> String {
    job(&run("x", Some(kind), config), &settings())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_plain_container() {
    let container = docker(json!({}));
    assert_eq!(
        container.cgroup_parent.as_deref(),
        Some("prefect-runs.slice")
    );
    assert_eq!(container.name, "brave-owl");
    assert_eq!(container.image, DEFAULT_IMAGE);
    assert_eq!(container.command[..3], ["python", "-m", "prefect.engine"]);
    assert_eq!(container.extra_hosts, ["host.docker.internal:host-gateway"]);
    assert_eq!(
        container.env["PREFECT_ORION_HOST"],
        "http://host.docker.internal:4200/api/"
    );
    assert_eq!(
        container.env["PREFECT_API_URL"],
        "http://host.docker.internal:4200/api"
    );
    assert_eq!(
        container.labels[labels::RUN],
        "018f0000-0000-7000-8000-000000000001"
    );
    assert_eq!(container.labels[labels::INSTANCE], "inst");
}

#[test]
fn every_setting_arrives() {
    let container = docker(json!({
        "image": "own:1", "env": {"A": "1", "PREFECT_ORION_HOST": "http://api.example:1/api/"},
        "networks": ["one", "two"], "labels": {"team": "x"}, "auto_remove": true,
        "volumes": ["/data:/data:ro", "cache:/cache"], "stream_output": false,
    }));
    assert_eq!(container.image, "own:1");
    assert_eq!(container.env["A"], "1");
    assert_eq!(
        container.env["PREFECT_ORION_HOST"],
        "http://api.example:1/api/"
    );
    assert_eq!(container.networks, ["one", "two"]);
    assert_eq!(container.labels["team"], "x");
    assert_eq!(container.volumes, ["/data:/data:ro", "cache:/cache"]);
    assert!(container.auto_remove);
    assert!(
        container.extra_hosts.is_empty(),
        "the user's API is elsewhere"
    );
}

#[test]
fn on_the_host_s_network_the_api_is_local() {
    let container = docker(json!({ "networks": ["host"] }));
    assert_eq!(
        container.env["PREFECT_ORION_HOST"],
        "http://127.0.0.1:4200/api/"
    );
    assert!(container.extra_hosts.is_empty());
}

#[test]
fn names_are_made_fit() {
    for (name, expected) in [
        ("brave-owl", "brave-owl"),
        ("Ünïcode  name!", "n-code-name"),
        ("_.-x y", "x-y"),
        ("!!!", "018f0000-0000-7000-8000-000000000001"),
        ("", "018f0000-0000-7000-8000-000000000001"),
    ] {
        assert_eq!(container_name(name, id()), expected, "{name:?}");
    }
    let long = container_name(&"a".repeat(400), id());
    assert_eq!(long.len(), LONGEST_NAME);
}

#[test]
fn subprocesses_run_in_their_environment() {
    let plain = subprocess(json!({ "env": {"A": "1"} }));
    assert_eq!(plain.command[0], "python3");
    assert_eq!(
        plain.env["PREFECT_ORION_HOST"],
        "http://127.0.0.1:4200/api/"
    );
    let venv = subprocess(json!({ "virtualenv": "/v" }));
    assert_eq!(venv.command[0], "/v/bin/python");
    assert_eq!(venv.path_first.as_deref(), Some("/v/bin"));
    assert_eq!(venv.env["VIRTUAL_ENV"], "/v");
    assert_eq!(venv.unset, ["PYTHONHOME"]);
    let named = subprocess(json!({ "condaenv": "flows" }));
    assert_eq!(
        named.command[..5],
        ["conda", "run", "--name", "flows", "python"]
    );
    let at = subprocess(json!({ "condaenv": "/c" }));
    assert_eq!(at.command[2], "--prefix");
}

#[test]
fn what_cannot_run_says_why() {
    assert!(refusal("kubernetes", json!({})).contains("'docker' and 'subprocess'"));
    assert!(refusal("docker", json!({ "volumes": ["x"] })).contains("\"x\""));
    assert!(refusal("docker", json!({ "imagee": "x" })).contains("imagee"));
    assert!(refusal("subprocess", json!({ "condaenv": "a", "virtualenv": "b" })).contains("both"));
    let ephemeral = RunnerSettings {
        container_api_url: None,
        ..settings()
    };
    let refused = job(&run("x", Some("docker"), json!({})), &ephemeral).unwrap_err();
    assert!(refused.to_string().contains("ephemeral"), "{refused}");
    assert!(job(&run("x", Some("subprocess"), json!({})), &ephemeral).is_ok());
}

#[test]
fn resources_are_read_beside_the_2_0a7_settings_and_the_rules_hold() {
    let container = docker(json!({
        "image": "x", "memory": "512m", "cpus": 0.5, "user": "1000:1000", "tmpfs": ["/tmp"],
        "network_mode": "mine", "networks": ["other"], "privileged": null,
    }));
    assert_eq!(container.resources.memory, Some(Bytes(512 << 20)));
    assert_eq!(container.resources.user.as_deref(), Some("1000:1000"));
    assert_eq!(container.networks, ["mine", "other"]);
    for config in [
        json!({ "privileged": true }),
        json!({ "volumes": ["/var/run/docker.sock:/x"] }),
        json!({ "memory": "much" }),
        json!({ "time_limit_seconds": 0 }),
    ] {
        assert!(!refusal("docker", config).is_empty());
    }
}

#[test]
fn a_container_loses_raw_sockets_and_has_an_init_unless_the_operator_says_otherwise() {
    let plain = docker(json!({}));
    assert_eq!(
        (plain.cap_drop, plain.init),
        (vec!["NET_RAW".to_owned()], true)
    );
    let mut settings = settings();
    settings.containers.init = Some(false);
    settings.containers.allow.capabilities = vec!["NET_RAW".to_owned()];
    let kept = job(&run("x", Some("docker"), json!({})), &settings).unwrap();
    let JobKind::Container(kept) = kept.kind else {
        panic!("{kept:?}");
    };
    assert!(kept.cap_drop.is_empty() && !kept.init);
}

#[test]
fn labels_that_containers_are_found_by_are_nobody_else_s() {
    for label in [
        labels::RUN,
        labels::AGENT,
        labels::REMOVE,
        "io.prefectd.new",
    ] {
        let refused = refusal("docker", json!({ "labels": { label: "x" } }));
        assert!(
            refused.contains(label) && refused.contains("reserved"),
            "{refused}"
        );
    }
    // An image may carry labels, too, which these win over.
    let plain = docker(json!({}));
    assert_eq!(plain.labels[labels::AGENT], "embedded");
    assert_eq!(plain.labels[labels::REMOVE], "no");
}

#[test]
fn what_that_agent_normalises_is_normalised() {
    for (given, expected) in [
        ("~/venvs/flows", "/home/flows/venvs/flows"),
        ("~", "/home/flows"),
        ("/v/", "/v"),
        ("~root/v", "/root/v"),
    ] {
        let venv = subprocess(json!({ "virtualenv": given }));
        assert_eq!(venv.command[0], format!("{expected}/bin/python"));
        assert_eq!(venv.env["VIRTUAL_ENV"], expected);
        let conda = subprocess(json!({ "condaenv": given }));
        assert_eq!(conda.command[2..4], ["--prefix", expected]);
    }
    assert!(refusal("subprocess", json!({ "virtualenv": "~no-such-user/v" })).contains("home"));
    assert_eq!(
        subprocess(json!({ "virtualenv": "" })).command[0],
        "python3"
    );
    let texts = json!({ "A": 1, "B": true, "C": 1.5, "D": "d" });
    let container = docker(json!({ "env": texts, "labels": texts }));
    for set in [&container.env, &container.labels] {
        let got = ["A", "B", "C", "D"].map(|name| set[name].as_str());
        assert_eq!(got, ["1", "True", "1.5", "d"]);
    }
    assert!(!refusal("docker", json!({ "env": { "A": [] } })).is_empty());
}

#[test]
fn the_api_is_never_behind_a_proxy() {
    assert_eq!(subprocess(json!({})).direct, ["127.0.0.1"]);
    assert_eq!(docker(json!({})).direct, ["host.docker.internal"]);
    assert_eq!(
        docker(json!({ "networks": ["host"] })).direct,
        ["127.0.0.1"]
    );
}

#[test]
fn a_run_s_key_is_in_the_address_that_its_process_is_given() {
    let key = RunKey::new([1; 32]);
    let settings = RunnerSettings {
        key: Some(key.clone()),
        ..settings()
    };
    let env = |kind: &str, config: Value| match job(&run("x", Some(kind), config), &settings)
        .unwrap()
        .kind
    {
        JobKind::Container(container) => container.env,
        JobKind::Process(process) => process.env,
    };
    let text = key.text();
    let container = env("docker", json!({}));
    let keyed = format!("http://host.docker.internal:4200/run/{text}/api");
    assert_eq!(container["PREFECT_API_URL"], keyed);
    assert_eq!(container["PREFECT_ORION_HOST"], format!("{keyed}/"));
    // A client makes the addresses of pages from the API's, and prints them.
    let pages = "http://127.0.0.1:4200";
    assert_eq!(container["PREFECT_UI_URL"], pages);
    let job = env("docker-job", json!({ "command": "x" }));
    assert_eq!(job["PREFECT_API_URL"], keyed);
    assert_eq!(job["PREFECT_UI_URL"], pages);
    let process = env("subprocess", json!({}));
    let keyed = format!("http://127.0.0.1:4200/run/{text}/api");
    assert_eq!(process["PREFECT_API_URL"], keyed);
    for own in [
        json!({ "networks": ["host"] }),
        json!({ "env": { "PREFECT_API_URL": "http://other/api",
                         "PREFECT_ORION_HOST": "http://other/api/" } }),
    ] {
        let env = env("docker", own);
        assert!(!env["PREFECT_API_URL"].contains(text), "{env:?}");
        assert!(!env["PREFECT_ORION_HOST"].contains(text), "{env:?}");
    }
}
