//! Several workers at once.

use super::*;

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
