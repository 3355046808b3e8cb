//! Jobs, states and destructors that fail.

use super::*;

#[test]
fn panic_ends_only_its_job_and_is_reported() {
    let service = pool(1);
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
    broken.submit(DUE, look());
    wait(&broken);
    let key = 200;
    broken.submit(DUE, Steps("stumble", move |_: &mut u64| panic!("no such key: {key}")));
    let report = wait(&broken);
    let Outcome::Failed(failure @ JobFailure::Panic { .. }) = report.outcome else { panic!("{report:?}") };
    assert_eq!(failure.to_string(), "stumble met a defect and was stopped: no such key: 200");
    assert_eq!(report.name, "stumble");
    broken.submit(DUE, look());
    assert!(matches!(wait(&broken).outcome, Outcome::Finished));
    // The state that saw the panic is not used again.
    assert_eq!(states.try_iter().collect::<Vec<_>>(), [0, 1]);
    let (log, order) = unbounded();
    fine.submit(DUE, note("fine", &log));
    assert_eq!(order.recv().unwrap(), "fine");
}

#[test]
fn error_is_reported_and_the_state_kept() {
    let service = pool(1);
    let instance = service.instance(|| Ok(0));
    let (send, states) = unbounded();
    let step = |fail| {
        let send = send.clone();
        Steps("prefill", move |state: &mut u32| {
            *state += 1;
            send.send(*state)?;
            if fail { Err("the page store is full".into()) } else { Ok(Progress::Done) }
        })
    };
    instance.submit(DUE, step(true));
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "prefill failed: the page store is full");
    instance.submit(DUE, step(false));
    assert!(matches!(wait(&instance).outcome, Outcome::Finished));
    assert_eq!(states.try_iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn state_that_fails_to_load_is_tried_again_by_the_next_job() {
    let service = pool(1);
    let mut tries = 0;
    let instance = service.instance(move || {
        tries += 1;
        if tries == 1 { Err("no model at that path".into()) } else { Ok(()) }
    });
    let (log, order) = unbounded();
    instance.submit(DUE, note("first", &log));
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "first failed: no model at that path");
    instance.submit(DUE, note("second", &log));
    assert!(matches!(wait(&instance).outcome, Outcome::Finished));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["second"]);
}

#[test]
fn panicking_destructor_is_reported_and_the_pool_goes_on() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it went off");
        }
    }
    let service = pool(1);
    let instance = instance(&service);
    let bomb = Bomb;
    instance.submit(
        DUE,
        Steps("carry", move |_: &mut ()| {
            let _here = &bomb;
            Ok(Progress::Done)
        }),
    );
    let Outcome::Failed(failure) = wait(&instance).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "carry met a defect and was stopped: it went off");
    // In a state that is discarded, too.
    let carrier = service.instance(|| Ok(Bomb));
    carrier.submit(DUE, Steps("panic beside it", |_: &mut Bomb| panic!("first")));
    let Outcome::Failed(failure) = wait(&carrier).outcome else { panic!("it did not fail") };
    assert_eq!(failure.to_string(), "panic beside it met a defect and was stopped: it went off");
    carrier.submit(DUE, Steps("make a new one", |_: &mut Bomb| Ok(Progress::Done)));
    wait(&carrier);
    drop(carrier);
    let (log, order) = unbounded();
    instance.submit(DUE, note("carried on", &log));
    assert_eq!(order.recv().unwrap(), "carried on");
}
