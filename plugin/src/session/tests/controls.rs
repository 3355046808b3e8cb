//! Effect of each control on the plan of the real engine, and of a change while playing.

use std::collections::{BTreeMap, BTreeSet};

use antiphon_engine::music::analysis::{Chord, ChordKind, ScaleKind};
use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::{ChordChart, ControlId, MidiKey};
use nice_plug::midi::NoteEvent;
use nice_plug::params::Params;

use super::real::{EngineHost, Waits};
use super::script::{BEAT, ScriptedHost, stroke};
use super::{SAMPLES_PER_TICK, set};
use crate::editor::origin::{Origin, origins};
use crate::params::AntiphonParams;
use crate::port::{Event, note_off, note_on};

/// A bar of common time.
const BAR: i64 = 96;
/// Bars of the player's phrase.
const PHRASE: i64 = 4;

/// Sets a parameter to the value that a text stands for, as a host does.
fn say(params: &AntiphonParams, id: &str, text: &str) {
    let (_, param, _) = params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
    // SAFETY: the pointer lives as long as `params`.
    let value = unsafe { param.string_to_normalized_value(text) };
    set(params, id, value.unwrap_or_else(|| panic!("{id} does not know {text:?}")));
}

/// A little behind the grid, in samples.
const fn behind(_onset: i64) -> u32 {
    130
}

/// Behind the grid by another part of a tick at every note, as a hand plays, in samples.
fn by_hand(onset: i64) -> u32 {
    u32::try_from(onset / 12 * 7 % 5).unwrap() * SAMPLES_PER_TICK / 6
}

/// Four bars of a tune in C major, in quavers and crotchets, over a held bass note, so many samples behind the grid at an onset.
fn tune(behind: impl Fn(i64) -> u32) -> Vec<(u32, Event)> {
    const TUNE: [(i64, u8); 22] = [
        (0, 64),
        (12, 65),
        (24, 67),
        (48, 72),
        (72, 71),
        (84, 69),
        (96, 67),
        (120, 64),
        (144, 65),
        (156, 64),
        (168, 62),
        (180, 60),
        (192, 62),
        (216, 65),
        (240, 69),
        (264, 67),
        (288, 64),
        (300, 62),
        (312, 60),
        (336, 59),
        (348, 62),
        (360, 60),
    ];
    const BASS: [(i64, u8); 4] = [(0, 48), (96, 52), (192, 53), (288, 43)];
    let strike = |(onset, pitch): (i64, u8), length: i64| {
        let (key, at) = (MidiKey::new(0, pitch).unwrap(), u32::try_from(onset).unwrap() * SAMPLES_PER_TICK + behind(onset));
        [(at, note_on(0, key, 80)), (at + u32::try_from(length).unwrap() * SAMPLES_PER_TICK, note_off(0, key))]
    };
    let mut events: Vec<_> =
        TUNE.into_iter().flat_map(|note| strike(note, 10)).chain(BASS.into_iter().flat_map(|note| strike(note, 80))).collect();
    events.sort_by_key(|(at, _)| *at);
    events
}

/// A host with these controls that has heard the tune, a beat later.
fn heard(controls: &[(&str, &str)]) -> EngineHost {
    let mut host = EngineHost::new(6000, Waits::ForRealTime);
    controls.iter().for_each(|(id, text)| say(&host.params, id, text));
    let tune = tune(behind);
    while i64::from(host.played / SAMPLES_PER_TICK) < PHRASE * BAR + BEAT {
        host.block(true, &tune);
    }
    host
}

/// The plan with these controls, of two seeds, in bars that had not begun.
fn planned(controls: &[(&str, &str)]) -> Vec<Note> {
    ["11", "12"].iter().flat_map(|seed| plan(&heard(&[controls, &[("seed", seed)]].concat()))).collect()
}

fn plan(host: &EngineHost) -> Vec<Note> {
    let snapshot = host.session.snapshot.latest();
    let plan = &snapshot.plan.as_ref().expect("a plan").plan;
    assert!(plan.is_complete(), "{:?}", plan.brief);
    plan.between(Tick((PHRASE + 1) * BAR), Tick::MAX).to_vec()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    assert!(count > 0.0, "nothing was planned");
    sum / count
}

/// Pitches of the notes of each bar of a plan.
fn bars(notes: &[Note]) -> Vec<Vec<u8>> {
    let mut bars: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    notes.iter().for_each(|note| bars.entry(note.onset.0.div_euclid(BAR)).or_default().push(note.pitch));
    bars.into_values().collect()
}

#[test]
fn density_changes_the_number_of_notes() {
    let count = |text| planned(&[("density", text)]).len();
    let (sparse, dense) = (count("Very sparse"), count("Very busy"));
    assert!(sparse > 0 && dense > 2 * sparse, "{sparse} and {dense} notes");
}

#[test]
fn register_bounds_every_note() {
    let notes = planned(&[("register_low", "C5"), ("register_high", "E6")]);
    assert!(notes.len() >= 8 && notes.iter().all(|note| (72..=88).contains(&note.pitch)), "{notes:?}");
    assert!(planned(&[]).iter().any(|note| note.pitch < 72), "as played it is lower");
}

#[test]
fn voices_change_the_notes_that_start_together() {
    let most = |text| {
        let mut together: BTreeMap<Tick, u8> = BTreeMap::new();
        heard_plan(text).iter().for_each(|note| *together.entry(note.onset).or_default() += 1);
        together.values().copied().max().unwrap_or(0)
    };
    fn heard_plan(text: &str) -> Vec<Note> {
        plan(&heard(&[("voices", text), ("seed", "11")]))
    }
    let (one, five) = (most("1 voice"), most("5 voices"));
    assert!(one == 1 && five > 2, "{one} and {five} at once");
}

#[test]
fn span_changes_the_distance_of_the_lowest_and_the_highest_note() {
    let span = |text| {
        let spans = |bar: Vec<u8>| f64::from(bar.iter().max().unwrap() - bar.iter().min().unwrap());
        mean(["11", "12"].iter().flat_map(|seed| bars(&plan(&heard(&[("span", text), ("seed", seed)])))).map(spans))
    };
    let (narrow, wide) = (span("Under a fourth"), span("About 3 octaves"));
    assert!(narrow + 6.0 < wide, "{narrow} and {wide} semitones");
}

#[test]
fn note_length_changes_the_mean_duration() {
    let length = |text| mean(planned(&[("note_length", text)]).iter().map(|note| note.duration.0 as f64));
    let (short, long) = (length("1/16"), length("1/2"));
    assert!(short < 12.0 && long > 2.0 * short, "{short} and {long} ticks");
}

#[test]
fn repetition_repeats_bars_and_novelty_avoids_their_notes() {
    // Share of the planned notes that the player's bar four bars back has at the same place.
    let share = |text: &str| {
        let notes = planned(&[("repetition", text), ("adventurousness", "Safe")]);
        let played: BTreeSet<(i64, u8)> = tune(behind)
            .iter()
            .filter_map(|&(at, event)| match event {
                NoteEvent::NoteOn { key, .. } => Some((i64::from(at / SAMPLES_PER_TICK), key.number_or_middle_c())),
                _ => None,
            })
            .collect();
        mean(notes.iter().map(|note| if played.contains(&(note.onset.0 - 4 * BAR, note.pitch)) { 1.0 } else { 0.0 }))
    };
    let (new, repeated) = (share("Novelty 100 %"), share("Repetition 100 %"));
    assert!(repeated > 0.6 && new < 0.3, "{new} and {repeated} of the notes are the player's");
}

#[test]
fn phrase_length_sets_the_end_of_the_plan() {
    for (text, bars) in [("As bars ahead", 4), ("2 bars", 2), ("7 bars", 7)] {
        let host = heard(&[("phrase_length", text)]);
        let snapshot = host.session.snapshot.latest();
        let plan = &snapshot.plan.as_ref().unwrap().plan;
        assert_eq!((plan.brief.end, plan.ready()), (Tick((PHRASE + 1 + bars) * BAR), plan.brief.end), "{text}");
    }
}

#[test]
fn chosen_key_draws_notes_into_its_scale_and_the_lock_leaves_none_outside() {
    let f_sharp = ScaleKind::MajorPentatonic.on(6);
    let outside = |key, lock| {
        let notes = planned(&[("key", key), ("scale", "Major pentatonic"), ("scale_lock", lock)]);
        (notes.len(), notes.iter().filter(|note| !f_sharp.contains(note.pitch)).count())
    };
    let (locked, chosen, free) = (outside("F#", "On"), outside("F#", "Off"), outside("Off", "Off"));
    assert!(locked.0 >= 8 && locked.1 == 0, "{locked:?}");
    assert!(2 * free.1 > free.0 && 4 * chosen.1 < chosen.0, "{chosen:?} and {free:?}");
}

#[test]
fn notes_on_the_beat_are_tones_of_a_chosen_chord() {
    let chord = Chord { root: 10, kind: ChordKind::Minor }.scale();
    let outside = |controls: &[(&str, &str)]| {
        let notes = planned(controls);
        let on_beat: Vec<_> = notes.iter().filter(|note| note.onset.0 % BEAT == 0).collect();
        (on_beat.len(), on_beat.iter().filter(|note| !chord.contains(note.pitch)).count())
    };
    let (chosen, free) = (outside(&[("chord", "Bb"), ("chord_kind", "Minor")]), outside(&[]));
    assert!(chosen.0 >= 4 && chosen.1 == 0 && free.1 > 0, "{chosen:?} and {free:?}");
}

/// Planned notes on a beat, of two seeds, that are no tones of their bar's chord in this progression from bar 1 on; and all on a beat. `chosen` is whether it
/// is held.
fn outside_of(progression: &str, chosen: bool) -> (usize, usize) {
    let mut chart = ChordChart::default();
    chart.repeat(1, progression).unwrap();
    let notes = ["11", "12"].iter().flat_map(|seed| {
        let mut host = EngineHost::new(6000, Waits::ForRealTime);
        say(&host.params, "seed", seed);
        if chosen {
            host.params.state.set_chart(chart.clone());
        }
        let tune = tune(behind);
        while i64::from(host.played / SAMPLES_PER_TICK) < PHRASE * BAR + BEAT {
            host.block(true, &tune);
        }
        plan(&host)
    });
    let on_beat: Vec<_> = notes.filter(|note| note.onset.0 % BEAT == 0).collect();
    let is_tone = |note: &&Note| chart.at(note.onset.0.div_euclid(BAR) + 1).is_some_and(|chord| chord.scale().contains(note.pitch));
    (on_beat.iter().filter(|note| !is_tone(note)).count(), on_beat.len())
}

#[test]
fn each_bar_keeps_to_the_chord_that_was_chosen_for_it() {
    let (chosen, free) = (outside_of("Ebm Bb7 F#m E", true), outside_of("Ebm Bb7 F#m E", false));
    assert!(chosen.1 >= 6 && chosen.0 == 0 && free.0 > 3, "{chosen:?} and {free:?}");
}

#[test]
fn origins_of_planned_notes_are_true_and_a_plan_that_repeats_has_more_of_bars() {
    let bars = |repetition: &str| {
        let host = heard(&[("repetition", repetition), ("seed", "11"), ("adventurousness", "10")]);
        let (snapshot, memory) = (host.shown(), host.params.state.memory());
        let planned = plan(&host);
        let of_bars = planned.iter().filter_map(|note| match origins(&snapshot, note, &memory, None).first() {
            Some(Origin::Bar(bar)) => Some((note, *bar)),
            _ => None,
        });
        let of_bars: Vec<_> = of_bars.collect();
        for (note, bar) in &of_bars {
            let place = Tick((bar - 1) * BAR + note.onset.0.rem_euclid(BAR));
            let is_there = |other: &Note| other.pitch == note.pitch && (other.onset - place).0.abs() <= 1;
            assert!(snapshot.played.iter().any(is_there), "{note:?} is not in bar {bar}");
        }
        (of_bars.len(), planned.len())
    };
    let (repeated, new) = (bars("Repetition 100 %"), bars("Novelty 100 %"));
    assert!(repeated.0 * new.1 > new.0 * repeated.1 && 2 * repeated.0 > repeated.1, "{repeated:?} and {new:?}");
}

#[test]
fn further_output_roles_are_planned_beside_the_first() {
    let notes = planned(&[("output_role", "Chords"), ("output_role_2", "Bass")]);
    let roles: BTreeSet<Role> = notes.iter().map(|note| note.role).collect();
    assert_eq!(roles, BTreeSet::from([Role::Chords, Role::Bass]));
}

/// Notes of the plan as they come out: sample from the song's start, velocity.
fn performed(controls: &[(&str, &str)], behind: fn(i64) -> u32) -> Vec<(u32, u8)> {
    let mut host = EngineHost::new(1000, Waits::ForRealTime);
    controls.iter().for_each(|(id, text)| say(&host.params, id, text));
    let tune = tune(behind);
    let mut out = Vec::new();
    while i64::from(host.played / SAMPLES_PER_TICK) < (PHRASE + 4) * BAR {
        set(&host.params, "play", if i64::from(host.played / SAMPLES_PER_TICK) >= PHRASE * BAR - BEAT { 1.0 } else { 0.0 });
        out.extend(host.block(true, &tune));
    }
    let starts = out.into_iter().filter(|timed| !tune.contains(timed)).filter_map(|(at, event)| match event {
        NoteEvent::NoteOn { velocity, .. } => Some((at, midi(velocity))),
        _ => None,
    });
    starts.collect()
}

fn midi(velocity: f32) -> u8 {
    (1..=127).find(|midi| (f32::from(*midi) / 127.0 - velocity).abs() < 1e-4).expect("a MIDI velocity")
}

#[test]
fn quantised_feel_puts_the_plan_on_the_grid_and_performed_leaves_it() {
    let off_grid = |text| {
        let notes = performed(&[("feel", text), ("adventurousness", "Character")], by_hand);
        assert!(notes.len() >= 8, "{} notes", notes.len());
        let is_off = |(at, _): &&(u32, u8)| at % (6 * SAMPLES_PER_TICK) != 0 && at % (4 * SAMPLES_PER_TICK) != 0;
        (notes.len(), notes.iter().filter(is_off).count())
    };
    let ((count, quantised), (same_count, performed)) = (off_grid("Quantised"), off_grid("Performed"));
    assert!(quantised == 0 && performed > 0, "{quantised} and {performed} notes off the grid");
    // Two notes of one key may meet on the grid.
    assert!(count.abs_diff(same_count) <= 2, "the plan itself is the same: {count} and {same_count} notes");
}

#[test]
fn loudness_follows_the_players_mean() {
    // The player's strokes have a velocity of 90, the script's plans of 80.
    let velocities = |text: &str| {
        let mut host = ScriptedHost::new(500);
        say(&host.params, "loudness_follow", text);
        let tune: Vec<_> = (0..12).flat_map(|beat| stroke(beat * BEAT, 18, 60)).collect();
        host.play_to(2 * BAR + 6, &tune);
        host.press("play");
        host.play_to(5 * BAR, &tune);
        let planned = host.out.iter().filter_map(|(_, event)| match event {
            NoteEvent::NoteOn { key, velocity, .. } if key.number_or_middle_c() < 60 => Some(midi(*velocity)),
            _ => None,
        });
        planned.collect::<BTreeSet<_>>()
    };
    let steps = ["Off", "50 %", "100 %"].map(velocities);
    assert_eq!(steps, [80, 85, 90].map(|velocity| BTreeSet::from([velocity])));
}

#[test]
fn changed_control_replans_at_the_next_planning_tick() {
    let mut host = ScriptedHost::new(500);
    let tune: Vec<_> = (0..12).flat_map(|beat| stroke(beat * BEAT, 18, 60)).collect();
    host.play_to(2 * BAR + 6, &tune);
    say(&host.params, "density", "Busy");
    let before = host.script.requests().len();
    host.play_to(2 * BAR + BEAT + 6, &tune);
    let requests = host.script.requests();
    let (brief, _) = &requests[before];
    assert_eq!(brief.made_at, Tick(2 * BAR + BEAT));
    let density = brief.controls.0.iter().find(|setting| setting.parameter == ControlId::of("density"));
    assert_eq!(density.map(|setting| setting.value), Some(6.0 / 8.0));
}

#[test]
fn plan_obeys_a_key_that_is_locked_while_playing_within_a_bar() {
    let mut host = heard(&[("seed", "11")]);
    let f_sharp = ScaleKind::MajorPentatonic.on(6);
    let outside = |host: &EngineHost, from: i64| {
        let snapshot = host.session.snapshot.latest();
        let notes = snapshot.plan.as_ref().unwrap().plan.between(Tick(from), Tick::MAX).to_vec();
        (notes.len(), notes.iter().filter(|note| !f_sharp.contains(note.pitch)).count())
    };
    assert!(outside(&host, PHRASE * BAR).1 > 0);
    [("key", "F#"), ("scale", "Major pentatonic"), ("scale_lock", "On")].iter().for_each(|(id, text)| say(&host.params, id, text));
    while i64::from(host.played / SAMPLES_PER_TICK) < (PHRASE + 1) * BAR {
        host.block(true, &[]);
    }
    let (notes, outside) = outside(&host, (PHRASE + 1) * BAR);
    assert!(notes >= 8 && outside == 0, "{outside} of {notes} notes outside");
}

#[test]
fn key_and_chord_of_finished_bars_are_published_with_their_confidence() {
    let mut host = ScriptedHost::new(500);
    // Tonic, subdominant, dominant, tonic of C.
    let chords = [[60, 64, 67], [65, 69, 72], [67, 71, 74], [60, 64, 67]];
    let played: Vec<_> =
        (0i64..).zip(chords).flat_map(|(bar, chord)| chord.into_iter().flat_map(move |pitch| stroke(bar * BAR, 90, pitch))).collect();
    let mut events = played;
    events.sort_by_key(|(at, _)| *at);
    host.play_to(4 * BAR + 6, &events);
    let shown = host.shown();
    let chords: Vec<_> = shown.harmony.iter().map(|bar| bar.chords[0].map(|found| found.chord.to_string())).collect();
    assert_eq!(chords, ["C", "F", "G", "C"].map(|name| Some(name.to_owned())));
    assert_eq!(shown.harmony.iter().map(|bar| bar.start.0 / BAR).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(shown.harmony.iter().all(|bar| bar.chords[0].is_some_and(|found| found.confidence > 0.9)));
    let key = shown.harmony[3].key.unwrap();
    assert_eq!(key.key.to_string(), "C major");
    assert!((0.5..=1.0).contains(&key.confidence), "{}", key.confidence);
}
