//! What `tests/fuzz` begins with, each seed given to its reader: none may end in a panic.

use crate::api::{orion, v3};
use crate::domain::schedule;
use crate::{relay, runners};

fn for_each_seed(target: &str, read: impl Fn(&[u8])) {
    let folder = format!("{}/tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = 0;
    for seed in std::fs::read_dir(folder).unwrap() {
        read(&std::fs::read(seed.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "{target} has no seeds");
}

fn text(seed: &[u8]) -> &str {
    std::str::from_utf8(seed).unwrap_or_default()
}

#[test]
fn bodies_are_read() {
    for_each_seed("orion", |seed| orion::fuzzing::read(text(seed)));
    for_each_seed("v3", v3::fuzzing::read);
}

#[test]
fn schedules_are_asked() {
    for_each_seed("cron", |seed| schedule::fuzzing::ask_cron(text(seed)));
    for_each_seed("rrule", |seed| schedule::fuzzing::ask_rrule(text(seed)));
}

#[test]
fn frames_are_read() {
    for_each_seed("frames", relay::fuzzing::read_frames);
}

#[test]
fn output_is_read() {
    for_each_seed("output", runners::fuzzing::read_output);
}
