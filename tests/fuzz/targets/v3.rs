//! Bodies of the modern dialect, by each of its readers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prefectd::api::v3::fuzzing::read(data));
