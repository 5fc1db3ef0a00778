//! Cron expressions.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| prefectd::domain::schedule::fuzzing::ask_cron(text));
