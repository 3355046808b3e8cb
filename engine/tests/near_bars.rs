//! Sixteen instances on one pool: the near bar of every instance comes before a far bar of any.

mod common;

use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, FineCoarse};
use antiphon_engine::codec::{BarRows, OwnRoles, prefix_rows};
use antiphon_engine::decode::{Constraints, Prompt, PromptBar, Sampling};
use antiphon_engine::model::Model;
use antiphon_engine::music::{Role, Tick};
use antiphon_engine::plan::{Brief, Controls, Fingerprint, PageStats, PlanId};
use antiphon_engine::service::{Assignment, Deadline, InstanceId, LockedPart, RunStep, Setup, Stepper, WorkerHandle};
use common::{music::piece, tiny};

const INSTANCES: u64 = 16;
/// Bars of the context, and bars to be generated.
const BARS: (usize, usize) = (4, 3);

fn worker(stepper: &Stepper, model: &Arc<Model>) -> WorkerHandle {
    let model = Arc::clone(model);
    WorkerHandle::new(stepper.service(), move || {
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        let (prefix, own, cache) = (prefix_rows(2, &[Role::Melody, Role::Bass]), OwnRoles::ALL, CacheOptions::default());
        Ok(Setup { model: Arc::clone(&model), policy, prefix, own, cache })
    })
}

/// The bars after the context, of which those before `from` are known.
fn assignment(instance: u64, music: &[BarRows], from: usize) -> Assignment {
    let line = |bar: usize| Tick(music[..bar].iter().map(|bar| i64::from(bar.ticks)).sum());
    let (context, end) = (BARS.0, BARS.0 + BARS.1);
    let gap = (context..end).map(|bar| if bar < from { music[bar].clone() } else { BarRows { notes: Vec::new(), ..music[bar].clone() } });
    let known = music[..context].iter().map(|bar| Arc::new(bar.clone().into())).collect();
    Assignment {
        brief: Brief {
            plan: PlanId(instance + 1),
            made_at: line(context),
            start: line(from),
            end: line(end),
            seed: instance,
            controls: Controls::default(),
            context: Fingerprint::SILENCE,
        },
        prompt: Prompt::of_bars(known, gap.map(PromptBar::from).collect(), Vec::new(), Constraints::default()),
        line: line(context),
        sampling: Sampling { min_p: 0.02, ..Sampling::PLAIN },
        rejected: Vec::new(),
        locked: LockedPart::default(),
    }
}

/// Runs the pool with so many workers until nothing is left; the passages in the order in which they came: instance, and bar of its plan.
fn passages(stepper: &Stepper, handles: &[WorkerHandle], workers: usize) -> Vec<(InstanceId, usize)> {
    let mut order: Vec<(InstanceId, usize)> = Vec::new();
    let mut in_hand: Vec<RunStep> = Vec::new();
    loop {
        while in_hand.len() < workers
            && let Some(step) = stepper.step()
        {
            in_hand.push(step);
        }
        if in_hand.is_empty() {
            return order;
        }
        // The step that began first ends first.
        let step = in_hand.remove(0);
        let instance = step.instance();
        step.end();
        let Some(handle) = handles.iter().find(|handle| handle.id() == instance) else { continue };
        while handle.try_bar().is_some() {
            let bar = order.iter().filter(|(other, _)| *other == instance).count();
            order.push((instance, bar));
        }
    }
}

#[test]
fn near_bars_of_all_instances_come_before_any_far_bar() {
    let (model, music) = (Arc::new(tiny()), piece(3, 8, 6));
    for workers in [1, 2] {
        let stepper = Stepper::default();
        let handles: Vec<_> = (0..INSTANCES).map(|_| worker(&stepper, &model)).collect();
        // All contexts are unread: the prefill that a near bar needs is as urgent as the bar. The last instances are due first.
        for (instance, handle) in (0..).zip(&handles) {
            let deadline = Deadline(1_000_000 - instance * 1_000);
            handle.generate(vec![assignment(instance, &music, BARS.0)], deadline).expect("bars in order");
        }
        let order = passages(&stepper, &handles, workers);
        assert_eq!(order.len(), handles.len() * BARS.1, "with {workers} workers");
        let (near, far) = order.split_at(handles.len());
        assert!(near.iter().all(|(_, bar)| *bar == 0), "with {workers} workers: {order:?}");
        assert!(far.iter().all(|(_, bar)| *bar > 0), "with {workers} workers: {order:?}");
        assert_eq!(near[0].0, handles[15].id(), "the earliest deadline first");
    }
}

#[test]
fn near_bar_that_comes_while_far_bars_are_made_goes_first() {
    let (model, music) = (Arc::new(tiny()), piece(3, 8, 6));
    let stepper = Stepper::default();
    let handles: Vec<_> = (0..INSTANCES).map(|_| worker(&stepper, &model)).collect();
    let (late, early) = handles.split_last().expect("sixteen");
    for (instance, handle) in (0..).zip(early) {
        handle.generate(vec![assignment(instance, &music, BARS.0)], Deadline(instance)).expect("bars in order");
    }
    // The near bars of the others are there, and far bars are being made.
    let mut near = 0;
    while near < early.len() {
        stepper.step().expect("something to do").end();
        near += early.iter().filter(|handle| handle.try_bar().is_some()).count();
    }
    late.generate(vec![assignment(15, &music, BARS.0)], Deadline(9_999_999)).expect("bars in order");
    let order = passages(&stepper, &handles, 1);
    assert_eq!(order[0].0, late.id(), "{order:?}");
}

#[test]
fn bars_that_came_as_planned_keep_their_pages_and_others_are_read() {
    let (model, music) = (Arc::new(tiny()), piece(3, 8, 6));
    let stepper = Stepper::default();
    let handle = worker(&stepper, &model);
    let run = |assignment: Assignment| {
        handle.generate(vec![assignment], Deadline(1)).expect("bars in order");
        passages(&stepper, std::slice::from_ref(&handle), 1);
        handle.pages()
    };
    let first = assignment(0, &music, BARS.0);
    assert_eq!(run(first.clone()), pages(0, 4));
    // The plan was generated in the conditioning of its bars; the first two of them came as planned.
    let generated = by_hand(&first, &model);
    let mut next = assignment(0, &music, BARS.0);
    next.prompt.context.extend(generated[..2].iter().map(|bar| Arc::new(bar.clone())));
    next.prompt.gap.drain(..2);
    next.prompt.conditioning.drain(..2);
    (next.line, next.brief.start) = (Tick(next.line.0 + 192), Tick(next.brief.start.0 + 192));
    assert_eq!(run(next.clone()), pages(2, 4));
    // In another conditioning the bar is read, and those after it.
    let mut other = PromptBar::clone(&next.prompt.context[4]);
    other.bar.fields.density = if other.bar.fields.density == 1 { 2 } else { 1 };
    next.prompt.context[4] = Arc::new(other);
    assert_eq!(run(next), pages(2, 6));
}

#[test]
fn plan_that_sounds_bar_by_bar_stays_in_the_cache() {
    let (model, music) = (Arc::new(tiny()), piece(3, 8, 6));
    let stepper = Stepper::default();
    let handle = worker(&stepper, &model);
    let plan = assignment(0, &music, BARS.0);
    handle.generate(vec![plan.clone()], Deadline(1)).expect("bars in order");
    passages(&stepper, std::slice::from_ref(&handle), 1);
    let mut context = plan.prompt.context.clone();
    for (bar, kept) in by_hand(&plan, &model).into_iter().zip(1..) {
        context.push(Arc::new(bar));
        handle.prefill(context.clone()).expect("bars in order");
        passages(&stepper, std::slice::from_ref(&handle), 1);
        assert_eq!(handle.pages(), pages(kept, 4));
    }
    // The player takes over in the second bar: it is read, and what was foreseen after it is gone.
    context.truncate(BARS.0 + 1);
    context.push(Arc::new(PromptBar::from(music[BARS.0 + 1].clone())));
    handle.prefill(context).expect("bars in order");
    passages(&stepper, std::slice::from_ref(&handle), 1);
    assert_eq!(handle.pages(), pages(3, 5));
}

/// Bars that have ended whose pages were in the cache, and bars that were read.
fn pages(kept: u64, read: u64) -> PageStats {
    PageStats { kept, read, ..PageStats::default() }
}

/// The bars of an assignment by a decoder alone.
fn by_hand(assignment: &Assignment, model: &Arc<Model>) -> Vec<PromptBar> {
    let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
    let prefix = prefix_rows(2, &[Role::Melody, Role::Bass]);
    let mut decoder = antiphon_engine::decode::Decoder::new(Arc::clone(model), policy, &prefix).expect("a decoder");
    decoder.prefill(&assignment.prompt).expect("a context that fits");
    decoder.set_seed(assignment.brief.seed);
    decoder.set_sampling(assignment.sampling);
    let mut bars = Vec::new();
    for (place, gap) in assignment.prompt.gap.iter().enumerate() {
        let fields = assignment.prompt.conditioning[place];
        decoder.begin_bar(gap.bar.ticks, fields).expect("a bar that fits");
        let bar = decoder.generate_bar().expect("a bar");
        bars.push(PromptBar { bar: BarRows { index: gap.bar.index, ..bar }, given: Vec::new() });
    }
    bars
}
