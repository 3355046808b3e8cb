//! Several workers at once.

use super::*;

#[test]
fn two_workers_run_two_jobs_at_once() {
    let service = pool(2);
    let meeting = Arc::new(Barrier::new(2));
    let instances = [instance(&service), instance(&service)];
    for instance in &instances {
        let meeting = Arc::clone(&meeting);
        // Passes only if the other is there.
        let meet = Steps("meet", move |_: &mut ()| {
            meeting.wait();
            Ok(Progress::Done)
        });
        instance.submit(DUE, meet);
    }
    for instance in &instances {
        assert!(matches!(wait(instance).outcome, Outcome::Finished));
    }
}

#[test]
fn instance_is_never_on_two_workers() {
    const JOBS: usize = 500;
    let service = pool(3);
    let occupied = Arc::new(AtomicU64::new(0));
    let instance = service.instance(move || Ok(0u64));
    // Each is submitted while the one before it runs or waits.
    for _ in 0..JOBS {
        let occupied = Arc::clone(&occupied);
        let mut left = 7;
        let job = Steps("work", move |steps: &mut u64| {
            assert_eq!(occupied.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            *steps += 1;
            thread::yield_now();
            occupied.fetch_sub(1, Ordering::SeqCst);
            left -= 1;
            Ok(if left == 0 { Progress::Done } else { Progress::Defer(Deadline(left % 7)) })
        });
        instance.submit(DUE, job);
        thread::yield_now();
    }
    let mut ended = 0;
    while u64::try_from(ended).unwrap() + instance.lost_reports() < u64::try_from(JOBS).unwrap() {
        let report = wait(&instance);
        assert!(matches!(report.outcome, Outcome::Finished | Outcome::Replaced), "{report:?}");
        ended += 1;
    }
}

#[test]
fn every_submitted_job_ends_once_under_load() {
    const JOBS: usize = 400;
    let service = pool(3);
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
                            instance.cancel();
                        }
                        instance.submit(Deadline(number % 11), job)
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
