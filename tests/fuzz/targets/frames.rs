//! What clients say by websockets.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prefectd::relay::fuzzing::read_frames(data));
