//! Paths, methods and kinds of bodies.

use crate::oracle::pair::{Ask, Pair};

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

pub fn send(pair: &mut Pair) {
    for path in [
        "/",
        "/nothing",
        "/nothing/",
        "/flows",
        "/flows/",
        "/flows//",
        "/flow_runs",
        "/flow_runs/filter/",
        "/flow_runs/filter",
        "/flow_runs/count",
        "/flow_runs/history",
        "/task_runs/count",
        "/task_runs/history",
        "/flows/name",
        "/flows/name/",
        "/flows/name/x/",
        "/flows/name/x/y",
        "/deployments/name/x",
        "/deployments/name/x/y/z",
        "/deployments/name/x/y/",
        "/flow_run_states",
        "/task_run_states",
        "/logs",
        "/logs/x",
        "/logs/filter",
        "/saved_searches",
        "/saved_searches/filter",
        "/data/persist/",
        "/data",
        "/admin",
        "/admin/hello/",
        "/admin/version",
        "/admin/database",
        "/admin/database/clear/",
        "/flow_runs/x/y",
        "/flow_runs/x/graph/",
        "/flow_runs/x/set_state/",
        "/deployments/x/create_flow_run/",
    ] {
        for method in METHODS {
            // Whatever is sent there is kept; and a page of all is one of random ids.
            let is_page = path == "/flow_runs/filter" && *method == "POST";
            if path.starts_with("/data/persist") || path == "/" || is_page {
                continue;
            }
            pair.same(method, path, None);
        }
    }
    pair.same("HEAD", "/admin/hello", None);
    pair.get("/flows?x=1&y=2");
    bodies(pair);
}

fn bodies(pair: &mut Pair) {
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/JSON; charset=utf-8",
        "application/vnd.x+json",
        "application/xml",
    ] {
        for (path, body) in [
            ("/flows/", r#"{"name":"kind"}"#),
            ("/flows/filter", "{}"),
            ("/flows/filter", "x"),
        ] {
            pair.ask(Ask {
                method: "POST",
                path,
                body: Some(body),
                kind,
            });
        }
    }
    for body in [
        "{",
        "}",
        "[",
        "[1",
        "[1,",
        "[1 2",
        "{}{}",
        "{\"a\"",
        "{\"a\" 1}",
        "{\"a\":",
        "{\"a\":1,",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "\"x",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a\nb\"",
        "tru",
        "nul",
        "01",
        "1.",
        "-",
        "+1",
        "1e",
        "x",
        "\n\n  x",
        "{\"name\": x}",
        "[\n1,\n]",
        "{\"a\":1,}",
        "\u{feff}{}",
        " ",
        "\"ü\" x",
        "{\"name\":\"a\",\"name\":\"dup_b\"}",
    ] {
        pair.same("POST", "/flows/", Some(body));
    }
}
