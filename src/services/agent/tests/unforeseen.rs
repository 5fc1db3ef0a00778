//! What is not foreseen: bugs, engines that never were.

use super::*;

#[tokio::test]
async fn a_run_whose_task_panics_is_taken_up_again() {
    for call in ["create", "start", "wait", "output"] {
        let world = World::new().await;
        let script = Arc::new(Script::new(world.app.clone()).fails(call, Fault::Panic));
        let agent = world.agent(&script, &[]);
        let ended = world.until_over(&agent).await;
        // What panics within its own task is an error like any other.
        let expected = if call == "create" {
            "Crashed"
        } else {
            "Completed"
        };
        assert_eq!(ended, expected, "{call}");
        assert!(*script.executions.lock().unwrap() <= 1, "{call}");
        assert_eq!(*script.wrong.lock().unwrap(), [""; 0], "{call}");
    }
}

#[tokio::test]
async fn a_run_whose_task_panics_always_is_given_up() {
    let world = World::new().await;
    let script = Script::new(world.app.clone());
    let script = (0..10).fold(script, |script, _| script.fails("wait", Fault::Panic));
    let script = Arc::new(script);
    script.may_end.send_replace(false);
    let agent = world.agent(&script, &[]);
    assert_eq!(world.until_over(&agent).await, "Crashed");
    let message = world.state().await.state.unwrap().message.unwrap();
    assert!(message.contains("wait has a bug"), "{message}");
}

#[tokio::test]
async fn a_look_that_panics_is_followed_by_another() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("start", Fault::Done(away()));
    let script = Arc::new(script.fails("find", Fault::Panic));
    let agent = world.agent(&script, &[]);
    let start = Instant::now();
    loop {
        let _ = agent.activate_supervised().await;
        if world.state().await.state.unwrap().kind == StateType::Completed {
            break;
        }
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(*script.executions.lock().unwrap(), 1);
}

#[tokio::test]
async fn output_that_breaks_off_is_listened_to_again() {
    let world = World::new().await;
    let script = Script::new(world.app.clone()).fails("output", Fault::Undone(away()));
    let script = Arc::new(script);
    let agent = world.agent(&script, &[]);
    assert_eq!(world.until_over(&agent).await, "Completed");
    assert_eq!(world.output().await, ["line 0", "line 1", "line 2"]);
}

#[tokio::test]
async fn runs_wait_for_an_engine_that_has_never_answered() {
    let world = World::new().await;
    let script = Script::new(world.app.clone());
    let script = (0..4).fold(script, |script, _| {
        script.fails("check", Fault::Undone(away()))
    });
    let script = Arc::new(script);
    let agent = world.agent(&script, &[]);
    agent.meet_engine().await;
    assert!(agent.activate().await.is_err());
    let state = world.state().await.state.unwrap();
    assert_eq!(state.kind, StateType::Scheduled, "{state:?}");
    agent.report();
    let why = world.app.why(world.run).await.unwrap();
    assert_eq!(
        why.code,
        crate::domain::why::Code::EngineAway,
        "{}",
        why.reason
    );
    assert!(why.reason.contains("The engine is away"), "{}", why.reason);
    assert_eq!(world.until_over(&agent).await, "Completed");
}
