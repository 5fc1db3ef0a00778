//! The API's description against the API.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::support::{Http, TestDaemon};

/// Every operation that the 2.0a7 server describes.
const OPERATIONS: &str = include_str!("../golden/orion-operations.txt");

/// Every operation that the 3.9.1 server describes.
const MODERN_OPERATIONS: &str = include_str!("../golden/v3-operations.txt");

fn document(daemon: &TestDaemon) -> Value {
    let url = format!("{}/openapi.json", daemon.url());
    let text = ureq::get(url).call().unwrap().body_mut().read_to_string();
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// The operations below a prefix, as `POST /flows/`, each with its description.
fn operations(document: &Value, prefix: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix(prefix) else {
            continue;
        };
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            all.push((name, operation.clone()));
        }
    }
    all
}

#[test]
fn every_operation_of_the_2_0a7_server_is_there() {
    let daemon = TestDaemon::without_agent();
    let described = operations(&document(&daemon), "/api/orion");
    let described: BTreeSet<_> = described.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<_> = OPERATIONS
        .lines()
        .filter(|name| !described.contains(name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// A path whose parameters have no names: what is called what differs.
fn nameless(operation: &str) -> String {
    let parts = operation
        .split('/')
        .map(|part| match part.starts_with('{') {
            true => "{}",
            false => part,
        });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_of_the_3_9_1_server_is_there() {
    let daemon = TestDaemon::without_agent();
    let described = operations(&document(&daemon), "/api/v3");
    let described: BTreeSet<_> = described.iter().map(|(name, _)| nameless(name)).collect();
    assert_eq!(MODERN_OPERATIONS.lines().count(), 188);
    let missing: Vec<_> = MODERN_OPERATIONS
        .lines()
        .filter(|name| !described.contains(&nameless(name)))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn all_references_lead_somewhere() {
    let daemon = TestDaemon::without_agent();
    let document = document(&daemon);
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let daemon = TestDaemon::without_agent();
    let mut page = ureq::get(format!("{}/docs", daemon.url())).call().unwrap();
    let page = page.body_mut().read_to_string().unwrap();
    assert!(page.contains("/openapi.json"));
    assert!(!page.contains("://"), "{page}");
}

/// The faults of one kind, by the last step of their place.
fn faults(http: &Http, path: &str, body: &Value, kind: &str) -> BTreeSet<String> {
    let answer = http.post(&format!("/orion{path}"), body).body;
    let found = answer["exception_detail"].as_array().cloned();
    let of_kind = found.unwrap_or_default().into_iter();
    of_kind
        .filter(|fault| fault["type"] == kind)
        .map(|fault| fault["loc"].as_array().unwrap().last().unwrap().clone())
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn bodies_are_described_as_they_are_read() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.http();
    let document = document(&daemon);
    let mut seen = 0;
    for (name, operation) in operations(&document, "/api/orion") {
        let shape = &operation["requestBody"]["content"]["application/json"]["schema"];
        let (Some(path), Some(properties)) =
            (name.strip_prefix("POST "), shape["properties"].as_object())
        else {
            continue;
        };
        let path = path.replace("{id}", "00000000-1111-4222-8333-444444444444");
        let required = shape["required"].as_array().cloned().unwrap_or_default();
        let required: BTreeSet<_> = required
            .iter()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            faults(&http, &path, &json!({}), "value_error.missing"),
            required,
            "{name}"
        );
        let mut all: Map<_, _> = properties
            .keys()
            .map(|key| (key.clone(), json!([[]])))
            .collect();
        all.insert("no_such_field".to_owned(), json!(1));
        let extra = faults(&http, &path, &Value::Object(all), "value_error.extra");
        assert!(
            extra.iter().all(|key| key == "no_such_field"),
            "{name}: {extra:?}"
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}
