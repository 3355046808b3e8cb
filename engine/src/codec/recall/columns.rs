//! Recall columns: notes of other bars at the target of a row.

use std::cmp::Reverse;

use super::BarRecall;
use super::bar::repeated;
use super::compared::{Compared, find, next_place};
use crate::codec::own::OwnRoles;
use crate::codec::row::{NoteClasses, Place, Row};
use crate::codec::vocabulary::{Kind, RECALL_COLUMNS, column};

/// Match counts at which the trust level rises: levels 1 to 4; below is level 0.
const LEVELS: [u8; 4] = [1, 3, 7, 15];

/// Number of distinct notes, and of distinct places after them, in a row.
const SLOTS: usize = 2;

/// In place of a beat: the bar has no further note.
const BAR_ENDS: u16 = 16;

impl BarRecall {
    /// Appends the notes of a bar's rows, and fills in the recall columns of each row that predicts.
    pub fn fill_in(&mut self, rows: &mut [Row]) {
        rows.iter().filter_map(Row::note).for_each(|note| self.push(&note));
        self.fill_columns(rows);
    }

    /// Fills in the recall columns of a bar's rows, whose notes have been appended.
    pub fn fill_columns(&self, rows: &mut [Row]) {
        let mut notes = 0;
        for row in rows {
            notes += usize::from(row.note().is_some());
            self.fill_row(notes, row);
        }
    }

    /// Fills in the recall columns of one row after the first `notes` notes, if it predicts.
    pub fn fill_row(&self, notes: usize, row: &mut Row) {
        let target = row.target();
        if target.is_none() && row.columns[column::KIND] != Kind::Bar as u16 {
            return;
        }
        let rank = target.map_or(0, |target| self.rank(notes, target));
        let asked = Asked { own: self.own, notes, target, rank };
        let to_repeat = repeated(row.columns[column::REPEATS]);
        row.columns[column::RECALL..][..RECALL_COLUMNS].copy_from_slice(&asked.columns(&self.back, to_repeat));
        if let Some(ahead) = &self.ahead {
            row.columns[column::AHEAD..][..RECALL_COLUMNS].copy_from_slice(&asked.columns(ahead, None));
        }
    }
}

/// What a row asks the bars for.
struct Asked {
    own: OwnRoles,
    /// Notes of its bar before it.
    notes: usize,
    target: Option<Place>,
    /// Rank of the note at its target.
    rank: usize,
}

impl Asked {
    /// The columns on the bars to one side; `to_repeat` comes first, by its place among [`RECALL_BARS`](super::RECALL_BARS).
    fn columns(&self, compared: &Compared, to_repeat: Option<usize>) -> [u16; RECALL_COLUMNS] {
        let matches = compared.matches.get(self.notes).copied().unwrap_or_default();
        // By match count; ties go to the nearest bar.
        let mut known: Vec<(usize, &[NoteClasses])> =
            compared.bars.iter().enumerate().filter_map(|(index, bar)| Some((index, bar.as_deref()?))).collect();
        known.sort_by_key(|&(index, _)| (to_repeat != Some(index), Reverse(matches[index])));

        let mut contents: [Option<(usize, &NoteClasses)>; SLOTS] = [None; SLOTS];
        let mut places: [Option<(usize, Option<Place>)>; SLOTS] = [None; SLOTS];
        for &(index, bar) in &known {
            if let Some(found) = self.target.and_then(|target| find(bar, target, self.rank))
                && contents.iter().flatten().all(|(_, other)| other.pitch != found.pitch)
                && let Some(slot) = contents.iter_mut().find(|slot| slot.is_none())
            {
                *slot = Some((index, found));
            }
            let place = next_place(bar, self.own, self.target, self.rank);
            if places.iter().flatten().all(|(_, other)| *other != place)
                && let Some(slot) = places.iter_mut().find(|slot| slot.is_none())
            {
                *slot = Some((index, place));
            }
        }
        let contents = contents.into_iter().flat_map(|slot| {
            slot.map_or([0; 4], |(index, note)| {
                let level = level(matches[index]);
                [
                    u16::try_from(index + 1).unwrap_or(0),
                    level * 256 + u16::from(note.pitch) + 1,
                    level * 64 + u16::from(note.duration) + 1,
                    level * 32 + u16::from(note.velocity) + 1,
                ]
            })
        });
        let places = places.into_iter().flat_map(|slot| {
            slot.map_or([0; 3], |(index, place)| {
                let level = level(matches[index]);
                place.map_or([level * 17 + BAR_ENDS + 1, 0, 0], |place| {
                    [level * 17 + u16::from(place.beat) + 1, level * 24 + u16::from(place.sub) + 1, level * 16 + u16::from(place.role) + 1]
                })
            })
        });
        let mut columns = [0; RECALL_COLUMNS];
        columns.iter_mut().zip(contents.chain(places)).for_each(|(column, value)| *column = value);
        columns
    }
}

/// Trust level of a match count: 0 to 4.
fn level(matches: u8) -> u16 {
    LEVELS.iter().map(|&from| u16::from(matches >= from)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{append_bar, columns, note};
    use super::super::{RECALL_BARS, Recall};
    use crate::codec::{BarEnd, BarFields, BarRows, Layout, NoteClasses, OwnRoles, align};
    use crate::music::Role;
    use crate::music::analysis::{NEW_BAR, REPEAT_BARS};

    const NOTHING: [u16; 14] = [0; 14];
    const KEYS: u16 = 1 + Role::Keys.class() as u16;

    #[test]
    fn repeated_bar_is_recalled_with_a_level_that_rises_with_every_note() {
        let mut recall = Recall::default();
        let melody = [note(0, 60), note(24, 62), note(48, 64)];
        assert!(append_bar(&mut recall, 0, &melody).iter().all(|row| columns(row) == NOTHING), "there is nothing before the first bar");
        let rows = append_bar(&mut recall, 1, &melody);
        assert_eq!(columns(&rows[0]), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[1]), [1, 61, 12, 21, 0, 0, 0, 0, 2, 1, KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[2]), [1, 256 + 63, 64 + 12, 32 + 21, 0, 0, 0, 0, 17 + 3, 24 + 1, 16 + KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[3]), [1, 256 + 65, 64 + 12, 32 + 21, 0, 0, 0, 0, 17 + 17, 0, 0, 0, 0, 0]);
        assert_eq!(columns(&rows[4]), NOTHING, "the last note predicts nothing");
        // Three matches at one bar back, and from here on two bars back is the same music.
        let rows = append_bar(&mut recall, 2, &melody);
        assert_eq!(columns(&rows[1])[..2], [1, 2 * 256 + 61]);
    }

    #[test]
    fn differing_bars_are_recalled_by_match_count() {
        let mut recall = Recall::default();
        append_bar(&mut recall, 0, &[note(0, 60), note(24, 62)]);
        append_bar(&mut recall, 1, &[note(0, 70), note(36, 72)]);
        let rows = append_bar(&mut recall, 2, &[note(0, 60), note(24, 62)]);
        // Before the first note both have no matches: the nearer bar comes first. Then bar 0, two bars back, has matched.
        assert_eq!(columns(&rows[1])[..8], [1, 71, 12, 21, 2, 61, 12, 21]);
        assert_eq!(columns(&rows[1])[8..], [2, 13, KEYS, 2, 1, KEYS]);
        assert_eq!(columns(&rows[2])[..8], [2, 256 + 63, 64 + 12, 32 + 21, 0, 0, 0, 0]);
    }

    #[test]
    fn bar_to_be_repeated_is_recalled_before_all_others() {
        assert!(REPEAT_BARS.iter().zip(RECALL_BARS).all(|(&to_repeat, recalled)| to_repeat == recalled as usize));
        let mut recall = Recall::default();
        append_bar(&mut recall, 0, &[note(0, 60), note(24, 62)]);
        append_bar(&mut recall, 1, &[note(0, 70), note(36, 72)]);
        let fields = BarFields { repeats: NEW_BAR + 2, ..BarFields::default() };
        let bar = BarRows { index: 2, ticks: 96, fields, notes: vec![note(0, 70), note(36, 72)] };
        let mut rows = align(&bar, BarEnd::Bar).0;
        recall.begin(2).fill_in(&mut rows);
        // Bar 0 comes first although it is farther away, and although the first note was that of bar 1.
        assert_eq!(columns(&rows[1])[..8], [2, 61, 12, 21, 1, 71, 12, 21]);
        assert_eq!(columns(&rows[1])[8..], [2, 1, KEYS, 2, 13, KEYS]);
        assert_eq!(columns(&rows[2])[..8], [1, 256 + 73, 64 + 12, 32 + 21, 0, 0, 0, 0]);
    }

    #[test]
    fn with_own_roles_the_next_place_is_one_of_theirs_and_the_others_count_as_evidence() {
        let of = |sub: u8, role: Role| NoteClasses { role: role.class(), ..note(sub, 60) };
        let bass = [of(0, Role::Bass), of(48, Role::Bass)];
        let others = [of(0, Role::Keys), of(24, Role::Keys)];
        let own = OwnRoles::new([Role::Bass]).unwrap();
        let mut recall = Recall::default();
        recall.set_own(own);
        let rows = [0, 1].map(|index| {
            let bar = BarRows { index, ticks: 96, notes: bass.to_vec(), ..BarRows::default() };
            let mut rows = Layout { own, ..Layout::default() }.align(&bar, &others, BarEnd::Bar).0;
            let mut open = recall.begin(index);
            open.fill_in(&mut rows);
            recall.finish(open);
            rows
        });
        // Two given rows come first; the bar before has been matched twice when the first own note is the target.
        let recalled: Vec<&[u16]> = rows[1][2..5].iter().map(|row| &columns(row)[8..11]).collect();
        let role = u16::from(Role::Bass.class()) + 1;
        assert_eq!(recalled, [&[17 + 1, 24 + 1, 16 + role], &[17 + 3, 24 + 1, 16 + role], &[2 * 17 + 17, 0, 0]]);
    }

    #[test]
    fn notes_of_a_chord_are_recalled_by_rank() {
        let mut recall = Recall::default();
        let chord = [note(0, 60), note(0, 64), note(0, 67)];
        append_bar(&mut recall, 0, &chord);
        let rows = append_bar(&mut recall, 1, &chord);
        assert_eq!([1, 2, 3].map(|row: usize| columns(&rows[row])[1] % 256), [61, 65, 68]);
    }
}
