//! Cron expressions.
#![no_main]

mod schedules;

use prefectd::domain::schedule::{Cron, Schedule};

libfuzzer_sys::fuzz_target!(|text: &str| {
    // Half of the inputs, by their length, are asked in each of two ways.
    let (day_or, zone) = match text.len() % 2 {
        0 => (true, "UTC"),
        _ => (false, "Europe/Berlin"),
    };
    let cron = Cron {
        expression: text.to_owned(),
        timezone: Some(zone.to_owned()),
        day_or,
    };
    schedules::ask(&Schedule::Cron(cron), text.len() / 2);
});
