//! Blocks: settings that flows load by type and name, with secrets in them.

use serde_json::{Value, json};

use crate::support::{Http, TestDaemon, ask_as, user, with_groups};

const SECRET: &str = "zz-secret-zz";

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A type with one schema, of a field `token` that is secret and one that is not.
fn kind(http: &Http, slug: &str) -> (String, String) {
    let kind = http.post("/v3/block_types/", &json!({ "name": slug, "slug": slug }));
    let kind = id(&kind.expect(201));
    let fields = json!({ "title": slug, "type": "object", "block_type_slug": slug,
        "properties": { "token": { "type": "string" }, "open": { "type": "string" } },
        "secret_fields": ["token", "deep.*"], "block_schema_references": {} });
    let schema = json!({ "fields": fields, "block_type_id": kind, "capabilities": ["b", "a"] });
    let schema = id(&http.post("/v3/block_schemas/", &schema).expect(201));
    (kind, schema)
}

fn document(http: &Http, (kind, schema): &(String, String), name: &str, data: &Value) -> Value {
    let new =
        json!({ "name": name, "data": data, "block_type_id": kind, "block_schema_id": schema });
    http.post("/v3/block_documents/", &new).expect(201)
}

#[test]
fn checksums_are_those_of_the_reference() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let kind = http.post(
        "/block_types/",
        &json!({ "name": "Secret", "slug": "secret" }),
    );
    let kind = id(&kind.expect(201));
    // As the 3.9.1 client computes them.
    for (fields, checksum) in [
        (
            json!({}),
            "sha256:f8e6e96abbc38504d4e9c99fc57281fa0026bede1fa42db79f22f984501710f4",
        ),
        (
            json!({ "properties": { "a": { "default": 1.5, "title": "é" }, "m": { "$ref": "#/definitions/M" } },
                    "secret_fields": ["a"], "definitions": { "M": { "type": "object", "x": [1, null, true] },
                                                             "B": { "block_type_slug": "b" } } }),
            "sha256:ba04fbbf2d6b80ca7881cd56acc9ff514416d2fe55412b6f4b98c07560648a11",
        ),
    ] {
        let schema = json!({ "fields": fields, "block_type_id": kind, "version": "1" });
        let made = http.post("/block_schemas/", &schema).expect(201);
        assert_eq!(made["checksum"], checksum, "{fields}");
        let again = http.post("/block_schemas/", &schema).expect(200);
        assert_eq!(again["id"], made["id"]);
        let path = format!("/block_schemas/checksum/{checksum}");
        assert_eq!(http.get(&path).expect(200)["id"], made["id"]);
        assert_eq!(http.get(&format!("{path}?version=1")).status, 200);
        assert_eq!(http.get(&format!("{path}?version=2")).status, 404);
    }
}

#[test]
fn types_schemas_and_documents_are_kept_found_and_deleted() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let one = kind(&http, "one");
    let path = format!("/block_types/{}", one.0);
    let change = json!({ "description": "d", "logo_url": null });
    http.patch(&path, &change).expect(204);
    assert_eq!(http.get(&path).expect(200)["description"], "d");
    assert_eq!(
        http.get("/block_types/slug/one").expect(200)["id"],
        one.0.as_str()
    );
    let again = json!({ "name": "one", "slug": "other" });
    assert_eq!(http.post("/block_types/", &again).status, 409);
    let reserved = json!({ "name": "Prefect Thing", "slug": "thing" });
    assert_eq!(http.post("/block_types/", &reserved).status, 403);
    assert_eq!(
        http.get("/block_capabilities/").expect(200),
        json!(["a", "b"])
    );
    for (asked, count) in [
        (json!({ "block_types": { "slug": { "any_": ["one"] } } }), 1),
        (json!({ "block_types": { "name": { "like_": "ON" } } }), 1),
        (
            json!({ "block_schemas": { "block_capabilities": { "all_": ["a", "b"] } } }),
            1,
        ),
        (
            json!({ "block_schemas": { "block_capabilities": { "all_": ["c"] } } }),
            0,
        ),
    ] {
        let found = http.post("/block_types/filter", &asked).expect(200);
        assert_eq!(found.as_array().unwrap().len(), count, "{asked}");
    }
    document(&http, &one, "b", &json!({ "open": "x" }));
    let made = document(&http, &one, "a", &json!({ "open": "y" }));
    let anonymous =
        json!({ "block_type_id": one.0, "block_schema_id": one.1, "is_anonymous": true });
    http.post("/block_documents/", &anonymous).expect(201);
    // No event tells of one that is anonymous.
    let of_documents = json!({ "event": { "name": ["prefect.block-document.created"] } });
    let told = http.post("/events/filter", &json!({ "filter": of_documents }));
    assert_eq!(told.expect(200)["total"], 2);
    let twice = json!({ "name": "a", "block_type_id": one.0, "block_schema_id": one.1 });
    assert_eq!(
        http.post("/block_documents/", &twice).expect(409)["detail"],
        "Block already exists"
    );
    for odd in [json!("A"), json!("a b"), Value::Null, json!("")] {
        let new = json!({ "name": odd, "block_type_id": one.0, "block_schema_id": one.1 });
        assert_eq!(http.post("/block_documents/", &new).status, 422, "{odd}");
    }
    let names = |asked: Value| -> Vec<String> {
        let found = http.post("/block_documents/filter", &asked).expect(200);
        let found = found.as_array().unwrap().iter();
        found
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(json!({})), ["a", "b"]);
    assert_eq!(names(json!({ "sort": "NAME_DESC" })), ["b", "a"]);
    assert_eq!(
        names(json!({ "block_documents": { "is_anonymous": null } })).len(),
        3
    );
    assert_eq!(
        names(json!({ "block_documents": { "name": { "like_": "B" } } })),
        ["b"]
    );
    assert_eq!(
        names(json!({ "block_types": { "slug": { "any_": ["none"] } } })).len(),
        0
    );
    assert_eq!(
        http.post("/block_documents/count", &json!({})).expect(200),
        2
    );
    let of_type = http
        .get("/block_types/slug/one/block_documents")
        .expect(200);
    assert_eq!(of_type.as_array().unwrap().len(), 2);
    let named = http
        .get("/block_types/slug/one/block_documents/name/a")
        .expect(200);
    assert_eq!(named, made);
    assert_eq!(named["block_schema"]["block_type"]["slug"], "one");
    let path = format!("/block_documents/{}", id(&made));
    http.delete(&path).expect(204);
    assert_eq!(
        http.get(&path).expect(404)["detail"],
        "Block document not found"
    );
    http.delete(&format!("/block_types/{}", one.0)).expect(204);
    assert_eq!(
        names(json!({ "block_documents": { "is_anonymous": null } })).len(),
        0
    );
    assert_eq!(http.get(&format!("/block_schemas/{}", one.1)).status, 404);
}

#[test]
fn some_types_can_be_had_without_a_client() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    for _ in 0..2 {
        let install = "/block_types/install_system_block_types";
        assert_eq!(http.post(install, &json!({})).expect(200), Value::Null);
        let found = http.post("/block_types/filter", &json!({})).expect(200);
        let slugs: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["slug"])
            .collect();
        assert_eq!(slugs, ["local-file-system", "secret", "webhook"]);
    }
    let secret = id(&http.get("/block_types/slug/secret").expect(200));
    assert_eq!(http.delete(&format!("/block_types/{secret}")).status, 403);
    let of_it = json!({ "block_schemas": { "block_type_id": { "any_": [secret] } } });
    let schemas = http.post("/block_schemas/filter", &of_it).expect(200);
    assert_eq!(schemas.as_array().unwrap().len(), 1);
    assert_eq!(
        http.delete(&format!("/block_schemas/{}", id(&schemas[0])))
            .status,
        403
    );
}

#[test]
fn documents_lie_within_documents_but_not_within_themselves() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let one = kind(&http, "one");
    let inner = document(
        &http,
        &one,
        "inner",
        &json!({ "token": SECRET, "open": "i" }),
    );
    let within = |id: &str| json!({ "$ref": { "block_document_id": id } });
    let outer = document(
        &http,
        &one,
        "outer",
        &json!({ "field": within(&id(&inner)) }),
    );
    assert_eq!(outer["data"]["field"]["open"], "i");
    assert_eq!(outer["data"]["field"]["token"], "********");
    let told = &outer["block_document_references"]["field"]["block_document"];
    assert_eq!(
        (&told["id"], &told["name"]),
        (&inner["id"], &json!("inner"))
    );
    let path = format!("/block_documents/{}", id(&inner));
    for (odd, status) in [
        (within(&id(&outer)), 400),
        (within(&id(&inner)), 400),
        (within(&one.0), 409),
        (json!({ "$ref": {} }), 400),
    ] {
        let change = json!({ "data": { "field": odd } });
        assert_eq!(http.patch(&path, &change).status, status, "{odd}");
    }
    let shown = format!("/block_documents/{}?include_secrets=true", id(&outer));
    assert_eq!(
        http.get(&shown).expect(200)["data"]["field"]["token"],
        SECRET
    );
    // What is posted back masked stays.
    let change = json!({ "data": { "token": "********", "open": "j" } });
    http.patch(&path, &change).expect(204);
    assert_eq!(
        http.get(&shown).expect(200)["data"]["field"],
        json!({ "token": SECRET, "open": "j" })
    );
    http.patch(&path, &json!({ "data": { "open": "k" } }))
        .expect(204);
    assert_eq!(
        http.get(&shown).expect(200)["data"]["field"]["token"],
        SECRET
    );
    let whole = json!({ "data": { "open": "l" }, "merge_existing_data": false });
    http.patch(&path, &whole).expect(204);
    assert_eq!(
        http.get(&shown).expect(200)["data"]["field"],
        json!({ "open": "l" })
    );
    let other = kind(&http, "other");
    let change = json!({ "data": {}, "block_schema_id": other.1 });
    assert_eq!(http.patch(&path, &change).status, 400);
    http.delete(&path).expect(204);
    assert_eq!(http.get(&shown).expect(200)["data"], json!({}));
}

#[test]
fn secrets_lie_sealed_and_are_shown_to_whom_may_see_them() {
    let mut daemon = with_groups();
    let http = daemon.http();
    let one = kind(&http, "one");
    let data = json!({ "token": SECRET, "deep": { "a": SECRET }, "open": "o" });
    let made = document(&http, &one, "d", &data);
    assert_eq!(
        made["data"],
        json!({ "token": "********", "deep": { "a": "********" }, "open": "o" })
    );
    let path = format!("/api/v3/block_documents/{}?include_secrets=true", id(&made));
    let socket = daemon.socket();
    for (uid, is_shown) in [(user::OPERATOR, true), (user::VIEWER, false)] {
        let (status, text) = ask_as(uid, &socket, "GET", &path, "");
        assert_eq!((status, text.contains(SECRET)), (200, is_shown), "{text}");
        let asked = json!({ "include_secrets": true }).to_string();
        let all = "/api/v3/block_documents/filter";
        let (status, text) = ask_as(uid, &socket, "POST", all, &asked);
        assert_eq!((status, text.contains(SECRET)), (200, is_shown), "{text}");
    }
    daemon.terminate();
    let folder = daemon.state_dir();
    for file in ["prefectd.db", "prefectd.db-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        let secret = SECRET.as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|part| part == secret),
            "{file}"
        );
    }
    // With another key nothing can be read, and it is said why.
    std::fs::remove_file(folder.join("block.key")).unwrap();
    daemon.restart(Vec::new());
    let answer = daemon
        .http()
        .get(&format!("/v3/block_documents/{}", id(&made)));
    let why = answer.expect(409).to_string();
    assert!(why.contains("block.key"), "{why}");
}

#[cfg(feature = "client")]
#[test]
fn today_s_client_saves_loads_changes_and_deletes_every_block_that_it_brings() {
    use crate::modern::Place;
    use crate::support::flows::file;
    let daemon = TestDaemon::without_agent();
    let place = Place::new();
    let output = place
        .program(&daemon, "python")
        .arg(file("blocks.py"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{trouble}");
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("done "))
            .count(),
        15,
        "{text}"
    );
    let compat = daemon.modern().get("/v3/prefectd/compat").expect(200);
    assert_eq!(compat, json!([]), "fields that are not known");
}

#[test]
fn results_are_stored_by_the_block_that_is_named() {
    let daemon = TestDaemon::without_agent();
    let http = daemon.modern();
    let of = |id: &Value| json!({ "default_result_storage_block_id": id });
    let (kind, schema) = kind(&http, "mute");
    let mute = document(&http, &(kind.clone(), schema), "mute", &json!({}));
    let refused = http.put("/admin/storage", &of(&mute["id"])).expect(422);
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("cannot be used for result storage."),
        "{detail}"
    );
    let schema = json!({ "fields": { "title": "writer", "type": "object", "properties": {} },
        "block_type_id": kind, "capabilities": ["write-path"] });
    let schema = id(&http.post("/block_schemas/", &schema).expect(201));
    let writes = (kind, schema);
    let stored = |name: &str| document(&http, &writes, name, &json!({}))["id"].clone();
    let (one, other) = (stored("one"), stored("other"));
    let told = || http.get("/admin/storage").expect(200);
    for named in [&one, &other, &other] {
        assert_eq!(
            http.put("/admin/storage", &of(named)).expect(200),
            of(named)
        );
        assert_eq!(told(), of(named));
    }
    let gone = format!("/block_documents/{}", other.as_str().unwrap());
    http.delete(&gone).expect(204);
    assert_eq!(told(), of(&Value::Null));
    http.put("/admin/storage", &of(&one)).expect(200);
    http.delete("/admin/storage").expect(204);
    assert_eq!(told(), of(&Value::Null));
}
