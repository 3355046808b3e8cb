//! How the pool behaves, seen through its handles. Threads meet at channels and barriers; no test looks at a real clock.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;

use crossbeam::channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::pool::Shared;
use super::*;

const LANE: Lane = Lane(0);
const OTHER_LANE: Lane = Lane(1);
const DUE: Deadline = Deadline(10);

/// A clock that the test sets.
#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Deadline {
        Deadline(self.0.load(Ordering::SeqCst))
    }
}

/// A job made of a name and what it does at each step.
struct Steps<F>(&'static str, F);

impl<S, F: FnMut(&mut S) -> Result<Progress, JobError> + Send> Job<S> for Steps<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn advance(&mut self, state: &mut S) -> Result<Progress, JobError> {
        (self.1)(state)
    }
}

/// A pool of so many workers, and its clock.
fn pool(workers: usize) -> (Service, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    let workers = NonZeroUsize::new(workers).unwrap();
    (Service::start(ServiceConfig { workers, clock: Arc::clone(&clock) as Arc<dyn Clock> }).unwrap(), clock)
}

/// An instance without a state worth the name.
fn instance(service: &Service) -> InstanceHandle<()> {
    service.instance(|| Ok(()))
}

/// Every step of a `staged` job: it says that it is there, and waits to be told how it went.
struct Stage {
    arrived: Receiver<()>,
    go_on: Sender<Progress>,
}

/// A job whose steps the test directs. A test that is over lets it go.
fn staged<S>(name: &'static str) -> (Stage, impl Job<S> + 'static) {
    let (say, arrived) = unbounded();
    let (go_on, told) = unbounded();
    let job = Steps(name, move |_: &mut S| {
        let _ = say.send(());
        Ok(told.recv().unwrap_or(Progress::Done))
    });
    (Stage { arrived, go_on }, job)
}

/// A job of one step that writes its name down.
fn note<S>(name: &'static str, log: &Sender<&'static str>) -> impl Job<S> + use<S> + 'static {
    let log = log.clone();
    Steps(name, move |_: &mut S| {
        log.send(name)?;
        Ok(Progress::Done)
    })
}

fn wait<S: Send>(instance: &InstanceHandle<S>) -> Report {
    instance.reports().recv().unwrap()
}

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

#[test]
fn a_panic_ends_its_job_is_reported_and_nothing_else() {
    let (service, _) = pool(1);
    let made = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&made);
    let broken = service.instance(move || Ok(count.fetch_add(1, Ordering::SeqCst)));
    let fine = instance(&service);
    let (send, states) = unbounded();
    let look = || {
        let send = send.clone();
        Steps("look", move |state: &mut u64| {
            send.send(*state)?;
            Ok(Progress::Done)
        })
    };
    broken.submit(LANE, DUE, look());
    wait(&broken);
    let key = 200;
    broken.submit(LANE, DUE, Steps("stumble", move |_: &mut u64| panic!("no such key: {key}")));
    let report = wait(&broken);
    let Outcome::Failed(failure @ JobFailure::Panic { .. }) = report.outcome else { panic!("{report:?}") };
    assert_eq!(failure.to_string(), "stumble met a defect and was stopped: no such key: 200");
    assert_eq!(report.name, "stumble");
    broken.submit(LANE, DUE, look());
    assert!(matches!(wait(&broken).outcome, Outcome::Finished));
    // The state that saw the panic is not used again.
    assert_eq!(states.try_iter().collect::<Vec<_>>(), [0, 1]);
    let (log, order) = unbounded();
    fine.submit(LANE, DUE, note("fine", &log));
    assert_eq!(order.recv().unwrap(), "fine");
}

#[test]
fn an_error_is_reported_and_the_state_kept() {
    let (service, _) = pool(1);
    let instance = service.instance(|| Ok(0));
    let (send, states) = unbounded();
    let step = |fail| {
        let send = send.clone();
        Steps("listen", move |state: &mut u32| {
            *state += 1;
            send.send(*state)?;
            if fail { Err("the page store is full".into()) } else { Ok(Progress::Done) }
        })
    };
    instance.submit(LANE, DUE, step(true));
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "listen failed: the page store is full");
    instance.submit(LANE, DUE, step(false));
    assert!(matches!(wait(&instance).outcome, Outcome::Finished));
    assert_eq!(states.try_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(instance.punctuality(), Punctuality { on_time: 1, late: 1 });
}

#[test]
fn a_state_that_cannot_be_made_is_tried_again_by_the_next_job() {
    let (service, _) = pool(1);
    let mut tries = 0;
    let instance = service.instance(move || {
        tries += 1;
        if tries == 1 { Err("no model at that path".into()) } else { Ok(()) }
    });
    let (log, order) = unbounded();
    instance.submit(LANE, DUE, note("first", &log));
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "first failed: no model at that path");
    instance.submit(LANE, DUE, note("second", &log));
    assert!(matches!(wait(&instance).outcome, Outcome::Finished));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["second"]);
}

/// Tells where it is dropped.
struct Grave(Sender<Option<String>>);

impl Drop for Grave {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().name().map(str::to_owned));
    }
}

#[test]
fn a_dropped_instance_leaves_its_state_to_a_worker() {
    let (service, _) = pool(1);
    let (send, graves) = unbounded();
    let leaving = service.instance(move || Ok(Grave(send.clone())));
    let (stage, job) = staged("running");
    leaving.submit(LANE, DUE, job);
    stage.arrived.recv().unwrap();
    // Does not wait for the job, which stands on its stage.
    drop(leaving);
    assert!(graves.is_empty());
    stage.go_on.send(Progress::Again).unwrap();
    assert_eq!(graves.recv().unwrap().as_deref(), Some("antiphon-worker-0"));
    let (log, order) = unbounded();
    let staying = instance(&service);
    staying.submit(LANE, DUE, note("staying", &log));
    assert_eq!(order.recv().unwrap(), "staying");
}

#[test]
fn the_last_handle_cancels_and_joins() {
    let (service, _) = pool(2);
    let workers = Arc::downgrade(service.desk());
    let (send, graves) = unbounded();
    let instances: Vec<_> = (0..4)
        .map(|_| {
            let send = send.clone();
            service.instance(move || Ok(Grave(send.clone())))
        })
        .collect();
    let (say, running) = unbounded();
    for instance in &instances {
        for lane in [LANE, OTHER_LANE] {
            let say = say.clone();
            // Would never end by itself.
            let endless = Steps("endless", move |_: &mut Grave| {
                let _ = say.send(());
                Ok(Progress::Again)
            });
            instance.submit(lane, DUE, endless);
        }
    }
    running.recv().unwrap();
    drop(service);
    drop(instances);
    assert!(is_over(&workers));
    let graves: Vec<_> = graves.try_iter().collect();
    assert!(!graves.is_empty());
    assert!(graves.iter().all(|name| name.as_ref().is_some_and(|name| name.starts_with("antiphon-worker-"))), "{graves:?}");
}

/// Every worker holds the pool's desk for as long as its thread lives.
fn is_over(workers: &Weak<Shared>) -> bool {
    workers.strong_count() == 0
}

#[test]
fn a_job_may_let_go_of_the_last_handle() {
    let (service, _) = pool(2);
    let holder = instance(&service);
    let mut last = Some(instance(&service));
    let (say, heard) = unbounded();
    let (go_on, told) = unbounded();
    holder.submit(
        LANE,
        DUE,
        Steps("let go", move |_: &mut ()| {
            say.send("here")?;
            told.recv()?;
            drop(last.take());
            say.send("gone")?;
            Ok(Progress::Done)
        }),
    );
    assert_eq!(heard.recv().unwrap(), "here");
    drop((service, holder));
    go_on.send(()).unwrap();
    // It joined the other worker and did not wait for its own.
    assert_eq!(heard.recv().unwrap(), "gone");
}

#[test]
fn a_panicking_destructor_is_survived() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it went off");
        }
    }
    let (service, _) = pool(1);
    let instance = instance(&service);
    let bomb = Bomb;
    instance.submit(
        LANE,
        DUE,
        Steps("carry", move |_: &mut ()| {
            let _here = &bomb;
            Ok(Progress::Done)
        }),
    );
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "carry met a defect and was stopped: it went off");
    // Both in a job's hands and among an instance's remains.
    let carrier = service.instance(|| Ok(Bomb));
    carrier.submit(LANE, DUE, Steps("panic beside it", |_: &mut Bomb| panic!("first")));
    let Outcome::Failed(failure) = wait(&carrier).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "panic beside it met a defect and was stopped: it went off");
    carrier.submit(LANE, DUE, Steps("make a new one", |_: &mut Bomb| Ok(Progress::Done)));
    wait(&carrier);
    drop(carrier);
    let (log, order) = unbounded();
    instance.submit(LANE, DUE, note("carried on", &log));
    assert_eq!(order.recv().unwrap(), "carried on");
}

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

#[test]
fn two_workers_work_at_once() {
    let (service, _) = pool(2);
    let meeting = Arc::new(Barrier::new(2));
    let instances = [instance(&service), instance(&service)];
    for instance in &instances {
        let meeting = Arc::clone(&meeting);
        // Passes only if the other is there.
        let meet = Steps("meet", move |_: &mut ()| {
            meeting.wait();
            Ok(Progress::Done)
        });
        instance.submit(LANE, DUE, meet);
    }
    for instance in &instances {
        assert!(matches!(wait(instance).outcome, Outcome::Finished));
    }
}

#[test]
fn an_instance_is_never_at_two_workers() {
    let (service, _) = pool(3);
    let occupied = Arc::new(AtomicBool::new(false));
    let instance = instance(&service);
    for lane in 0..6 {
        let occupied = Arc::clone(&occupied);
        let mut left = 500;
        let job = Steps("work", move |_: &mut ()| {
            assert!(!occupied.swap(true, Ordering::SeqCst), "two at once");
            thread::yield_now();
            occupied.store(false, Ordering::SeqCst);
            left -= 1;
            Ok(if left == 0 { Progress::Done } else { Progress::Defer(Deadline(left % 7)) })
        });
        instance.submit(Lane(lane), DUE, job);
    }
    for _ in 0..6 {
        assert!(matches!(wait(&instance).outcome, Outcome::Finished));
    }
}

#[test]
fn every_submitted_job_ends_once_under_load() {
    const JOBS: usize = 400;
    let (service, _) = pool(3);
    thread::scope(|scope| {
        for seed in 0..4u64 {
            let service = &service;
            scope.spawn(move || {
                let instance = service.instance(|| Ok(0u64));
                let mut ids: Vec<_> = (0..JOBS)
                    .map(|number| {
                        let number = u64::try_from(number).unwrap() + seed;
                        let mut left = number % 5;
                        let job = Steps("load", move |sum: &mut u64| {
                            *sum += 1;
                            left = left.saturating_sub(1);
                            Ok(if left == 0 { Progress::Done } else { Progress::Again })
                        });
                        if number % 17 == 0 {
                            instance.cancel(Lane(1));
                        }
                        instance.submit(Lane(u8::try_from(number % 3).unwrap()), Deadline(number % 11), job)
                    })
                    .collect();
                let mut ended: Vec<_> = Vec::new();
                while u64::try_from(ended.len()).unwrap() + instance.lost_reports() < u64::try_from(JOBS).unwrap() {
                    ended.push(wait(&instance).job);
                }
                assert!(instance.try_report().is_none());
                ended.sort();
                ids.retain(|id| ended.binary_search(id).is_ok());
                assert_eq!(ids, ended);
            });
        }
    });
}

/// The only test that uses the shared pool: it ends when all tests have let it go.
#[test]
fn the_shared_pool_lives_from_the_first_handle_to_the_last() {
    const THREADS: usize = 4;
    const CYCLES: usize = 50;
    let pools: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
    {
        let (first, second) = (Service::shared().unwrap(), Service::shared().unwrap());
        assert!(Arc::ptr_eq(first.desk(), second.desk()));
        assert!((1..=2).contains(&first.workers()));
        pools.lock().push(Arc::downgrade(first.desk()));
        drop(first);
        assert!(Arc::ptr_eq(second.desk(), Service::shared().unwrap().desk()));
    }
    assert!(pools.lock().iter().all(is_over));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let pools = &pools;
            scope.spawn(move || {
                for cycle in 0..CYCLES {
                    let service = Service::shared().unwrap();
                    pools.lock().push(Arc::downgrade(service.desk()));
                    let instance = instance(&service);
                    instance.submit(LANE, Deadline::WHENEVER, Steps("endless", |_: &mut ()| Ok(Progress::Again)));
                    let (log, order) = unbounded();
                    instance.submit(OTHER_LANE, DUE, note("short", &log));
                    if (cycle + number) % 3 > 0 {
                        order.recv().unwrap();
                    }
                    if cycle % 2 == 0 {
                        drop(service);
                    }
                }
            });
        }
    });
    assert_eq!(pools.lock().len(), THREADS * CYCLES + 1);
    assert!(pools.lock().iter().all(is_over));
}
