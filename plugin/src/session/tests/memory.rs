//! Memory of the player: what is learnt, when it is used, and how it is forgotten; and the player's swing.

use std::collections::BTreeSet;

use antiphon_engine::music::{Clip, MetreMap, Note, Part, Role, Tick};
use antiphon_engine::plan::SongPosition;
use antiphon_engine::session::Command;
use nice_plug::midi::NoteEvent;
use nice_plug::params::Params;

use super::real::{EngineHost, Waits};
use super::script::{BAR, BEAT, ScriptedHost, stroke};
use super::{SAMPLES_PER_TICK, set};
use crate::params::AntiphonParams;
use crate::port::Event;

/// Bars of quavers, a key for each bar.
fn quavers(from: i64, bars: &[u8]) -> Vec<(u32, Event)> {
    let strokes = |(bar, pitch): (i64, &u8)| {
        let pitch = *pitch;
        (0..8).flat_map(move |place| stroke(from + bar * BAR + place * 12, 9, pitch))
    };
    (0..).zip(bars).flat_map(strokes).collect()
}

/// Keys of the first note of each phrase remembered, and its bars.
fn phrases(params: &AntiphonParams) -> Vec<(u8, usize)> {
    params.state.memory().phrases().iter().map(|phrase| (phrase.notes()[0].pitch, phrase.bars().len())).collect()
}

/// Another instance with the project of this one.
fn reopened(host: &ScriptedHost) -> ScriptedHost {
    let reopened = ScriptedHost::new(500);
    reopened.params.deserialize_fields(&host.params.serialize_fields());
    reopened
}

#[test]
fn phrase_is_learnt_when_the_player_pauses_and_after_eight_bars() {
    let mut host = ScriptedHost::new(500);
    let mut tune = quavers(0, &[60, 61]);
    tune.extend(quavers(4 * BAR, &[70, 71, 72, 73, 74, 75, 76, 77, 78]));
    host.play_to(3 * BAR - BEAT, &tune);
    assert_eq!(phrases(&host.params), [], "the bar without a note has not ended");
    host.play_to(3 * BAR + 6, &tune);
    assert_eq!(phrases(&host.params), [(60, 2)]);
    host.play_to(12 * BAR + BEAT, &tune);
    assert_eq!(phrases(&host.params), [(60, 2), (70, 8)]);
    assert_eq!(host.shown().memory.bars, 10);
    assert_eq!(host.shown().memory.used, 0, "they are in the context");
}

#[test]
fn phrases_of_an_opened_file_are_learnt_and_used_at_once() {
    let note = |onset: i64, pitch: u8| Note { onset: Tick(onset), offset: 0, duration: Tick(9), pitch, velocity: 90, role: Role::Keys };
    // Nine bars, a bar of rest, and one more; the last half bar has too few notes.
    let bars = (0..9).chain([10]);
    let mut notes: Vec<_> =
        bars.flat_map(|bar| (0..8).map(move |place| note(bar * BAR + place * 12, 60 + u8::try_from(bar).unwrap()))).collect();
    notes.push(note(12 * BAR, 90));
    let parts = vec![Part { notes, ..Part::default() }];
    let clip = Clip { parts, metres: MetreMap::default(), end: Tick(12 * BAR + 48), ..Clip::default() };
    let mut host = ScriptedHost::new(500);
    host.play_to(BEAT, &[]);
    host.commands.send_song(clip, SongPosition(0));
    host.play_to(BAR, &quavers(BEAT, &[72]));
    assert_eq!(phrases(&host.params), [(60, 8), (68, 1), (70, 1)]);
    assert_eq!(host.shown().memory.used, 10);
    host.commands.send(Command::Forget);
    host.play_to(2 * BAR, &[]);
    assert_eq!(host.shown().memory.used, 0);
}

#[test]
fn phrase_is_learnt_when_the_transport_stops() {
    let mut host = ScriptedHost::new(500);
    let tune = quavers(0, &[60]);
    host.play_to(BAR - BEAT + 6, &tune);
    host.playing = false;
    host.play_to(BAR, &[]);
    assert_eq!(phrases(&host.params), [(60, 1)]);
}

#[test]
fn plans_remember_the_phrases_of_the_project_at_the_amount_that_is_set() {
    let mut first = ScriptedHost::new(500);
    first.play_to(4 * BAR, &quavers(0, &[60, 61]));
    let mut host = reopened(&first);
    host.play_to(BEAT + 6, &[]);
    let used = |host: &ScriptedHost| {
        (host.script.remembered().amount, host.script.remembered().phrases.iter().map(|bars| bars.len()).sum::<usize>())
    };
    assert_eq!(used(&host), (50, 2), "before the first note");
    host.play_to(BAR + 6, &quavers(BEAT, &[72]));
    assert_eq!(host.status().remark.as_deref(), Some("2 remembered bars of yours are used"));
    set(&host.params, "memory", 1.0);
    host.play_to(2 * BAR, &[]);
    assert_eq!(used(&host), (100, 2));
    set(&host.params, "memory", 0.0);
    host.play_to(3 * BAR, &[]);
    assert_eq!((used(&host).1, host.shown().memory.used), (0, 0));
}

#[test]
fn bar_that_is_played_again_after_a_stop_within_it_is_learnt() {
    let mut host = ScriptedHost::new(500);
    host.play_to(BAR + 2 * BEAT, &quavers(0, &[60, 61]));
    host.playing = false;
    host.play_to(2 * BAR, &[]);
    host.playing = true;
    host.locate(0);
    let start = host.now();
    host.play_to(start + BAR + BEAT, &quavers(start, &[72]));
    host.play_to(start + 3 * BAR, &[]);
    assert!(phrases(&host.params).contains(&(72, 1)), "{:?}", phrases(&host.params));
}

#[test]
fn variations_remember_what_their_plan_does() {
    let mut first = ScriptedHost::new(500);
    first.play_to(4 * BAR, &quavers(0, &[60, 61]));
    let mut host = reopened(&first);
    host.play_to(4 * BAR, &quavers(BEAT, &[72]));
    let varied = host.script.varied();
    assert!(!varied.is_empty(), "the player rests");
    for prompt in varied.into_iter().chain(host.script.prompts().pop()) {
        assert_eq!(prompt.remembered.phrases.iter().map(|bars| bars.len()).sum::<usize>(), 2);
    }
}

#[test]
fn forget_of_trigger_or_window_forgets_and_brings_back() {
    let by: [fn(&mut ScriptedHost); 2] = [|host| host.press("forget"), |host| host.commands.send(Command::Forget)];
    for forget in by {
        let mut first = ScriptedHost::new(500);
        first.play_to(4 * BAR, &quavers(0, &[60, 61]));
        let mut host = reopened(&first);
        host.play_to(BEAT + 6, &[]);
        let memory = |host: &ScriptedHost| [host.shown().memory.bars, host.shown().memory.forgotten, host.shown().memory.used];
        assert_eq!(memory(&host), [2, 0, 2]);
        forget(&mut host);
        host.play_to(2 * BAR, &[]);
        assert_eq!(memory(&host), [0, 2, 0]);
        assert!(host.script.remembered().phrases.is_empty());
        forget(&mut host);
        host.play_to(3 * BAR, &[]);
        assert_eq!(memory(&host), [2, 0, 2]);
    }
}

/// A figure that no model plays by itself.
const FIGURE: [u8; 8] = [61, 74, 66, 79, 61, 78, 67, 73];

/// The figure, once a bar.
fn figure(from: i64, bars: i64) -> Vec<(u32, Event)> {
    let place = |bar: i64, index: i64| from + bar * BAR + index * 12;
    let strokes = |bar: i64| (0..).zip(FIGURE).flat_map(move |(index, pitch)| stroke(place(bar, index), 10, pitch));
    (0..bars).flat_map(strokes).collect()
}

/// Notes of the plan that the real engine makes after one bar of the figure's first half, of a project with the figure, at this amount and with this seed.
fn plan_with(amount: f32, seed: f32, project: &AntiphonParams) -> Vec<Note> {
    let mut host = EngineHost::new(1000, Waits::ForRealTime);
    host.params.deserialize_fields(&project.serialize_fields());
    set(&host.params, "memory", amount);
    set(&host.params, "seed", seed);
    let opening: Vec<_> = figure(0, 1).into_iter().take(8).collect();
    while i64::from(host.played / SAMPLES_PER_TICK) < BAR + BEAT {
        host.block(true, &opening);
    }
    let shown = host.shown();
    shown.plan.as_ref().map(|shown| shown.plan.notes().to_vec()).unwrap_or_default()
}

/// Steps of the figure among those of notes in order of time: pairs of keys that follow each other.
fn steps_of_the_figure(notes: &[Note]) -> usize {
    let figure: BTreeSet<_> = FIGURE.iter().zip(FIGURE.iter().cycle().skip(1)).map(|(one, next)| (*one, *next)).collect();
    notes.windows(2).filter(|pair| figure.contains(&(pair[0].pitch, pair[1].pitch))).count()
}

#[test]
fn plan_uses_more_of_a_figure_that_is_remembered() {
    let mut first = ScriptedHost::new(500);
    first.play_to(8 * BAR, &figure(0, 6));
    assert_eq!(first.params.state.memory().bars(), 6);
    // One plan may go elsewhere.
    let seeds = [0.2, 0.35, 0.5, 0.65];
    let [off, full] = [0.0, 1.0].map(|amount| seeds.map(|seed| plan_with(amount, seed, &first.params)));
    let counts = [&off, &full]
        .map(|plans| (plans.iter().map(|notes| steps_of_the_figure(notes)).sum::<usize>(), plans.iter().map(Vec::len).sum::<usize>()));
    let [without, with] = counts;
    assert!(without.1 >= 32 && with.1 >= 32, "{counts:?}");
    // As shares of the notes.
    assert!(with.0 * without.1 > 2 * without.0 * with.1, "steps of the figure, and notes: {counts:?}");
    assert_eq!(plan_with(1.0, seeds[0], &first.params), full[0], "the same again");
}

#[test]
fn planned_off_beats_are_played_where_the_player_plays_them() {
    // The script's notes are on the second sixteenth of each beat; the player's second and fourth sixteenths are two ticks late.
    let place = |swing: f32| {
        let mut host = ScriptedHost::new(500);
        set(&host.params, "player_swing", swing);
        let sixteenths = |beat: i64| [0, 8, 12, 20].map(|place| beat * BEAT + place);
        let tune: Vec<_> = (0..12).flat_map(sixteenths).flat_map(|onset| stroke(onset, 3, 72)).collect();
        host.play_to(2 * BAR + 6, &tune);
        host.press("play");
        host.play_to(5 * BAR, &tune);
        let planned = host.out.iter().filter_map(|(at, event)| match event {
            NoteEvent::NoteOn { key, .. } if key.number_or_middle_c() < 60 => Some(at / SAMPLES_PER_TICK % 24),
            _ => None,
        });
        planned.collect::<BTreeSet<_>>()
    };
    assert_eq!([0.0, 0.5, 1.0].map(place), [6, 7, 8].map(|tick| BTreeSet::from([tick])));
}
