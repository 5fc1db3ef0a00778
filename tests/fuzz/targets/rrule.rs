//! Recurrence rules.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| prefectd::domain::schedule::fuzzing::ask_rrule(text));
