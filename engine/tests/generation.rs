//! A worker on a pool generates what a single decoder would, independent of earlier jobs.
//!
//! Longer than other files: all tests share the worker, and the assignments built here.

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;

use antiphon_engine::{
    cache::{CacheOptions, FineCoarse},
    codec::{BarRows, OwnRoles, prefix_rows},
    decode::{Accompanied, Constraints, Decoder, Prompt, PromptBar, Sampling, Step},
    model::Model,
    music::{Note, Role, Tick},
    plan::{Adoption, Brief, Controls, Fingerprint, Offer, Passage, Plan, PlanId, PlanningTick, Played, Timeline},
    service::{Assignment, Deadline, JobFailure, LockedPart, Outcome, Report, Service, ServiceConfig, Setup, Shelf, WorkerHandle},
};
use common::{music::piece, tiny};

/// The tests of this file run side by side and share the model, as instances do.
static MODEL: Shelf<Model> = Shelf::new();

const SEED: u64 = 11;

fn setup() -> Setup {
    let model = MODEL.get(|| Ok::<_, ()>(tiny())).expect("the tiny model");
    let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
    Setup { model, policy, prefix: prefix_rows(2, &[Role::Melody, Role::Bass]), own: OwnRoles::ALL, cache: CacheOptions::default() }
}

fn service() -> Service {
    Service::start(ServiceConfig { workers: NonZeroUsize::MIN }).expect("a worker")
}

fn worker(service: &Service) -> WorkerHandle {
    WorkerHandle::new(service, || Ok(setup()))
}

fn sampling() -> Sampling {
    Sampling { min_p: 0.02, ..Sampling::PLAIN }
}

/// The bar line of every bar, and the one after the last.
fn lines(bars: &[BarRows]) -> Vec<Tick> {
    let ends = bars.iter().scan(Tick::ZERO, |line, bar| {
        *line += Tick(bar.ticks.into());
        Some(*line)
    });
    [Tick::ZERO].into_iter().chain(ends).collect()
}

/// A bar without known notes.
fn frame(bar: &BarRows) -> BarRows {
    BarRows { notes: Vec::new(), ..bar.clone() }
}

/// Bars as a prompt has them.
fn context(bars: &[BarRows]) -> Vec<Arc<PromptBar>> {
    bars.iter().map(|bar| Arc::new(bar.clone().into())).collect()
}

/// A prompt with this context and these gap bars, whose notes are known.
fn prompt(before: &[BarRows], gap: &[BarRows]) -> Prompt {
    Prompt::of_bars(context(before), gap.iter().cloned().map(PromptBar::from).collect(), Vec::new(), Constraints::default())
}

/// Bars without known notes.
fn frames(bars: &[BarRows]) -> Vec<BarRows> {
    bars.iter().map(frame).collect()
}

/// Bars `from` to `to` of the piece are to be filled, after the ones before them.
fn assignment(plan: u64, music: &[BarRows], from: usize, to: usize) -> Assignment {
    let lines = lines(music);
    Assignment {
        brief: Brief {
            plan: PlanId(plan),
            made_at: lines[from],
            start: lines[from],
            end: lines[to],
            seed: SEED,
            controls: Controls::default(),
            context: Fingerprint::SILENCE,
        },
        prompt: prompt(&music[..from], &frames(&music[from..to])),
        line: lines[from],
        sampling: sampling(),
        rejected: Vec::new(),
        locked: LockedPart::default(),
    }
}

/// The same by a decoder alone.
fn by_hand(context: &[BarRows], frames: &[BarRows]) -> Vec<BarRows> {
    let Setup { model, policy, prefix, .. } = setup();
    let mut decoder = Decoder::new(model, policy, &prefix).expect("a decoder");
    for bar in context {
        decoder.append_bar(bar).expect("a bar that fits");
    }
    decoder.set_seed(SEED);
    decoder.set_sampling(sampling());
    frames.iter().map(|frame| fill(&mut decoder, frame)).collect()
}

fn fill(decoder: &mut Decoder, frame: &BarRows) -> BarRows {
    decoder.begin_bar(frame.ticks, frame.fields).expect("a bar that fits");
    decoder.push(&frame.notes).expect("notes that fit");
    while decoder.sample().expect("a sample") != Step::BarEnd {}
    decoder.end_bar().expect("an open bar")
}

fn notes(bars: &[BarRows], line: Tick) -> Vec<Note> {
    antiphon_engine::codec::decode(bars, line)
}

/// Waits for the end of a job that must end well, and returns what it published.
fn finish(worker: &WorkerHandle) -> Vec<Passage> {
    loop {
        let Report { name, outcome, .. } = worker.reports().recv().expect("a report");
        match outcome {
            Outcome::Finished if name == "generation" => return worker.bars().try_iter().map(|bar| bar.passage).collect(),
            Outcome::Finished | Outcome::Replaced => {}
            outcome => panic!("{name}: {outcome:?}"),
        }
    }
}

fn published(passages: &[Passage], plan: u64) -> Vec<Note> {
    passages.iter().filter(|passage| passage.plan == PlanId(plan)).flat_map(|passage| passage.notes.clone()).collect()
}

/// More bars than a decoder can take back.
fn music() -> Vec<BarRows> {
    piece(3, 24, 8)
}

#[test]
fn plan_in_place_of_rejected_ones_differs_from_each_in_its_first_bar() {
    let music = music();
    let (service, lines) = (service(), lines(&music));
    let worker = worker(&service);
    worker.prefill(context(&music[..8])).expect("bars that follow each other");
    let mut rejected: Vec<Passage> = Vec::new();
    for plan in 1..=4 {
        // The seed stays the same: without what was rejected each plan would equal the first.
        let wanted = Assignment { rejected: rejected.clone(), ..assignment(plan, &music, 8, 10) };
        worker.generate(vec![wanted], Deadline::WHENEVER).expect("bars that follow");
        let passages = finish(&worker);
        let first = passages.iter().find(|passage| passage.until == lines[9]).expect("the first bar").clone();
        let struck = |passage: &Passage| passage.notes.iter().map(Note::order).collect::<Vec<_>>();
        assert!(rejected.iter().all(|other| struck(other) != struck(&first)), "plan {plan} begins like one before it");
        rejected.push(first);
    }
}

#[test]
fn passages_arrive_bar_by_bar_and_equal_the_decoders() {
    let (service, music) = (service(), music());
    let lines = lines(&music);
    let worker = worker(&service);
    worker.prefill(context(&music[..16])).expect("bars in order");
    worker.generate(vec![assignment(1, &music, 16, 20)], Deadline(0)).expect("bars in order");
    let passages = finish(&worker);
    let stretches: Vec<_> = passages.iter().map(|passage| (passage.from, passage.until)).collect();
    assert_eq!(stretches, (16..20).map(|bar| (lines[bar], lines[bar + 1])).collect::<Vec<_>>());
    let expected = by_hand(&music[..16], &frames(&music[16..20]));
    let expected = notes(&expected, lines[16]);
    assert!(expected.len() >= 4, "the tiny model made {} notes", expected.len());
    assert_eq!(published(&passages, 1), expected);
}

#[test]
fn result_does_not_depend_on_earlier_jobs() {
    let (service, music) = (service(), music());
    let lines = lines(&music);
    let worker = worker(&service);
    let plan = |number| assignment(number, &music, 12, 15);
    let expected = notes(&by_hand(&music[..12], &frames(&music[12..15])), lines[12]);
    // From the notes, once.
    worker.prefill(context(&music[..12])).expect("bars in order");
    worker.generate(vec![plan(1)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 1), expected);
    // Over the bars of the last job.
    worker.generate(vec![plan(2)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 2), expected);
    // After another past, which is then rolled back.
    let other: Vec<_> = music[20..24].iter().zip(8..).map(|(bar, index)| BarRows { index, ..bar.clone() }).collect();
    let past = [&music[..8], &other].concat();
    worker.prefill(context(&past)).expect("bars in order");
    let after_other = Assignment { prompt: prompt(&past, &frames(&music[12..15])), ..plan(3) };
    worker.generate(vec![after_other], Deadline(0)).expect("bars in order");
    let after_other = by_hand(&past, &frames(&music[12..15]));
    let passages = finish(&worker);
    assert_eq!(published(&passages, 3), notes(&after_other, lines[12]));
    worker.generate(vec![plan(4)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 4), expected);
    // Replaced in the middle, without waiting for its end.
    worker.generate(vec![assignment(5, &music, 12, 20)], Deadline(0)).expect("bars in order");
    worker.bars().recv().expect("a first bar");
    worker.generate(vec![plan(6)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 6), expected);
    // And after a change too far back for a rollback.
    worker.generate(vec![assignment(7, &music, 16, 17)], Deadline(0)).expect("bars in order");
    finish(&worker);
    let changed = [&[frame(&music[0])], &music[1..16]].concat();
    let changed_plan = Assignment { prompt: prompt(&changed, &frames(&music[16..17])), ..assignment(8, &music, 16, 17) };
    worker.generate(vec![changed_plan], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 8), notes(&by_hand(&changed, &frames(&music[16..17])), lines[16]));
    worker.generate(vec![plan(9)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 9), expected);
}

#[test]
fn plan_in_two_parts_equals_the_plan_in_one() {
    let (service, music) = (service(), music());
    let lines = lines(&music);
    let whole = by_hand(&music[..8], &frames(&music[8..12]));
    let expected = notes(&whole, lines[8]);
    // Extended by a later job, from what was made of it before.
    let worker = worker(&service);
    worker.prefill(context(&music[..8])).expect("bars in order");
    worker.generate(vec![assignment(1, &music, 8, 10)], Deadline(0)).expect("bars in order");
    let mut passages = finish(&worker);
    let mut rest = assignment(1, &music, 8, 12);
    rest.brief.start = lines[10];
    rest.prompt = prompt(&music[..8], &[&whole[..2], &frames(&music[10..12])].concat());
    worker.generate(vec![rest.clone()], Deadline(0)).expect("bars in order");
    passages.extend(finish(&worker));
    assert_eq!(published(&passages, 1), expected);
    // By one job, one after the other.
    worker.generate(vec![assignment(2, &music, 8, 10), assignment(2, &music, 10, 12)], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 2), expected);
    // After what was made has been played as it is.
    let played = [&music[..8], &whole[..2]].concat();
    worker.prefill(context(&played)).expect("bars in order");
    rest.line = lines[10];
    rest.prompt = prompt(&played, &frames(&music[10..12]));
    worker.generate(vec![rest], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 1), notes(&whole[2..], lines[10]));
}

#[test]
fn open_bar_keeps_its_notes_and_is_filled_from_the_start_tick() {
    let (service, music) = (service(), music());
    let lines = lines(&music);
    let worker = worker(&service);
    worker.prefill(context(&music[..8])).expect("bars in order");
    let beat = Tick(24);
    let mut open = assignment(1, &music, 8, 10);
    open.brief.start += beat;
    let known = music[8].notes.iter().copied().filter(|note| note.tick() < beat).collect();
    open.prompt.gap[0].bar.notes = known;
    assert!(!open.prompt.gap[0].bar.notes.is_empty());
    worker.generate(vec![open.clone()], Deadline(0)).expect("bars in order");
    let passages = finish(&worker);
    assert_eq!((passages[0].from, passages[0].until), (lines[8] + beat, lines[9]));
    let made = published(&passages, 1);
    assert!(!made.is_empty() && made.iter().all(|note| note.onset >= open.brief.start));
    // By hand.
    let Setup { model, policy, prefix, .. } = setup();
    let mut decoder = Decoder::new(model, policy, &prefix).expect("a decoder");
    music[..8].iter().for_each(|bar| decoder.append_bar(bar).expect("a bar that fits"));
    decoder.set_seed(SEED);
    decoder.set_sampling(sampling());
    decoder.set_constraints(Constraints { from: lines[8] + beat, ..Constraints::default() });
    let bars: Vec<_> = open.prompt.gap.iter().map(|frame| fill(&mut decoder, &frame.bar)).collect();
    let expected: Vec<_> = notes(&bars, lines[8]).into_iter().filter(|note| note.onset >= open.brief.start).collect();
    assert_eq!(made, expected);
}

#[test]
fn latched_plan_is_extended_and_played_to_its_end() {
    let (service, music) = (service(), music());
    let lines = lines(&music);
    let worker = worker(&service);
    worker.prefill(context(&music[..8])).expect("bars in order");
    let mut timeline = Timeline::new(lines[7], SEED);
    let controls = Controls::default();
    // A planning tick at each bar line: the player never follows the plan, so each one requests a new plan.
    let request = |timeline: &mut Timeline, bar: usize| {
        let played = [Note { onset: lines[bar] - Tick(1), offset: 0, duration: Tick(1), pitch: 1, velocity: 1, role: Role::Other }];
        let (now, next, horizon) = (lines[bar], lines[bar + 1], lines[bar + 5]);
        let context = Fingerprint::of(&played);
        let requests = timeline.request_at(PlanningTick { now, next, horizon, played: &played, context, controls: &controls });
        let mut known = bar;
        let assignments = requests.iter().map(|request| {
            let brief = request.brief().clone();
            let end = lines.partition_point(|line| *line < brief.end);
            let prompt = prompt(&music[..bar], &frames(&music[known..end]));
            let line = lines[known];
            known = end;
            Assignment { brief, prompt, line, sampling: sampling(), rejected: Vec::new(), locked: LockedPart::default() }
        });
        worker.generate(assignments.collect(), Deadline(0)).expect("bars in order");
        requests.len()
    };
    assert_eq!(request(&mut timeline, 8), 1);
    // Only the near bar comes in time.
    let near = worker.bars().recv().expect("a first bar");
    assert_eq!(timeline.offer(&near.passage), Offer::Taken);
    assert_eq!(timeline.advance_to(lines[9]), Some(Adoption::Adopted(PlanId(1))));
    assert_eq!(timeline.play(lines[9]), Some(Played::From(lines[9])));
    let until = timeline.playing().expect("it was latched").brief.end;
    assert_eq!(until, lines[13]);
    finish(&worker);
    // The next planning tick requests the rest of the latched plan first, then the plan after it.
    worker.prefill(context(&music[..9])).expect("bars in order");
    assert_eq!(request(&mut timeline, 9), 2);
    for passage in finish(&worker) {
        assert_eq!(timeline.offer(&passage), Offer::Taken);
    }
    assert_eq!(timeline.advance_to(lines[10]), Some(Adoption::Adopted(PlanId(2))));
    assert!(timeline.playing().is_some_and(Plan::is_complete));
    assert!(timeline.sounding(lines[10], until).next().is_some());
    assert!(timeline.adopted().is_some_and(|plan| plan.is_complete() && plan.brief.start == until));
}

#[test]
fn bars_out_of_order_are_refused() {
    let (service, music) = (service(), music());
    let worker = worker(&service);
    let torn = [&music[..8], &music[9..10]].concat();
    let order = worker.prefill(context(&torn)).expect_err("bar 8 is missing");
    assert_eq!(order.to_string(), "bar 9 was given where bar 8 follows; give the bars in between, too");
    let after = Assignment { prompt: prompt(&music[..8], &frames(&music[9..10])), ..assignment(1, &music, 9, 10) };
    assert!(worker.generate(vec![after], Deadline(0)).is_err());
    assert!(worker.generate(vec![assignment(1, &music, 8, 9), assignment(1, &music, 10, 11)], Deadline(0)).is_err());
    worker.generate(vec![assignment(1, &music, 8, 9)], Deadline(0)).expect("bar 8 follows");
    finish(&worker);
}

#[test]
fn long_piece_is_prefilled_from_its_last_64_bars() {
    let (service, music) = (service(), piece(3, 150, 6));
    let lines = lines(&music);
    let worker = worker(&service);
    worker.prefill(context(&music[..140])).expect("bars in order");
    worker.generate(vec![assignment(1, &music, 140, 142)], Deadline(0)).expect("bars in order");
    let passages = finish(&worker);
    assert_eq!(passages.last().map(|passage| passage.until), Some(lines[142]));
    // Read from bar 64 on: the last 64 bars, and back to a multiple of 16.
    let shifted: Vec<_> = music[64..142].iter().map(|bar| BarRows { index: bar.index - 64, ..bar.clone() }).collect();
    let frames: Vec<_> = shifted[76..].iter().map(frame).collect();
    assert_eq!(published(&passages, 1), notes(&by_hand(&shifted[..76], &frames), lines[140]));
}

#[test]
fn missing_model_is_reported_and_loaded_by_a_later_job() {
    let (service, music) = (service(), music());
    let mut there = false;
    let worker = WorkerHandle::new(&service, move || {
        let found = std::mem::replace(&mut there, true);
        if found { Ok(setup()) } else { Err("no model at that path".into()) }
    });
    worker.generate(vec![assignment(1, &music, 0, 2)], Deadline(0)).expect("bars in order");
    let Outcome::Failed(JobFailure::Error { source, .. }) = worker.reports().recv().expect("a report").outcome else {
        panic!("it did not fail");
    };
    assert_eq!(source.to_string(), "no model at that path");
    worker.generate(vec![assignment(2, &music, 0, 2)], Deadline(0)).expect("bars in order");
    assert_eq!(finish(&worker).len(), 2);
}

#[test]
fn instances_can_be_removed_while_jobs_run() {
    let music = music();
    std::thread::scope(|scope| {
        for thread in 0..3usize {
            let music = &music;
            scope.spawn(move || {
                for round in 0..4usize {
                    let service = Service::shared().expect("a worker");
                    let workers: Vec<_> = (0..2).map(|_| worker(&service)).collect();
                    for worker in &workers {
                        worker.prefill(context(&music[..6])).expect("bars in order");
                        worker.generate(vec![assignment(1, music, 6, 14)], Deadline(0)).expect("bars in order");
                    }
                    if (thread + round) % 2 == 0 {
                        workers[round % 2].bars().recv().expect("a bar");
                    }
                    // In the middle of it.
                }
            });
        }
    });
}

/// Roles that are generated beside a player who has the others.
fn own() -> OwnRoles {
    OwnRoles::new([Role::Bass, Role::Chords]).expect("two roles")
}

/// A worker that generates the own roles.
fn worker_beside(service: &Service) -> WorkerHandle {
    WorkerHandle::new(service, || Ok(Setup { own: own(), ..setup() }))
}

/// Own roles from a beat of bar `bar` on, to the end of the bar after it; the notes before the beat are known.
fn assignment_beside(plan: u64, music: &[BarRows], bar: usize, from: Tick) -> Assignment {
    let mut beside = assignment(plan, music, bar, bar + 2);
    beside.brief.start += from;
    let known = music[bar].notes.iter().filter(|note| note.tick() < from).copied().collect();
    beside.prompt = prompt(&music[..bar], &[BarRows { notes: known, ..music[bar].clone() }, frame(&music[bar + 1])]);
    beside.prompt.constraints.roles = [Role::Bass, Role::Chords].into_iter().collect();
    beside
}

/// The same by a decoder alone.
fn beside_by_hand(music: &[BarRows], bar: usize, from: Tick) -> Vec<Note> {
    let Setup { model, policy, prefix, .. } = setup();
    let mut decoder = Decoder::new(model, policy, &prefix).expect("a decoder");
    decoder.accompanies(Accompanied::Player(own())).expect("a model with own roles");
    let unset = |bar: &BarRows| BarRows { fields: own().conditioning(bar.fields), ..bar.clone() };
    music[..bar].iter().for_each(|bar| decoder.append_bar(&unset(bar)).expect("a bar that fits"));
    decoder.set_seed(SEED);
    decoder.set_sampling(sampling());
    decoder.set_constraints(Constraints { roles: [Role::Bass, Role::Chords].into_iter().collect(), ..Constraints::default() });
    let mut whole = Vec::new();
    for (index, from) in [(bar, from), (bar + 1, Tick::ZERO)] {
        let known = music[index].notes.iter().filter(|note| note.tick() < from).copied().collect();
        decoder.accompany_live(&BarRows { notes: known, ..unset(&music[index]) }, from).expect("opened");
        while decoder.sample().expect("a sample") != Step::BarEnd {}
        whole.push(decoder.end_bar().expect("an open bar"));
    }
    let start = lines(music)[bar];
    notes(&whole, start).into_iter().filter(|note| note.onset >= start + from).collect()
}

#[test]
fn accompaniment_equals_the_decoders_whatever_was_planned_before() {
    let (service, music) = (service(), music());
    let worker = worker_beside(&service);
    worker.prefill(context(&music[..12])).expect("bars in order");
    let mut generated = 0;
    for (plan, from) in [(1, 0), (2, 24), (3, 48)] {
        worker.generate(vec![assignment_beside(plan, &music, 12, Tick(from))], Deadline(0)).expect("bars in order");
        let expected = beside_by_hand(&music, 12, Tick(from));
        assert!(expected.iter().all(|note| [Role::Bass, Role::Chords].contains(&note.role)));
        assert_eq!(published(&finish(&worker), plan), expected, "from tick {from}");
        generated += expected.len();
    }
    assert!(generated > 8, "only {generated} notes");
    // The bar after it, over what was played meanwhile.
    worker.generate(vec![assignment_beside(4, &music, 13, Tick(24))], Deadline(0)).expect("bars in order");
    assert_eq!(published(&finish(&worker), 4), beside_by_hand(&music, 13, Tick(24)));
}
