//! A real browser, headless, by WebDriver: Chromium, which `tests/run` installs.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::Agent;

use crate::support::wait_for;

/// Where WebDriver has an element's name.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window; it ends with this.
pub struct Driver {
    process: Child,
    agent: Agent,
    session: String,
}

impl Driver {
    /// With scripts or without.
    pub fn start(has_scripts: bool) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is needed; tests/run installs it");
        let config = Agent::config_builder().http_status_as_error(false).build();
        let mut driver = Self {
            process,
            agent: config.into(),
            session: String::new(),
        };
        let base = format!("http://127.0.0.1:{port}");
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let scripts = if has_scripts { 1 } else { 2 };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": args,
                "prefs": { "profile.managed_default_content_settings.javascript": scripts } },
        } } });
        let session = wait_for("the browser", || {
            let asked = driver.agent.post(format!("{base}/session"));
            let answer: Value = asked.send_json(&wanted).ok()?.body_mut().read_json().ok()?;
            answer["value"]["sessionId"].as_str().map(str::to_owned)
        });
        driver.session = format!("{base}/session/{session}");
        driver
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let answer = match method {
            "GET" => self.agent.get(&url).call(),
            _ => self.agent.post(&url).send_json(body),
        };
        let answer: Value = answer.unwrap().body_mut().read_json().unwrap();
        answer["value"].clone()
    }

    /// Goes there.
    pub fn go(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// How large the window is within.
    pub fn size(&self, width: u32, height: u32) {
        self.ask("POST", "/chromium/send_command", &json!({
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": { "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false },
        }));
    }

    /// In which colours, and with as little motion as may be.
    pub fn scheme(&self, scheme: &str) {
        self.ask(
            "POST",
            "/chromium/send_command",
            &json!({
                "cmd": "Emulation.setEmulatedMedia",
                "params": { "features": [
                    { "name": "prefers-color-scheme", "value": scheme },
                    { "name": "prefers-reduced-motion", "value": "reduce" },
                ] },
            }),
        );
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.ask("GET", "/url", &Value::Null)
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// What a script answers.
    pub fn run(&self, script: &str) -> Value {
        self.ask(
            "POST",
            "/execute/sync",
            &json!({ "script": script, "args": [] }),
        )
    }

    /// Waits for an element.
    pub fn find(&self, css: &str) -> String {
        wait_for(css, || {
            let asked = json!({ "using": "css selector", "value": css });
            let found = self.ask("POST", "/element", &asked);
            found[ELEMENT].as_str().map(str::to_owned)
        })
    }

    /// Presses an element, as somebody does who has got to it: it is in use from then on.
    pub fn press(&self, css: &str) {
        let found = format!(
            "const it = document.querySelector({}); it?.focus(); return it;",
            Value::from(css)
        );
        let element = wait_for(css, || {
            let found = self.run(&found);
            found[ELEMENT].as_str().map(str::to_owned)
        });
        let answer = self.ask("POST", &format!("/element/{element}/click"), &json!({}));
        assert!(answer.is_null(), "{css}: {answer}");
    }

    /// Writes into a field.
    pub fn write(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.ask("POST", &format!("/element/{element}/clear"), &json!({}));
        let written = json!({ "text": text });
        let answer = self.ask("POST", &format!("/element/{element}/value"), &written);
        assert!(answer.is_null(), "{css}: {answer}");
    }

    /// Waits until an element says that.
    pub fn says(&self, css: &str, text: &str) {
        wait_for(&format!("{css} to say {text}"), || {
            let asked = json!({ "using": "css selector", "value": css });
            let found = self.ask("POST", "/element", &asked);
            let element = found[ELEMENT].as_str()?;
            let said = self.ask("GET", &format!("/element/{element}/text"), &Value::Null);
            said.as_str()?.contains(text).then_some(())
        });
    }

    /// What the console was told that is wrong.
    pub fn complaints(&self) -> Vec<String> {
        let all = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        let all = all.as_array().cloned().unwrap_or_default();
        all.iter().map(Value::to_string).collect()
    }

    /// Keeps what is seen where somebody asked for that (`PREFECTD_SCREENSHOTS`).
    pub fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("PREFECTD_SCREENSHOTS") else {
            return;
        };
        let height = self.run("return Math.min(document.documentElement.scrollHeight, 4000)");
        let width = self.run("return innerWidth");
        let (width, height) = (width.as_u64().unwrap(), height.as_u64().unwrap());
        let before = self.run("return innerHeight").as_u64().unwrap();
        self.size(width as u32, height.max(before) as u32);
        let seen = self.ask("GET", "/screenshot", &Value::Null);
        let seen = STANDARD.decode(seen.as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, seen).unwrap();
        self.size(width as u32, before as u32);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.agent.delete(&self.session).call();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
