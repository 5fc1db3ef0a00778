//! The output of containers, in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prefectd::runners::fuzzing::read_output(data));
