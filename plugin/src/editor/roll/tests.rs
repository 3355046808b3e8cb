//! Geometry of the piano roll.

use egui::pos2;

use super::*;
use crate::clock::{Motion, MusicalTime};
use crate::editor::samples::plan;
use antiphon_engine::session::{ShownPlan, Withheld, WithheldNote};

const FRAME: Frame<'_> = Frame { horizon_bars: 4, silent_before: None, headroom: 0.0, is_plan: true, preview: None };

fn note(onset: i64, pitch: u8, role: Role) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role }
}

fn roll(snapshot: &Snapshot, playhead: f64) -> Roll {
    let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
    Roll::new(Rect::from_min_size(pos2(10.0, 20.0), vec2(800.0, 400.0)), snapshot, &now, FRAME, &View::default(), &Palette::LIGHT)
}

#[test]
fn playhead_stays_in_place_and_the_horizon_is_in_view() {
    let snapshot = Snapshot::default();
    let (start, later) = (roll(&snapshot, 0.0), roll(&snapshot, 1000.5));
    assert_eq!(start.playhead_x, later.playhead_x);
    assert!((later.x(1000.5) - later.playhead_x).abs() < 1e-3);
    assert!(later.x(1000.5 + 4.0 * 96.0) < later.music.right());
    assert!(later.x(1000.5 - 2.0 * 96.0) > later.music.left());
    assert!(later.first_tick().0 < 1000 - 192 && later.last_tick().0 > 1000 + 384);
}

#[test]
fn notes_in_view_have_rows_inside_the_roll() {
    let notes: Vec<_> =
        [0, 60, 127].map(|pitch| note(96, pitch, Role::Keys)).into_iter().chain((35..=81).map(|key| note(96, key, Role::Drums))).collect();
    for played in [&notes[..], &notes[..1], &notes[2..3], &notes[3..]] {
        let snapshot = Snapshot { played: played.to_vec(), ..Snapshot::default() };
        let roll = roll(&snapshot, 100.0);
        for note in played {
            let (top, height) = roll.rows.place(note).unwrap();
            assert!(height > 0.0 && top >= roll.music.top() - 0.01 && top + height <= roll.music.bottom() + 0.01, "{note:?}");
        }
    }
}

#[test]
fn notes_out_of_view_do_not_affect_the_rows() {
    let far = note(96 * 100, 127, Role::Keys);
    let with = |played: Vec<Note>| roll(&Snapshot { played, ..Snapshot::default() }, 100.0).rows;
    assert_eq!(with(vec![note(96, 60, Role::Keys), far]), with(vec![note(96, 60, Role::Keys)]));
}

#[test]
fn withheld_note_is_found_where_it_is_drawn_with_its_reason() {
    let notes = [note(100, 60, Role::Keys), note(130, 60, Role::Keys)];
    let shown = ShownPlan { playing: true, ..plan(96, 192, &notes) };
    let withheld = vec![WithheldNote { note: notes[1], reason: Withheld::KeyHeld }];
    let snapshot = Snapshot { plan: Some(shown), withheld, ..Snapshot::default() };
    let roll = roll(&snapshot, 96.0);
    let reason_at = |note: &Note| roll.withheld_at(roll.area(note).unwrap().center(), &snapshot).map(|withheld| withheld.reason);
    assert_eq!(notes.each_ref().map(reason_at), [None, Some(Withheld::KeyHeld)]);
    assert!(roll.withheld_at(roll.music.left_top(), &snapshot).is_none());
}

#[test]
fn roles_are_those_of_played_and_planned_notes() {
    let shown = plan(96, 192, &[note(100, 40, Role::Bass)]);
    let snapshot = Snapshot { played: vec![note(0, 60, Role::Keys)], plan: Some(shown), ..Snapshot::default() };
    assert_eq!(roles(super::shown(&snapshot)).collect::<Vec<_>>(), [Role::Bass, Role::Keys]);
}

#[test]
fn velocities_have_a_lane_in_a_high_roll_alone() {
    let now = Now { playhead: MusicalTime(0.0), tempo: 120.0, motion: Motion::Host };
    let lane = |height: f32| {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(800.0, height));
        let roll = Roll::new(rect, &Snapshot::default(), &now, FRAME, &View::default(), &Palette::LIGHT);
        assert_eq!(roll.velocities.top(), roll.music.bottom());
        roll.velocities.height()
    };
    assert!(lane(400.0) > 20.0 && lane(300.0) == 0.0);
}

#[test]
fn scrolled_view_keeps_its_place_while_the_playhead_moves_through_it() {
    let snapshot = Snapshot::default();
    let at = |playhead, view: &View| {
        let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
        Roll::new(Rect::from_min_size(pos2(10.0, 20.0), vec2(800.0, 400.0)), &snapshot, &now, FRAME, view, &Palette::LIGHT)
    };
    let scrolled = View::scrolled_to(-50.0);
    let (early, late) = (at(0.0, &scrolled), at(96.0, &scrolled));
    assert_eq!(early.x(20.0), late.x(20.0));
    assert!(late.playhead_x > early.playhead_x && (early.x(-50.0) - early.music.left()).abs() < 1e-3);
}

#[test]
fn planned_notes_before_the_bar_at_which_play_begins_are_neither_shown_nor_locked() {
    let notes = [note(120, 60, Role::Keys), note(200, 62, Role::Keys)];
    let snapshot = Snapshot { plan: Some(plan(110, 288, &notes)), ..Snapshot::default() };
    let mut roll = roll(&snapshot, 100.0);
    let shown = |roll: &Roll| roll.sounding(&snapshot).map(|note| note.pitch).collect::<Vec<_>>();
    let lock = |roll: &Roll| roll.lock_at(roll.area(&notes[0]).unwrap().center(), &snapshot);
    assert_eq!(shown(&roll), [60, 62]);
    assert!(lock(&roll).is_some());
    roll.is_plan = false;
    assert_eq!(lock(&roll), None, "a phrase of the history is not changed");
    (roll.is_plan, roll.silent_before) = (true, Some(Tick(192)));
    assert_eq!(shown(&roll), [62]);
    assert_eq!(lock(&roll), None);
}

#[test]
fn plan_may_change_from_where_it_is_not_settled_and_not_while_it_plays_or_if_it_is_of_the_history() {
    let mut snapshot = Snapshot { plan: Some(plan(96, 288, &[note(100, 60, Role::Keys)])), ..Snapshot::default() };
    let mut roll = roll(&snapshot, 90.0);
    snapshot.plan.as_mut().unwrap().commit = Tick(120);
    assert_eq!(roll.may_change_from(&snapshot), Some(Tick(120)));
    roll.silent_before = Some(Tick(192));
    assert_eq!(roll.may_change_from(&snapshot), Some(Tick(192)), "what Play leaves out is not shown");
    roll.is_plan = false;
    assert_eq!(roll.may_change_from(&snapshot), None, "a phrase of the history stays");
    roll.is_plan = true;
    snapshot.plan.as_mut().unwrap().playing = true;
    assert_eq!(roll.may_change_from(&snapshot), None, "what plays stays");
}
