//! Timelines driven tick by tick, with an engine of any speed.

use proptest::prelude::*;

use super::super::phrase::tests::{note, passage};
use super::super::{ControlId, Controls, Fingerprint, Passage, Setting};
use super::*;

const BEAT: i64 = 24;
const BAR: i64 = 96;

/// Planning tick at this beat; the horizon is the bar line at least four bars on.
fn tick<'a>(beat: i64, played: &'a [Note], controls: &'a Controls) -> PlanningTick<'a> {
    PlanningTick {
        now: Tick(beat * BEAT),
        next: Tick((beat + 1) * BEAT),
        horizon: Tick((beat / 4 + 5) * BAR),
        played,
        context: Fingerprint::of(played),
        controls,
    }
}

/// Passages for a brief: a crotchet on every beat, of a pitch by plan, bar by bar.
fn passages(brief: &Brief) -> Vec<Passage> {
    let pitch = 40 + u8::try_from(brief.plan.0).unwrap();
    let mut passages = Vec::new();
    let mut from = brief.start.0;
    while from < brief.end.0 {
        let until = ((from / BAR + 1) * BAR).min(brief.end.0);
        let notes: Vec<_> = (from..until).filter(|tick| tick % BEAT == 0).map(|tick| note(tick, pitch)).collect();
        passages.push(passage(brief.plan.0, from, until, &notes));
        from = until;
    }
    passages
}

fn replan(timeline: &mut Timeline, beat: i64, played: &[Note]) -> Brief {
    match timeline.request_at(tick(beat, played, &Controls::default())).as_slice() {
        [Request::Replan(brief)] => brief.clone(),
        other => panic!("{other:?}"),
    }
}

/// A timeline at beat 1 with a plan requested at beat 0.
fn planned() -> Timeline {
    let mut timeline = Timeline::new(Tick(0), 7);
    let brief = replan(&mut timeline, 0, &[]);
    for passage in passages(&brief) {
        assert_eq!(timeline.offer(&passage), Offer::Taken);
    }
    assert_eq!(timeline.advance_to(Tick(BEAT)), Some(Adoption::Adopted(PlanId(1))));
    timeline
}

fn pitches<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Vec<u8> {
    notes.into_iter().map(|note| note.pitch).collect()
}

#[test]
fn plan_is_adopted_exactly_at_the_next_tick() {
    let mut timeline = Timeline::new(Tick(0), 7);
    let brief = replan(&mut timeline, 0, &[]);
    assert_eq!((brief.made_at, brief.start, brief.end, brief.seed), (Tick(0), Tick(24), Tick(480), 7));
    assert_eq!(timeline.commit_line(), Tick(24));
    timeline.offer(&passages(&brief)[0]);
    assert_eq!(timeline.advance_to(Tick(23)), None);
    assert!(timeline.adopted().is_none());
    assert_eq!(timeline.advance_to(Tick(24)), Some(Adoption::Adopted(PlanId(1))));
    assert_eq!(pitches(timeline.shown(Tick(0), Tick(96))), [41, 41, 41]);
    // The rest of the horizon may come later.
    assert_eq!(timeline.offer(&passages(&brief)[1]), Offer::Taken);
    assert_eq!(timeline.adopted().unwrap().ready(), Tick(192));
}

#[test]
fn plan_that_misses_its_tick_is_dropped_for_the_older_one() {
    let mut timeline = planned();
    // The player departs from the plan.
    let late = replan(&mut timeline, 2, &[note(24, 99)]);
    assert_eq!(timeline.advance_to(Tick(3 * BEAT)), Some(Adoption::Missed(PlanId(2))));
    assert_eq!(timeline.offer(&passages(&late)[0]), Offer::Late);
    assert_eq!(pitches(timeline.shown(Tick(72), Tick(96))), [41]);
}

#[test]
fn plan_is_only_extended_while_the_player_follows_it() {
    let mut timeline = planned();
    let none = Controls::default();
    let played: Vec<_> = (1..5).map(|beat| note(beat * BEAT + 1, 41)).collect();
    for beat in 1..4 {
        assert_eq!(timeline.request_at(tick(beat, &played[..usize::try_from(beat - 1).unwrap()], &none)), []);
    }
    // The next bar has begun, and so the horizon moved on.
    let requests = timeline.request_at(tick(4, &played[..3], &none));
    let [Request::Extend(brief)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((brief.plan, brief.start, brief.end, brief.seed), (PlanId(1), Tick(480), Tick(576), 7));
    assert_eq!(timeline.offer(&passages(brief)[0]), Offer::Taken);
    assert!(timeline.adopted().unwrap().is_complete());
    // The player departs from the plan.
    assert_eq!(replan(&mut timeline, 5, &[note(97, 70)]).plan, PlanId(2));
}

#[test]
fn silence_or_changed_controls_request_a_new_plan() {
    let mut timeline = planned();
    assert_eq!(replan(&mut timeline, 3, &[]).plan, PlanId(2));
    let mut timeline = planned();
    let denser = Controls(vec![Setting { parameter: ControlId::ADVENTUROUSNESS, value: 0.9 }]);
    let requests = timeline.request_at(tick(1, &[], &denser));
    assert!(matches!(&requests[..], [Request::Replan(brief)] if brief.controls == denser), "{requests:?}");
}

#[test]
fn passages_out_of_order_are_refused() {
    let mut timeline = Timeline::new(Tick(0), 7);
    let brief = replan(&mut timeline, 0, &[]);
    let passages = passages(&brief);
    assert_eq!(timeline.offer(&passages[1]), Offer::OutOfOrder);
    assert_eq!(timeline.offer(&passages[0]), Offer::Taken);
    assert_eq!(timeline.offer(&passages[0]), Offer::OutOfOrder);
    assert_eq!(timeline.offer(&passage(9, 24, 96, &[])), Offer::Late);
}

#[test]
fn latched_plan_plays_to_its_end_whatever_is_planned() {
    let mut timeline = planned();
    assert_eq!(timeline.play(Tick(BAR)), Some(Played::From(Tick(BAR))));
    assert!(timeline.sounding(Tick(0), Tick(BAR)).next().is_none());
    // The player departs from the plan: new plans begin after the latched one.
    for beat in 4..24 {
        let played = [note((beat - 1) * BEAT, 99)];
        let brief = replan(&mut timeline, beat, &played);
        assert_eq!(brief.start, Tick(480).max(Tick((beat + 1) * BEAT)));
        for passage in passages(&brief) {
            timeline.offer(&passage);
        }
        let now = Tick((beat + 1) * BEAT);
        assert!(matches!(timeline.advance_to(now), Some(Adoption::Adopted(_))));
        let (sounding, playing) = (pitches(timeline.sounding(now, now + Tick(BEAT))), timeline.playing().is_some());
        assert_eq!((sounding.as_slice(), playing), if now < Tick(480) { (&[41][..], true) } else { (&[][..], false) });
    }
}

#[test]
fn latched_plan_is_completed_before_other_requests() {
    let mut timeline = Timeline::new(Tick(0), 7);
    let brief = replan(&mut timeline, 0, &[]);
    timeline.offer(&passages(&brief)[0]);
    timeline.advance_to(Tick(BEAT));
    timeline.play(Tick(BAR));
    let played = [note(24, 99)];
    let requests = timeline.request_at(tick(2, &played, &Controls::default()));
    let [Request::Extend(rest)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((rest.plan, rest.start, rest.end), (PlanId(1), Tick(BAR), Tick(480)));
    // The horizon reaches beyond it by the next bar; the beat of the plan that has begun without it is silent.
    let requests = timeline.request_at(tick(4, &played, &Controls::default()));
    let [Request::Extend(rest), Request::Replan(next)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((rest.plan, rest.start, rest.end), (PlanId(1), Tick(BAR + BEAT), Tick(480)));
    assert_eq!((next.start, next.end), (Tick(480), Tick(576)));
    for passage in passages(rest) {
        assert_eq!(timeline.offer(&passage), Offer::Taken);
    }
    assert_eq!(timeline.sounding(Tick(BAR), Tick(BAR + BEAT)).count(), 0);
    assert_eq!(pitches(timeline.sounding(Tick(BAR), Tick(480))), [41; 15]);
}

#[test]
fn another_that_misses_its_tick_is_requested_again() {
    let mut timeline = planned();
    timeline.play(Tick(BEAT));
    timeline.another(8);
    let late = replan(&mut timeline, 2, &[note(24, 41)]);
    assert_eq!(timeline.advance_to(Tick(3 * BEAT)), Some(Adoption::Missed(late.plan)));
    let again = replan(&mut timeline, 3, &[note(24, 41), note(48, 41)]);
    assert_eq!((late.seed, again.seed, again.start), (8, 8, Tick(96)));
}

#[test]
fn play_without_a_shown_plan_latches_nothing() {
    assert_eq!(Timeline::new(Tick(0), 7).play(Tick(0)), None);
    assert_eq!(planned().play(Tick(480)), None);
}

#[test]
fn recalled_plan_plays_at_the_given_bar_line() {
    let mut timeline = planned();
    let before = timeline.adopted().unwrap().clone();
    timeline.clear();
    assert_eq!(timeline.play_again(&before, Tick(BAR), Tick(before.ready().0 + BAR)), None);
    // It starts at beat 1 of its bar, there and here.
    assert_eq!(timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR)), Some(Played::From(Tick(2 * BAR))));
    assert_eq!(timeline.sounding(Tick(0), Tick(3 * BAR)).next().unwrap().onset, Tick(2 * BAR + BEAT));
    // A passage of what was planned before does not join it.
    assert_eq!(timeline.offer(&passage(1, 480 + 2 * BAR, 480 + 3 * BAR, &[])), Offer::Late);
    assert!(timeline.playing().unwrap().is_same(&before));
}

#[test]
fn recalled_plan_is_not_replaced_by_an_earlier_another() {
    let played = [note(24, 99)];
    let mut timeline = planned();
    let before = timeline.adopted().unwrap().clone();
    timeline.another(8);
    let brief = replan(&mut timeline, 2, &played);
    timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR));
    assert_eq!(timeline.offer(&passages(&brief)[0]), Offer::Taken);
    assert!(timeline.advance_to(brief.start).is_some());
    assert!(timeline.playing().unwrap().is_same(&before));
    assert_eq!(timeline.adopted().unwrap().brief.seed, 8);

    let mut timeline = planned();
    timeline.another(8);
    timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR));
    // It reaches beyond the horizon, and nothing is to take its place.
    assert_eq!(timeline.request_at(tick(2, &played, &Controls::default())), []);
}

#[test]
fn another_replaces_the_latched_plan() {
    let mut timeline = planned();
    timeline.play(Tick(BEAT));
    timeline.another(8);
    let played = [note(24, 41)];
    assert_eq!(timeline.takes_over_at(), None, "it is not requested yet");
    let brief = replan(&mut timeline, 2, &played);
    assert_eq!((brief.start, brief.seed), (Tick(72), 8));
    assert_eq!(timeline.takes_over_at(), Some(Tick(72)));
    timeline.offer(&passages(&brief)[0]);
    // Up to its tick the old one plays.
    assert_eq!(pitches(timeline.sounding(Tick(48), Tick(96))), [41, 41]);
    timeline.advance_to(Tick(72));
    assert_eq!(pitches(timeline.sounding(Tick(48), Tick(96))), [42]);
    // The rest of the horizon reaches what plays, too.
    timeline.offer(&passages(&brief)[1]);
    assert_eq!(pitches(timeline.sounding(Tick(72), Tick(192))), [42; 5]);
    // Another applies once.
    assert_eq!(timeline.request_at(tick(3, &[note(24, 41), note(48, 41)], &Controls::default())).len(), 1, "an extension");
}

#[test]
fn clear_discards_latched_and_adopted_plans() {
    let mut timeline = planned();
    timeline.play(Tick(BEAT));
    assert!(timeline.sounding(Tick(0), Tick(480)).next().is_some());
    timeline.clear();
    assert!(timeline.playing().is_none() && timeline.adopted().is_none());
    assert!(timeline.sounding(Tick(0), Tick(480)).next().is_none());
    assert!(timeline.shown(Tick(0), Tick(480)).next().is_none());
}

#[test]
fn early_tick_drops_the_pending_plan() {
    let mut timeline = planned();
    let first = replan(&mut timeline, 2, &[note(24, 99)]);
    timeline.offer(&passages(&first)[0]);
    // A jump closed the bar short.
    let controls = Controls::default();
    let played = [note(24, 99)];
    let early = PlanningTick { now: Tick(60), next: Tick(84), ..tick(2, &played, &controls) };
    assert!(matches!(timeline.request_at(early)[..], [Request::Replan(_)]));
    assert_eq!(timeline.offer(&passages(&first)[1]), Offer::Late);
    assert_eq!(timeline.advance_to(Tick(72)), None);
}

/// Notes that sound when this many bars beyond the near one are delivered at each planning tick, and the player strikes a key on these beats.
fn session(bars_ahead: &[usize], strikes: &[bool]) -> Vec<Note> {
    let controls = Controls::default();
    let mut timeline = Timeline::new(Tick(0), 7);
    let mut played: Vec<Note> = Vec::new();
    let mut sounded = Vec::new();
    for (beat, ahead) in (0i64..).zip(bars_ahead) {
        let adoption = timeline.advance_to(Tick(beat * BEAT));
        assert!(!matches!(adoption, Some(Adoption::Missed(_))), "{adoption:?} at beat {beat}");
        if beat == 6 {
            timeline.play(Tick(2 * BAR));
        }
        let mut requests = timeline.request_at(tick(beat, &played, &controls));
        // On time: the completion of latched plans, and the near bar. The number of further bars before the next tick varies.
        let last = requests.pop();
        let due = requests.iter().flat_map(|request| passages(request.brief()));
        let more = last.iter().flat_map(|request| passages(request.brief())).take(1 + ahead);
        let committed: Vec<_> = timeline.shown(Tick(beat * BEAT), timeline.commit_line()).copied().collect();
        for passage in due.chain(more) {
            assert_eq!(timeline.offer(&passage), Offer::Taken);
        }
        let now: Vec<_> = timeline.shown(Tick(beat * BEAT), Tick((beat + 1) * BEAT)).copied().collect();
        assert_eq!(now, committed, "notes before the commit line have changed");
        sounded.extend(timeline.sounding(Tick(beat * BEAT), Tick((beat + 1) * BEAT)).copied());
        if strikes.get(usize::try_from(beat).unwrap()).is_some_and(|strikes| *strikes) {
            played.push(note(beat * BEAT, 99));
        }
    }
    sounded
}

proptest! {
    /// The output is equal on a fast and on a slow machine, as long as the near bar is on time.
    #[test]
    fn output_does_not_depend_on_the_speed_of_the_engine(
        bars_ahead in prop::collection::vec(0..5usize, 40),
        strikes in prop::collection::vec(any::<bool>(), 40),
    ) {
        let steady = session(&[4; 40], &strikes);
        prop_assert!(!steady.is_empty());
        prop_assert_eq!(session(&bars_ahead, &strikes), steady);
    }
}

#[test]
fn renew_plan_requests_a_plan_although_the_player_follows() {
    let mut timeline = planned();
    timeline.renew_plan();
    let brief = replan(&mut timeline, 2, &[note(BEAT, 41)]);
    assert_eq!(brief.start, Tick(3 * BEAT));
    for passage in passages(&brief) {
        timeline.offer(&passage);
    }
    timeline.advance_to(Tick(3 * BEAT));
    // Once.
    assert_eq!(timeline.request_at(tick(3, &[note(BEAT, 41)], &Controls::default())), []);
}

#[test]
fn yield_ends_what_plays_and_what_would_play_on_adoption() {
    let mut timeline = planned();
    let brief = replan(&mut timeline, 1, &[note(5, 99)]);
    assert!(timeline.is_free_at(Tick(2 * BEAT)) && timeline.play_next(Tick(2 * BEAT)).is_some());
    for passage in passages(&brief) {
        timeline.offer(&passage);
    }
    timeline.stop_playing();
    assert_eq!(timeline.advance_to(Tick(2 * BEAT)), Some(Adoption::Adopted(brief.plan)));
    assert!(timeline.playing().is_none(), "it is shown only");
    timeline.play(Tick(BAR));
    assert!(!timeline.is_free_at(Tick(2 * BAR)));
    timeline.stop_playing();
    assert!(timeline.playing().is_none() && timeline.adopted().is_some());
}

#[test]
fn renew_plan_over_the_latched_one_takes_its_place_at_the_tick() {
    let mut timeline = planned();
    let mut play_over = |beat: i64, delivered: bool| {
        timeline.renew_plan_over();
        let brief = replan(&mut timeline, beat, &[]);
        assert_eq!(brief.start, Tick((beat + 1) * BEAT), "whatever is latched there");
        assert_eq!(timeline.play_over(brief.start), Some(brief.plan));
        for passage in passages(&brief).into_iter().filter(|_| delivered) {
            timeline.offer(&passage);
        }
        timeline.advance_to(brief.start);
        pitches(timeline.sounding(Tick(0), Tick(BAR)))
    };
    assert_eq!(play_over(1, true), [42, 42]);
    assert_eq!(play_over(2, true), [43]);
    // One that misses its tick leaves the older one.
    assert_eq!(play_over(3, false), [43]);
    assert_eq!(timeline.playing().map(Plan::id), Some(PlanId(3)));
}
