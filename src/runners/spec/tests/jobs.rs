//! What becomes of jobs of work pools.

use super::*;

/// The container of a job of a work pool.
fn docker_job(config: Value) -> Result<Container, RunnerError> {
    match job(&run("owl", Some("docker-job"), config), &settings())?.kind {
        JobKind::Container(container) => Ok(*container),
        JobKind::Process(_) => panic!("a process"),
    }
}

#[test]
fn every_setting_of_a_docker_job_arrives() {
    let got = docker_job(json!({
        "name": "my owl", "command": "python -c 'print(1)'", "image": "i:1",
        "env": {"A": 1, "PREFECT__FLOW_RUN_ID": "x"},
        "labels": {"team.org/a": "b", "plain": "c"},
        "attribution": {"prefect.io/flow-run-name": "owl", "prefect.io/version": "3.9.1"},
        "image_pull_policy": "Never", "networks": ["one", "two"], "auto_remove": true,
        "volumes": ["/data/x:/y"], "stream_output": false, "mem_limit": "1g",
        "memswap_limit": "-1", "container_wait_timeout": 5, "unknown": 1,
        "registry_credentials": {"username": "u", "password": "p", "registry_url": "r", "reauth": true},
        "container_create_kwargs": {
            "working_dir": "/w", "hostname": "h", "entrypoint": "sh -c", "user": 1000,
            "shm_size": "64m", "nano_cpus": 1_500_000_000, "extra_hosts": {"db": "10.0.0.1"},
            "tmpfs": {"/tmp": "size=1m"}, "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            "cap_drop": ["CHOWN"], "labels": {"more": "d"}, "init": false, "group_add": [7],
        },
    }))
    .unwrap();
    assert_eq!(got.name, "my-owl");
    assert_eq!(got.command, ["python", "-c", "print(1)"]);
    assert_eq!((got.image.as_str(), got.pull), ("i:1", Pull::Never));
    assert_eq!(got.env["A"], "1");
    assert_eq!(
        got.env["PREFECT_API_URL"],
        "http://host.docker.internal:4200/api"
    );
    assert!(!got.env.contains_key("PREFECT_ORION_HOST"));
    for (name, value) in [
        ("org.team.a", "b"),
        ("plain", "c"),
        ("more", "d"),
        ("io.prefect.flow-run-name", "owl"),
        ("io.prefect.version", "3.9.1"),
        (labels::RUN, "018f0000-0000-7000-8000-000000000001"),
    ] {
        assert_eq!(got.labels[name], value, "{name}");
    }
    assert_eq!(got.networks, ["one", "two"]);
    assert!(got.auto_remove && !got.init);
    assert_eq!(got.resources.memory, Some(Bytes(1 << 30)));
    assert_eq!(got.memory_swap, Some(-1));
    assert_eq!(got.resources.cpus, Some(1.5));
    assert_eq!(got.resources.ulimits.unwrap(), ["nofile=1:2"]);
    assert_eq!(got.resources.extra_hosts.unwrap(), ["db:10.0.0.1"]);
    assert_eq!(got.resources.user.unwrap(), "1000");
    assert_eq!(got.login.unwrap().password, "p");
    assert_eq!(got.more.entrypoint.unwrap(), ["sh", "-c"]);
    assert_eq!(
        (got.more.working_dir.as_deref(), got.more.groups),
        (Some("/w"), vec!["7".to_owned()])
    );
    assert!(got.cap_drop.contains(&"CHOWN".to_owned()));
}

#[test]
fn a_docker_job_that_says_nothing_gets_what_the_worker_gives() {
    let got = docker_job(json!({})).unwrap();
    assert_eq!(got.name, "owl");
    assert_eq!(got.command, ["prefect", "flow-run", "execute"]);
    assert_eq!(got.image, "prefecthq/prefect:3.9.1-python3.11");
    let mut settings = settings();
    settings.containers.pool_image = Some("own:1".to_owned());
    for (config, image) in [(json!({}), "own:1"), (json!({ "image": "i:1" }), "i:1")] {
        let made = job(&run("owl", Some("docker-job"), config), &settings).unwrap();
        let JobKind::Container(container) = made.kind else {
            panic!("a process");
        };
        assert_eq!(container.image, image);
    }
    assert_eq!(got.extra_hosts, ["host.docker.internal:host-gateway"]);
    for (image, policy, pull) in [
        ("a:1", json!(null), Pull::IfMissing),
        ("a", json!(null), Pull::Always),
        ("host:5000/a", json!(null), Pull::Always),
        ("a:latest", json!(null), Pull::Always),
        ("a@sha256:0", json!(null), Pull::IfMissing),
        ("a", json!("IfNotPresent"), Pull::IfMissing),
        ("a:1", json!("Always"), Pull::Always),
        ("a:1", json!("IfPossible"), Pull::IfPossible),
    ] {
        let got = docker_job(json!({ "image": image, "image_pull_policy": policy })).unwrap();
        assert_eq!(got.pull, pull, "{image} {policy}");
    }
    let host = docker_job(json!({ "network_mode": "host" })).unwrap();
    assert_eq!(host.env["PREFECT_API_URL"], "http://127.0.0.1:4200/api");
    let own = docker_job(json!({ "env": {"PREFECT_API_URL": "http://localhost:9/api"} })).unwrap();
    assert_eq!(
        own.env["PREFECT_API_URL"],
        "http://host.docker.internal:9/api"
    );
}

#[test]
fn a_docker_job_may_not_ask_for_more_than_the_operator_permits() {
    for (config, words) in [
        (json!({ "privileged": true }), "docker.allow.privileged"),
        (
            json!({ "volumes": ["/etc:/x"] }),
            "docker.allow.host_volumes",
        ),
        (json!({ "volumes": ["x"] }), "path:container_path"),
        (
            json!({ "labels": {"io.prefectd.agent": "x"} }),
            "io.prefectd.agent",
        ),
        (
            json!({ "labels": {"prefect.io/flow-run-id": "x"} }),
            "io.prefect.flow-run-id",
        ),
        (
            json!({ "container_create_kwargs": {"cap_add": ["SYS_ADMIN"]} }),
            "docker.allow.capabilities",
        ),
        (
            json!({ "container_create_kwargs": {"pid_mode": "host"} }),
            "docker.allow.host_namespaces",
        ),
        (
            json!({ "container_create_kwargs": {"devices": ["/dev/kvm"]} }),
            "docker.allow.devices",
        ),
        (
            json!({ "container_create_kwargs": {"security_opt": ["x"]} }),
            "security_opt",
        ),
        (json!({ "command": "a 'b" }), "quote"),
        (
            json!({ "container_wait_timeout": 0 }),
            "container_wait_timeout",
        ),
        (json!({ "memswap_limit": "1g" }), "mem_limit"),
        (json!({ "image": 7 }), "image"),
    ] {
        let refused = docker_job(config.clone())
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(words) || words == "image",
            "{config}: {refused}"
        );
    }
}

#[test]
fn a_process_job_is_the_engine_in_a_folder_of_its_own() {
    let of = |config: Value| match job(&run("owl", Some("process-job"), config), &settings()) {
        Ok(Job {
            kind: JobKind::Process(process),
            ..
        }) => Ok(process),
        Ok(_) => panic!("a container"),
        Err(error) => Err(error),
    };
    let got = of(json!({ "env": {"A": "b"} })).unwrap();
    assert_eq!(got.command, ["python3", "-m", "prefect.engine"]);
    assert_eq!(got.folder, Folder::Fresh);
    assert_eq!(got.env["PREFECT_API_URL"], "http://127.0.0.1:4200/api");
    let got = of(json!({ "command": "a b", "working_dir": "/srv" })).unwrap();
    assert_eq!(got.command, ["a", "b"]);
    assert_eq!(got.folder, Folder::Given("/srv".into()));
    assert!(of(json!({ "working_dir": "x" })).is_err());
}
