//! A run that somebody cancels is Cancelled, whatever is under way and whatever fails.

use super::*;

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_run_that_is_cancelled_while_its_image_is_pulled_is_never_started() {
    for kind in [StateType::Cancelling, StateType::Cancelled] {
        let world = World::new().await;
        let script = Arc::new(Script::new(world.app.clone()));
        script.may_create.send_replace(false);
        let agent = world.agent(&script, &[]);
        agent.activate().await.unwrap();
        assert_eq!(world.state().await.state.unwrap().kind, StateType::Pending);
        world.cancel(kind).await;
        // The creation still goes on.
        assert_eq!(world.until_over(&agent).await, "Cancelled", "{kind}");
        assert!(script.made.lock().unwrap().is_empty());
        script.may_create.send_replace(true);
        until("what was made nevertheless is removed", || {
            script.made.lock().unwrap().is_empty() && agent.tasks.is_empty()
        })
        .await;
        assert_eq!(*script.executions.lock().unwrap(), 0, "{kind}");
        assert_eq!(*script.wrong.lock().unwrap(), [""; 0], "{kind}");
        assert_eq!(
            world.state().await.state.unwrap().kind,
            StateType::Cancelled
        );
    }
}

#[tokio::test]
async fn what_a_run_s_process_tells_after_the_cancel_changes_nothing() {
    for told in [StateType::Running, StateType::Completed, StateType::Failed] {
        for kind in [StateType::Cancelling, StateType::Cancelled] {
            let world = World::new().await;
            let script = Arc::new(Script::new(world.app.clone()));
            script.may_end.send_replace(false);
            let agent = world.agent(&script, &[]);
            world.until_started(&agent, &script).await;
            world.cancel(kind).await;
            let late = ProposedState::new(told);
            world
                .app
                .propose_flow_run_state(
                    world.run,
                    late,
                    Policy::Normal(Generation::Orion),
                    Client::OF_2_0A7,
                )
                .await
                .unwrap();
            assert_eq!(
                world.until_over(&agent).await,
                "Cancelled",
                "{told} after {kind}"
            );
            script.may_end.send_replace(true);
        }
    }
}

#[tokio::test]
async fn a_stop_that_the_engine_fails_is_tried_again_and_its_end_is_no_crash() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("stop", Fault::Undone(refused()));
    let script = Arc::new(script.fails("stop", Fault::Undone(away())));
    script.may_end.send_replace(false);
    let agent = world.agent(&script, &[]);
    world.until_started(&agent, &script).await;
    world.cancel(StateType::Cancelling).await;
    assert_eq!(world.until_over(&agent).await, "Cancelled");
    let graces = script.stops.lock().unwrap().clone();
    assert!(graces.len() >= 3, "{graces:?}");
    assert!(
        graces[1] < graces[0],
        "the grace period is given once: {graces:?}"
    );
}

#[tokio::test]
async fn a_time_limit_s_stop_that_the_engine_fails_is_tried_again() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("stop", Fault::Undone(refused()));
    let script = Arc::new(script);
    script.may_end.send_replace(false);
    let agent = world.agent_within(Duration::from_secs(1), &script, &[]);
    assert_eq!(world.until_over(&agent).await, "TimedOut");
    assert!(script.stops.lock().unwrap().len() >= 2);
    until("its process to be stopped", || {
        let made = script.made.lock().unwrap();
        made.values()
            .all(|(_, status)| *status == crate::runners::Status::Ended)
    })
    .await;
}

#[tokio::test]
async fn a_submission_that_fails_after_the_cancel_is_no_crash() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("start", Fault::Undone(refused()));
    let script = Arc::new(script);
    script.may_create.send_replace(false);
    let agent = world.agent(&script, &[]);
    agent.activate().await.unwrap();
    world.cancel(StateType::Cancelling).await;
    // Before the agent hears of the cancel.
    script.may_create.send_replace(true);
    assert_eq!(world.until_over(&agent).await, "Cancelled");
    assert_eq!(*script.executions.lock().unwrap(), 0);
}
