//! Tells two answers apart, looking past what must differ between any two servers: the ids
//! that they made, the names that they chose, and the moment at which they were asked.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

static ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap()
});
static CHOSEN_NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[a-z]+-[a-z]+$").unwrap());

/// How far two measured durations may be apart, in seconds.
const SLACK: f64 = 3.0;
/// How far a time may be from this moment to count as taken from the clock, in seconds.
const RECENT: i64 = 600;
/// What is measured, not given.
const MEASURED: &[&str] = &[
    "estimated_run_time",
    "estimated_start_time_delta",
    "total_run_time",
    "sum_estimated_run_time",
    "sum_estimated_lateness",
    "delay_seconds",
];

/// Which id of theirs stands for which of ours.
#[derive(Clone, Default)]
pub struct Ids {
    theirs: HashMap<String, String>,
    ours: HashMap<String, String>,
}

impl Ids {
    fn agree(&mut self, ours: &str, theirs: &str) -> bool {
        match (self.theirs.get(ours), self.ours.get(theirs)) {
            (None, None) => {
                self.theirs.insert(ours.to_owned(), theirs.to_owned());
                self.ours.insert(theirs.to_owned(), ours.to_owned());
                true
            }
            (Some(known), _) => known == theirs,
            (None, Some(_)) => false,
        }
    }
}

/// Compares and remembers the ids that correspond.
pub struct Comparison<'a> {
    /// The ids so far.
    pub ids: &'a mut Ids,
    /// Compare the outermost list as a set: that server's order is by random ids.
    pub any_order: bool,
    /// A time was told with another offset.
    pub other_offset: bool,
    /// The limit of a deployment, or its first schedule, has the deployment's id.
    pub shared_id: bool,
}

impl Comparison<'_> {
    /// The differences, each as where, ours and theirs.
    pub fn differences(&mut self, ours: &Value, theirs: &Value) -> Vec<String> {
        let mut found = Vec::new();
        match (ours, theirs) {
            (Value::Array(ours), Value::Array(theirs)) if self.any_order => {
                self.sets(ours, theirs, &mut found);
            }
            _ => self.values("", ours, theirs, &mut found),
        }
        found
    }

    fn sets(&mut self, ours: &[Value], theirs: &[Value], found: &mut Vec<String>) {
        let mut left: Vec<&Value> = theirs.iter().collect();
        for our in ours {
            let same = left.iter().position(|their| {
                let mut ids = self.ids.clone();
                let mut trial = Comparison {
                    ids: &mut ids,
                    any_order: false,
                    other_offset: false,
                    shared_id: false,
                };
                let same = trial.differences(our, their).is_empty();
                if same {
                    self.other_offset |= trial.other_offset;
                    self.shared_id |= trial.shared_id;
                    *self.ids = ids;
                }
                same
            });
            match same {
                Some(index) => drop(left.remove(index)),
                None => found.push(format!("only ours: {our}")),
            }
        }
        found.extend(left.iter().map(|their| format!("only theirs: {their}")));
    }

    fn values(&mut self, at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
        let same = match (ours, theirs) {
            (Value::Object(ours), Value::Object(theirs)) => {
                return self.objects(at, ours, theirs, found);
            }
            // That server walks sets, whose order is random.
            (Value::Array(ours), Value::Array(theirs))
                if at.ends_with(".tags")
                    || at.ends_with(".deleted")
                    || at.ends_with(".upstream_dependencies") =>
            {
                return self.sets(ours, theirs, found);
            }
            (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
                for (index, (our, their)) in ours.iter().zip(theirs).enumerate() {
                    self.values(&format!("{at}[{index}]"), our, their, found);
                }
                return;
            }
            (Value::String(ours), Value::String(theirs)) => self.texts(at, ours, theirs),
            (Value::Number(our), Value::Number(their)) => {
                let measured = MEASURED.iter().any(|name| at.ends_with(name));
                let apart = our.as_f64().unwrap() - their.as_f64().unwrap();
                our == their || (measured && our.is_f64() == their.is_f64() && apart.abs() < SLACK)
            }
            _ => ours == theirs,
        };
        if !same {
            found.push(format!("{at}: ours {ours}, theirs {theirs}"));
        }
    }

    fn objects(
        &mut self,
        at: &str,
        ours: &Map<String, Value>,
        theirs: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        let name = ours.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_schedule = ours.get("deployment_id") == ours.get("id");
        let is_limit = name.starts_with("deployment:") || is_schedule;
        let mut left: Vec<&str> = theirs.keys().map(String::as_str).collect();
        for (key, our) in ours {
            // Some are named by ids.
            let name = self.ids.theirs.get(key).cloned();
            let name = name.filter(|name| theirs.contains_key(name));
            let name = &name.unwrap_or_else(|| key.clone());
            match theirs.get(name) {
                Some(_) if is_limit && key == "id" => self.shared_id = true,
                Some(their) => self.values(&format!("{at}.{key}"), our, their, found),
                None => found.push(format!("{at}.{key}: ours {our}, theirs has none")),
            }
            left.retain(|their| their != name);
        }
        for key in left {
            let their = theirs.get(key);
            found.push(format!("{at}.{key}: ours has none, theirs {their:?}"));
        }
    }

    fn texts(&mut self, at: &str, ours: &str, theirs: &str) -> bool {
        let chosen = |name: &str| CHOSEN_NAME.is_match(name);
        if (at.ends_with(".name") || at.ends_with("_name")) && chosen(ours) && chosen(theirs) {
            return true;
        }
        if is_recent(ours) && is_recent(theirs) {
            return shape(ours) == shape(theirs);
        }
        if !ID.is_match(ours) && ours == theirs {
            return true;
        }
        // Today's server tells whole seconds without a fraction.
        let (ours, theirs) = (&whole(ours), &whole(theirs));
        let pairs = ID.find_iter(ours).zip(ID.find_iter(theirs));
        let (told, theirs_told) = (ID.replace_all(ours, "ID"), ID.replace_all(theirs, "ID"));
        let other_offset = told != theirs_told && same_instant(&told, &theirs_told);
        self.other_offset |= other_offset;
        (told == theirs_told || other_offset)
            && pairs
                .collect::<Vec<_>>()
                .iter()
                .all(|(our, their)| self.ids.agree(our.as_str(), their.as_str()))
    }
}

/// A text, with the fractions of its times left out where they are nothing.
fn whole(text: &str) -> String {
    text.replace(".000000Z", "Z")
}

/// Texts that agree word by word, where times may be told with another offset.
fn same_instant(ours: &str, theirs: &str) -> bool {
    let instant = |text: &str| text.parse::<Timestamp>().ok();
    let same = |(our, their): (&str, &str)| {
        our == their || instant(our).is_some_and(|our| Some(our) == instant(their))
    };
    let words = |text: &str| text.split(' ').count();
    words(ours) == words(theirs) && ours.split(' ').zip(theirs.split(' ')).all(same)
}

fn is_recent(text: &str) -> bool {
    let time: Result<Timestamp, _> = text.parse();
    time.is_ok_and(|time| (Timestamp::now().as_second() - time.as_second()).abs() < RECENT)
}

/// How a time is written, whatever the time. That server tells whole seconds without a
/// fraction, and some of its times have milliseconds only.
fn shape(time: &str) -> String {
    let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = time.chars().map(digit).collect();
    shape.replace(".000000", "")
}
