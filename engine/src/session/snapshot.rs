//! Snapshot of a session for the editor, and its shared cell.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::music::analysis::{BarHarmony, Chord, chords_of_bar};
use crate::music::{Bar, Metre, Note, Role, Tick};
use crate::plan::{Plan, PlanStats, Side, Variation};
use parking_lot::Mutex;

use super::withheld::WithheldNote;

/// State that the session publishes. All times are on the unwrapped clock.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Status line.
    pub status: Status,
    /// Bars of the context and the open bar, in order of time, without gaps.
    pub bars: Vec<ShownBar>,
    /// Key and chords of the finished bars of the context, as far as they were found.
    pub harmony: Vec<BarHarmony>,
    /// Notes that sounded, in canonical order. A key that is still held lasts until [`Tick::MAX`].
    pub played: Vec<Note>,
    /// Those of them that Antiphon played, in canonical order.
    pub by_antiphon: Vec<Note>,
    /// The plan that plays, otherwise the adopted one.
    pub plan: Option<ShownPlan>,
    /// Chords of the plan, in order of time.
    pub planned_chords: Vec<PlannedChord>,
    /// Planned notes that did not sound or, as the player holds keys now, will not, each with its reason.
    pub withheld: Vec<WithheldNote>,
    /// Numbers of the first bar of the host's loop, and of the first one after it: bars to come return there. Only if both are on bar lines.
    pub song_loop: Option<(i64, i64)>,
    /// In Infill, notes of the song in the bars to come, as they were heard last, in canonical order.
    pub song_ahead: Vec<Note>,
    /// Tick at which Play, which was pressed, takes effect; `None` once the plan sounds.
    pub play_from: Option<Tick>,
    /// Whether Stop was pressed: modes that play by themselves wait for Play.
    pub is_stopped: bool,
    /// First tick at which Antiphon can play by itself, if Play was pressed now; `None` while the clock stands.
    pub joins_at: Option<Tick>,
    /// Whose turn it is, in Trade.
    pub turn: Option<ShownTurn>,
    /// Variations of the plan.
    pub variations: ShownVariations,
    /// Locks of the plan.
    pub locks: ShownLocks,
    /// Memory of the player.
    pub memory: ShownMemory,
}

impl Snapshot {
    /// The same with this plan, and its chords.
    #[must_use]
    pub fn with_plan(mut self, shown: ShownPlan) -> Self {
        let plan = &shown.plan;
        self.planned_chords = self.chords_of(plan.between(shown.sounds_from, Tick::MAX), shown.sounds_from..plan.ready());
        self.plan = Some(shown);
        self
    }

    /// Chords of notes in canonical order, bar by bar, from the first tick of a stretch of time to the end of the bar in which it ends. They are those of the notes alone,
    /// whatever else sounds.
    #[must_use]
    pub fn chords_of(&self, notes: &[Note], time: Range<Tick>) -> Vec<PlannedChord> {
        let mut found = Vec::new();
        for bar in self.bars_between(time.start, time.end).map(|shown| shown.bar) {
            let chords = chords_of_bar(notes, &bar);
            let ends = chords.iter().skip(1).map(|(at, _)| bar.start + *at).chain([bar.end()]);
            let chords = chords.iter().zip(ends).map(|(&(at, chord), until)| PlannedChord { from: bar.start + at, until, chord });
            let chords = chords.filter(|chord| chord.until > time.start);
            found.extend(chords.map(|chord| PlannedChord { from: chord.from.max(time.start), ..chord }));
        }
        found
    }

    /// The notes that sounded, each with whether Antiphon played it: one walk through both lists, which are in the same order.
    pub fn played_by(&self) -> impl Iterator<Item = (&Note, bool)> {
        let mut rest = self.by_antiphon.as_slice();
        self.played.iter().map(move |note| {
            while let [first, others @ ..] = rest
                && first.order() < note.order()
            {
                rest = others;
            }
            let is_by_antiphon = rest.iter().take_while(|other| other.order() == note.order()).any(|other| other == note);
            (note, is_by_antiphon)
        })
    }

    /// The bar a tick lies in. Beyond either end the bars go on in the metre they have there.
    ///
    /// ```
    /// use antiphon_engine::music::{Bar, Metre, Tick};
    /// use antiphon_engine::session::{ShownBar, Snapshot};
    ///
    /// // A loop cut bar 5 short.
    /// let metre = Metre::new(4, 4).expect("a metre");
    /// let bar = ShownBar { bar: Bar { index: 0, start: Tick(0), length: Tick(10), metre }, number: 5 };
    /// let snapshot = Snapshot { bars: vec![bar], ..Snapshot::default() };
    /// assert_eq!(snapshot.bar_at(Tick(9)), bar);
    /// let next = snapshot.bar_at(Tick(10));
    /// assert_eq!((next.number, next.bar.start, next.bar.length), (6, Tick(10), Tick(96)), "the bars after it are whole");
    /// ```
    #[must_use]
    pub fn bar_at(&self, tick: Tick) -> ShownBar {
        let after = self.bars.partition_point(|shown| shown.bar.start <= tick);
        let nearest = self.bars.get(after.saturating_sub(1)).copied().unwrap_or(ShownBar::FIRST);
        let bar = nearest.bar;
        if bar.start <= tick && tick < bar.end() {
            return nearest;
        }
        let length = bar.metre.bar_length();
        // Beyond a bar that is cut short the next one starts where that ends.
        let (origin, number) = if tick < bar.start { (bar.start, nearest.number) } else { (bar.end(), nearest.number + 1) };
        let bars = (tick - origin).0.div_euclid(length.0);
        let number = match self.song_loop {
            Some((first, end)) if tick >= bar.end() && nearest.number < end && first < end && number + bars >= end => {
                first + (number + bars - end).rem_euclid(end - first)
            }
            _ => number + bars,
        };
        ShownBar { bar: Bar { start: origin + Tick(bars * length.0), length, ..bar }, number }
    }

    /// The bars that lie between two ticks, wholly or in part.
    pub fn bars_between(&self, from: Tick, to: Tick) -> impl Iterator<Item = ShownBar> + '_ {
        let following = |shown: &ShownBar| Some(self.bar_at(shown.bar.end()));
        std::iter::successors(Some(self.bar_at(from)), following).take_while(move |shown| shown.bar.start < to)
    }
}

/// A chord of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedChord {
    /// Its first tick.
    pub from: Tick,
    /// The tick after its last.
    pub until: Tick,
    /// The chord.
    pub chord: Chord,
}

/// A bar, with its number in the host's song.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownBar {
    /// The bar. Its index is not set.
    pub bar: Bar,
    /// Its number in the host's song: the first is 1, a count-in has 0 and less.
    pub number: i64,
}

impl ShownBar {
    /// Bar 1 in 4/4, where no bars are known.
    const FIRST: Self = Self { bar: Bar { index: 0, start: Tick::ZERO, length: Tick::quarters(4), metre: Metre::COMMON }, number: 1 };
}

/// Memory of the player, in bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShownMemory {
    /// Remembered.
    pub bars: usize,
    /// Forgotten, and brought back by [`Command::Forget`](super::Command::Forget); 0 if it would forget.
    pub forgotten: usize,
    /// In use by plans.
    pub used: usize,
}

/// A turn of Trade, and how much of it is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownTurn {
    /// Whose it is.
    pub side: Side,
    /// Bars after the current one.
    pub bars_left: u32,
    /// Beats of the metre left in the current bar, the current one included.
    pub beats_left: u32,
}

/// The four variations of the plan that is shown.
#[derive(Debug, Clone, Default)]
pub struct ShownVariations {
    /// The one that the plan that is shown was made as; while a phrase plays, that of the phrase, until another one takes over. Without a plan the one that the
    /// next plan is made as.
    pub shown: Variation,
    /// The one that the player has chosen and that is not shown yet: it will be when it is ready or, while a phrase plays, at the takeover.
    pub awaited: Option<Variation>,
    /// Those that are there, in the order of [`Variation::ALL`]: the one that is shown, and the others that are ready. While a plan plays the others are not:
    /// one that is chosen then is made first.
    pub plans: [Option<Plan>; Variation::ALL.len()],
    /// While a phrase plays that another one can take over from: when that is.
    pub takeover: Option<Takeover>,
}

/// When another variation takes over from the phrase that plays: the awaited one, or otherwise one that is chosen now.
#[derive(Debug, Clone, PartialEq)]
pub struct Takeover {
    /// Its first tick.
    pub at: Tick,
    /// The awaited one as far as it is delivered; `None` until it is being generated.
    pub plan: Option<Plan>,
}

impl ShownVariations {
    /// Whether a variation can be shown at once.
    #[must_use]
    pub const fn is_ready(&self, variation: Variation) -> bool {
        self.plans[variation.index()].is_some()
    }
}

/// What is locked of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownLocks {
    /// Locked notes, those of locked bars among them, in canonical order.
    notes: Vec<Note>,
    /// Bar lines of the locked bars.
    bars: Vec<Tick>,
}

impl ShownLocks {
    /// Locks of these notes and of the bars that begin at these ticks.
    #[must_use]
    pub const fn new(notes: Vec<Note>, bars: Vec<Tick>) -> Self {
        Self { notes, bars }
    }

    /// Whether nothing is locked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.bars.is_empty()
    }

    /// Locked notes, those of locked bars among them, in canonical order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Bar lines of the locked bars.
    #[must_use]
    pub fn bars(&self) -> &[Tick] {
        &self.bars
    }

    /// Whether a note of the plan is locked.
    #[must_use]
    pub fn holds(&self, note: &Note) -> bool {
        self.notes.binary_search_by_key(&note.order(), Note::order).is_ok()
    }

    /// Whether the bar that begins at a tick is locked.
    #[must_use]
    pub fn holds_bar(&self, start: Tick) -> bool {
        self.bars.contains(&start)
    }
}

/// The current plan.
#[derive(Debug, Clone)]
pub struct ShownPlan {
    /// The plan as far as it has been delivered.
    pub plan: Plan,
    /// Commit line: notes before it will sound as shown, later ones may still change.
    pub commit: Tick,
    /// Whether Play has latched it.
    pub playing: bool,
    /// First tick of it that sounds while it plays: Play begins at a bar line, and the plan may begin before it. Otherwise its first tick.
    pub sounds_from: Tick,
}

/// Status line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// ONNX Runtime.
    pub engine: Component,
    /// The weights and their graphs.
    pub model: Component,
    /// Counts of plans on time and late.
    pub plans: PlanStats,
    /// Remark for the player, in a sentence.
    pub remark: Option<String>,
    /// This instance among the others; `None` outside of a band.
    pub band: Option<BandStatus>,
}

/// An instance among the others in the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandStatus {
    /// Its number, from 1.
    pub number: u8,
    /// The instances it hears, with their roles.
    pub heard: Vec<(u8, Role)>,
    /// Beats at which another instance's notes came too late for the plan and counted a beat later.
    pub late: u64,
}

/// State of a component that the engine needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Component {
    /// Not requested: the host has not started the plug-in.
    #[default]
    Resting,
    /// Being loaded.
    Loading,
    /// Loaded: name and version.
    Ready(String),
    /// Missing or unusable.
    Missing {
        /// Description of the fault, and the cure.
        what: String,
        /// Places searched, in order, and what was wrong at each.
        looked_in: Vec<String>,
    },
}

/// Cell that holds the latest snapshot for the editor. Never touched on the audio thread.
#[derive(Default)]
pub struct SharedSnapshot {
    latest: Mutex<Arc<Snapshot>>,
    /// Whether a snapshot was published since the last call.
    is_new: AtomicBool,
    /// Repaint callback of the editor; set when one exists.
    call: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl SharedSnapshot {
    /// Replaces the snapshot.
    pub fn publish(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        // The lock is released before the old snapshot is freed.
        let _before = std::mem::replace(&mut *self.latest.lock(), snapshot);
        self.is_new.store(true, Ordering::Release);
    }

    /// Sets the repaint callback. It may be called on any thread but the audio thread, also while no window is open, and must not wait. Only the
    /// first callback that is set is used.
    pub fn call_with(&self, call: impl Fn() + Send + Sync + 'static) {
        let _ = self.call.set(Box::new(call));
    }

    /// Asks the editor to repaint, if there is one and a snapshot was published since it was asked last.
    pub fn call(&self) {
        if let Some(call) = self.call.get()
            && self.is_new.swap(false, Ordering::AcqRel)
        {
            call();
        }
    }

    /// The latest snapshot.
    #[must_use]
    pub fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.latest.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(number: i64, start: i64, length: i64, numerator: u8) -> ShownBar {
        let metre = Metre::new(numerator, 4).unwrap();
        ShownBar { bar: Bar { index: 0, start: Tick(start), length: Tick(length), metre }, number }
    }

    #[test]
    fn bar_at_extrapolates_beyond_both_ends() {
        // A loop from bar 5 back to bar 3 cut bar 5 short, and the metre changes there.
        let bars = [bar(4, 96, 96, 4), bar(5, 192, 30, 4), bar(3, 222, 72, 3)];
        let snapshot = Snapshot { bars: bars.to_vec(), ..Snapshot::default() };
        let at = |tick| snapshot.bar_at(Tick(tick));
        assert_eq!([96, 191, 192, 221, 222, 293].map(at), [bars[0], bars[0], bars[1], bars[1], bars[2], bars[2]]);
        assert_eq!([95, 0, -1].map(at), [bar(3, 0, 96, 4), bar(3, 0, 96, 4), bar(2, -96, 96, 4)]);
        assert_eq!([294, 366].map(at), [bar(4, 294, 72, 3), bar(5, 366, 72, 3)]);
        let between: Vec<_> = snapshot.bars_between(Tick(100), Tick(300)).map(|shown| shown.number).collect();
        assert_eq!(between, [4, 5, 3, 4]);
    }

    #[test]
    fn bar_at_after_a_shortened_bar_is_whole() {
        let snapshot = Snapshot { bars: vec![bar(1, 0, 10, 4)], ..Snapshot::default() };
        assert_eq!([10, 106].map(|tick| snapshot.bar_at(Tick(tick))), [bar(2, 10, 96, 4), bar(3, 106, 96, 4)]);
    }

    #[test]
    fn bars_to_come_return_at_the_end_of_the_loop() {
        let snapshot = Snapshot { bars: vec![bar(5, 0, 96, 4)], song_loop: Some((4, 7)), ..Snapshot::default() };
        let number = |snapshot: &Snapshot, place: i64| snapshot.bar_at(Tick(96 * place + 1)).number;
        assert_eq!([-1, 0, 1, 2, 3, 4, 5].map(|place| number(&snapshot, place)), [4, 5, 6, 4, 5, 6, 4]);
        let beyond = Snapshot { song_loop: Some((1, 3)), ..snapshot };
        assert_eq!([0, 1, 2].map(|place| number(&beyond, place)), [5, 6, 7], "the song has passed the loop");
    }

    #[test]
    fn notes_that_sounded_are_distinguished_by_who_played_them() {
        let note = |onset, pitch, velocity| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity, role: Role::Keys };
        // Two on one key at once differ in loudness alone.
        let played = vec![note(0, 60, 80), note(12, 60, 70), note(12, 60, 80), note(12, 64, 80), note(24, 60, 80)];
        let by = |antiphon: &[usize]| {
            let by_antiphon = antiphon.iter().map(|place| played[*place]).collect();
            let snapshot = Snapshot { played: played.clone(), by_antiphon, ..Snapshot::default() };
            snapshot.played_by().enumerate().filter(|(_, (_, is))| *is).map(|(place, _)| place).collect::<Vec<_>>()
        };
        for antiphon in [&[][..], &[0], &[1], &[2, 3], &[0, 4], &[0, 1, 2, 3, 4]] {
            assert_eq!(by(antiphon), antiphon);
        }
    }

    #[test]
    fn chords_of_a_plan_are_those_of_its_notes_from_where_it_sounds() {
        let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(96), pitch, velocity: 80, role: Role::Keys };
        let triads = [(0, [60, 64, 67]), (96, [57, 60, 64]), (192, [55, 59, 62])];
        let notes: Vec<Note> = triads.into_iter().flat_map(|(onset, pitches)| pitches.map(|pitch| note(onset, pitch))).collect();
        let named = |from: i64, until| {
            let inside = &notes[notes.partition_point(|note| note.onset < Tick(from))..];
            let chords = Snapshot::default().chords_of(inside, Tick(from)..Tick(until));
            chords.iter().map(|chord| (chord.from.0, chord.until.0, chord.chord.to_string())).collect::<Vec<_>>()
        };
        let [c, am, g] = [(0, 96, "C"), (96, 192, "Am"), (192, 288, "G")].map(|(from, until, name)| (from, until, name.to_owned()));
        assert_eq!(named(0, 288), [c, am.clone(), g.clone()]);
        assert_eq!(named(96, 200), [am, g.clone()], "to the end of the bar");
        assert_eq!(named(192, 288), [g]);
    }

    #[test]
    fn bar_at_without_bars_is_in_common_time() {
        assert_eq!(Snapshot::default().bar_at(Tick(100)), bar(2, 96, 96, 4));
    }

    #[test]
    fn repaint_is_asked_for_once_after_each_snapshot_and_a_second_callback_is_ignored() {
        let snapshot = SharedSnapshot::default();
        snapshot.call();
        let calls = Arc::new([const { std::sync::atomic::AtomicU8::new(0) }; 2]);
        for who in 0..2 {
            let calls = Arc::clone(&calls);
            snapshot.call_with(move || {
                calls[who].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
        }
        for _ in 0..2 {
            snapshot.publish(Snapshot::default());
            snapshot.call();
            snapshot.call();
        }
        assert_eq!(calls.each_ref().map(|count| count.load(std::sync::atomic::Ordering::Relaxed)), [2, 0]);
    }

    #[test]
    fn shared_snapshot_returns_the_last_published() {
        let snapshot = SharedSnapshot::default();
        assert!(snapshot.latest().bars.is_empty());
        snapshot.publish(Snapshot { bars: vec![bar(7, 0, 96, 4)], ..Snapshot::default() });
        assert_eq!(snapshot.latest().bars, [bar(7, 0, 96, 4)]);
    }
}
