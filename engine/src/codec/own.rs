//! Own roles: the roles to be generated. Notes of all other roles are given notes (docs/model-interface.md, section 2).
//!
//! Training orders rows in the same way (`own.py`); a fixture keeps the two equal.

use super::align::{BarEnd, align_given};
use super::row::{BarFields, BarRows, NoteClasses, Row, Targets};
use super::vocabulary::{Kind, MAX_BAR_TICKS, OWN_ROLES, column};
use crate::music::{Role, TICKS_PER_QUARTER, Tick};

/// Roles to be generated: one to three, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OwnRoles {
    /// Column values in ascending order, then zeros; all zero: every role.
    values: [u8; OWN_ROLES],
}

impl OwnRoles {
    /// Every role is an own role.
    pub const ALL: Self = Self { values: [0; OWN_ROLES] };

    /// These roles; `None` for no role, or for more than the [`OWN_ROLES`] columns of a row.
    #[must_use]
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Option<Self> {
        let mut values: Vec<u8> = roles.into_iter().map(|role| role.class() + 1).collect();
        values.sort_unstable();
        values.dedup();
        let mut own = Self::ALL;
        own.values.get_mut(..values.len())?.copy_from_slice(&values);
        (own != Self::ALL).then_some(own)
    }

    /// Whether the role of this class, 0 to 15, is an own role.
    #[must_use]
    pub fn contains(self, role: u8) -> bool {
        self == Self::ALL || self.values.iter().any(|&value| value == role + 1)
    }

    /// Sets the own-role columns of a BAR, NOTE or GIVEN row; other rows have none.
    pub fn mark(self, row: &mut Row) {
        let kind = row.columns[column::KIND];
        if kind == Kind::Bar as u16 || kind == Kind::Note as u16 || kind == Kind::Given as u16 {
            row.columns[column::OWN..column::CHORD].copy_from_slice(&self.values.map(u16::from));
        }
    }

    /// Conditioning without what is measured on the notes of all roles: rows with own roles are trained without it.
    #[must_use]
    pub fn conditioning(self, fields: BarFields) -> BarFields {
        if self == Self::ALL {
            return fields;
        }
        BarFields { metre: fields.metre, tempo: fields.tempo, key: fields.key, chords: fields.chords, ..BarFields::default() }
    }

    /// Own notes of a bar, and its given notes.
    #[must_use]
    pub fn partition(self, bar: &BarRows) -> (BarRows, Vec<NoteClasses>) {
        let (notes, others) = bar.notes.iter().partition(|note| self.contains(note.role));
        (BarRows { notes, ..bar.clone() }, others)
    }

    /// The bar with the notes of these roles alone; those of the others join the given notes, in canonical order.
    #[must_use]
    pub fn partition_given(self, bar: &BarRows, given: &[NoteClasses]) -> (BarRows, Vec<NoteClasses>) {
        let (bar, mut others) = self.partition(bar);
        let mut given = given.to_vec();
        if !others.is_empty() {
            given.append(&mut others);
            given.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        }
        (bar, given)
    }
}

/// Order of the GIVEN rows among the rows of their bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GivenOrder {
    /// Before all other rows: the given notes of the whole bar are known.
    #[default]
    First,
    /// Causal, in steps of a beat: a row with a target comes after the given notes that start before the target's beat. The first BAR row comes before all
    /// given notes, the row of the last own note, without a target, after all of them.
    ByBeat,
    /// [`ByBeat`](Self::ByBeat) in a bar known up to this tick, a multiple of a beat: own notes from there on are planned. The row that predicts the place of
    /// the first planned note comes after all known notes: that of the last own note before the tick, or else the first BAR row.
    Planned(Tick),
}

/// Row layout of the bars of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Layout {
    /// Roles to be generated.
    pub own: OwnRoles,
    /// Order of the given notes.
    pub given: GivenOrder,
}

impl Layout {
    /// Rows of a bar with own and given notes, in this layout, and their targets. The last row is SUM; the row of the last own note comes before it. See
    /// [`align_given`].
    #[must_use]
    pub fn align(self, bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, targets) = align_given(bar, given, end);
        rows.iter_mut().for_each(|row| self.own.mark(row));
        if self.given == GivenOrder::First {
            return (rows, targets);
        }
        let mut ranks: Vec<i64> = rows.iter().map(rank).collect();
        if let GivenOrder::Planned(from) = self.given {
            let chooses_before = |row: &Row| match row.target() {
                Some(target) => target.tick() < from,
                None => row.columns[column::KIND] == Kind::Bar as u16,
            };
            if let Some(chooser) = rows.iter().rposition(chooses_before) {
                ranks[chooser] = from.0.max(FIRST_ROW);
            }
        }
        let is_given = |index: &usize| rows[*index].columns[column::KIND] == Kind::Given as u16;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|index| (ranks[*index], is_given(index)));
        order.into_iter().map(|index| (rows[index], targets[index])).unzip()
    }
}

/// Rank of the first BAR row: before any tick.
const FIRST_ROW: i64 = -1;

/// Sort key of a row in [`GivenOrder::ByBeat`], in ticks from the bar line: given notes at an equal key come after it.
fn rank(row: &Row) -> i64 {
    let kind = row.columns[column::KIND];
    match row.target() {
        Some(target) => i64::from(target.beat) * TICKS_PER_QUARTER,
        None if kind == Kind::Bar as u16 => FIRST_ROW,
        None if kind == Kind::Given as u16 => row.key.tick,
        None if kind == Kind::Sum as u16 => MAX_BAR_TICKS + 1,
        None => MAX_BAR_TICKS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::analysis::Chord;

    fn note(tick: u8, role: Role, pitch: u8) -> NoteClasses {
        NoteClasses { beat: tick / 24, sub: tick % 24, role: role.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    fn bar(notes: &[NoteClasses]) -> BarRows {
        BarRows { ticks: 96, notes: notes.to_vec(), ..BarRows::default() }
    }

    fn bass() -> OwnRoles {
        OwnRoles::new([Role::Bass]).expect("one role")
    }

    /// Text of each row: its kind, the pitch of its note, and `>` with the pitch of its target.
    fn texts(layout: Layout, bar: &BarRows, given: &[NoteClasses]) -> Vec<String> {
        let (rows, targets) = layout.align(bar, given, BarEnd::Bar);
        let text = |(row, targets): (&Row, &Targets)| {
            let kind = ["", "pre", "bar", "note", "given", "sum"][usize::from(row.columns[column::KIND])];
            let pitch = row.note().map_or(String::new(), |note| note.pitch.to_string());
            let target = if targets[0] >= 0 { format!(">{}", targets[0]) } else { String::new() };
            format!("{kind}{pitch}{target}")
        };
        rows.iter().zip(&targets).map(text).collect()
    }

    #[test]
    fn own_roles_fill_their_columns_in_ascending_order_up_to_three() {
        let own = OwnRoles::new([Role::Drums, Role::Bass, Role::Drums]).unwrap();
        let of = bar(&[note(0, Role::Bass, 40)]);
        let (rows, _) = Layout { own, ..Layout::default() }.align(&of, &[note(0, Role::Melody, 60)], BarEnd::Bar);
        let columns: Vec<&[u16]> = rows.iter().map(|row| &row.columns[column::OWN..column::CHORD]).collect();
        assert_eq!(columns, [&[3, 4, 0], &[3, 4, 0], &[3, 4, 0], &[3, 4, 0], &[0; 3]]);
        assert!(own.contains(Role::Bass.class()) && !own.contains(Role::Melody.class()) && OwnRoles::ALL.contains(5));
        assert_eq!(OwnRoles::new(Role::ALL.into_iter().take(4)), None);
        assert_eq!(OwnRoles::new([]), None);
    }

    #[test]
    fn conditioning_measured_on_all_roles_is_unset_beside_others() {
        let fields = BarFields {
            metre: 1,
            tempo: 2,
            key: 3,
            density: 4,
            register: 5,
            span: 6,
            voices: 7,
            mood: 8,
            repeats: 9,
            chords: [Chord::named("F"); 2],
        };
        assert_eq!(bass().conditioning(fields), BarFields { metre: 1, tempo: 2, key: 3, chords: fields.chords, ..BarFields::default() });
        assert_eq!(OwnRoles::ALL.conditioning(fields), fields);
    }

    #[test]
    fn given_notes_by_beat_come_before_targets_of_later_beats() {
        let own = bar(&[note(0, Role::Bass, 40), note(30, Role::Bass, 41), note(72, Role::Bass, 42)]);
        let given = [note(0, Role::Melody, 60), note(12, Role::Melody, 61), note(36, Role::Melody, 62), note(84, Role::Melody, 63)];
        let by_beat = texts(Layout { own: bass(), given: GivenOrder::ByBeat }, &own, &given);
        let expected = ["bar", "bar>40", "given60", "given61", "note40>41", "given62", "note41>42", "given63", "note42", "sum"];
        assert_eq!(by_beat, expected);
        let without_own = texts(Layout { own: bass(), given: GivenOrder::ByBeat }, &bar(&[]), &given[..2]);
        assert_eq!(without_own, ["bar", "given60", "given61", "sum"]);
    }

    #[test]
    fn planned_part_begins_with_a_row_after_all_known_notes() {
        let own = bar(&[note(0, Role::Bass, 40), note(30, Role::Bass, 41), note(72, Role::Bass, 42)]);
        let given = [note(0, Role::Melody, 60), note(12, Role::Melody, 61), note(36, Role::Melody, 62)];
        let planned = |from: i64, given| texts(Layout { own: bass(), given: GivenOrder::Planned(Tick(from)) }, &own, given);
        let expected = ["bar", "bar>40", "given60", "given61", "given62", "note40>41", "note41>42", "note42", "sum"];
        assert_eq!(planned(48, &given), expected, "the row of the note at 30 predicts the place of the next");
        let expected = ["bar", "given60", "given61", "bar>40", "note40>41", "note41>42", "note42", "sum"];
        assert_eq!(planned(24, &given[..2]), expected);
        assert_eq!(planned(0, &[]), ["bar", "bar>40", "note40>41", "note41>42", "note42", "sum"]);
        let late = texts(Layout { own: bass(), given: GivenOrder::Planned(Tick(48)) }, &bar(&own.notes[2..]), &given);
        assert_eq!(late, ["given60", "given61", "given62", "bar", "bar>42", "note42", "sum"]);
    }
}
