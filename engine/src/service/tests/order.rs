//! Order of jobs, replacement and cancellation.

use super::*;

#[test]
fn earliest_deadline_runs_first() {
    let service = pool(1);
    let (stage, gate) = staged("gate");
    let holder = instance(&service);
    holder.submit(DUE, gate);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    let instances: Vec<_> = [("third", 30), ("first", 10), ("idle", u64::MAX), ("second", 20)]
        .into_iter()
        .map(|(name, deadline)| {
            let instance = instance(&service);
            instance.submit(Deadline(deadline), note(name, &log));
            instance
        })
        .collect();
    stage.go_on.send(Progress::Done).unwrap();
    for instance in &instances {
        assert!(matches!(wait(instance).outcome, Outcome::Finished));
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["first", "second", "third", "idle"]);
}

#[test]
fn due_job_runs_between_the_steps_of_a_long_one() {
    let service = pool(1);
    let (long, short) = (instance(&service), instance(&service));
    let (stage, job) = staged("long");
    long.submit(Deadline(20), job);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    short.submit(DUE, note("short", &log));
    stage.go_on.send(Progress::Again).unwrap();
    // The long job is at its second step: the short one went between.
    stage.arrived.recv().unwrap();
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["short"]);
    assert!(long.try_report().is_none());
    stage.go_on.send(Progress::Done).unwrap();
    assert!(matches!(wait(&long).outcome, Outcome::Finished));
}

#[test]
fn deferred_job_runs_after_later_deadlines() {
    let service = pool(1);
    let (one, other) = (instance(&service), instance(&service));
    let (stage, job) = staged("near bar, then the horizon");
    one.submit(DUE, job);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    other.submit(Deadline(20), note("another near bar", &log));
    stage.go_on.send(Progress::Defer(Deadline::WHENEVER)).unwrap();
    stage.arrived.recv().unwrap();
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["another near bar"]);
    stage.go_on.send(Progress::Done).unwrap();
    wait(&one);
}

#[test]
fn newer_job_replaces_the_running_one_and_has_the_same_state() {
    let service = pool(2);
    let instance = service.instance(|| Ok(Vec::new()));
    let (say, arrived) = unbounded();
    let (go_on, resume) = unbounded::<()>();
    let old = instance.submit(
        DUE,
        Steps("old", move |state: &mut Vec<&'static str>| {
            state.push("old");
            say.send(())?;
            resume.recv()?;
            Ok(Progress::Again)
        }),
    );
    arrived.recv().unwrap();
    let (send, result) = unbounded();
    let new = instance.submit(
        DUE,
        Steps("new", move |state: &mut Vec<&'static str>| {
            state.push("new");
            send.send(state.clone())?;
            Ok(Progress::Done)
        }),
    );
    go_on.send(()).unwrap();
    assert_eq!(result.recv().unwrap(), ["old", "new"]);
    let mut reports = [wait(&instance), wait(&instance)];
    reports.sort_by_key(|report| report.job);
    assert_eq!((reports[0].job, reports[0].name), (old, "old"));
    assert!(matches!(reports[0].outcome, Outcome::Replaced));
    assert_eq!((reports[1].job, reports[1].name), (new, "new"));
    assert!(matches!(reports[1].outcome, Outcome::Finished));
}

#[test]
fn newer_job_replaces_the_waiting_one_of_its_instance_only() {
    let service = pool(1);
    let (one, other) = (instance(&service), instance(&service));
    let holder = instance(&service);
    let (stage, gate) = staged("gate");
    holder.submit(Deadline(0), gate);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    one.submit(DUE, note("old", &log));
    other.submit(DUE, note("another instance", &log));
    one.submit(DUE, note("new", &log));
    assert!(matches!(one.try_report(), Some(Report { name: "old", outcome: Outcome::Replaced, .. })));
    stage.go_on.send(Progress::Done).unwrap();
    for instance in [&holder, &other, &one] {
        assert!(matches!(wait(instance).outcome, Outcome::Finished));
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["another instance", "new"]);
}

#[test]
fn cancelling_ends_the_running_and_the_waiting_job_of_its_instance_only() {
    let service = pool(1);
    let (running, waiting, untouched) = (instance(&service), instance(&service), instance(&service));
    let (stage, job) = staged("running");
    running.submit(DUE, job);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    waiting.submit(DUE, note("waiting", &log));
    untouched.submit(DUE, note("untouched", &log));
    waiting.cancel();
    assert!(matches!(wait(&waiting), Report { name: "waiting", outcome: Outcome::Cancelled, .. }));
    running.cancel();
    stage.go_on.send(Progress::Again).unwrap();
    assert!(matches!(wait(&running), Report { name: "running", outcome: Outcome::Cancelled, .. }));
    assert!(matches!(wait(&untouched).outcome, Outcome::Finished));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["untouched"]);
}
