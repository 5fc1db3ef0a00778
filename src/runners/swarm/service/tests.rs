use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::domain::container::Pull;
use crate::runners::spec::MoreSettings;

fn wanted() -> Container {
    Container {
        name: "brave-owl".to_owned(),
        image: "flows:1".to_owned(),
        command: vec!["python".to_owned()],
        env: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
        networks: Vec::new(),
        labels: BTreeMap::from([("io.prefect.flow-run-id".to_owned(), "r".to_owned())]),
        volumes: Vec::new(),
        extra_hosts: Vec::new(),
        auto_remove: false,
        pull: Pull::IfMissing,
        resources: Resources::default(),
        cgroup_parent: None,
        host_folders: Vec::new(),
        host_network: false,
        cap_drop: vec!["NET_RAW".to_owned()],
        init: true,
        direct: vec!["10.0.0.5".to_owned()],
        memory_swap: None,
        login: None,
        more: MoreSettings::default(),
        cluster: None,
    }
}

fn of(wanted: &Container, cluster: Value) -> Result<Value, String> {
    let cluster = serde_json::from_value(cluster).unwrap();
    let image = ("sha256:0".to_owned(), Files::default());
    let made = spec(wanted, &cluster, image, Duration::from_secs(30));
    let made = made.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(made).unwrap())
}

#[test]
fn a_service_runs_one_task_once() {
    let made = of(&wanted(), json!({})).unwrap();
    let job = json!({ "MaxConcurrent": 1, "TotalCompletions": 0 });
    assert_eq!(made["Mode"]["ReplicatedJob"], job);
    let task = &made["TaskTemplate"];
    assert_eq!(task["RestartPolicy"]["Condition"], "none");
    let container = &task["ContainerSpec"];
    assert_eq!(container["Image"], "sha256:0");
    assert_eq!(made["Labels"][IMAGE], "flows:1");
    assert_eq!(made["Labels"]["io.prefect.flow-run-id"], "r");
    assert_eq!(container["Labels"]["io.prefect.flow-run-id"], "r");
    assert_eq!(container["Args"], json!(["python"]));
    assert_eq!(container["Env"], json!(["A=b"]));
    assert_eq!(container["Init"], true);
    assert_eq!(container["CapabilityDrop"], json!(["NET_RAW"]));
    assert_eq!(container["StopGracePeriod"], 30_000_000_000_i64);
}

#[test]
fn it_is_started_once_and_ended_once() {
    let spec = spec(
        &wanted(),
        &ClusterSettings::default(),
        (String::new(), Files::default()),
        Duration::ZERO,
    );
    let made = spec.unwrap();
    assert!(!is_ended(&made));
    let begun = started(&made).unwrap();
    assert_eq!(completions(&begun), 1);
    assert_eq!(started(&begun), None);
    let over = ended(&begun).unwrap();
    assert_eq!((completions(&over), is_ended(&over)), (0, true));
    assert_eq!((started(&over), ended(&over)), (None, None));
    assert!(is_ended(&ended(&made).unwrap()));
}

#[test]
fn every_setting_arrives() {
    let mut asked = wanted();
    asked.networks = vec!["default".to_owned(), "mine".to_owned()];
    asked.volumes = ["/data:/d:ro", "cache:/c", "/s:/t:rshared"]
        .map(str::to_owned)
        .into();
    asked.resources = serde_json::from_value(json!({
        "cpus": 1.5, "memory": "512m", "pids_limit": 100, "shm_size": "64m", "read_only": true,
        "tmpfs": ["/tmp:size=1m,mode=1777"], "user": "1:1", "ulimits": ["nofile=1:2"],
        "extra_hosts": ["db:10.0.0.9"], "cap_add": ["CHOWN"],
    }))
    .unwrap();
    asked
        .env
        .insert("HTTP_PROXY".to_owned(), "http://p".to_owned());
    let cluster = json!({
        "constraints": ["node.role==worker"], "placement_preferences": ["node.labels.zone"],
        "platforms": ["linux/amd64"], "reserve_cpus": 0.5, "reserve_memory": "256m",
        "generic_resources": { "gpu": 2 }, "stop_grace_seconds": 1.5,
    });
    let made = of(&asked, cluster).unwrap();
    let task = &made["TaskTemplate"];
    let limits = json!({ "NanoCPUs": 1_500_000_000, "MemoryBytes": 512 << 20, "Pids": 100 });
    assert_eq!(task["Resources"]["Limits"], limits);
    let held = json!({
        "NanoCPUs": 500_000_000, "MemoryBytes": 256 << 20,
        "GenericResources": [{ "DiscreteResourceSpec": { "Kind": "gpu", "Value": 2 } }],
    });
    assert_eq!(task["Resources"]["Reservations"], held);
    let placement = json!({
        "Constraints": ["node.role==worker"],
        "Preferences": [{ "Spread": { "SpreadDescriptor": "node.labels.zone" } }],
        "Platforms": [{ "Architecture": "amd64", "OS": "linux" }],
    });
    assert_eq!(task["Placement"], placement);
    assert_eq!(task["Networks"], json!([{ "Target": "mine" }]));
    let container = &task["ContainerSpec"];
    let mounts = json!([
        { "Target": "/d", "Source": "/data", "Type": "bind", "ReadOnly": true },
        { "Target": "/c", "Source": "cache", "Type": "volume" },
        { "Target": "/t", "Source": "/s", "Type": "bind", "BindOptions": { "Propagation": "rshared" } },
        { "Target": "/tmp", "Type": "tmpfs", "TmpfsOptions": { "SizeBytes": 1 << 20 } },
        { "Target": "/dev/shm", "Type": "tmpfs", "TmpfsOptions": { "SizeBytes": 64 << 20 } },
    ]);
    assert_eq!(container["Mounts"], mounts);
    assert_eq!(container["Hosts"], json!(["10.0.0.9 db"]));
    assert_eq!(container["StopGracePeriod"], 1_500_000_000);
    assert_eq!(container["User"], "1:1");
    assert_eq!(container["ReadOnly"], true);
    let env = container["Env"].as_array().unwrap();
    assert!(env.contains(&json!("no_proxy=10.0.0.5")), "{env:?}");
}

#[test]
fn what_no_service_can_have_is_refused() {
    for config in [
        json!({ "privileged": true }),
        json!({ "devices": ["/dev/x"] }),
        json!({ "gpus": 1 }),
        json!({ "pid_mode": "host" }),
    ] {
        let mut asked = wanted();
        asked.resources = serde_json::from_value(config.clone()).unwrap();
        let name = config.as_object().unwrap().keys().next().unwrap().clone();
        let told = of(&asked, json!({})).unwrap_err();
        assert!(told.contains(&name), "{told}");
    }
    let mut asked = wanted();
    asked.volumes = vec!["/a:/b:z".to_owned()];
    assert!(of(&asked, json!({})).unwrap_err().contains("\"z\""));
    let told = of(&wanted(), json!({ "platforms": ["linux"] })).unwrap_err();
    assert!(told.contains("linux/amd64"), "{told}");
    let told = of(&wanted(), json!({ "stop_grace_seconds": -1 })).unwrap_err();
    assert!(told.contains("stop_grace_seconds"), "{told}");
}
