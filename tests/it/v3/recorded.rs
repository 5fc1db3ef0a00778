//! What the real client was recorded to ask of the real server, asked again: nothing in it is
//! taken for a mistake, and every answer has all fields that the server describes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Answer, Http, TestDaemon};

fn golden(name: &str) -> String {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The ids of what was made then, and of what is made now.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    /// What was recorded, of what is there now.
    fn now(&self, recorded: &str) -> String {
        let mut now = recorded.to_owned();
        for (then, there) in &self.0 {
            now = now.replace(then, there);
        }
        now
    }

    fn learn(&mut self, recorded: &Value, answer: &Value) {
        for (name, then) in recorded["ids"].as_object().into_iter().flatten() {
            if let (Some(then), Some(there)) = (then.as_str(), answer[name].as_str()) {
                self.0.insert(then.to_owned(), there.to_owned());
            }
        }
    }
}

/// The description whose path is that of a request.
fn described<'d>(described: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let path = path.split('?').next().unwrap_or_default();
    let is_it = |pattern: &str| {
        let (wanted, pattern) = pattern.split_once(' ').unwrap();
        let (parts, given) = (pattern.split('/'), path.split('/'));
        let mut pairs = parts.clone().zip(given.clone());
        wanted == method
            && parts.count() == given.count()
            && pairs.all(|(part, given)| part == given || part.starts_with('{'))
    };
    let all = described.as_object().unwrap();
    // That with the fewest parameters is meant.
    let found = all.iter().filter(|(pattern, _)| is_it(pattern));
    let found = found.min_by_key(|(pattern, _)| pattern.matches('{').count());
    found.map(|(_, fields)| fields)
}

fn missing(fields: &Value, answer: &Value) -> Vec<String> {
    let names = |key: &str| fields[key].as_array().cloned().unwrap_or_default();
    let of = |names: &[Value], item: &Value| {
        let names = names.iter().map(|name| name.as_str().unwrap().to_owned());
        names
            .filter(|name| item.get(name).is_none())
            .collect::<Vec<_>>()
    };
    let one = of(&names("one"), answer);
    let each = answer.as_array().into_iter().flatten();
    let each = each.flat_map(|item| of(&names("each"), item));
    one.into_iter().chain(each).collect()
}

fn ask(http: &Http, method: &str, path: &str, body: &Value) -> Answer {
    match method {
        "GET" => http.get(path),
        "DELETE" => http.delete(path),
        "PATCH" => http.patch(path, body),
        _ => http.post(path, body),
    }
}

#[test]
fn what_was_recorded_of_the_real_client_is_understood_and_answered_in_full() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let described_fields: Value = serde_json::from_str(&golden("v3-fields.json")).unwrap();
    let mut ids = Ids::default();
    let (mut wrong, mut refused, mut answered) = (Vec::new(), Vec::new(), 0);
    for line in golden("v3-requests.jsonl").lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let now: Value = serde_json::from_str(&ids.now(line)).unwrap();
        let (method, path) = now["ask"].as_str().unwrap().split_once(' ').unwrap();
        let body = now.get("body").cloned().unwrap_or_else(|| json!({}));
        let answer = ask(&http, method, path, &body);
        let what = format!("{} {method} {path}: {}", now["in"], answer.status);
        let was = recorded["status"].as_u64().unwrap();
        if answer.status >= 500 || (answer.status == 422 && was != 422) {
            wrong.push(format!("{what} {} {body}", answer.body));
        }
        if answer.status >= 300 {
            // Some is about things of which only lists told then, so that they are not there now.
            refused.extend((was < 300).then_some(what));
            continue;
        }
        answered += 1;
        ids.learn(&recorded, &answer.body);
        if let Some(fields) = described(&described_fields, method, path) {
            let missing = missing(fields, &answer.body);
            if !missing.is_empty() {
                wrong.push(format!("{what} lacks {missing:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered > 270, "{answered}: {}", refused.join("\n"));
    let compat = daemon.modern().get("/v3/prefectd/compat").expect(200);
    assert_eq!(compat, json!([]), "fields that are not known");
}
