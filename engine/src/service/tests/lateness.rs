//! What counts as late.

use super::*;

#[test]
fn lateness_is_counted_per_instance() {
    let (service, clock) = pool(1);
    let (one, other) = (instance(&service), instance(&service));
    let (log, _order) = unbounded();
    other.submit(LANE, DUE, note("on time", &log));
    wait(&other);
    let (stage, job) = staged("late");
    one.submit(LANE, DUE, job);
    stage.arrived.recv().unwrap();
    clock.0.store(11, Ordering::SeqCst);
    stage.go_on.send(Progress::Done).unwrap();
    assert!(matches!(wait(&one), Report { name: "late", outcome: Outcome::Finished, .. }));
    assert_eq!(one.punctuality(), Punctuality { on_time: 0, late: 1 });
    assert_eq!(other.punctuality(), Punctuality { on_time: 1, late: 0 });
}

#[test]
fn a_replaced_job_counts_as_late_only_after_its_deadline() {
    let (service, clock) = pool(1);
    let instance = instance(&service);
    let (stage, gate) = staged("gate");
    instance.submit(Lane(9), Deadline::WHENEVER, gate);
    stage.arrived.recv().unwrap();
    let (log, _order) = unbounded();
    instance.submit(LANE, DUE, note("replaced in time", &log));
    instance.submit(LANE, DUE, note("replaced too late", &log));
    assert_eq!(instance.punctuality().late, 0);
    clock.0.store(11, Ordering::SeqCst);
    instance.submit(LANE, Deadline(20), note("on time", &log));
    assert_eq!(instance.punctuality(), Punctuality { on_time: 0, late: 1 });
    stage.go_on.send(Progress::Done).unwrap();
    for _ in 0..4 {
        wait(&instance);
    }
    assert_eq!(instance.punctuality(), Punctuality { on_time: 1, late: 1 });
}

#[test]
fn a_running_job_that_is_replaced_after_its_deadline_was_late() {
    for (moment, late) in [(10, 0), (11, 1)] {
        let (service, clock) = pool(1);
        let instance = instance(&service);
        let (stage, job) = staged("running");
        instance.submit(LANE, DUE, job);
        stage.arrived.recv().unwrap();
        let (log, _order) = unbounded();
        instance.submit(LANE, Deadline::WHENEVER, note("newer", &log));
        clock.0.store(moment, Ordering::SeqCst);
        stage.go_on.send(Progress::Again).unwrap();
        assert!(matches!(wait(&instance).outcome, Outcome::Replaced));
        assert_eq!(instance.punctuality(), Punctuality { on_time: 0, late });
    }
}
