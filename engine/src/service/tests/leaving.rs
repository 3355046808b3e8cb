//! Lifetimes of instances, workers and the pool.

use super::*;

/// Sends the name of the thread that drops it.
struct DropProbe(Sender<Option<String>>);

impl Drop for DropProbe {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().name().map(str::to_owned));
    }
}

#[test]
fn dropped_instance_has_its_state_dropped_on_a_worker() {
    let service = pool(1);
    let (send, drops) = unbounded();
    let leaving = service.instance(move || Ok(DropProbe(send.clone())));
    let (stage, job) = staged("running");
    leaving.submit(DUE, job);
    stage.arrived.recv().unwrap();
    // Does not wait for the job, which is blocked in its step.
    drop(leaving);
    assert!(drops.is_empty());
    stage.go_on.send(Progress::Again).unwrap();
    assert_eq!(drops.recv().unwrap().as_deref(), Some("antiphon-worker-0"));
    let (log, order) = unbounded();
    let staying = instance(&service);
    staying.submit(DUE, note("staying", &log));
    assert_eq!(order.recv().unwrap(), "staying");
}

#[test]
fn dropped_last_handle_cancels_jobs_and_joins_workers() {
    let service = pool(2);
    let workers = Arc::downgrade(service.shared_state());
    let (send, drops) = unbounded();
    let instances: Vec<_> = (0..4)
        .map(|_| {
            let send = send.clone();
            service.instance(move || Ok(DropProbe(send.clone())))
        })
        .collect();
    let (say, running) = unbounded();
    for instance in &instances {
        let say = say.clone();
        // Would never end by itself.
        let endless = Steps("endless", move |_: &mut DropProbe| {
            let _ = say.send(());
            Ok(Progress::Again)
        });
        instance.submit(DUE, endless);
    }
    running.recv().unwrap();
    drop(service);
    drop(instances);
    assert!(is_over(&workers));
    let drops: Vec<_> = drops.try_iter().collect();
    assert!(!drops.is_empty());
    assert!(drops.iter().all(|name| name.as_ref().is_some_and(|name| name.starts_with("antiphon-worker-"))), "{drops:?}");
}

/// Every worker holds the pool's queue for as long as its thread lives.
fn is_over(workers: &Weak<Shared>) -> bool {
    workers.strong_count() == 0
}

#[test]
fn last_handle_dropped_by_a_job_does_not_deadlock() {
    let service = pool(2);
    let holder = instance(&service);
    let mut last = Some(instance(&service));
    let (say, messages) = unbounded();
    let (go_on, resume) = unbounded();
    holder.submit(
        DUE,
        Steps("let go", move |_: &mut ()| {
            say.send("here")?;
            resume.recv()?;
            drop(last.take());
            say.send("gone")?;
            Ok(Progress::Done)
        }),
    );
    assert_eq!(messages.recv().unwrap(), "here");
    drop((service, holder));
    go_on.send(()).unwrap();
    // It joined the other worker and did not wait for its own.
    assert_eq!(messages.recv().unwrap(), "gone");
}

/// The only test that uses the shared pool: it ends when all tests have let it go.
#[test]
fn shared_pool_lives_from_the_first_handle_to_the_last() {
    const THREADS: usize = 4;
    const CYCLES: usize = 50;
    let pools: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
    {
        let (first, second) = (Service::shared().unwrap(), Service::shared().unwrap());
        assert!(Arc::ptr_eq(first.shared_state(), second.shared_state()));
        assert!((1..=2).contains(&first.workers()));
        pools.lock().push(Arc::downgrade(first.shared_state()));
        drop(first);
        assert!(Arc::ptr_eq(second.shared_state(), Service::shared().unwrap().shared_state()));
    }
    assert!(pools.lock().iter().all(is_over));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let pools = &pools;
            scope.spawn(move || {
                for cycle in 0..CYCLES {
                    let service = Service::shared().unwrap();
                    pools.lock().push(Arc::downgrade(service.shared_state()));
                    let instance = instance(&service);
                    instance.submit(Deadline::WHENEVER, Steps("endless", |_: &mut ()| Ok(Progress::Again)));
                    let (log, order) = unbounded();
                    instance.submit(DUE, note("short", &log));
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
