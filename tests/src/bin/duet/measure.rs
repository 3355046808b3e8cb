//! Figures of an accompaniment: in the key, consonant with the player, diverse; and how soon it follows a transposition.

use std::collections::BTreeSet;

use antiphon_engine::music::analysis::{Scale, detect_key};
use antiphon_engine::music::{Bar, Note, TICKS_PER_QUARTER, Tick};
use serde_json::{Value, json};

use crate::live::Performance;
use crate::piece::Duet;

/// Intervals that are no second, tritone or seventh.
const CONSONANT: [u8; 7] = [0, 3, 4, 5, 7, 8, 9];
/// Bars that are compared with each other.
const DIVERSE: usize = 32;
/// Bars of the player's from which the key of one is found: itself, and as many before as after.
const AROUND: i64 = 2;
/// Share of the consonance before a transposition that counts as back.
const BACK: f64 = 0.95;
/// Bars over which it must be back: one bar has a few notes.
const WINDOW: usize = 2;

/// Sums over pieces.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    in_key: (usize, usize),
    consonant: (usize, usize),
    /// Distinct bars and all bars with a note, of the first 32 of each piece.
    distinct: (usize, usize),
    notes: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, duet: &Duet, notes: &[Note]) {
        self.notes += notes.len();
        let mut bars = Vec::new();
        for bar in &duet.bars {
            let own: Vec<&Note> = inside(notes, bar).collect();
            add(&mut self.in_key, in_key(&duet.player, bar, &own));
            add(&mut self.consonant, consonant(&duet.player, bar, &own));
            if !own.is_empty() {
                bars.push(own.iter().map(|note| (note.onset - bar.start, note.pitch)).collect::<Vec<_>>());
            }
        }
        bars.truncate(DIVERSE);
        add(&mut self.distinct, (bars.iter().collect::<BTreeSet<_>>().len(), bars.len()));
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of notes")]
    pub(crate) fn json(&self) -> Value {
        let share = |(part, whole): (usize, usize)| (whole > 0).then(|| part as f64 / whole as f64);
        let distinct = share(self.distinct).map(|share| share * DIVERSE as f64);
        json!({ "notes": self.notes, "in_key": share(self.in_key), "consonant": share(self.consonant), "distinct": distinct })
    }
}

fn add(sum: &mut (usize, usize), (part, whole): (usize, usize)) {
    *sum = (sum.0 + part, sum.1 + whole);
}

/// Notes that start in a bar.
fn inside<'a>(notes: &'a [Note], bar: &Bar) -> impl Iterator<Item = &'a Note> {
    let (from, to) = (bar.start, bar.end());
    notes.iter().filter(move |note| (from..to).contains(&note.onset))
}

/// Own notes in the key of the player's bars around this one, and all of them.
fn in_key(player: &[Note], bar: &Bar, own: &[&Note]) -> (usize, usize) {
    let around = Tick(AROUND * bar.length.0);
    let near: Vec<Note> = player.iter().filter(|note| (bar.start - around..bar.end() + around).contains(&note.onset)).copied().collect();
    let Some(key) = detect_key(&near) else { return (0, 0) };
    let classes: BTreeSet<u8> = Scale::of_key(key).pitch_classes().collect();
    (own.iter().filter(|note| classes.contains(&(note.pitch % 12))).count(), own.len())
}

/// Pairs of an own note and a note that the player sounds in its beat, consonant ones and all.
fn consonant(player: &[Note], bar: &Bar, own: &[&Note]) -> (usize, usize) {
    let mut pairs = (0, 0);
    for note in own {
        let beat = bar.start + Tick((note.onset - bar.start).0 / TICKS_PER_QUARTER * TICKS_PER_QUARTER);
        let sounding = player.iter().filter(|other| other.onset < beat + Tick(TICKS_PER_QUARTER) && other.end() > beat);
        for other in sounding {
            add(&mut pairs, (usize::from(CONSONANT.contains(&(note.pitch.abs_diff(other.pitch) % 12))), 1));
        }
    }
    pairs
}

/// Bars from the middle of the piece, where the player was transposed, until the accompaniment is nearly as consonant as before; `Some(None)` if it never is, `None`
/// if the piece has too few notes to tell.
#[allow(clippy::cast_precision_loss, reason = "counts of pairs")]
pub(crate) fn bars_until_consonant(duet: &Duet, transposed: &Performance, semitones: i16) -> Option<Option<usize>> {
    let middle = duet.bars.len() / 2;
    let player = duet.player_transposed(Some((duet.bars[middle].start, semitones)));
    let of = |bars: &[Bar]| {
        let counts = bars.iter().map(|bar| consonant(&player, bar, &inside(&transposed.notes, bar).collect::<Vec<_>>()));
        let (part, whole) = counts.fold((0, 0), |sum, bar| (sum.0 + bar.0, sum.1 + bar.1));
        (whole > 0).then(|| part as f64 / whole as f64)
    };
    let before = of(&duet.bars[..middle])?;
    let after = &duet.bars[middle..];
    of(after)?;
    Some((0..after.len()).find(|first| of(&after[*first..after.len().min(first + WINDOW)]).is_some_and(|share| share >= BACK * before)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_engine::music::{Metre, Role};

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(20), pitch, velocity: 80, role: Role::Keys }
    }

    const BAR: Bar = Bar { index: 0, start: Tick(96), length: Tick(96), metre: Metre::COMMON };

    #[test]
    fn consonance_compares_with_the_players_notes_of_the_same_beat() {
        let player = [note(96, 60), note(120, 62)];
        let (third, second, alone) = (note(108, 52), note(130, 61), note(170, 60));
        assert_eq!(consonant(&player, &BAR, &[&third, &second, &alone]), (1, 2));
    }

    #[test]
    fn key_is_that_of_the_players_bars() {
        let player: Vec<Note> =
            [60, 62, 64, 65, 67, 69, 71, 72].iter().zip(0..).map(|(pitch, place)| note(96 + 12 * place, *pitch)).collect();
        let (inside, outside) = (note(96, 43), note(108, 42));
        assert_eq!(in_key(&player, &BAR, &[&inside, &outside]), (1, 2));
    }
}
