//! Accompany: other roles beside the player, with a new plan on every beat.

use antiphon_engine::music::Role;
use antiphon_engine::session::{Command, LockTarget};

use super::script::{BAR, BEAT, ScriptedHost, stroke};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// Notes: onset, pitch, duration in ticks.
type Notes = Vec<(i64, u8, i64)>;

/// A player who strikes another key above the script's on every beat, 18 ticks long.
fn tune(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 18, u8::try_from(61 + beat * 5 % 40).unwrap())).collect()
}

/// The script's notes that sounded.
fn planned(host: &ScriptedHost) -> Notes {
    host.sounded().into_iter().filter(|(_, pitch, _)| *pitch < 61).collect()
}

/// A host in Accompany.
fn host(frames: u32) -> ScriptedHost {
    let host = ScriptedHost::new(frames);
    set(&host.params, "mode", 0.75);
    host
}

/// Roles of the plan that is shown.
fn roles(host: &ScriptedHost) -> Vec<Role> {
    let shown = host.shown();
    let mut roles: Vec<Role> = shown.plan.as_ref().unwrap().plan.notes().iter().map(|note| note.role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[test]
fn accompaniment_begins_with_the_player_and_every_beat_has_a_plan_of_its_own() {
    let mut host = host(500);
    host.play_to(3 * BAR, &tune(0, 12));
    let sounded = planned(&host);
    // The first note is known at the tick at 24, whose plan begins at 48.
    let onsets: Vec<_> = sounded.iter().map(|(onset, ..)| *onset).collect();
    assert_eq!(onsets, (2..11).map(|beat| beat * BEAT + 6).collect::<Vec<_>>());
    for pair in sounded.windows(2) {
        assert_ne!(pair[0].1, pair[1].1, "each is of another plan: {sounded:?}");
    }
    // They ring across the beat at which the next plan begins.
    assert!(sounded.iter().all(|(.., length)| *length == 20), "{sounded:?}");
    assert_eq!([host.count(Count::Late), host.count(Count::NoRoom)], [0; 2]);
}

#[test]
fn locked_note_sounds_though_every_beat_has_a_plan_of_its_own() {
    let mut host = host(500);
    host.play_to(2 * BAR + 3 * BEAT, &tune(0, 12));
    let shown = host.shown().plan.as_ref().unwrap().plan.clone();
    let locked = *shown.notes().last().expect("it has notes");
    assert!(locked.onset.0 > host.now() + 2 * BEAT);
    host.commands.send(Command::Lock(LockTarget::of(&locked)));
    host.play_to(locked.onset.0 + 2 * BEAT, &tune(0, 16));
    let sounded = planned(&host);
    let key_at = |beats: i64| sounded.iter().find(|(onset, ..)| *onset == locked.onset.0 + beats * BEAT).map(|(_, pitch, _)| *pitch);
    assert_eq!(key_at(0), Some(locked.pitch), "{sounded:?}");
    assert!([-1, 1].into_iter().all(|beats| key_at(beats).is_some_and(|pitch| pitch != locked.pitch)), "{sounded:?}");
    assert!(host.shown().locks.is_empty(), "it has passed");
    assert_eq!(host.count(Count::Late), 0);
}

/// What sounds, and the context, of a player who rests for a bar in between.
fn perform(frames: u32) -> (Notes, Notes) {
    let mut host = host(frames);
    host.play_to(7 * BAR, &[tune(0, 12), tune(4 * BAR, 10)].concat());
    assert_eq!(host.count(Count::Late), 0);
    (host.sounded(), host.script.context_notes())
}

#[test]
fn accompaniment_goes_on_while_the_player_rests_and_the_context_is_what_sounded() {
    let (sounded, context) = perform(500);
    let finished = |notes: Notes| notes.into_iter().filter(|(onset, ..)| *onset < 6 * BAR).collect::<Notes>();
    assert_eq!(finished(sounded.clone()).into_iter().filter(|(_, pitch, _)| *pitch < 61).count(), 22);
    assert_eq!(finished(context), finished(sounded));
}

#[test]
fn accompaniment_does_not_depend_on_the_block_length() {
    let whole = perform(64);
    for frames in [16, 480, 2048] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}

#[test]
fn roles_are_others_than_the_players() {
    let mut host = host(500);
    host.play_to(BAR, &tune(0, 4));
    assert_eq!(roles(&host), [Role::Bass]);
    // The player plays bass, then keys are added and drums.
    set(&host.params, "input_role", 0.5);
    host.play_to(2 * BAR + BEAT, &tune(BAR, 4));
    assert_eq!(roles(&host), [Role::Keys]);
    set(&host.params, "output_role", 3.0 / 16.0);
    set(&host.params, "output_role_2", 4.0 / 16.0);
    host.play_to(3 * BAR + BEAT, &tune(2 * BAR, 4));
    assert_eq!(roles(&host), [Role::Drums, Role::Keys], "the bass is the player's");
}

#[test]
fn late_plan_leaves_the_one_before_playing() {
    let mut host = host(500);
    host.play_to(2 * BAR - 1, &tune(0, 16));
    host.script.cost(60);
    host.play_to(2 * BAR + 2 * BEAT - 1, &tune(0, 16));
    host.script.cost(0);
    host.play_to(3 * BAR, &tune(0, 16));
    let sounded: Vec<_> = planned(&host).into_iter().filter(|(onset, ..)| *onset >= BAR).collect();
    assert_eq!(sounded.iter().map(|(onset, ..)| *onset).collect::<Vec<_>>(), (4..11).map(|beat| beat * BEAT + 6).collect::<Vec<_>>());
    let pitches: Vec<_> = sounded.iter().map(|(_, pitch, _)| *pitch).collect();
    assert_eq!((pitches[4], pitches[5]), (pitches[4], pitches[4]), "the plan of the second bar's last beat goes on: {pitches:?}");
    assert_eq!(host.count(Count::Late), 0);
}

#[test]
fn play_changes_nothing_and_another_mode_ends_the_accompaniment() {
    let mut host = host(500);
    host.play_to(BAR + 30, &tune(0, 16));
    host.press("play");
    host.play_to(2 * BAR + 15, &tune(0, 16));
    assert_eq!(host.status().remark, None);
    let before = planned(&host).len();
    assert_eq!(before, 6);
    set(&host.params, "mode", 0.0);
    host.play_to(4 * BAR, &[]);
    assert_eq!(planned(&host).last().map(|(onset, _, length)| (*onset, *length)), Some((2 * BAR + 6, 9)));
}
