//! What a browser does without any script: asks for pages, keeps cookies, posts forms.

use std::io::{BufRead, BufReader, Read};

use ureq::Agent;
use ureq::http::{Request, Response};

/// A browser of that kind.
pub struct Plain {
    agent: Agent,
    base: String,
    /// What it was told to send.
    pub cookie: Option<String>,
}

/// A page as it came.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The markup.
    pub html: String,
    /// Where it leads.
    pub location: Option<String>,
    /// What it may do.
    pub policy: String,
    /// What is to be kept.
    pub cookie: Option<String>,
}

impl Page {
    /// The token of its forms.
    pub fn token(&self) -> String {
        let (_, rest) = self.html.split_once("name=\"token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Whether it holds that.
    #[track_caller]
    pub fn holds(&self, part: &str) -> &Self {
        assert!(self.html.contains(part), "{part}: {}", self.html);
        self
    }

    fn of(mut response: Response<ureq::Body>) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            location: header("location"),
            policy: header("content-security-policy").unwrap_or_default(),
            cookie: header("set-cookie"),
            html: response.body_mut().read_to_string().unwrap(),
        }
    }
}

impl Plain {
    /// At a daemon.
    pub fn at(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
            cookie: None,
        }
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Page {
        let request = self.request("GET", path).body(()).unwrap();
        Page::of(self.agent.run(request).unwrap())
    }

    /// Posts a form.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_as(path, fields, &[])
    }

    /// Posts a form with further headers.
    pub fn post_as(&self, path: &str, fields: &[(&str, &str)], more: &[(&str, &str)]) -> Page {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(body.finish()).unwrap();
        Page::of(self.agent.run(request).unwrap())
    }

    /// Follows a stream of events, taken up after `last` where that is given.
    pub fn follow(&self, path: &str, last: Option<&str>) -> Stream {
        let mut request = self.request("GET", path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.agent.run(request.body(()).unwrap()).unwrap();
        assert_eq!(response.status(), 200, "{path}");
        Stream(BufReader::new(Box::new(response.into_body().into_reader())))
    }
}

/// A stream of events.
pub struct Stream(BufReader<Box<dyn Read>>);

/// An event.
#[derive(Debug, Default)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What it says.
    pub data: String,
}

impl Stream {
    /// The next event of that name that says that.
    pub fn until(&mut self, name: &str, text: &str) -> Event {
        loop {
            let event = self.next(name);
            if event.data.contains(text) {
                return event;
            }
        }
    }

    /// The next event of that name.
    pub fn next(&mut self, name: &str) -> Event {
        loop {
            let mut event = Event::default();
            loop {
                let mut line = String::new();
                assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                match line.split_once(": ") {
                    Some(("event", value)) => event.name = value.to_owned(),
                    Some(("id", value)) => event.id = value.to_owned(),
                    Some(("data", value)) => event.data = value.to_owned(),
                    _ => {}
                }
            }
            if event.name == name {
                return event;
            }
        }
    }
}
