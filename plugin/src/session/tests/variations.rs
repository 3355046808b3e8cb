//! Variations of the shown plan: when they are generated, and what choosing one does.

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Plan, Variation};
use antiphon_engine::session::{Command, LockTarget, Takeover};

use super::script::{BAR, BEAT, ScriptedHost, tune};
use super::set;

/// Beats of the player; then the player rests.
const BEATS: i64 = 12;
/// In the last beat of a bar, after the player has rested for more than a beat.
const RESTED: i64 = 3 * BAR + 3 * BEAT + 12;

/// A host whose player has rested for more than a beat.
fn rested(frames: u32) -> ScriptedHost {
    let mut host = ScriptedHost::new(frames);
    host.play_to(RESTED, &tune(0, BEATS));
    host
}

fn shown(host: &ScriptedHost) -> Plan {
    host.shown().plan.as_ref().unwrap().plan.clone()
}

fn choose(host: &mut ScriptedHost, variation: Variation) {
    host.commands.send(Command::Variation(variation));
    host.play_to(host.now() + 2, &[]);
}

#[test]
fn four_variations_of_one_planning_tick_are_ready_when_the_player_rests_at_any_block_length() {
    let of = |frames| {
        let shown = rested(frames).shown();
        assert_eq!(shown.variations.shown, Variation::A);
        Variation::ALL.map(|variation| shown.variations.plans[variation.index()].clone().expect("it is ready"))
    };
    let plans = of(64);
    for (index, plan) in plans.iter().enumerate() {
        let same = |plan: &Plan| (plan.brief.made_at, plan.brief.start, plan.brief.context, plan.brief.controls.clone());
        assert_eq!(same(plan), same(&plans[0]));
        assert_eq!(plan.brief.seed - plans[0].brief.seed, (index as u64) << 32);
        assert!(plan.is_complete() && plans[..index].iter().all(|other| other.notes() != plan.notes()));
    }
    for frames in [16, 480, 2048] {
        assert_eq!(of(frames), plans, "blocks of {frames}");
    }
}

#[test]
fn no_variation_is_generated_while_the_player_plays_unless_one_is_chosen() {
    let mut host = ScriptedHost::new(500);
    let player = tune(0, 60);
    host.play_to(3 * BAR + 12, &player);
    assert_eq!(host.script.variations(), []);
    assert!(!host.shown().variations.is_ready(Variation::B));
    let before = shown(&host);
    host.commands.send(Command::Variation(Variation::B));
    host.play_to(3 * BAR + 16, &player);
    let requests = host.script.variations();
    assert_eq!(requests.len(), 1);
    let (briefs, has_deadline) = &requests[0];
    assert!(has_deadline);
    assert_eq!(briefs.iter().map(|brief| brief.made_at).collect::<Vec<_>>(), [before.brief.made_at]);
    assert_eq!((host.shown().variations.shown, shown(&host).brief.seed), (Variation::B, before.brief.seed + (1 << 32)));
}

#[test]
fn chosen_variation_is_shown_at_once_and_plays_as_it_was_shown() {
    let mut host = rested(250);
    let ready = host.shown().variations.plans[Variation::C.index()].clone().unwrap();
    choose(&mut host, Variation::C);
    assert_eq!((shown(&host), host.shown().variations.shown), (ready.clone(), Variation::C));
    host.press("play");
    host.play_to(6 * BAR, &[]);
    let expected: Vec<_> = ready.notes().iter().filter(|note| note.onset.0 >= 4 * BAR).map(|note| (note.onset.0, note.pitch)).collect();
    let played: Vec<_> = host.planned().into_iter().map(|(onset, pitch, _)| (onset, pitch)).collect();
    assert!(played.len() >= 7);
    assert_eq!(played, expected[..played.len()]);
    let shown = host.shown();
    let (antiphon, player): (Vec<_>, Vec<_>) = shown.played_by().partition(|(_, by_antiphon)| *by_antiphon);
    let [antiphon, player] = [antiphon, player].map(|notes| notes.into_iter().map(|(note, _)| *note).collect::<Vec<Note>>());
    assert!(antiphon.iter().all(|note| note.onset.0 >= 4 * BAR) && antiphon.len() >= 7, "what it played is shown as its own");
    assert!(!player.is_empty() && player.iter().all(|note| note.onset.0 < 4 * BAR));
}

#[test]
fn variation_that_is_not_there_yet_has_the_same_notes_as_when_it_is() {
    let ready = rested(500).shown().variations.plans.clone();
    for variation in [Variation::B, Variation::C, Variation::D] {
        let mut host = ScriptedHost::new(500);
        host.play_to(RESTED - 16, &tune(0, BEATS));
        // From now on a passage takes four ticks: the first variation is there a beat after the next planning tick.
        host.script.cost(4);
        host.play_to(RESTED, &[]);
        host.commands.send(Command::Variation(variation));
        host.play_to(RESTED + 2, &[]);
        assert_eq!(host.shown().variations.awaited, Some(variation));
        // All take longer than until the next planning tick, which keeps the plan.
        while host.shown().variations.awaited.is_some() {
            assert!(host.now() < RESTED + 4 * BEAT, "{variation:?} does not come");
            host.play_to(host.now() + 1, &[]);
        }
        assert_eq!(Some(shown(&host)), ready[variation.index()]);
    }
}

#[test]
fn another_walks_through_the_four_and_then_makes_four_new_ones() {
    let mut host = rested(250);
    let base = shown(&host).brief.seed;
    for (place, variation) in (1..=6).zip([Variation::B, Variation::C, Variation::D, Variation::A, Variation::B, Variation::C]) {
        let before = shown(&host);
        host.press("another");
        host.play_to(host.now() + 2 * BEAT, &[]);
        let after = shown(&host);
        assert_eq!((after.brief.seed - base, host.shown().variations.shown), (place << 32, variation));
        assert_ne!(before.notes(), after.notes());
    }
}

#[test]
fn variation_that_was_left_is_the_same_when_it_is_chosen_again() {
    let mut host = rested(250);
    let first = shown(&host);
    choose(&mut host, Variation::B);
    choose(&mut host, Variation::A);
    assert_eq!(shown(&host), first);
    // The next planning tick keeps what was chosen.
    host.play_to(4 * BAR + 2, &[]);
    assert_eq!(shown(&host).id(), first.id());
}

#[test]
fn variation_takes_over_from_the_plan_that_plays_at_the_second_planning_tick() {
    let takes_over = |trigger: &str| {
        let mut host = rested(250);
        host.press("play");
        host.play_to(5 * BAR + 2, &[]);
        let at = Tick(22 * BEAT);
        assert_eq!(host.shown().variations.takeover, Some(Takeover { at, plan: None }), "if it was asked for now");
        set(&host.params, trigger, 1.0);
        for until in [5 * BAR + 8, 5 * BAR + BEAT + 8] {
            host.play_to(until, &[]);
            assert_eq!(host.shown().variations.takeover.as_ref().map(|takeover| takeover.at), Some(at), "{until}");
        }
        host.play_to(7 * BAR, &[]);
        host.planned()
    };
    let (other, variation) = (takes_over("another"), takes_over("variation_b"));
    assert_eq!(other, variation, "Another is variation B");
    let keys: Vec<_> = variation.iter().map(|(onset, pitch, _)| (onset / BEAT - 16, *pitch)).collect();
    let before = keys[0].1;
    assert!(keys.iter().all(|(beat, pitch)| (*pitch == before) == (*beat < 6)), "{keys:?}");
}

#[test]
fn phrase_that_plays_is_shown_as_its_variation_until_the_awaited_one_takes_over() {
    for (press, sounds, awaited) in [("variation_c", Variation::A, Variation::C), ("another", Variation::A, Variation::B)] {
        let mut host = rested(250);
        host.press("play");
        host.play_to(5 * BAR + 2, &[]);
        let phrase = shown(&host);
        let only = |variation: Variation, plan: &Plan| Variation::ALL.map(|other| (other == variation).then(|| plan.clone()));
        let variations = |host: &ScriptedHost| host.shown().variations.clone();
        assert_eq!((variations(&host).shown, variations(&host).awaited), (sounds, None));
        assert_eq!(variations(&host).plans, only(sounds, &phrase));
        set(&host.params, press, 1.0);
        // Before it is requested, and while it is being generated.
        for (until, is_generated) in [(5 * BAR + 8, false), (5 * BAR + BEAT + 8, true)] {
            host.play_to(until, &[]);
            let shown = variations(&host);
            assert_eq!((shown.shown, shown.awaited), (sounds, Some(awaited)), "{press} at {until}");
            assert_eq!(shown.plans, only(sounds, &phrase), "{press} at {until}");
            let coming = shown.takeover.and_then(|takeover| takeover.plan);
            assert_eq!(coming.map(|plan| plan.brief.start), is_generated.then_some(Tick(22 * BEAT)));
        }
        host.play_to(5 * BAR + 2 * BEAT + 8, &[]);
        let after = variations(&host);
        assert_eq!((after.shown, after.awaited), (awaited, None), "{press}");
        assert_eq!((after.plans, shown(&host) == phrase), (only(awaited, &shown(&host)), false));
    }
}

#[test]
fn phrase_that_plays_goes_on_when_its_own_card_is_chosen_before_the_other_one_takes_over() {
    let notes = |back_at: Option<i64>| {
        let mut host = rested(250);
        host.press("play");
        host.play_to(5 * BAR + 2, &[]);
        if let Some(back_at) = back_at {
            choose(&mut host, Variation::C);
            host.play_to(back_at, &[]);
            assert_eq!(host.shown().variations.awaited, Some(Variation::C));
            choose(&mut host, Variation::A);
            assert_eq!((host.shown().variations.shown, host.shown().variations.awaited), (Variation::A, None));
        }
        host.play_to(7 * BAR, &[]);
        assert_eq!(host.shown().variations.shown, Variation::A);
        host.planned()
    };
    let undisturbed = notes(None);
    assert!(undisturbed.len() > 8);
    assert_eq!(notes(Some(5 * BAR + 8)), undisturbed, "before the other one is requested");
    // What sounds at the takeover was ended there when the first notes of the other one came; it stays so.
    let at = 5 * BAR + 2 * BEAT;
    let cut = undisturbed.iter().map(|&(onset, pitch, long)| (onset, pitch, if onset < at { long.min(at - onset) } else { long }));
    assert_eq!(notes(Some(5 * BAR + BEAT + 8)), cut.collect::<Vec<_>>(), "while it is being generated");
}

#[test]
fn plan_is_shown_as_its_variation_until_the_one_that_another_asked_for_is_there() {
    let mut host = ScriptedHost::new(500);
    let player = tune(0, 60);
    host.play_to(3 * BAR + 2, &player);
    choose(&mut host, Variation::D);
    // Four new ones are made by a planning tick.
    host.press("another");
    let variations = host.shown().variations.clone();
    assert_eq!((variations.shown, variations.awaited), (Variation::D, Some(Variation::A)));
    assert_eq!(variations.plans[Variation::D.index()], Some(shown(&host)));
    host.play_to(4 * BAR, &player);
    assert_eq!((host.shown().variations.shown, host.shown().variations.awaited), (Variation::A, None));
}

#[test]
fn locked_note_is_in_every_variation_and_every_later_plan_until_it_has_passed() {
    let mut host = rested(250);
    let locked: Note = *shown(&host).notes().iter().find(|note| note.onset.0 > 5 * BAR).unwrap();
    host.commands.send(Command::Lock(LockTarget::of(&locked)));
    host.play_to(host.now() + 2, &[]);
    assert!(host.shown().locks.holds(&locked));
    for _ in 0..5 {
        host.press("another");
        host.play_to(host.now() + BEAT / 2, &[]);
        assert!(shown(&host).notes().contains(&locked) && shown(&host).notes().len() > 8);
        let ready = host.shown().variations.plans.clone();
        assert!(ready.iter().flatten().all(|plan| plan.notes().contains(&locked)));
    }
    host.play_to(6 * BAR, &[]);
    assert!(host.shown().locks.is_empty());
}

#[test]
fn locked_bar_stays_as_it_is_and_unlocking_frees_it() {
    let mut host = rested(250);
    let bar = |host: &ScriptedHost| shown(host).between(Tick(6 * BAR), Tick(7 * BAR)).to_vec();
    let (before, start) = (bar(&host), Tick(6 * BAR));
    assert_eq!(before.len(), 4);
    host.commands.send(Command::Lock(LockTarget::Bar { start }));
    host.press("another");
    host.play_to(host.now() + BEAT, &[]);
    assert_eq!(bar(&host), before);
    assert!(host.shown().locks.holds_bar(start));
    host.commands.send(Command::UnlockAll);
    host.press("another");
    host.play_to(host.now() + BEAT, &[]);
    assert_ne!(bar(&host), before);
    assert!(host.shown().locks.is_empty());
}

#[test]
fn locked_rhythm_and_pitches_are_those_of_the_plan_that_was_shown() {
    for (lock, keeps_rhythm) in [("lock_rhythm", true), ("lock_pitches", false)] {
        let mut host = rested(250);
        set(&host.params, lock, 1.0);
        // The lock takes hold at the next planning tick.
        host.play_to(4 * BAR + 12, &[]);
        let from = 5 * BAR;
        let of = |host: &ScriptedHost| {
            let plan = shown(host);
            let notes = plan.between(Tick(from), Tick(7 * BAR));
            (notes.iter().map(|note| note.onset.0).collect::<Vec<_>>(), notes.iter().map(|note| note.pitch).collect::<Vec<_>>())
        };
        let before = of(&host);
        host.press("another");
        host.play_to(host.now() + 6, &[]);
        let after = of(&host);
        assert_eq!(before.0.len(), 8);
        assert_eq!((before.0 == after.0, before.1 == after.1), (keeps_rhythm, !keeps_rhythm), "{lock}");
    }
}

#[test]
fn another_with_rhythm_and_pitches_locked_changes_nothing_and_says_so() {
    let mut host = rested(250);
    let says = |host: &ScriptedHost| host.status().remark.is_some_and(|remark| remark.starts_with("Rhythm and pitches are both locked"));
    for lock in ["lock_rhythm", "lock_pitches"] {
        set(&host.params, lock, 1.0);
    }
    host.play_to(4 * BAR + 12, &[]);
    let (before, jobs) = (shown(&host), host.script.variations().len());
    assert!(!says(&host), "only when it is asked for");
    host.press("another");
    assert!(says(&host));
    choose(&mut host, Variation::C);
    host.play_to(host.now() + BEAT, &[]);
    assert!(says(&host) && host.shown().variations.awaited.is_none());
    let bars = |plan: &Plan| plan.between(Tick(5 * BAR), Tick(7 * BAR)).to_vec();
    assert_eq!((bars(&shown(&host)), host.script.variations().len()), (bars(&before), jobs));
    assert_eq!(bars(&before).len(), 8);
    set(&host.params, "lock_pitches", 0.0);
    host.play_to(host.now() + 2 * BEAT, &[]);
    assert!(!says(&host));
    host.press("another");
    host.play_to(host.now() + BEAT, &[]);
    assert_ne!(bars(&shown(&host)), bars(&before));
}

#[test]
fn locks_end_when_the_transport_stops() {
    let mut host = rested(250);
    let locked = *shown(&host).notes().last().unwrap();
    host.commands.send(Command::Lock(LockTarget::of(&locked)));
    host.play_to(host.now() + 2, &[]);
    assert!(!host.shown().locks.is_empty());
    host.playing = false;
    host.play_to(host.now() + 2, &[]);
    assert!(host.shown().locks.is_empty());
}
