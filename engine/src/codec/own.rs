//! Own roles: those that are generated. Everybody else's notes are given (docs/model-interface.md, section 2).
//!
//! Training lays out the same rows (`own.py`); a fixture holds the two together.

use super::align::{BarEnd, align_given};
use super::row::{BarRows, NoteClasses, Row, Targets};
use super::vocabulary::{Kind, MAX_BAR_TICKS, OWN_ROLES, column};
use crate::music::{Role, TICKS_PER_QUARTER, Tick};

/// One to three roles that are generated, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OwnRoles {
    /// Column values in ascending order, then zeros; all zero: every role.
    values: [u8; OWN_ROLES],
}

impl OwnRoles {
    /// Every role is generated.
    pub const ALL: Self = Self { values: [0; OWN_ROLES] };

    /// These roles; `None` if there is none, or more than the model can be told.
    #[must_use]
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Option<Self> {
        let mut values: Vec<u8> = roles.into_iter().map(|role| role.class() + 1).collect();
        values.sort_unstable();
        values.dedup();
        let mut own = Self::ALL;
        own.values.get_mut(..values.len())?.copy_from_slice(&values);
        (own != Self::ALL).then_some(own)
    }

    /// Whether a role, by its class, is among them.
    #[must_use]
    pub fn contains(self, role: u8) -> bool {
        self == Self::ALL || self.values.iter().any(|&value| value == role + 1)
    }

    /// Names them in a row, if it is one of those that do: BAR, NOTE and GIVEN.
    pub fn mark(self, row: &mut Row) {
        let kind = row.columns[column::KIND];
        if kind == Kind::Bar as u16 || kind == Kind::Note as u16 || kind == Kind::Given as u16 {
            row.columns[column::OWN..].copy_from_slice(&self.values.map(u16::from));
        }
    }

    /// A bar's notes, parted into those of these roles and those of others.
    #[must_use]
    pub fn part(self, bar: &BarRows) -> (BarRows, Vec<NoteClasses>) {
        let (notes, others) = bar.notes.iter().partition(|note| self.contains(note.role));
        (BarRows { notes, ..bar.clone() }, others)
    }

    /// The bar with the notes of these roles alone; those of the others join the given notes, in canonical order.
    #[must_use]
    pub fn part_given(self, bar: &BarRows, given: &[NoteClasses]) -> (BarRows, Vec<NoteClasses>) {
        let (bar, mut others) = self.part(bar);
        let mut given = given.to_vec();
        if !others.is_empty() {
            given.append(&mut others);
            given.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        }
        (bar, given)
    }
}

/// Where the rows of given notes stand among those of their bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GivenOrder {
    /// First: all of the bar is known beforehand.
    #[default]
    First,
    /// As a player is heard: a row that asks for a note sees what others began before that note's beat. The first BAR row sees nothing of its bar, and the
    /// row without a target of the last own note comes when the bar has ended.
    Heard,
    /// The same in a bar that is being played: others are known up to this tick of it, a beat, and own notes from there on are planned. The row that says
    /// where the first of these comes stands after all that is known: that of the last own note before the tick, or the first BAR row.
    Planned(Tick),
}

/// How the bars of a sequence become rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Layout {
    /// The roles that are generated.
    pub own: OwnRoles,
    /// Where given notes stand.
    pub given: GivenOrder,
}

impl Layout {
    /// The rows of a bar with its own notes and those given, in their order, and their true outputs; SUM is the last row, and before it comes that of the
    /// last own note. See [`align_given`].
    #[must_use]
    pub fn align(self, bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, targets) = align_given(bar, given, end);
        rows.iter_mut().for_each(|row| self.own.mark(row));
        if self.given == GivenOrder::First {
            return (rows, targets);
        }
        let mut ranks: Vec<i64> = rows.iter().map(rank).collect();
        if let GivenOrder::Planned(from) = self.given {
            let asks_before = |row: &Row| match row.target() {
                Some(target) => target.tick() < from,
                None => row.columns[column::KIND] == Kind::Bar as u16,
            };
            if let Some(turn) = rows.iter().rposition(asks_before) {
                ranks[turn] = from.0.max(FIRST_ROW);
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

/// When a row comes in a bar in which a player is heard, in ticks.
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

    fn note(tick: u8, role: Role, pitch: u8) -> NoteClasses {
        NoteClasses { beat: tick / 24, sub: tick % 24, role: role.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    fn bar(notes: &[NoteClasses]) -> BarRows {
        BarRows { ticks: 96, notes: notes.to_vec(), ..BarRows::default() }
    }

    fn bass() -> OwnRoles {
        OwnRoles::new([Role::Bass]).expect("one role")
    }

    /// Each row in a word: what it carries, and the pitch it is asked for.
    fn words(layout: Layout, bar: &BarRows, given: &[NoteClasses]) -> Vec<String> {
        let (rows, targets) = layout.align(bar, given, BarEnd::Bar);
        let word = |(row, targets): (&Row, &Targets)| {
            let kind = ["", "pre", "bar", "note", "given", "sum"][usize::from(row.columns[column::KIND])];
            let carried = row.note().map_or(String::new(), |note| note.pitch.to_string());
            let asked = if targets[0] >= 0 { format!(">{}", targets[0]) } else { String::new() };
            format!("{kind}{carried}{asked}")
        };
        rows.iter().zip(&targets).map(word).collect()
    }

    #[test]
    fn roles_are_named_in_order_and_up_to_three() {
        let own = OwnRoles::new([Role::Drums, Role::Bass, Role::Drums]).unwrap();
        let of = bar(&[note(0, Role::Bass, 40)]);
        let (rows, _) = Layout { own, ..Layout::default() }.align(&of, &[note(0, Role::Melody, 60)], BarEnd::Bar);
        let named: Vec<&[u16]> = rows.iter().map(|row| &row.columns[column::OWN..]).collect();
        assert_eq!(named, [&[3, 4, 0], &[3, 4, 0], &[3, 4, 0], &[3, 4, 0], &[0; 3]]);
        assert!(own.contains(Role::Bass.class()) && !own.contains(Role::Melody.class()) && OwnRoles::ALL.contains(5));
        assert_eq!(OwnRoles::new(Role::ALL.into_iter().take(4)), None);
        assert_eq!(OwnRoles::new([]), None);
    }

    #[test]
    fn player_is_heard_before_what_is_asked_for_in_a_later_beat() {
        let own = bar(&[note(0, Role::Bass, 40), note(30, Role::Bass, 41), note(72, Role::Bass, 42)]);
        let given = [note(0, Role::Melody, 60), note(12, Role::Melody, 61), note(36, Role::Melody, 62), note(84, Role::Melody, 63)];
        let heard = words(Layout { own: bass(), given: GivenOrder::Heard }, &own, &given);
        let expected = ["bar", "bar>40", "given60", "given61", "note40>41", "given62", "note41>42", "given63", "note42", "sum"];
        assert_eq!(heard, expected);
        let silent = words(Layout { own: bass(), given: GivenOrder::Heard }, &bar(&[]), &given[..2]);
        assert_eq!(silent, ["bar", "given60", "given61", "sum"]);
    }

    #[test]
    fn plan_begins_with_a_row_that_knows_all_that_was_heard() {
        let own = bar(&[note(0, Role::Bass, 40), note(30, Role::Bass, 41), note(72, Role::Bass, 42)]);
        let given = [note(0, Role::Melody, 60), note(12, Role::Melody, 61), note(36, Role::Melody, 62)];
        let planned = |from: i64, given| words(Layout { own: bass(), given: GivenOrder::Planned(Tick(from)) }, &own, given);
        let expected = ["bar", "bar>40", "given60", "given61", "given62", "note40>41", "note41>42", "note42", "sum"];
        assert_eq!(planned(48, &given), expected, "the row of the note at 30 says what comes after it");
        let expected = ["bar", "given60", "given61", "bar>40", "note40>41", "note41>42", "note42", "sum"];
        assert_eq!(planned(24, &given[..2]), expected);
        assert_eq!(planned(0, &[]), ["bar", "bar>40", "note40>41", "note41>42", "note42", "sum"]);
        let late = words(Layout { own: bass(), given: GivenOrder::Planned(Tick(48)) }, &bar(&own.notes[2..]), &given);
        assert_eq!(late, ["given60", "given61", "given62", "bar", "bar>42", "note42", "sum"]);
    }
}
