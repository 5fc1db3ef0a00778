//! Every operation × those who are known by the socket, and those without a key.

use prefectd::api::Need;

use super::planted::Planted;
use super::{Asker, CANARY};
use crate::support::{KeyFile, Options, TestDaemon, ask_as, user, with_groups, with_key};

#[test]
fn local_users_get_what_each_operation_declares() {
    let daemon = with_groups();
    let planted = Planted::plant(&daemon.http());
    let socket = daemon.socket();
    let mut seen = 0;
    // Those who change something come last.
    for (asker, uid) in [
        (Asker::Stranger, user::STRANGER),
        (Asker::Viewer, user::VIEWER),
        (Asker::Operator, user::OPERATOR),
    ] {
        for asked in planted.requests(&planted.targets()) {
            let (status, text) = ask_as(uid, &socket, &asked.method, &asked.path, &asked.body);
            asker.check(&asked, status, &text);
            let reads = matches!(asked.need, Need::Read | Need::Inspect);
            seen += usize::from(reads && text.contains(CANARY));
        }
    }
    // It was there to be seen.
    assert!(seen > 20, "{seen}");
}

#[test]
fn without_a_key_nobody_gets_anything() {
    let key = KeyFile::new();
    let daemon = TestDaemon::with(Options {
        flags: vec!["--no-agent", "--no-docker-bridge"],
        env: key.env(),
        ..Options::default()
    });
    let planted = Planted::plant(&with_key(&daemon));
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    for asked in planted.requests(&planted.targets()) {
        let url = format!("{}{}", daemon.url(), asked.path);
        let request = ureq::http::Request::builder()
            .method(&*asked.method)
            .uri(url);
        let request = request.header("content-type", "application/json");
        let answer = match asked.method.as_str() {
            "GET" => agent.run(request.body(()).unwrap()),
            _ => agent.run(request.body(asked.body.clone()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        Asker::Keyless.check(&asked, answer.status().as_u16(), &text);
    }
}
