//! Which job goes first, and which gives way.

use super::*;

#[test]
fn the_earliest_deadline_goes_first() {
    let (service, _) = pool(1);
    let (stage, gate) = staged("gate");
    let holder = instance(&service);
    holder.submit(LANE, DUE, gate);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    let instances: Vec<_> = [("third", 30), ("first", 10), ("idle", u64::MAX), ("second", 20)]
        .into_iter()
        .map(|(name, deadline)| {
            let instance = instance(&service);
            instance.submit(LANE, Deadline(deadline), note(name, &log));
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
fn a_due_job_overtakes_a_long_one_between_its_steps() {
    let (service, _) = pool(1);
    let (long, short) = (instance(&service), instance(&service));
    let (stage, job) = staged("long");
    long.submit(LANE, Deadline(20), job);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    short.submit(LANE, DUE, note("short", &log));
    stage.go_on.send(Progress::Again).unwrap();
    // The long job is at its second step: the short one went between.
    stage.arrived.recv().unwrap();
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["short"]);
    assert!(long.try_report().is_none());
    stage.go_on.send(Progress::Done).unwrap();
    assert!(matches!(wait(&long).outcome, Outcome::Finished));
}

#[test]
fn what_is_deferred_lets_later_deadlines_pass() {
    let (service, _) = pool(1);
    let (one, other) = (instance(&service), instance(&service));
    let (stage, job) = staged("near bar, then the horizon");
    one.submit(LANE, DUE, job);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    other.submit(LANE, Deadline(20), note("another near bar", &log));
    stage.go_on.send(Progress::Defer(Deadline::WHENEVER)).unwrap();
    stage.arrived.recv().unwrap();
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["another near bar"]);
    assert_eq!(one.punctuality(), Punctuality { on_time: 1, late: 0 });
    stage.go_on.send(Progress::Done).unwrap();
    wait(&one);
    assert_eq!(one.punctuality(), Punctuality { on_time: 1, late: 0 });
}

#[test]
fn a_newer_job_replaces_the_running_one_and_finds_the_same_state() {
    let (service, _) = pool(2);
    let instance = service.instance(|| Ok(Vec::new()));
    let (say, arrived) = unbounded();
    let (go_on, told) = unbounded::<()>();
    let old = instance.submit(
        LANE,
        DUE,
        Steps("old", move |heard: &mut Vec<&'static str>| {
            heard.push("old");
            say.send(())?;
            told.recv()?;
            Ok(Progress::Again)
        }),
    );
    arrived.recv().unwrap();
    let (send, result) = unbounded();
    let new = instance.submit(
        LANE,
        DUE,
        Steps("new", move |heard: &mut Vec<&'static str>| {
            heard.push("new");
            send.send(heard.clone())?;
            Ok(Progress::Done)
        }),
    );
    go_on.send(()).unwrap();
    assert_eq!(result.recv().unwrap(), ["old", "new"]);
    let mut reports = [wait(&instance), wait(&instance)];
    reports.sort_by_key(|report| report.job);
    assert_eq!((reports[0].job, reports[0].name), (old, "old"));
    assert!(matches!(reports[0].outcome, Outcome::Replaced));
    assert_eq!((reports[1].job, reports[1].lane), (new, LANE));
    assert!(matches!(reports[1].outcome, Outcome::Finished));
}

#[test]
fn a_newer_job_replaces_the_waiting_one_of_its_lane_only() {
    let (service, _) = pool(1);
    let instance = instance(&service);
    let (stage, gate) = staged("gate");
    instance.submit(Lane(9), Deadline(0), gate);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    instance.submit(LANE, DUE, note("old", &log));
    instance.submit(OTHER_LANE, DUE, note("another lane", &log));
    instance.submit(LANE, DUE, note("new", &log));
    assert!(matches!(instance.try_report(), Some(Report { name: "old", outcome: Outcome::Replaced, .. })));
    stage.go_on.send(Progress::Done).unwrap();
    for _ in 0..3 {
        wait(&instance);
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["another lane", "new"]);
}

#[test]
fn cancelling_ends_running_and_waiting_jobs() {
    let (service, _) = pool(1);
    let instance = instance(&service);
    let (stage, running) = staged("running");
    instance.submit(LANE, DUE, running);
    stage.arrived.recv().unwrap();
    let (log, order) = unbounded();
    instance.submit(OTHER_LANE, DUE, note("waiting", &log));
    instance.submit(Lane(2), DUE, note("untouched", &log));
    instance.cancel(OTHER_LANE);
    assert!(matches!(wait(&instance), Report { name: "waiting", outcome: Outcome::Cancelled, .. }));
    instance.cancel(LANE);
    stage.go_on.send(Progress::Again).unwrap();
    let mut names = [wait(&instance), wait(&instance)].map(|report| (report.name, matches!(report.outcome, Outcome::Cancelled)));
    names.sort_unstable();
    assert_eq!(names, [("running", true), ("untouched", false)]);
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["untouched"]);
    // What the player calls off was not late.
    assert_eq!(instance.punctuality().late, 0);
}
