//! What `tests/fuzz` begins with, each seed given to its reader, as it is and changed: none may end
//! in a panic. Searching for inputs that reach what no seed does is left to `tests/fuzz/run`.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::api::{orion, v3};
use crate::domain::schedule;
use crate::{relay, runners};

/// How many changed inputs each reader is given.
const CHANGED: u32 = 2000;

/// How long a reader may take on the busiest machine.
const LONGEST: Duration = Duration::from_secs(20);

/// What is put into inputs: what has ended readers elsewhere.
const WORDS: &[&str] = &[
    "null",
    "{}",
    "[[[[[[[[",
    "\"\"",
    "\\u0000",
    "\\ud800",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "-9223372036854775808",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01",
    "FREQ=SECONDLY;INTERVAL=0",
    "BYMONTHDAY=-31",
    "*/0",
    "L#5",
    "\u{202e}é\u{1f4a9}",
    "\0",
];

/// A change of an input, at a place in it.
#[derive(Clone, Debug)]
enum Change {
    /// Some of what is there goes.
    Cut(usize),
    /// Some of what is there is there twice.
    Repeat(usize),
    /// A byte is another one.
    Byte(u8),
    /// This is put in.
    Word(&'static str),
}

impl Change {
    fn make(&self, input: &mut Vec<u8>, place: Index) {
        let at = place.index(input.len() + 1);
        let end = |length: &usize| input.len().min(at + length);
        match self {
            Self::Cut(length) => drop(input.drain(at..end(length))),
            Self::Repeat(length) => {
                let again = input[at..end(length)].to_vec();
                input.splice(at..at, again);
            }
            Self::Byte(byte) => {
                if let Some(place) = input.get_mut(at) {
                    *place = *byte;
                }
            }
            Self::Word(word) => drop(input.splice(at..at, word.bytes())),
        }
    }
}

/// A seed that was changed.
fn changed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![
        (1..40_usize).prop_map(Change::Cut),
        (1..40_usize).prop_map(Change::Repeat),
        any::<u8>().prop_map(Change::Byte),
        select(WORDS).prop_map(Change::Word),
    ];
    let changes = vec((any::<Index>(), change), 1..6);
    (select(seeds), changes).prop_map(|(mut input, changes)| {
        for (place, change) in &changes {
            change.make(&mut input, *place);
        }
        input
    })
}

fn for_each_seed(target: &str, read: impl Fn(&[u8])) {
    let folder = format!("{}/tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let seeds: Vec<_> = files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds.iter().for_each(|seed| read(seed));
    proptest!(ProptestConfig::with_cases(CHANGED), |(input in changed(seeds))| {
        let began = Instant::now();
        read(&input);
        prop_assert!(began.elapsed() < LONGEST, "{target}: {:?}", began.elapsed());
    });
}

fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

#[test]
fn bodies_are_read() {
    for_each_seed("orion", |input| orion::fuzzing::read(&text(input)));
    for_each_seed("v3", v3::fuzzing::read);
}

#[test]
fn schedules_are_asked() {
    for_each_seed("cron", |input| schedule::fuzzing::ask_cron(&text(input)));
    for_each_seed("rrule", |input| schedule::fuzzing::ask_rrule(&text(input)));
}

#[test]
fn frames_are_read() {
    for_each_seed("frames", relay::fuzzing::read_frames);
}

#[test]
fn output_is_read() {
    for_each_seed("output", runners::fuzzing::read_output);
}
