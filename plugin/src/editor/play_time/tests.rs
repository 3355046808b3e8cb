//! When Antiphon plays, and how the window says it.

use antiphon_engine::music::{Note, Role};
use antiphon_engine::plan::{InfillRange, Side, Variation};
use antiphon_engine::session::{ShownTurn, ShownVariations, Takeover};

use super::*;
use crate::clock::MusicalTime;
use crate::editor::samples::plan;
use crate::editor::swap;
use crate::params::AntiphonParams;

const FILLS_SOON: &str = "Antiphon fills bars 12 to 13 of the song in 1 beat, on top of what your track plays there";
const FILLS: &str = "Antiphon fills bars 12 to 13 of the song, on top of what your track plays there";

const ALONG: &str = "Antiphon plays bass and drums along with you until you pause for 4 bars";

fn values(mode: PlayMode) -> ControlValues {
    let mut values = AntiphonParams::new(true).controls();
    values.plan.mode = mode;
    values.turns.infill = InfillRange { from: 12, bars: 2 };
    values
}

/// A snapshot with the playhead in bar 2 of 4/4 and a plan of bars 2 to 4.
fn snapshot(plays: bool) -> Snapshot {
    let note = |role| Note { onset: Tick(130), offset: 0, duration: Tick(12), pitch: 40, velocity: 80, role };
    let mut planned = plan(120, 384, &[note(Role::Bass), note(Role::Drums)]);
    planned.playing = plays;
    Snapshot { plan: Some(planned), ..Snapshot::default() }
}

/// Button, what it presses, flags and sentence, with the playhead before the plan, or in it if it plays.
fn words_of(snapshot: &Snapshot, mode: PlayMode, is_recalled: bool) -> (String, Button, Flags, String) {
    let plays = snapshot.plan.as_ref().is_some_and(|shown| shown.playing);
    let now = Now { playhead: MusicalTime(if plays { 121.0 } else { 100.0 }), tempo: 120.0, motion: Motion::Host };
    let time = PlayTime { snapshot, now: &now, values: &values(mode), is_recalled };
    (time.button(), time.pressed(), time.flags(), time.sentence())
}

fn flags(mode: PlayMode, plays: bool, is_recalled: bool) -> Flags {
    words_of(&snapshot(plays), mode, is_recalled).2
}

#[test]
fn every_mode_says_what_the_button_does_and_who_plays() {
    let words = |mode, plays| {
        let (button, pressed, _, sentence) = words_of(&snapshot(plays), mode, false);
        assert_eq!(pressed == Button::Stop, button == "Stop");
        [button, sentence]
    };
    for (mode, waiting, playing) in [
        (PlayMode::Suggest, ["Play from bar 3", "Antiphon plays when you press Play"], ["Stop", "Antiphon plays to the end of bar 4"]),
        (
            PlayMode::Answer,
            ["Answer now", "Antiphon answers when you pause for 2 beats"],
            ["Stop", "Antiphon answers to the end of bar 4, or until you play"],
        ),
        (PlayMode::Trade, ["Play from bar 3", "You have 4 bars, then Antiphon 4 bars"], ["Stop", "You have 4 bars, then Antiphon 4 bars"]),
        (PlayMode::Accompany, ["Stop", ALONG], ["Stop", ALONG]),
        (PlayMode::Infill, ["Stop", FILLS_SOON], ["Stop", FILLS]),
    ] {
        assert_eq!([words(mode, false), words(mode, true)], [waiting, playing].map(|texts| texts.map(str::to_owned)));
    }
}

#[test]
fn card_of_the_chosen_phrase_says_what_becomes_of_it() {
    let words = |snapshot: &Snapshot, mode, is_recalled, motion| {
        let plays = snapshot.plan.as_ref().is_some_and(|shown| shown.playing);
        let now = Now { playhead: MusicalTime(if plays { 121.0 } else { 100.0 }), tempo: 120.0, motion };
        PlayTime { snapshot, now: &now, values: &values(mode), is_recalled }.chosen()
    };
    let said = |mode| words(&snapshot(false), mode, false, Motion::Host).unwrap_or_default();
    let expected = ["Play starts this", "answers you next", "plays next", "plays along", "fills the bars"];
    assert_eq!(PlayMode::ALL.map(said), expected);
    let play = Some("Play starts this".to_owned());
    for mode in PlayMode::ALL {
        let stopped = Snapshot { is_stopped: true, ..snapshot(false) };
        assert_eq!(words(&snapshot(false), mode, true, Motion::Host), play, "a phrase of the history");
        let after = if mode == PlayMode::Accompany { Some("Play makes it anew".to_owned()) } else { play.clone() };
        assert_eq!(words(&stopped, mode, false, Motion::Host), after, "after Stop");
        assert_eq!(words(&snapshot(false), mode, false, Motion::Stopped), after, "the transport is stopped");
        assert_eq!(words(&snapshot(true), mode, false, Motion::Host), None, "it plays");
        assert_eq!(words(&Snapshot::default(), mode, false, Motion::Host), None);
    }
    let pending = Snapshot { play_from: Some(Tick(192)), ..snapshot(false) };
    assert_eq!(words(&pending, PlayMode::Suggest, false, Motion::Host).as_deref(), Some("starts at bar 3"));
}

#[test]
fn play_that_waits_for_its_bar_can_be_stopped() {
    let waiting = Snapshot { play_from: Some(Tick(192)), ..snapshot(false) };
    let (button, pressed, _, sentence) = words_of(&waiting, PlayMode::Suggest, false);
    assert_eq!((button.as_str(), pressed), ("Cancel", Button::Stop));
    assert_eq!(sentence, "Antiphon begins at bar 3 and plays to the end of bar 4");
}

#[test]
fn phrase_that_was_started_looks_as_if_it_waits_until_it_sounds() {
    let at = |snapshot: &Snapshot, mode, playhead| {
        let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
        let time = PlayTime { snapshot, now: &now, values: &values(mode), is_recalled: false };
        (time.button(), time.sound(), time.flags().ends.is_some())
    };
    let seen = |button: &str, sound, has_end| (button.to_owned(), sound, has_end);
    let silent = snapshot(false);
    let pressed = Snapshot { play_from: Some(Tick(192)), ..snapshot(false) };
    let latched = Snapshot { play_from: Some(Tick(120)), ..snapshot(true) };
    assert_eq!(at(&silent, PlayMode::Suggest, 100.0), seen("Play from bar 3", Sound::None, false));
    assert_eq!(at(&pressed, PlayMode::Suggest, 100.0), seen("Cancel", Sound::Waits, true));
    assert_eq!(at(&latched, PlayMode::Suggest, 100.0), seen("Cancel", Sound::Waits, true));
    assert_eq!(at(&latched, PlayMode::Suggest, 121.0), seen("Stop", Sound::Plays, true));
    assert_eq!(at(&silent, PlayMode::Infill, 100.0), seen("Stop", Sound::Waits, false));
    assert_eq!(at(&latched, PlayMode::Accompany, 121.0), seen("Stop", Sound::Plays, true));
}

#[test]
fn phrase_that_plays_is_shown_from_where_it_began_to_sound() {
    let seen = |sounds_from: i64, playhead| {
        let mut planned = plan(120, 384, &[]);
        (planned.playing, planned.sounds_from) = (true, Tick(sounds_from));
        let play_from = Some(planned.sounds_from).filter(|from| from.0 as f64 > playhead);
        let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
        let snapshot = Snapshot { plan: Some(planned), play_from, ..Snapshot::default() };
        let time = PlayTime { snapshot: &snapshot, now: &now, values: &values(PlayMode::Suggest), is_recalled: false };
        (time.flags().silent_before, time.beats_left(), time.sound())
    };
    assert_eq!(seen(120, 125.0), (None, None, Sound::Plays));
    assert_eq!(seen(192, 170.0), (Some(Tick(192)), Some(1), Sound::Waits), "it waits for its bar line");
    assert_eq!(seen(192, 210.0), (Some(Tick(192)), None, Sound::Plays), "what Play left out stays out");
}

#[test]
fn phrase_that_sounds_is_stopped_and_not_cancelled_while_the_next_one_waits() {
    // Play was pressed while a phrase plays, and waits for a plan.
    let waiting = Snapshot { play_from: Some(Tick(384)), ..snapshot(true) };
    let (button, pressed, flags, sentence) = words_of(&waiting, PlayMode::Suggest, false);
    assert_eq!((button.as_str(), pressed, flags.starts), ("Stop", Button::Stop, None));
    assert_eq!(sentence, "Antiphon plays to the end of bar 4, and then on");
}

#[test]
fn play_counts_the_beats_of_the_metre_until_its_bar_line() {
    let beats = |play_from, playhead| {
        let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
        let snapshot = Snapshot { play_from, ..Snapshot::default() };
        PlayTime { snapshot: &snapshot, now: &now, values: &values(PlayMode::Suggest), is_recalled: false }.beats_left()
    };
    let until = |tick, playhead| beats(Some(Tick(tick)), playhead);
    assert_eq!([until(96, 0.0), until(96, 0.5), until(96, 24.0), until(96, 95.9)], [Some(4), Some(4), Some(3), Some(1)]);
    assert_eq!([until(96, 96.0), until(96, 300.0), until(1_000_000, 0.0), beats(None, 0.0)], [None; 4]);
}

#[test]
fn beats_are_counted_to_a_fill_until_it_plays_and_not_after_stop() {
    let beats = |snapshot: &Snapshot, mode| {
        let now = Now { playhead: MusicalTime(20.0), tempo: 120.0, motion: Motion::Host };
        let time = PlayTime { snapshot, now: &now, values: &values(mode), is_recalled: false };
        (time.beats_left(), time.sound())
    };
    assert_eq!(beats(&snapshot(false), PlayMode::Infill), (Some(5), Sound::Waits));
    assert_eq!(beats(&snapshot(false), PlayMode::Suggest), (None, Sound::None));
    assert_eq!(beats(&snapshot(true), PlayMode::Infill).0, None);
    assert_eq!(beats(&Snapshot { is_stopped: true, ..snapshot(false) }, PlayMode::Infill), (None, Sound::None));
}

#[test]
fn swap_is_said_with_its_place_and_where_the_next_one_ends() {
    let words = |awaited, coming: Option<antiphon_engine::plan::Plan>| {
        let takeover = Some(Takeover { at: Tick(240), plan: coming });
        let variations = ShownVariations { awaited: Some(awaited), takeover, ..ShownVariations::default() };
        let swapping = Snapshot { variations, ..snapshot(true) };
        let (_, _, flags, sentence) = words_of(&swap::with_swap(&swapping).unwrap(), PlayMode::Suggest, false);
        assert_eq!(flags.swap, Some((Tick(240), awaited)));
        (sentence, flags.ends.map(|(end, _)| end))
    };
    assert_eq!(words(Variation::B, None), ("B starts at bar 3, beat 3; until then A plays".into(), None));
    let coming = plan(240, 480, &[]).plan;
    let expected = "B starts at bar 3, beat 3 and plays to the end of bar 5; until then A plays";
    assert_eq!(words(Variation::B, Some(coming)), (expected.into(), Some(Tick(480))));
    assert_eq!(words(Variation::A, None).0, "A new A starts at bar 3, beat 3; until then A plays");
}

#[test]
fn trade_says_whose_turn_it_is_and_where_it_ends() {
    for (side, sentence) in [
        (Side::Player, "Your turn to the end of bar 4, then Antiphon's"),
        (Side::Antiphon, "Antiphon's turn to the end of bar 4, then yours"),
    ] {
        let turn = Some(ShownTurn { side, bars_left: 2, beats_left: 4 });
        assert_eq!(words_of(&Snapshot { turn, ..snapshot(false) }, PlayMode::Trade, false).3, sentence);
    }
}

#[test]
fn end_within_a_bar_is_named_by_its_beat() {
    let mut planned = plan(120, 384 + 36, &[]);
    planned.playing = true;
    let snapshot = Snapshot { plan: Some(planned), ..Snapshot::default() };
    assert_eq!(words_of(&snapshot, PlayMode::Suggest, false).3, "Antiphon plays to bar 5, beat 2");
}

#[test]
fn modes_that_play_by_themselves_wait_for_play_after_stop_and_say_when_they_go_on() {
    let stopped = Snapshot { is_stopped: true, joins_at: Some(Tick(144)), ..snapshot(false) };
    for (mode, text, then) in [
        (PlayMode::Answer, "Play in 2 beats", "answers at bar 2, beat 3"),
        (PlayMode::Trade, "Play from bar 3", "takes its turns"),
        (PlayMode::Accompany, "Play in 2 beats", "joins in at bar 2, beat 3"),
        (PlayMode::Infill, "Play", "fills bars 12 to 13"),
    ] {
        let (button, pressed, _, sentence) = words_of(&stopped, mode, false);
        assert_eq!((button.as_str(), pressed), (text, Button::Play), "{mode:?}");
        assert_eq!(sentence, format!("Antiphon is silent until you press Play, and then {then}"));
    }
    assert_eq!(words_of(&stopped, PlayMode::Suggest, false).3, "Antiphon plays when you press Play");
}

#[test]
fn standing_transport_is_named_with_what_play_does_then() {
    let snapshot = snapshot(false);
    let said = |mode, is_recalled| {
        let now = Now { playhead: MusicalTime(100.0), tempo: 120.0, motion: Motion::Stopped };
        let time = PlayTime { snapshot: &snapshot, now: &now, values: &values(mode), is_recalled };
        (time.button(), time.standing().ends_with("joins in within two beats"), time.tip().contains("joins in"))
    };
    for mode in PlayMode::ALL {
        let joins = mode == PlayMode::Accompany;
        assert_eq!(said(mode, false), ("Play".to_owned(), joins, joins), "{mode:?}");
        assert_eq!(said(mode, true), ("Play".to_owned(), false, false), "{mode:?}: a phrase of the history");
    }
}

#[test]
fn ruler_shows_where_play_would_begin_and_what_it_would_leave_out() {
    let line = Tick(192);
    let expected = Flags { starts: Some((line, "Play")), silent_before: Some(line), ..Flags::default() };
    assert_eq!(flags(PlayMode::Suggest, false, false), expected);
    for mode in [PlayMode::Answer, PlayMode::Accompany, PlayMode::Infill] {
        let is_lit = mode != PlayMode::Answer;
        assert_eq!(flags(mode, false, false), Flags { is_lit, ..Flags::default() }, "{mode:?} begins by itself");
    }
}

#[test]
fn phrase_of_the_history_has_one_start_where_its_plan_begins() {
    for mode in PlayMode::ALL {
        let Flags { starts, ends, silent_before, is_lit, .. } = flags(mode, false, true);
        let expected = (Some((Tick(120), "Play")), Some((Tick(384), After::Silence)), None);
        assert_eq!((starts, ends, silent_before), expected, "{mode:?}");
        assert!(!is_lit, "it waits for Play");
        let (.., sentence) = words_of(&snapshot(false), mode, true);
        assert_eq!(sentence, "Play starts this phrase at bar 2, beat 2");
    }
}

#[test]
fn ruler_shows_where_a_phrase_that_plays_ends() {
    for mode in [PlayMode::Suggest, PlayMode::Answer, PlayMode::Trade] {
        let after = if mode == PlayMode::Trade { After::You } else { After::Silence };
        assert_eq!(flags(mode, true, false), Flags { ends: Some((Tick(384), after)), is_lit: true, ..Flags::default() });
    }
    assert_eq!(flags(PlayMode::Accompany, true, false).ends, Some((Tick(384), After::More)));
    assert_eq!(flags(PlayMode::Infill, true, false).ends, None, "the band says it");
}
