//! What goes first, what waits, and what is refused.

use super::*;

fn lanes(prompt: usize, bulk: usize) -> Lanes<usize> {
    let lanes = Lanes::new();
    (0..bulk).for_each(|n| lanes.push(1000 + n, Job::bulk(0)).unwrap());
    (0..prompt).for_each(|n| lanes.push(n, Job::prompt(0)).unwrap());
    lanes
}

#[test]
fn what_is_prompt_goes_first_and_shares_no_commit_with_what_is_bulk() {
    let lanes = lanes(2, 2);
    assert_eq!(lanes.next(None), Next::Job(0, Lane::Prompt));
    assert_eq!(lanes.more(Lane::Prompt, Duration::ZERO), Some(1));
    assert_eq!(lanes.more(Lane::Prompt, Duration::ZERO), None);
    assert_eq!(lanes.next(None), Next::Job(1000, Lane::Bulk));
    lanes.push(2, Job::prompt(0)).unwrap();
    assert_eq!(lanes.more(Lane::Bulk, SHARE), None);
    assert_eq!(lanes.next(None), Next::Job(2, Lane::Prompt));
    assert_eq!(lanes.next(None), Next::Job(1001, Lane::Bulk));
    assert_eq!(lanes.next(Some(Duration::ZERO)), Next::Nothing);
}

#[test]
fn what_is_bulk_waits_for_quiet() {
    let lanes = lanes(1, 0);
    assert_eq!(lanes.next(None), Next::Job(0, Lane::Prompt));
    let began = Instant::now();
    lanes.push(1000, Job::bulk(0)).unwrap();
    assert_eq!(lanes.next(None), Next::Job(1000, Lane::Bulk));
    // It was pushed a little after what it waits for the end of.
    assert!(began.elapsed() + Duration::from_micros(500) >= QUIET);
}

#[test]
fn what_is_bulk_goes_in_the_end_however_much_is_prompt() {
    let lanes = lanes(1, 1);
    let began = Instant::now();
    let mut prompt = 0;
    while let Next::Job(_, Lane::Prompt) = lanes.next(None) {
        prompt += 1;
        lanes.push(prompt, Job::prompt(0)).unwrap();
    }
    assert!(prompt > 1, "{prompt}");
    assert!(began.elapsed() >= STARVED / 2);
}

#[test]
fn each_lane_is_bounded_by_itself() {
    let lanes = Lanes::new();
    (0..MOST).for_each(|n| lanes.push(n, Job::bulk(0)).unwrap());
    assert_eq!(lanes.push(0, Job::bulk(0)), Err(Refused::Full));
    lanes.push(0, Job::prompt(2 * BYTES)).unwrap();
    assert_eq!(lanes.push(0, Job::prompt(SMALL + 1)), Err(Refused::Full));
    assert_eq!(lanes.push(0, Job::prompt(SMALL)), Ok(()));
}

#[test]
fn closed_lanes_hand_out_what_waits_and_wake_who_waits() {
    let lanes = lanes(1, 2);
    lanes.close();
    assert_eq!(lanes.push(7, Job::prompt(0)), Err(Refused::Closed));
    let all = std::iter::from_fn(|| match lanes.next(None) {
        Next::Job(work, _) => Some(work),
        _ => None,
    });
    assert_eq!(all.collect::<Vec<_>>(), [0, 1000, 1001]);
    let empty = Lanes::<()>::new();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| empty.next(None));
        empty.close();
        assert_eq!(waits.join().unwrap(), Next::End);
    });
}

#[test]
fn jobs_are_bulk_when_they_are_large() {
    assert_eq!(Job::of_size(SMALL).lane, Lane::Prompt);
    assert_eq!(Job::of_size(SMALL + 1).lane, Lane::Bulk);
}
