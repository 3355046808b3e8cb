//! Whose turn it is: earliest deadline first, one job per lane, one running job per instance. No threads here.

use std::collections::{BTreeMap, HashMap};

use super::{Deadline, Lane};

/// A job's number: later submissions have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(super) u64);

/// An instance's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct InstanceId(u64);

/// Why a job was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawal {
    /// A newer one took its lane.
    Replaced,
    /// The instance called it off.
    Cancelled,
}

/// A job in somebody's hands: a worker's, or on its way out.
#[derive(Debug)]
pub(super) struct Turn<T> {
    pub(super) job: JobId,
    pub(super) instance: InstanceId,
    pub(super) lane: Lane,
    pub(super) deadline: Deadline,
    pub(super) task: T,
}

/// The jobs that wait, and who is at work.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    /// Waiting jobs in the order of their turns. Of equal deadlines the older job goes first, so it is finished before the next begins.
    waiting: BTreeMap<(Deadline, JobId), Turn<T>>,
    /// At most one job of an instance runs at a time: its state belongs to that job.
    running: HashMap<InstanceId, Running>,
    instances: u64,
    jobs: u64,
}

/// A job that a worker has in hand.
#[derive(Debug)]
struct Running {
    lane: Lane,
    /// Set when it was taken back meanwhile: it ends with the step it is at.
    withdrawn: Option<Withdrawal>,
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

    /// Puts a job into its lane. Returns its number and the job that waited there, if one did; one that runs there ends after its step.
    pub(super) fn submit(&mut self, instance: InstanceId, lane: Lane, deadline: Deadline, task: T) -> (JobId, Option<Turn<T>>) {
        let replaced = self.withdraw(instance, lane, Withdrawal::Replaced);
        self.jobs += 1;
        let job = JobId(self.jobs);
        self.waiting.insert((deadline, job), Turn { job, instance, lane, deadline, task });
        (job, replaced)
    }

    /// Takes back what stands in a lane. Returns the job if it waited; one that runs ends after its step.
    pub(super) fn withdraw(&mut self, instance: InstanceId, lane: Lane, why: Withdrawal) -> Option<Turn<T>> {
        if let Some(running) = self.running.get_mut(&instance).filter(|running| running.lane == lane) {
            // Of two reasons the first counts.
            running.withdrawn.get_or_insert(why);
        }
        let key = self.waiting.iter().find(|(_, turn)| turn.instance == instance && turn.lane == lane).map(|(key, _)| *key)?;
        self.waiting.remove(&key)
    }

    /// Takes back everything of an instance. Returns what waited; what runs ends after its step.
    pub(super) fn withdraw_all(&mut self, instance: InstanceId) -> Vec<Turn<T>> {
        if let Some(running) = self.running.get_mut(&instance) {
            running.withdrawn.get_or_insert(Withdrawal::Cancelled);
        }
        self.waiting.extract_if(.., |_, turn| turn.instance == instance).map(|(_, turn)| turn).collect()
    }

    /// The job whose turn it is, if any: the earliest deadline among instances that have none running. Its worker must
    /// [`end`](Self::end) the turn.
    pub(super) fn begin(&mut self) -> Option<Turn<T>> {
        let turn = self.waiting.remove(&self.next()?)?;
        self.running.insert(turn.instance, Running { lane: turn.lane, withdrawn: None });
        Some(turn)
    }

    /// Whether [`begin`](Self::begin) would find a job.
    pub(super) fn is_ready(&self) -> bool {
        self.next().is_some()
    }

    fn next(&self) -> Option<(Deadline, JobId)> {
        self.waiting.iter().find(|(_, turn)| !self.running.contains_key(&turn.instance)).map(|(key, _)| *key)
    }

    /// The running job of this instance has made its step. Says whether it was taken back meanwhile; if not, it may
    /// [`resume`](Self::resume).
    pub(super) fn end(&mut self, instance: InstanceId) -> Option<Withdrawal> {
        self.running.remove(&instance)?.withdrawn
    }

    /// Lets a job that has made a step wait for its next turn.
    pub(super) fn resume(&mut self, turn: Turn<T>) {
        self.waiting.insert((turn.deadline, turn.job), turn);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LANE: Lane = Lane(0);

    fn names(schedule: &mut Schedule<&'static str>) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(turn) = schedule.begin() {
            schedule.end(turn.instance);
            names.push(turn.task);
        }
        names
    }

    #[test]
    fn the_earliest_deadline_goes_first_and_ties_keep_their_order() {
        let mut schedule = Schedule::new();
        for (deadline, name) in [(30, "c"), (10, "a"), (u64::MAX, "idle"), (20, "b"), (10, "a, later")] {
            let instance = schedule.enter();
            schedule.submit(instance, LANE, Deadline(deadline), name);
        }
        assert_eq!(names(&mut schedule), ["a", "a, later", "b", "c", "idle"]);
    }

    #[test]
    fn a_newer_job_replaces_the_one_that_waits_in_its_lane_only() {
        let mut schedule = Schedule::new();
        let (one, other) = (schedule.enter(), schedule.enter());
        schedule.submit(one, LANE, Deadline(1), "old");
        schedule.submit(one, Lane(1), Deadline(2), "another lane");
        schedule.submit(other, LANE, Deadline(3), "another instance");
        let (_, replaced) = schedule.submit(one, LANE, Deadline(4), "new");
        assert_eq!(replaced.map(|turn| turn.task), Some("old"));
        assert_eq!(names(&mut schedule), ["another lane", "another instance", "new"]);
    }

    #[test]
    fn a_newer_job_waits_for_the_step_of_the_one_it_replaces() {
        let mut schedule = Schedule::new();
        let instance = schedule.enter();
        schedule.submit(instance, LANE, Deadline(1), "old");
        let old = schedule.begin().unwrap();
        let (_, waited) = schedule.submit(instance, LANE, Deadline(1), "new");
        assert!(waited.is_none());
        assert!(!schedule.is_ready());
        assert!(schedule.begin().is_none());
        assert_eq!(schedule.end(old.instance), Some(Withdrawal::Replaced));
        assert_eq!(names(&mut schedule), ["new"]);
    }

    #[test]
    fn cancelling_a_lane_leaves_the_others() {
        let mut schedule = Schedule::new();
        let instance = schedule.enter();
        schedule.submit(instance, LANE, Deadline(1), "a");
        schedule.submit(instance, Lane(1), Deadline(2), "b");
        let a = schedule.begin().unwrap();
        assert!(schedule.withdraw(instance, Lane(1), Withdrawal::Cancelled).is_some());
        assert_eq!(schedule.end(a.instance), None);
        schedule.resume(a);
        assert_eq!(names(&mut schedule), ["a"]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Submit { instance: usize, lane: u8, deadline: u64 },
        Withdraw { instance: usize, lane: u8 },
        WithdrawAll { instance: usize },
        Begin,
        End { which: usize, resume: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4usize, 0..3u8, 0..6u64).prop_map(|(instance, lane, deadline)| Step::Submit { instance, lane, deadline }),
            1 => (0..4usize, 0..3u8).prop_map(|(instance, lane)| Step::Withdraw { instance, lane }),
            1 => (0..4usize).prop_map(|instance| Step::WithdrawAll { instance }),
            3 => Just(Step::Begin),
            3 => (0..4usize, any::<bool>()).prop_map(|(which, resume)| Step::End { which, resume }),
        ]
    }

    proptest! {
        /// Against a plain list of waiting jobs: every turn is the earliest one allowed, a lane holds one job, an instance runs one, and
        /// every job that came in goes out exactly once.
        #[test]
        fn turns_follow_the_rules(steps in prop::collection::vec(step(), 1..120)) {
            let mut schedule = Schedule::new();
            let instances: Vec<_> = (0..4).map(|_| schedule.enter()).collect();
            let mut waiting: Vec<(Deadline, JobId, InstanceId, Lane)> = Vec::new();
            let mut running: Vec<Turn<()>> = Vec::new();
            let mut withdrawn: Vec<JobId> = Vec::new();
            let mut came = Vec::new();
            let mut gone = Vec::new();
            for step in steps {
                match step {
                    Step::Submit { instance, lane, deadline } => {
                        let (instance, lane, deadline) = (instances[instance], Lane(lane), Deadline(deadline));
                        withdrawn.extend(running.iter().filter(|t| t.instance == instance && t.lane == lane).map(|t| t.job));
                        let (job, replaced) = schedule.submit(instance, lane, deadline, ());
                        let expected = waiting.iter().position(|w| w.2 == instance && w.3 == lane).map(|at| waiting.remove(at).1);
                        prop_assert_eq!(replaced.map(|turn| turn.job), expected);
                        gone.extend(expected);
                        came.push(job);
                        waiting.push((deadline, job, instance, lane));
                    }
                    Step::Withdraw { instance, lane } => {
                        let (instance, lane) = (instances[instance], Lane(lane));
                        withdrawn.extend(running.iter().filter(|t| t.instance == instance && t.lane == lane).map(|t| t.job));
                        let taken = schedule.withdraw(instance, lane, Withdrawal::Cancelled).map(|turn| turn.job);
                        let expected = waiting.iter().position(|w| w.2 == instance && w.3 == lane).map(|at| waiting.remove(at).1);
                        prop_assert_eq!(taken, expected);
                        gone.extend(expected);
                    }
                    Step::WithdrawAll { instance } => {
                        let instance = instances[instance];
                        withdrawn.extend(running.iter().filter(|t| t.instance == instance).map(|t| t.job));
                        gone.extend(schedule.withdraw_all(instance).iter().map(|turn| turn.job));
                        waiting.retain(|w| w.2 != instance);
                    }
                    Step::Begin => {
                        let allowed = waiting.iter().filter(|w| running.iter().all(|t| t.instance != w.2));
                        let expected = allowed.map(|w| (w.0, w.1)).min();
                        prop_assert_eq!(schedule.is_ready(), expected.is_some());
                        let turn = schedule.begin();
                        prop_assert_eq!(turn.as_ref().map(|turn| (turn.deadline, turn.job)), expected);
                        if let Some(turn) = turn {
                            waiting.retain(|w| w.1 != turn.job);
                            running.push(turn);
                        }
                    }
                    Step::End { which, resume } => {
                        if running.is_empty() {
                            continue;
                        }
                        let turn = running.swap_remove(which % running.len());
                        let taken_back = schedule.end(turn.instance).is_some();
                        prop_assert_eq!(taken_back, withdrawn.contains(&turn.job));
                        if taken_back || !resume {
                            gone.push(turn.job);
                        } else {
                            waiting.push((turn.deadline, turn.job, turn.instance, turn.lane));
                            schedule.resume(turn);
                        }
                    }
                }
            }
            gone.extend(running.iter().map(|turn| turn.job));
            for instance in instances {
                gone.extend(schedule.withdraw_all(instance).iter().map(|turn| turn.job));
            }
            gone.sort();
            prop_assert_eq!(gone, came);
        }
    }
}
