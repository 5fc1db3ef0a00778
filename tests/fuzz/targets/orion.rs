//! Bodies of the 2.0a7 dialect, by each of its readers.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| prefectd::api::orion::fuzzing::read(text));
