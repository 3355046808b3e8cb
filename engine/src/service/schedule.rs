//! Scheduling of jobs: earliest deadline first, one job per instance. Free of threads.

use std::collections::{BTreeMap, HashMap};

use super::Deadline;

/// Number of a job, increasing with each submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(super) u64);

/// Number of an instance of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(u64);

/// Why a job was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawal {
    /// A newer job replaced it.
    Replaced,
    /// The instance cancelled it.
    Cancelled,
}

/// A job between two steps, or in a worker's hands.
#[derive(Debug)]
pub(super) struct ScheduledJob<T> {
    pub(super) job: JobId,
    pub(super) instance: InstanceId,
    pub(super) deadline: Deadline,
    pub(super) task: T,
}

/// Waiting and running jobs.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    /// Waiting jobs in the order in which they are to run, at most one of an instance. Of equal deadlines the older job goes first, so it is
    /// finished before the next begins.
    waiting: BTreeMap<(Deadline, JobId), ScheduledJob<T>>,
    /// Instances whose job a worker has in hand, at most one of each: its state belongs to that job. The value is set when the job was
    /// withdrawn meanwhile: it ends with the step it is at.
    running: HashMap<InstanceId, Option<Withdrawal>>,
    instances: u64,
    jobs: u64,
}

impl<T> Schedule<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), running: HashMap::new(), instances: 0, jobs: 0 }
    }

    /// A number for a new instance.
    pub(super) fn enter(&mut self) -> InstanceId {
        self.instances += 1;
        InstanceId(self.instances)
    }

    /// Adds a job. Returns its number and the waiting job that it replaced, if any; a running one ends after its step.
    pub(super) fn submit(&mut self, instance: InstanceId, deadline: Deadline, task: T) -> (JobId, Option<ScheduledJob<T>>) {
        let replaced = self.withdraw(instance, Withdrawal::Replaced);
        self.jobs += 1;
        let job = JobId(self.jobs);
        self.waiting.insert((deadline, job), ScheduledJob { job, instance, deadline, task });
        (job, replaced)
    }

    /// Withdraws the job of an instance. Returns it if it was waiting; a running one ends after its step.
    pub(super) fn withdraw(&mut self, instance: InstanceId, why: Withdrawal) -> Option<ScheduledJob<T>> {
        if let Some(withdrawn) = self.running.get_mut(&instance) {
            // Of two reasons the first counts.
            withdrawn.get_or_insert(why);
        }
        let key = self.waiting.iter().find(|(_, job)| job.instance == instance).map(|(key, _)| *key)?;
        self.waiting.remove(&key)
    }

    /// The job that is to run next, if any: the earliest deadline among instances that have none running. Its worker must
    /// [`end`](Self::end) the step.
    pub(super) fn begin(&mut self) -> Option<ScheduledJob<T>> {
        let job = self.waiting.remove(&self.next()?)?;
        self.running.insert(job.instance, None);
        Some(job)
    }

    /// Whether [`begin`](Self::begin) would find a job.
    pub(super) fn is_ready(&self) -> bool {
        self.next().is_some()
    }

    fn next(&self) -> Option<(Deadline, JobId)> {
        self.waiting.iter().find(|(_, job)| !self.running.contains_key(&job.instance)).map(|(key, _)| *key)
    }

    /// Ends the step of the instance's running job. Returns the reason if it was withdrawn meanwhile; if not, it may
    /// [`resume`](Self::resume).
    pub(super) fn end(&mut self, instance: InstanceId) -> Option<Withdrawal> {
        self.running.remove(&instance)?
    }

    /// Queues a job for its next step.
    pub(super) fn resume(&mut self, job: ScheduledJob<T>) {
        self.waiting.insert((job.deadline, job.job), job);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(schedule: &mut Schedule<&'static str>) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(job) = schedule.begin() {
            schedule.end(job.instance);
            names.push(job.task);
        }
        names
    }

    #[test]
    fn earliest_deadline_goes_first_and_equal_ones_keep_their_order() {
        let mut schedule = Schedule::new();
        for (deadline, name) in [(30, "c"), (10, "a"), (u64::MAX, "idle"), (20, "b"), (10, "a, later")] {
            let instance = schedule.enter();
            schedule.submit(instance, Deadline(deadline), name);
        }
        assert_eq!(names(&mut schedule), ["a", "a, later", "b", "c", "idle"]);
    }

    #[test]
    fn newer_job_replaces_the_waiting_one_of_its_instance_only() {
        let mut schedule = Schedule::new();
        let (one, other) = (schedule.enter(), schedule.enter());
        schedule.submit(one, Deadline(1), "old");
        schedule.submit(other, Deadline(3), "another instance");
        let (_, replaced) = schedule.submit(one, Deadline(4), "new");
        assert_eq!(replaced.map(|job| job.task), Some("old"));
        assert_eq!(names(&mut schedule), ["another instance", "new"]);
    }

    #[test]
    fn newer_job_waits_for_the_step_of_the_running_one_it_replaces() {
        let mut schedule = Schedule::new();
        let instance = schedule.enter();
        schedule.submit(instance, Deadline(1), "old");
        let old = schedule.begin().unwrap();
        let (_, waited) = schedule.submit(instance, Deadline(1), "new");
        assert!(waited.is_none());
        assert!(!schedule.is_ready());
        assert!(schedule.begin().is_none());
        assert_eq!(schedule.end(old.instance), Some(Withdrawal::Replaced));
        assert_eq!(names(&mut schedule), ["new"]);
    }

    #[test]
    fn cancelling_withdraws_the_running_job_and_the_waiting_one() {
        let mut schedule = Schedule::new();
        let instance = schedule.enter();
        schedule.submit(instance, Deadline(1), "running");
        let running = schedule.begin().unwrap();
        schedule.submit(instance, Deadline(2), "waiting");
        assert_eq!(schedule.withdraw(instance, Withdrawal::Cancelled).map(|job| job.task), Some("waiting"));
        // The second was submitted before the cancellation.
        assert_eq!(schedule.end(running.instance), Some(Withdrawal::Replaced));
        assert_eq!(names(&mut schedule), [""; 0]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Submit { instance: usize, deadline: u64 },
        Withdraw { instance: usize },
        Begin,
        End { which: usize, resume: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4usize, 0..6u64).prop_map(|(instance, deadline)| Step::Submit { instance, deadline }),
            1 => (0..4usize).prop_map(|instance| Step::Withdraw { instance }),
            3 => Just(Step::Begin),
            3 => (0..4usize, any::<bool>()).prop_map(|(which, resume)| Step::End { which, resume }),
        ]
    }

    proptest! {
        /// Against a plain list of waiting jobs: the job that runs is the earliest one allowed, an instance has one job waiting and one
        /// running at most, and every job that came in goes out exactly once.
        #[test]
        fn schedule_follows_its_rules_whatever_is_submitted(steps in prop::collection::vec(step(), 1..120)) {
            let mut schedule = Schedule::new();
            let instances: Vec<_> = (0..4).map(|_| schedule.enter()).collect();
            let mut waiting: Vec<(Deadline, JobId, InstanceId)> = Vec::new();
            let mut running: Vec<ScheduledJob<()>> = Vec::new();
            let mut withdrawn: Vec<JobId> = Vec::new();
            let mut came = Vec::new();
            let mut gone = Vec::new();
            for step in steps {
                match step {
                    Step::Submit { instance, deadline } => {
                        let (instance, deadline) = (instances[instance], Deadline(deadline));
                        withdrawn.extend(running.iter().filter(|job| job.instance == instance).map(|job| job.job));
                        let (job, replaced) = schedule.submit(instance, deadline, ());
                        let expected = waiting.iter().position(|w| w.2 == instance).map(|at| waiting.remove(at).1);
                        prop_assert_eq!(replaced.map(|job| job.job), expected);
                        gone.extend(expected);
                        came.push(job);
                        waiting.push((deadline, job, instance));
                    }
                    Step::Withdraw { instance } => {
                        let instance = instances[instance];
                        withdrawn.extend(running.iter().filter(|job| job.instance == instance).map(|job| job.job));
                        let taken = schedule.withdraw(instance, Withdrawal::Cancelled).map(|job| job.job);
                        let expected = waiting.iter().position(|w| w.2 == instance).map(|at| waiting.remove(at).1);
                        prop_assert_eq!(taken, expected);
                        gone.extend(expected);
                    }
                    Step::Begin => {
                        let allowed = waiting.iter().filter(|w| running.iter().all(|job| job.instance != w.2));
                        let expected = allowed.map(|w| (w.0, w.1)).min();
                        prop_assert_eq!(schedule.is_ready(), expected.is_some());
                        let job = schedule.begin();
                        prop_assert_eq!(job.as_ref().map(|job| (job.deadline, job.job)), expected);
                        if let Some(job) = job {
                            waiting.retain(|w| w.1 != job.job);
                            running.push(job);
                        }
                    }
                    Step::End { which, resume } => {
                        if running.is_empty() {
                            continue;
                        }
                        let job = running.swap_remove(which % running.len());
                        let is_withdrawn = schedule.end(job.instance).is_some();
                        prop_assert_eq!(is_withdrawn, withdrawn.contains(&job.job));
                        if is_withdrawn || !resume {
                            gone.push(job.job);
                        } else {
                            waiting.push((job.deadline, job.job, job.instance));
                            schedule.resume(job);
                        }
                    }
                }
            }
            gone.extend(running.iter().map(|job| job.job));
            for instance in instances {
                gone.extend(schedule.withdraw(instance, Withdrawal::Cancelled).map(|job| job.job));
            }
            gone.sort();
            prop_assert_eq!(gone, came);
        }
    }
}
