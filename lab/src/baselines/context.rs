//! Contexts of the n-gram: what each field's estimate is conditioned on, by order.

use antiphon_engine::codec::NoteClasses;
use antiphon_engine::codec::vocabulary::Field;

use super::event::{Event, events};
use crate::corpus::Piece;

/// Context lengths, 0 to 5.
pub(super) const ORDERS: usize = 6;

/// Bits kept of a context's hash. With 20 million contexts in a table, one look-up in 50,000 of an absent context hits the counts of another.
pub(super) const CONTEXT_BITS: u32 = 40;

/// Bits of a class in a sort key.
pub(super) const CLASS_BITS: u32 = 9;

/// Value for an absent note.
const ABSENT: i32 = -1;

/// Interval to an absent note.
const NO_INTERVAL: i32 = -999;

/// Reference of intervals before the first note.
const MIDDLE_C: u8 = 60;

/// Class of a repeated pitch among the intervals.
const UNISON: u16 = 256;

/// The quantity that a family of tables predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A field's class.
    Of(Field),
    /// The pitch as the distance in semitones from the last note of its role.
    Interval,
}

impl Symbol {
    /// All symbols, in file order.
    pub(super) const ALL: [Self; 9] = [
        Self::Of(Field::Pitch),
        Self::Of(Field::Duration),
        Self::Of(Field::Velocity),
        Self::Of(Field::Offset),
        Self::Of(Field::Type),
        Self::Of(Field::Beat),
        Self::Of(Field::Sub),
        Self::Of(Field::Role),
        Self::Interval,
    ];

    /// Number of classes.
    pub(super) fn classes(self) -> u16 {
        match self {
            // Fields have at most 256 classes.
            Self::Of(field) => u16::try_from(field.classes()).unwrap_or(u16::MAX),
            Self::Interval => 2 * UNISON,
        }
    }

    /// The field it predicts.
    pub(super) const fn field(self) -> Field {
        match self {
            Self::Of(field) => field,
            Self::Interval => Field::Pitch,
        }
    }

    /// Name in the file of the baselines.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Of(field) => field.name(),
            Self::Interval => "interval",
        }
    }
}

/// A hashed context under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Context(u64);

impl Context {
    const EMPTY: Self = Self(0);

    /// The context extended by one value. The mixing is that of SplitMix64 (Steele, Lea and Flood 2014).
    fn with(self, value: i32) -> Self {
        let mut z = (self.0 ^ u64::from(value.cast_unsigned())).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(z ^ (z >> 31))
    }

    fn and<const N: usize>(self, values: [i32; N]) -> Self {
        values.into_iter().fold(self, Self::with)
    }

    /// Table key: the top [`CONTEXT_BITS`] bits.
    fn key(self) -> u64 {
        self.0 >> (u64::BITS - CONTEXT_BITS)
    }
}

/// One query of a family of tables: the probability of a class in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query {
    /// Table keys of the contexts, shortest first.
    pub(super) contexts: [u64; ORDERS],
    /// The true class.
    pub(super) class: u16,
    /// First possible class.
    pub(super) first: u16,
    /// End of the possible classes, exclusive.
    pub(super) end: u16,
}

/// Accessors for the values that contexts are made of.
struct View<'a> {
    event: &'a Event,
    target: NoteClasses,
}

impl View<'_> {
    fn past(&self, back: usize, value: impl Fn(&NoteClasses) -> u8) -> i32 {
        self.event.recent[back].as_ref().map_or(ABSENT, |past| i32::from(value(&past.note)))
    }

    fn role(&self, back: usize) -> i32 {
        self.past(back, |note| note.role)
    }

    fn pitch(&self, back: usize) -> i32 {
        self.past(back, |note| note.pitch)
    }

    fn duration(&self, back: usize) -> i32 {
        self.past(back, |note| note.duration)
    }

    fn velocity(&self, back: usize) -> i32 {
        self.past(back, |note| note.velocity)
    }

    fn offset(&self, back: usize) -> i32 {
        self.past(back, |note| note.offset)
    }

    /// Onset of a recent note, relative to the bar of the event.
    fn place(&self, back: usize) -> i32 {
        self.event.recent[back].as_ref().map_or(ABSENT, super::event::Past::place)
    }

    /// Onset and role of a recent note.
    fn onset_and_role(&self, back: usize) -> [i32; 2] {
        [self.place(back), self.role(back)]
    }

    /// Whether a recent note starts together with the target.
    fn together(&self, back: usize) -> i32 {
        i32::from(self.place(back) == i32::from(self.target.beat) * 24 + i32::from(self.target.sub))
    }

    /// A value of the last (0) or last but one (1) note of the target's role.
    fn same_role(&self, back: usize, value: impl Fn(&NoteClasses) -> u8) -> i32 {
        self.event.same_role[back].as_ref().map_or(ABSENT, |note| i32::from(value(note)))
    }

    /// Reference pitch of the interval.
    fn reference(&self) -> u8 {
        let last = self.event.recent[0].as_ref().map(|past| past.note.pitch);
        self.event.same_role[0].map(|note| note.pitch).or(last).unwrap_or(MIDDLE_C)
    }

    /// Type and beat: metre, and onsets of the last notes.
    fn rhythm(&self) -> [Context; ORDERS] {
        let order0 = Context::EMPTY.with(i32::from(self.event.metre));
        let order1 = order0.with(self.place(0));
        let order2 = order1.with(self.role(0));
        let order3 = order2.and(self.onset_and_role(1));
        let order4 = order3.and(self.onset_and_role(2));
        [order0, order1, order2, order3, order4, order4.and(self.onset_and_role(3)).and(self.onset_and_role(4))]
    }

    fn sub(&self) -> [Context; ORDERS] {
        let order0 = Context::EMPTY.with(i32::from(self.target.beat));
        let order1 = order0.with(self.place(0));
        let order2 = order1.and([self.role(0), self.duration(0)]);
        let order3 = order2.with(self.place(1));
        let order4 = order0.and(self.onset_and_role(0)).and(self.onset_and_role(1)).and(self.onset_and_role(2));
        let order5 = order4.and(self.onset_and_role(3)).and(self.onset_and_role(4)).and([self.duration(0), self.duration(1)]);
        [order0, order1, order2, order3, order4, order5]
    }

    fn roles(&self) -> [Context; ORDERS] {
        let onset = [i32::from(self.target.beat), i32::from(self.target.sub)];
        let together = [self.together(0), self.together(1), self.together(2)];
        let order0 = Context::EMPTY.and([together[0], self.role(0)]);
        let order1 = order0.and([together[1], self.role(1)]);
        let order2 = order1.and(onset);
        let order3 = Context::EMPTY.and(onset).and(together).and([self.role(0), self.role(1), self.role(2)]);
        let order4 = order3.and([self.role(3), self.pitch(0)]);
        let order5 = order4.and([self.role(4), self.role(5), self.pitch(1)]);
        [order0, order1, order2, order3, order4, order5]
    }

    fn pitches(&self) -> [Context; ORDERS] {
        let last = self.same_role(0, |note| note.pitch);
        let before = self.same_role(1, |note| note.pitch);
        let order0 = Context::EMPTY.with(i32::from(self.target.role));
        let order1 = order0.with(last);
        let order2 = order1.and([self.together(0), self.pitch(0)]);
        let order3 = order2.and([before, self.pitch(1)]);
        let order4 = order3.with(self.pitch(2));
        [order0, order1, order2, order3, order4, order4.and([self.pitch(3), self.pitch(4)])]
    }

    fn intervals(&self) -> [Context; ORDERS] {
        let reference = i32::from(self.reference());
        let from_reference = |pitch: i32| if pitch == ABSENT { NO_INTERVAL } else { pitch - reference };
        let recent = |back: usize| from_reference(self.pitch(back));
        let before = from_reference(self.same_role(1, |note| note.pitch));
        let order0 = Context::EMPTY.with(i32::from(self.target.role));
        let order1 = order0.and([self.together(0), recent(0)]);
        let order2 = order1.with(before);
        let order3 = order2.with(recent(1));
        let order4 = order3.with(recent(2));
        [order0, order1, order2, order3, order4, order4.and([recent(3), recent(4)])]
    }

    fn durations(&self) -> [Context; ORDERS] {
        let last = self.same_role(0, |note| note.duration);
        let before = self.same_role(1, |note| note.duration);
        let (beat, sub) = (i32::from(self.target.beat), i32::from(self.target.sub));
        let order0 = Context::EMPTY.with(i32::from(self.target.role));
        let order1 = order0.with(last);
        let order2 = order1.and([self.together(0), self.duration(0)]);
        let order3 = order2.with(sub);
        let order4 = order3.and([before, self.duration(1), beat]);
        let metre = i32::from(self.event.metre);
        let recent = [self.duration(0), self.duration(1), self.duration(2), self.duration(3)];
        [order0, order1, order2, order3, order4, order1.and([before, beat, sub, metre]).and(recent)]
    }

    /// Velocity and offset: the values of the last notes.
    fn articulation(&self, last: i32, recent: [i32; 3]) -> [Context; ORDERS] {
        let (beat, sub) = (i32::from(self.target.beat), i32::from(self.target.sub));
        let order0 = Context::EMPTY.with(i32::from(self.target.role));
        let order1 = order0.with(last);
        let order2 = order1.and([self.together(0), recent[0]]);
        let order3 = order2.with(recent[1]);
        let order4 = order3.and([recent[2], sub]);
        [order0, order1, order2, order3, order4, order1.and([beat, sub, i32::from(self.target.pitch)]).and(recent)]
    }

    fn contexts(&self, symbol: Symbol) -> [u64; ORDERS] {
        let contexts = match symbol {
            Symbol::Of(Field::Type | Field::Beat) => self.rhythm(),
            Symbol::Of(Field::Sub) => self.sub(),
            Symbol::Of(Field::Role) => self.roles(),
            Symbol::Of(Field::Pitch) => self.pitches(),
            Symbol::Interval => self.intervals(),
            Symbol::Of(Field::Duration) => self.durations(),
            Symbol::Of(Field::Velocity) => {
                let recent = [self.velocity(0), self.velocity(1), self.velocity(2)];
                self.articulation(self.same_role(0, |note| note.velocity), recent)
            }
            Symbol::Of(Field::Offset) => {
                let recent = [self.offset(0), self.offset(1), self.offset(2)];
                self.articulation(self.same_role(0, |note| note.offset), recent)
            }
        };
        contexts.map(Context::key)
    }
}

/// Query of an event; `None` if it does not predict the symbol's field.
pub(super) fn query(symbol: Symbol, event: &Event) -> Option<Query> {
    let class = u16::from(event.class(symbol.field())?);
    // Type is predicted before the target is known: its contexts must not depend on it.
    const NO_TARGET: NoteClasses = NoteClasses { beat: 0, sub: 0, role: 0, pitch: 0, duration: 0, velocity: 0, offset: 0 };
    let view = View { event, target: event.target.unwrap_or(NO_TARGET) };
    let contexts = view.contexts(symbol);
    Some(match symbol {
        Symbol::Of(_) => Query { contexts, class, first: 0, end: symbol.classes() },
        Symbol::Interval => {
            // The 256 intervals from the reference to a pitch.
            let first = UNISON - u16::from(view.reference());
            Query { contexts, class: first + class, first, end: first + 256 }
        }
    })
}

/// Queries of all events of some pieces, in order, where the field counts.
pub(super) fn queries(pieces: &[Piece], symbol: Symbol) -> Vec<Query> {
    use rayon::prelude::*;
    let counting = pieces.par_iter().filter(|piece| piece.counts(symbol.field()));
    counting.flat_map_iter(|piece| events(&piece.bars).filter_map(|event| query(symbol, &event))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bar, note, piece};
    use super::*;

    #[test]
    fn symbol_classes_fit_into_a_sort_key() {
        assert!(Symbol::ALL.iter().all(|symbol| u32::from(symbol.classes()) <= 1 << CLASS_BITS));
    }

    #[test]
    fn context_depends_on_order_and_value() {
        let a = Context::EMPTY.and([1, 2]);
        assert_ne!(a, Context::EMPTY.and([2, 1]));
        assert_ne!(a, Context::EMPTY.and([1, ABSENT]));
        assert_eq!(a, Context::EMPTY.with(1).with(2));
        assert!(a.key() < 1 << CONTEXT_BITS);
    }

    #[test]
    fn type_contexts_do_not_depend_on_the_target() {
        let types = |pitch| queries(&[piece(vec![bar(0, vec![note(0, 0, 60), note(1, 0, pitch)])])], Symbol::Of(Field::Type));
        assert_eq!(types(62)[1], types(70)[1]);
        assert_ne!(types(62)[1].contexts, types(62)[2].contexts);
    }

    #[test]
    fn transposition_changes_pitch_queries_and_keeps_interval_queries() {
        let tune = |by: u8| piece(vec![bar(0, [60, 64, 67, 64].iter().zip(0u8..).map(|(p, beat)| note(beat, 0, p + by)).collect())]);
        let (low, high) = ([tune(0)], [tune(5)]);
        let intervals =
            |pieces: &[Piece]| queries(pieces, Symbol::Interval).into_iter().skip(1).map(|q| (q.contexts, q.class)).collect::<Vec<_>>();
        assert_eq!(intervals(&low), intervals(&high));
        assert_ne!(queries(&low, Symbol::Of(Field::Pitch)), queries(&high, Symbol::Of(Field::Pitch)));
        // A third up from the first note.
        assert_eq!(queries(&low, Symbol::Interval)[1].class, UNISON + 4);
    }

    #[test]
    fn intervals_cover_every_pitch_and_no_more() {
        for pitch in [0, 59, 60, 255] {
            for target in [0, 255] {
                let q = queries(&[piece(vec![bar(0, vec![note(0, 0, pitch), note(1, 0, target)])])], Symbol::Interval)[1];
                assert_eq!(q.end - q.first, 256);
                assert!((q.first..q.end).contains(&q.class) && q.end <= Symbol::Interval.classes());
            }
        }
    }
}
