//! Copies: the notes at the same place 1, 2, 4 and 8 bars ago.

use antiphon_engine::codec::vocabulary::{FIELDS, Field, next};
use antiphon_engine::codec::{BarRows, NoteClasses};

use super::class_of;

/// Distances in bars.
pub(super) const LAGS: [usize; 4] = [1, 2, 4, 8];

/// States of a lag: no prediction, or a prediction and none, some or all of its last three correct.
const STATES: usize = 4;

/// Number of weight sets of the mixture: a state for each lag.
pub(super) const BUCKETS: usize = STATES.pow(4);

/// How many of the last three notes a lag predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HitRate {
    Never = 1,
    Sometimes = 2,
    Always = 3,
}

/// Prediction of one lag for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    /// Class by field, in chain order, each given the true classes before it. ENDBAR stands for EOS too.
    classes: [Option<u8>; FIELDS],
    hit_rate: HitRate,
}

/// Predictions of all lags for one event; `None` where the piece does not reach that far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copies([Option<Copied>; LAGS.len()]);

impl Copies {
    /// Class that each lag predicts for a field.
    pub(super) fn classes(&self, field: Field) -> [Option<u8>; LAGS.len()] {
        self.0.map(|copied| copied.and_then(|copied| copied.classes[field as usize]))
    }

    /// Index of the weight set: the state of each lag.
    pub(super) fn bucket(&self, field: Field) -> usize {
        self.0.iter().fold(0, |bucket, copied| {
            let state = copied.filter(|copied| copied.classes[field as usize].is_some()).map_or(0, |copied| copied.hit_rate as usize);
            bucket * STATES + state
        })
    }
}

/// Canonical order inside a bar.
fn order(note: &NoteClasses) -> (u8, u8, u8, u8) {
    (note.beat, note.sub, note.role, note.pitch)
}

/// Prediction of an earlier bar for the note after `last` (`None`: the first note of the bar), whose true value is `target`.
fn predict(earlier: &[NoteClasses], last: Option<&NoteClasses>, target: Option<&NoteClasses>) -> [Option<u8>; FIELDS] {
    let mut classes = [None; FIELDS];
    let mut set = |field: Field, note: Option<&NoteClasses>| classes[field as usize] = note.and_then(|note| class_of(note, field));
    // Bars are in canonical order: the rest is what follows the last note.
    let rest = &earlier[earlier.partition_point(|note| last.is_some_and(|last| order(note) <= order(last)))..];
    let Some(target) = target else {
        classes[Field::Type as usize] = Some(if rest.is_empty() { next::ENDBAR } else { next::NOTE });
        return classes;
    };
    set(Field::Beat, rest.first());
    set(Field::Sub, rest.iter().find(|note| note.beat == target.beat));
    set(Field::Role, rest.iter().find(|note| (note.beat, note.sub) == (target.beat, target.sub)));
    let same_voice = |note: &&NoteClasses| (note.beat, note.sub, note.role) == (target.beat, target.sub, target.role);
    set(Field::Pitch, rest.iter().find(same_voice));
    // Duration, velocity and offset may be copied from any note at the place; best from one with the same pitch.
    let mut voice = earlier.iter().filter(same_voice);
    let played = voice.clone().find(|note| note.pitch == target.pitch).or_else(|| voice.next());
    for field in [Field::Duration, Field::Velocity, Field::Offset] {
        set(field, played);
    }
    classes[Field::Type as usize] = Some(if rest.is_empty() { next::ENDBAR } else { next::NOTE });
    classes
}

/// Whether an earlier bar continued with the same note, or its end.
fn hit(earlier: &[NoteClasses], last: Option<&NoteClasses>, target: Option<&NoteClasses>) -> bool {
    let following = earlier.iter().find(|note| last.is_none_or(|last| order(note) > order(last)));
    following.map(order) == target.map(order)
}

/// Copies for each event of a piece, in the order of [`super::event::events`].
pub(super) fn copies(bars: &[BarRows]) -> Vec<Copies> {
    let mut hits = [[false; 3]; LAGS.len()];
    let mut all = Vec::new();
    for (index, bar) in bars.iter().enumerate() {
        for row in 0..=bar.notes.len() {
            let last = row.checked_sub(1).and_then(|row| bar.notes.get(row));
            let target = bar.notes.get(row);
            let mut copies = [None; LAGS.len()];
            for ((copied, lag), hits) in copies.iter_mut().zip(LAGS).zip(&mut hits) {
                let Some(earlier) = index.checked_sub(lag).and_then(|earlier| bars.get(earlier)) else { continue };
                let hit_rate = match hits.iter().filter(|&&hit| hit).count() {
                    0 => HitRate::Never,
                    3 => HitRate::Always,
                    _ => HitRate::Sometimes,
                };
                *copied = Some(Copied { classes: predict(&earlier.notes, last, target), hit_rate });
                hits.rotate_right(1);
                hits[0] = hit(&earlier.notes, last, target);
            }
            all.push(Copies(copies));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::event::events;
    use super::super::tests::{bar, note};
    use super::*;

    #[test]
    fn exact_repeat_is_predicted_in_every_field() {
        let notes = || vec![note(0, 0, 48), note(0, 0, 60), note(1, 12, 64), note(3, 0, 67)];
        let bars: Vec<BarRows> = (0..10).map(|index| bar(index, notes())).collect();
        let events: Vec<_> = events(&bars).collect();
        let copies = copies(&bars);
        assert_eq!(events.len(), copies.len());
        for (event, copies) in events.iter().zip(&copies) {
            for (slot, lag) in LAGS.into_iter().enumerate() {
                for field in Field::ALL {
                    let truth = event.class(field).map(|class| if field == Field::Type { class.min(next::ENDBAR) } else { class });
                    let expected = if event.bar >= lag { truth } else { None };
                    assert_eq!(copies.classes(field)[slot], expected, "bar {} lag {lag} {field:?}", event.bar);
                }
            }
        }
        // After three hits every lag that has a bar is in its best state.
        assert_eq!(copies[copies.len() - 1].bucket(Field::Type), BUCKETS - 1);
        assert_eq!(copies[0].bucket(Field::Type), 0);
    }

    #[test]
    fn hit_rate_covers_the_last_three_events() {
        let bars = vec![bar(0, vec![note(0, 0, 60), note(1, 0, 62)]), bar(1, vec![note(0, 0, 60), note(1, 0, 63)])];
        let copies = copies(&bars);
        let records: Vec<_> = copies[3..].iter().map(|c| c.0[0].map(|c| c.hit_rate)).collect();
        // Before any event; after a hit; after a miss.
        assert_eq!(records, [Some(HitRate::Never), Some(HitRate::Sometimes), Some(HitRate::Sometimes)]);
    }

    #[test]
    fn later_fields_are_predicted_given_the_true_earlier_ones() {
        let soft = NoteClasses { velocity: 3, duration: 7, offset: 2, ..note(1, 0, 64) };
        let bars = vec![bar(0, vec![note(0, 0, 60), soft]), bar(1, vec![note(1, 0, 66)])];
        let first = copies(&bars)[3];
        let class = |field| first.classes(field)[0];
        assert_eq!(class(Field::Beat), Some(0), "the earlier bar starts on beat 0");
        assert_eq!(class(Field::Sub), Some(0), "and has a note on beat 1");
        assert_eq!(class(Field::Pitch), Some(64));
        assert_eq!((class(Field::Duration), class(Field::Velocity), class(Field::Offset)), (Some(7), Some(3), Some(2)));
    }

    #[test]
    fn empty_earlier_bar_predicts_the_end() {
        let bars = vec![bar(0, vec![]), bar(1, vec![note(0, 0, 60)])];
        let first = copies(&bars)[1];
        assert_eq!(first.classes(Field::Type)[0], Some(next::ENDBAR));
        assert_eq!(first.classes(Field::Beat)[0], None);
        assert_eq!(first.bucket(Field::Beat), 0);
    }
}
