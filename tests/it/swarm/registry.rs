//! Images that nodes pull from a registry that wants to know who asks.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::cluster::{Cluster, HERE};
use super::told;
use crate::support::{TestDaemon, wait_for};

/// What `htpasswd -B` makes of `tester:secret`.
const USERS: &str = "tester:$2b$05$YSpOpucuwWmXkG3M.TUW0ukrG9tlpONzymiSoIGmPMtKvv1Lr.A8G\n";

/// A registry at this machine's address in the swarm. Gone when it is dropped.
struct Registry {
    program: Child,
    dir: TempDir,
    address: String,
}

impl Registry {
    fn up(address: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (users, config) = (dir.path().join("users"), dir.path().join("config.yml"));
        std::fs::write(&users, USERS).unwrap();
        let settings = json!({
            "version": "0.1",
            "storage": { "filesystem": { "rootdirectory": dir.path().join("data") } },
            "http": { "addr": address },
            "auth": { "htpasswd": { "realm": "test", "path": users } },
        });
        std::fs::write(&config, settings.to_string()).unwrap();
        let program = std::env::var("PREFECTD_TEST_REGISTRY");
        let program = Command::new(program.expect("run these tests by tests/run"))
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self {
            program,
            dir,
            address: address.to_owned(),
        };
        wait_for("the registry", || {
            std::net::TcpStream::connect(address).ok().map(drop)
        });
        registry
    }

    /// The folder of Docker's own settings with a login to it.
    fn login(&self) -> &Path {
        let login = json!({ "auths": { &self.address: { "auth": "dGVzdGVyOnNlY3JldA==" } } });
        std::fs::write(self.dir.path().join("config.json"), login.to_string()).unwrap();
        self.dir.path()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// An image of one small program, which is on the manager alone and in the registry.
fn push(cluster: &Cluster, registry: &Registry) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("hello.c");
    let text = "#include <stdio.h>\nint main() { puts(\"from a registry\"); return 5; }\n";
    std::fs::write(&source, text).unwrap();
    let built = Command::new("cc")
        .args(["-static", "-o"])
        .arg(folder.path().join("hello"))
        .arg(&source)
        .status();
    assert!(built.unwrap().success());
    std::fs::write(
        folder.path().join("Dockerfile"),
        "FROM scratch\nCOPY hello /\n",
    )
    .unwrap();
    let image = format!("{}/hello:1", registry.address);
    let context = folder.path().to_str().unwrap();
    cluster.docker(0, &["build", "--quiet", "--tag", &image, context]);
    let pushed = Command::new("docker")
        .arg("--config")
        .arg(registry.login())
        .args(["--host", &cluster.engine(0), "push", "--quiet", &image])
        .output()
        .unwrap();
    assert!(pushed.status.success(), "{pushed:?}");
    image
}

/// The end of a run of an image on a node, of a deployment by that name.
fn ended(daemon: &TestDaemon, name: &str, image: &str, node: usize) -> Value {
    let http = daemon.modern();
    let flow = http.post("/flows/", &json!({ "name": "f" })).body;
    let deployment = json!({
        "name": name, "flow_id": flow["id"], "work_pool_name": "s",
        "job_variables": {
            "image": image, "command": "/hello",
            "constraints": [format!("node.hostname==prefsw-node{node}")],
        },
    });
    let deployment = http.post("/deployments/", &deployment).expect(201);
    daemon.http().ended(&crate::modern::run(
        daemon,
        deployment["id"].as_str().unwrap(),
    ))
}

#[test]
fn nodes_pull_with_the_login_of_the_daemon_or_say_why_they_do_not() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("{HERE}:{}", free.local_addr().unwrap().port());
    drop(free);
    let cluster = Cluster::with_registry(2, &address);
    let registry = Registry::up(&address);
    let image = push(&cluster, &registry);
    // Nobody has the image but the registry.
    cluster.docker(0, &["image", "rm", "--force", &image]);
    let mut env = cluster.env("engine", &[]);
    let mut daemon = cluster.daemon_with(env.clone());
    let pool = json!({ "name": "s", "type": "docker-swarm" });
    daemon.modern().post("/work_pools/", &pool).expect(201);
    let refused = ended(&daemon, "without a login", &image, 1);
    assert_eq!(refused["state_name"], "Crashed", "{refused}");
    assert!(told(&refused).contains(&image), "{refused}");
    daemon.kill();
    // Nothing is kept from now on, of the first run either.
    env.push(("PREFECTD_DOCKER__KEEP__CONTAINERS", "0".to_owned()));
    env.push(("DOCKER_CONFIG", registry.login().display().to_string()));
    daemon.restart(env);
    cluster.await_reachable(&daemon);
    for (name, node) in [("one", 1), ("other", 2)] {
        let ended = ended(&daemon, name, &image, node);
        assert!(told(&ended).contains("exit code 5"), "{ended}");
        assert!(told(&ended).contains("from a registry"), "{ended}");
    }
    wait_for("the services to be removed", || {
        (cluster.services() == 0).then_some(())
    });
}
