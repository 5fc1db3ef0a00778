//! Recurrence rules.
#![no_main]

mod schedules;

use prefectd::domain::schedule::{Rrule, Schedule};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let rule = Rrule {
        rule: text.to_owned(),
        timezone: Some("Europe/Berlin".to_owned()),
    };
    schedules::ask(&Schedule::Rrule(rule), text.len());
});
