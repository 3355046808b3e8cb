//! Variations of a plan, and what is locked of it, by a worker on a pool.

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;

use antiphon_engine::{
    cache::{CacheOptions, FineCoarse},
    codec::{self, BarRows, OwnRoles, prefix_rows},
    decode::{BarLock, Constraints, Prompt, PromptBar, Sampling},
    model::Model,
    music::{Bar, Metre, Note, Role, Tick},
    plan::{Brief, Controls, Fingerprint, PageStats, Passage, PlanId},
    service::{Assignment, Deadline, GeneratedBar, LockedPart, Outcome, Service, ServiceConfig, Setup, Shelf, WorkerHandle},
};
use common::{music::piece, tiny};

/// The tests of this file run side by side and share the model, as instances do.
static MODEL: Shelf<Model> = Shelf::new();

/// Bars of the context, and of a plan.
const CONTEXT: usize = 8;
const BARS: usize = 3;
/// Bars of the piece.
const PIECE: u32 = 11;

fn service() -> Service {
    Service::start(ServiceConfig { workers: NonZeroUsize::MIN }).expect("a worker")
}

fn worker(service: &Service) -> WorkerHandle {
    WorkerHandle::new(service, || {
        let model = MODEL.get(|| Ok::<_, ()>(tiny())).expect("the tiny model");
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model, policy, prefix: prefix_rows(2, &[Role::Melody, Role::Bass]), own: OwnRoles::ALL, cache: CacheOptions::default() })
    })
}

/// The gap after eight bars of a piece: its bars are equally long, and hold no notes.
fn assignment(plan: u64, seed: u64) -> Assignment {
    let music = piece(3, PIECE, 8);
    let length = |bars: &[BarRows]| Tick(bars.iter().map(|bar| i64::from(bar.ticks)).sum());
    let context = music[..CONTEXT].iter().map(|bar| Arc::new(PromptBar::from(bar.clone()))).collect();
    let gap = music[CONTEXT..].iter().map(|bar| PromptBar::from(BarRows { notes: Vec::new(), ..bar.clone() })).collect();
    let (start, end) = (length(&music[..CONTEXT]), length(&music));
    let brief =
        Brief { plan: PlanId(plan), made_at: start, start, end, seed, controls: Controls::default(), context: Fingerprint::SILENCE };
    Assignment {
        brief,
        prompt: Prompt::of_bars(context, gap, Vec::new(), Constraints::default()),
        line: start,
        sampling: Sampling { min_p: 0.02, ..Sampling::PLAIN },
        rejected: Vec::new(),
        locked: LockedPart::default(),
    }
}

/// Waits for the end of a job that must end well, and returns the notes of each of its plans in order.
fn finish(worker: &WorkerHandle) -> Vec<(u64, Vec<Note>)> {
    let report = worker.reports().recv().expect("a report");
    assert!(matches!(report.outcome, Outcome::Finished), "{report:?}");
    let mut plans: Vec<(u64, Vec<Note>)> = Vec::new();
    for bar in worker.bars().try_iter() {
        let passage = bar.passage;
        match plans.last_mut().filter(|(plan, _)| *plan == passage.plan.0) {
            Some((_, notes)) => notes.extend(passage.notes),
            None => plans.push((passage.plan.0, passage.notes)),
        }
    }
    plans
}

fn generated(worker: &WorkerHandle, assignment: Assignment) -> Vec<Note> {
    worker.generate(vec![assignment], Deadline::WHENEVER).expect("bars that follow");
    finish(worker).pop().expect("a plan").1
}

fn passage(assignment: &Assignment, notes: &[Note]) -> Passage {
    let Brief { plan, start, end, .. } = assignment.brief;
    Passage { plan, from: start, until: end, notes: notes.to_vec() }
}

/// The notes of bar number `bar` of the gap as classes.
fn classes(assignment: &Assignment, bar: usize, notes: &[Note]) -> Vec<codec::NoteClasses> {
    let lengths = assignment.prompt.gap.iter().map(|bar| i64::from(bar.bar.ticks));
    let line = assignment.line + Tick(lengths.clone().take(bar).sum());
    let end = line + Tick(lengths.clone().nth(bar).expect("a bar"));
    let bars = [Bar { index: 0, start: line, length: end - line, metre: Metre::COMMON }];
    let inside: Vec<Note> = notes.iter().filter(|note| (line..end).contains(&note.onset)).copied().collect();
    codec::encode(&inside, &bars, None).bars.remove(0).notes
}

#[test]
fn variations_of_one_job_differ_and_are_those_of_jobs_of_their_own() {
    let service = service();
    let (together, alone) = (worker(&service), worker(&service));
    let first = generated(&together, assignment(1, 7));
    // The seed stays the same: without what was generated before, each would equal the first.
    let base = |plan| Assignment { rejected: vec![passage(&assignment(1, 7), &first)], ..assignment(plan, 7) };
    together.vary(vec![base(2), base(3), base(4)], Deadline::WHENEVER).expect("bars that follow");
    let plans = finish(&together);
    assert_eq!(plans.iter().map(|(plan, _)| *plan).collect::<Vec<_>>(), [2, 3, 4]);
    let mut earlier = vec![passage(&assignment(1, 7), &first)];
    for (plan, notes) in plans {
        let wanted = Assignment { rejected: earlier.clone(), ..assignment(plan, 7) };
        assert!(!notes.is_empty() && earlier.iter().all(|other| other.notes != notes), "plan {plan}");
        earlier.push(passage(&wanted, &notes));
        assert_eq!(generated(&alone, wanted), notes, "plan {plan}");
    }
}

/// The pages of a plan are where they were after its variations, also if they were asked for when one of its bars had sounded already.
#[test]
fn plan_keeps_its_pages_while_variations_are_generated() {
    let service = service();
    let (varied, plain) = (worker(&service), worker(&service));
    let mut extended = Vec::new();
    for (worker, seeds) in [(&varied, 8..11), (&plain, 8..8)] {
        let vary = |plans: u64| {
            let variations: Vec<_> = seeds.clone().map(|seed| assignment(plans + seed, seed)).collect();
            if !variations.is_empty() {
                worker.vary(variations, Deadline::WHENEVER).expect("bars that follow");
                assert_eq!(finish(worker).len(), 3);
            }
        };
        let plan = assignment(1, 7);
        worker.generate(vec![plan.clone()], Deadline::WHENEVER).expect("bars that follow");
        worker.reports().recv().expect("a report");
        let bars: Vec<GeneratedBar> = worker.bars().try_iter().collect();
        vary(100);
        let mut context = plan.prompt.context.clone();
        for (bar, kept) in bars.iter().zip(1..) {
            context.push(Arc::clone(&bar.rows));
            worker.prefill(context.clone()).expect("bars that follow");
            worker.reports().recv().expect("a report");
            assert_eq!(worker.pages(), PageStats { kept, read: CONTEXT as u64, ..PageStats::default() });
            if kept == 1 {
                vary(200);
            }
        }
        let last = plan.prompt.gap[BARS - 1].bar.clone();
        let (start, gap) = (plan.brief.end, PromptBar::from(BarRows { index: last.index + 1, ..last }));
        let end = start + Tick(gap.bar.ticks.into());
        let prompt = Prompt::of_bars(context, vec![gap], Vec::new(), Constraints { rests_from: end, ..Constraints::default() });
        extended.push(generated(worker, Assignment { brief: Brief { start, end, ..plan.brief.clone() }, prompt, line: start, ..plan }));
        assert_eq!(worker.pages().read, CONTEXT as u64);
    }
    assert!(!extended[0].is_empty());
    assert_eq!(extended[0], extended[1], "with and without variations");
}

/// A variation in progress does at most the step it is at before a bar of another instance that is due, and waits for the rest of that plan, too.
#[test]
fn variations_of_one_instance_come_after_all_bars_of_another() {
    let service = service();
    let (one, other) = (worker(&service), worker(&service));
    generated(&other, assignment(1, 7));
    let variations = (2..200).map(|plan| assignment(plan, plan)).collect();
    one.vary(variations, Deadline::LAST).expect("bars that follow");
    for round in 0..3 {
        one.bars().recv().expect("a variation in progress");
        other.generate(vec![assignment(100, 8)], Deadline(0)).expect("bars that follow");
        one.bars().try_iter().for_each(drop);
        other.bars().recv().expect("the near bar");
        let meanwhile = one.bars().try_iter().count();
        assert!(meanwhile <= 1, "{meanwhile} bars of variations came before the near bar in round {round}");
        finish(&other);
        assert!(one.try_report().is_none(), "the variations came before the rest of the plan");
    }
}

#[test]
fn locked_notes_are_in_the_plan_of_every_seed_beside_others() {
    let service = service();
    let worker = worker(&service);
    let base = assignment(1, 7);
    let shown = generated(&worker, base.clone());
    let locked: Vec<Note> = shown.iter().step_by(3).copied().collect();
    assert!(locked.len() >= 3 && shown.len() > locked.len());
    for seed in 8..14 {
        let mut fixed = Assignment { brief: Brief { seed, ..base.brief.clone() }, ..base.clone() };
        for bar in 0..BARS {
            fixed.prompt.gap[bar].given = classes(&base, bar, &locked);
        }
        fixed.locked.notes.clone_from(&locked);
        let made = generated(&worker, fixed);
        assert!(locked.iter().all(|note| made.contains(note)), "seed {seed}: {made:?}");
        assert!(made.len() > locked.len() && made != shown, "seed {seed}");
        let places: std::collections::BTreeSet<_> = made.iter().map(Note::order).collect();
        assert_eq!(places.len(), made.len(), "a note is there twice");
    }
}

#[test]
fn locked_bar_gets_no_other_notes_and_the_others_do() {
    let service = service();
    let worker = worker(&service);
    let mut base = assignment(1, 7);
    // Every bar that may have a note has one.
    base.prompt.constraints.rests_from = Tick::MAX;
    let mut fixed = base.clone();
    fixed.locked.bars = vec![BarLock::Open, BarLock::Whole, BarLock::Open];
    let made = generated(&worker, fixed);
    let counts: Vec<usize> = (0..BARS).map(|bar| classes(&base, bar, &made).len()).collect();
    assert!(counts[0] > 0 && counts[1] == 0 && counts[2] > 0, "{counts:?}");
}

#[test]
fn locked_rhythm_keeps_onsets_and_durations_and_locked_pitches_keep_their_order() {
    let service = service();
    let worker = worker(&service);
    let base = assignment(1, 7);
    let shown = generated(&worker, base.clone());
    let rhythm = |notes: &[Note]| notes.iter().map(|note| (note.onset, note.role, note.duration)).collect::<Vec<_>>();
    let pitches =
        |notes: &[Note]| Role::ALL.map(|role| notes.iter().filter(|note| note.role == role).map(|note| note.pitch).collect::<Vec<_>>());
    let with = |lock: fn(Vec<codec::NoteClasses>) -> BarLock, seed| {
        let bars = (0..BARS).map(|bar| lock(classes(&base, bar, &shown))).collect();
        let locked = LockedPart { bars, ..LockedPart::default() };
        Assignment { brief: Brief { seed, ..base.brief.clone() }, locked, ..base.clone() }
    };
    for seed in 8..12 {
        let made = generated(&worker, with(BarLock::Rhythm, seed));
        assert_eq!(rhythm(&made), rhythm(&shown), "seed {seed}");
        assert_ne!(pitches(&made), pitches(&shown), "seed {seed}");
        let made = generated(&worker, with(BarLock::Pitches, seed));
        assert_eq!(pitches(&made), pitches(&shown), "seed {seed}");
        assert_ne!(rhythm(&made), rhythm(&shown), "seed {seed}");
    }
}
