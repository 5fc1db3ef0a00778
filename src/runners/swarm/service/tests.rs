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
    let known = Known {
        image: "sha256:0".to_owned(),
        ..Known::default()
    };
    let made = spec(wanted, &cluster, known, Duration::from_secs(30));
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
        Known::default(),
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
    asked.volumes = ["/data:/d:ro", "cache:/c", "/s:/t:rshared"]
        .map(str::to_owned)
        .into();
    asked.host_folders = vec!["/data".into(), "/s".into()];
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
    let container = &task["ContainerSpec"];
    let mounts = json!([
        { "Target": "/d", "Source": "/data", "Type": "bind", "ReadOnly": true },
        { "Target": "/c", "Source": "cache", "Type": "volume" },
        { "Target": "/t", "Source": "/s", "Type": "bind", "BindOptions": { "Propagation": "rshared" } },
        { "Target": "/tmp", "Type": "tmpfs", "TmpfsOptions": { "SizeBytes": 1 << 20, "Mode": 0o1777 } },
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
    for (volume, told) in [
        ("/a:/b:z", "\"z\""),
        ("/a/below:/b", "docker.allow.host_volumes"),
        ("/a/named:/b", "docker.allow.host_volumes"),
        ("/a/{{printf \"%c%c\" 46 46}}:/b", "fill in"),
        ("{{.Node.ID}}:/b", "fill in"),
    ] {
        let mut asked = wanted();
        asked.host_folders = vec!["/a/".into(), "/a/named".into()];
        asked.volumes = vec![volume.to_owned()];
        let refused = of(&asked, json!({})).unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
    for tmpfs in ["/t:noexec", "/t:size=much", "/t:mode=9"] {
        let mut asked = wanted();
        asked.resources.tmpfs = Some(vec![tmpfs.to_owned()]);
        assert!(of(&asked, json!({})).unwrap_err().contains("/t:"));
    }
    let mut asked = wanted();
    asked.cgroup_parent = Some("runs.slice".to_owned());
    assert!(of(&asked, json!({})).unwrap_err().contains("cgroup_parent"));
    let told = of(&wanted(), json!({ "platforms": ["linux"] })).unwrap_err();
    assert!(told.contains("linux/amd64"), "{told}");
    let told = of(&wanted(), json!({ "stop_grace_seconds": -1 })).unwrap_err();
    assert!(told.contains("stop_grace_seconds"), "{told}");
}

#[test]
fn what_nodes_would_fill_in_comes_out_as_it_is() {
    let mut asked = wanted();
    let env = "{{ name }} {{{x}}}".to_owned();
    asked.env = BTreeMap::from([("TEMPLATE".to_owned(), env)]);
    asked.more.hostname = Some("{{.Node.Hostname}}".to_owned());
    asked.volumes = vec!["cache:/c{{.Task.ID}}".to_owned()];
    let made = of(&asked, json!({})).unwrap();
    let container = &made["TaskTemplate"]["ContainerSpec"];
    let open = r#"{{"{{"}}"#;
    let env = format!("TEMPLATE={open} name }}}} {open}{{x}}}}}}");
    assert_eq!(container["Env"], json!([env]));
    assert_eq!(container["Hostname"], format!("{open}.Node.Hostname}}}}"));
    assert_eq!(
        container["Mounts"][0]["Target"],
        format!("/c{open}.Task.ID}}}}")
    );
}

#[test]
fn the_operator_s_time_to_end_is_the_longest() {
    let grace = |seconds: f64| {
        let made = of(&wanted(), json!({ "stop_grace_seconds": seconds })).unwrap();
        made["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"].clone()
    };
    assert_eq!(grace(1e9), 30_000_000_000_i64);
    assert_eq!(grace(2.0), 2_000_000_000_i64);
}
