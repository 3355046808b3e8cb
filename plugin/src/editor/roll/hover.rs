//! What a note of the piano roll is and where it comes from, in words, under the pointer.

use antiphon_engine::music::{Note, Role, TICKS_PER_QUARTER, Tick, pitch_name};
use antiphon_engine::session::{Command, Snapshot, WithheldNote};
use antiphon_roll::legend;
use egui::Pos2;

use super::locks::note_lock;
use super::{Marks, Roll};
use crate::editor::origin::{Origin, origins};

impl Roll {
    /// Description of the chord or the note under the pointer; of a note with the reason if it is left out, or with what a planned one agrees with.
    /// `to_lock` is the note there that a click locks or unlocks.
    pub(super) fn description_at(&self, pointer: Pos2, snapshot: &Snapshot, marks: Marks<'_>, to_lock: Option<&Note>) -> Option<String> {
        if let Some(words) = self.chord_words(pointer, snapshot, marks.chart) {
            return Some(words);
        }
        if let Some(withheld) = self.withheld_at(pointer, snapshot) {
            return Some(format!("{}\n{}", describe(&withheld.note, snapshot), withheld.reason.sentence()));
        }
        // Of notes that lie over each other the one drawn last.
        let hit = self.sounding(snapshot).filter(|note| self.is_at(note, pointer)).last()?;
        let chosen = marks.chart.at(snapshot.bar_at(hit.onset).number);
        let why: Vec<_> = origins(snapshot, hit, marks.memory, chosen).into_iter().map(Origin::words).collect();
        let mut lines = vec![describe(hit, snapshot)];
        if !why.is_empty() {
            lines.push(why.join("; "));
        }
        match to_lock.map(|note| note_lock(note, snapshot)) {
            Some(Command::Lock(_)) => lines.push("Click to lock: Another and the other variations leave it as it is".into()),
            Some(Command::Unlock(_)) => lines.push("Locked: click to unlock".into()),
            _ => {}
        }
        Some(lines.join("\n"))
    }

    /// The withheld note under the pointer.
    pub(super) fn withheld_at<'a>(&self, pointer: Pos2, snapshot: &'a Snapshot) -> Option<&'a WithheldNote> {
        snapshot.withheld.iter().find(|withheld| self.is_at(&withheld.note, pointer))
    }

    /// Whether a note lies under the pointer.
    pub(super) fn is_at(&self, note: &Note, pointer: Pos2) -> bool {
        // Two points of tolerance make small notes easier to hit.
        self.area(note).is_some_and(|area| area.expand(2.0).contains(pointer))
    }
}

/// Name, place, length, velocity and role of a note.
fn describe(note: &Note, snapshot: &Snapshot) -> String {
    let bar = snapshot.bar_at(note.onset);
    let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.bar.metre.denominator());
    let inside = (note.onset - bar.bar.start).0;
    // Beats count from 1; the rest is in hundredths of a beat.
    let place = format!("bar {}, beat {}{}", bar.number, inside / beat + 1, hundredths(inside % beat, beat));
    let length = if note.end() == Tick::MAX { "held".to_owned() } else { format!("{} long", quarters(note.duration.0)) };
    let name = if note.role == Role::Drums { legend::percussion(note.pitch) } else { pitch_name(note.pitch) };
    format!("{name}, {}\n{place}, {length}, velocity {}", note.role.name(), note.velocity)
}

fn hundredths(part: i64, whole: i64) -> String {
    if part == 0 { String::new() } else { format!(".{:02}", part * 100 / whole.max(1)) }
}

/// A length in quarter notes.
fn quarters(ticks: i64) -> String {
    let (whole, part) = (ticks / TICKS_PER_QUARTER, hundredths(ticks % TICKS_PER_QUARTER, TICKS_PER_QUARTER));
    if ticks == TICKS_PER_QUARTER { "1 quarter note".into() } else { format!("{whole}{part} quarter notes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::samples::bar;

    #[test]
    fn description_names_pitch_role_place_length_and_velocity() {
        let snapshot = Snapshot { bars: vec![bar(7, 96, 96, 4)], ..Snapshot::default() };
        let note = Note { onset: Tick(96 + 54), offset: 0, duration: Tick(36), pitch: 61, velocity: 80, role: Role::Keys };
        assert_eq!(describe(&note, &snapshot), "C#4, keys\nbar 7, beat 3.25, 1.50 quarter notes long, velocity 80");
        let drum = Note { role: Role::Drums, pitch: 38, onset: Tick(96), duration: Tick(24), ..note };
        assert_eq!(describe(&drum, &snapshot), "snare, drums\nbar 7, beat 1, 1 quarter note long, velocity 80");
    }

    #[test]
    fn key_that_is_held_has_no_length_yet() {
        let note = Note { onset: Tick(0), offset: 0, duration: Tick::MAX, pitch: 60, velocity: 1, role: Role::Keys };
        assert!(describe(&note, &Snapshot::default()).contains("held"));
    }
}
