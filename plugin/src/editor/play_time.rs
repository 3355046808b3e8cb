//! When Play takes effect, when the button stops instead, and what the mode does by itself: for the button, the ruler and the status line.

use std::collections::BTreeSet;

use antiphon_engine::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{AnswerAfter, PlayMode, Side, Variation};
use antiphon_engine::session::{ControlValues, ShownBar, ShownPlan, ShownTurn, Snapshot};

use super::infill;
use super::model::Now;
use super::swap::Swap;
use super::words::count;
use crate::clock::Motion;
use crate::triggers::Button;

/// Time within which a note that sounds is reported: with long blocks and at a fast tempo an eighth of a second is that long.
const REPORTED: Tick = Tick(TICKS_PER_QUARTER / 2);

/// A frame's snapshot, as far as it concerns when Antiphon plays.
#[derive(Clone, Copy)]
pub(super) struct PlayTime<'a> {
    /// The session's snapshot, with the phrase of the history if one is shown, and with what will sound if a swap is ahead.
    pub(super) snapshot: &'a Snapshot,
    /// Clock state.
    pub(super) now: &'a Now,
    /// Values of the controls.
    pub(super) values: &'a ControlValues,
    /// Whether a phrase of the history is shown in place of the plan.
    pub(super) is_recalled: bool,
}

/// What begins where a phrase of Antiphon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Nothing.
    Silence,
    /// The player's turn.
    You,
    /// More of Antiphon, which is not planned yet.
    More,
}

/// Whether Antiphon sounds. Button and card look alike in each of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Nothing sounds, and nothing is about to.
    None,
    /// It was started and waits for its place, or plays by itself when it is time.
    Waits,
    /// It sounds.
    Plays,
}

/// Where in the ruler Antiphon starts and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    /// Bar line of its first note to sound, with the word that stands there.
    pub(super) starts: Option<(Tick, &'static str)>,
    /// Where another variation takes over from the phrase that plays.
    pub(super) swap: Option<(Tick, Variation)>,
    /// The tick after its last one, and what follows.
    pub(super) ends: Option<(Tick, After)>,
    /// Planned notes before this tick will not sound.
    pub(super) silent_before: Option<Tick>,
    /// Whether the plan sounds without anything more: it was started, or its mode starts it.
    pub(super) is_lit: bool,
}

impl PlayTime<'_> {
    fn mode(&self) -> PlayMode {
        self.values.plan.mode
    }

    fn is_playing(&self) -> bool {
        self.snapshot.plan.as_ref().is_some_and(|shown| shown.playing)
    }

    /// The next bar line, where Play takes effect if it is pressed now.
    fn next_bar(&self) -> Tick {
        self.snapshot.bar_at(self.now.playhead.tick()).bar.end()
    }

    /// First tick of the fill that Infill has ready and that does not sound yet.
    fn fill_from(&self) -> Option<Tick> {
        let is_ahead = self.mode() == PlayMode::Infill && !self.snapshot.is_stopped && !self.is_recalled && !self.is_playing();
        let shown = self.snapshot.plan.as_ref().filter(|_| is_ahead && self.now.motion != Motion::Stopped)?;
        Some(shown.plan.brief.start).filter(|start| start.0 as f64 > self.now.playhead.0)
    }

    /// Tick at which a phrase that was started will begin: Play was pressed, or it is latched and its place is ahead. A turn and a fill begin by themselves.
    fn begins_at(&self) -> Option<Tick> {
        let is_started = self.is_playing() && matches!(self.mode(), PlayMode::Suggest | PlayMode::Answer);
        let latched = || self.snapshot.plan.as_ref().filter(|_| is_started).map(|shown| self.sounds_from(shown));
        self.snapshot.play_from.or_else(latched).filter(|from| from.0 as f64 > self.now.playhead.0)
    }

    /// Beats of the metre until Antiphon begins, the current one included: after Play was pressed, and before a fill. `None` if it plays, or nothing is awaited.
    pub(super) fn beats_left(&self) -> Option<u32> {
        let from = self.begins_at().or_else(|| self.fill_from())?;
        let left = from.0 as f64 - self.now.playhead.0;
        let denominator = self.snapshot.bar_at(self.now.playhead.tick()).bar.metre.denominator();
        let beats = (left / (TICKS_PER_QUARTER * 4 / i64::from(denominator)) as f64).ceil();
        // More would be a plan that was moved since.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range that is checked")]
        (1.0..=64.0).contains(&beats).then_some(beats as u32)
    }

    /// Whether Antiphon sounds, or waits to.
    pub(super) fn sound(&self) -> Sound {
        let shown = self.snapshot.plan.as_ref().filter(|shown| shown.playing);
        match self.pressed() {
            Button::Stop if shown.is_some_and(|shown| self.sounds_from(shown).0 as f64 <= self.now.playhead.0) => Sound::Plays,
            Button::Stop => Sound::Waits,
            _ => Sound::None,
        }
    }

    /// First tick from which a plan that plays sounds: Play begins at a bar line, and the plan may begin before it. Known from its notes: those of it that
    /// sounded, and those that have passed and did not.
    fn sounds_from(&self, shown: &ShownPlan) -> Tick {
        let (start, playhead) = (shown.plan.brief.start, self.now.playhead.tick());
        let passed = shown.plan.between(start, playhead);
        if let Some(first) = passed.iter().find(|note| self.has_sounded(note)) {
            return self.snapshot.bar_at(first.onset).bar.start.max(start);
        }
        // What started just now may not be reported yet; what was left out was to sound.
        let was_left_out = |note: &Note| self.snapshot.withheld.iter().any(|withheld| withheld.note == *note);
        let is_silent = |note: &Note| note.onset < playhead - REPORTED && !was_left_out(note);
        if passed.iter().any(is_silent) { self.next_bar() } else { start }
    }

    /// Whether Antiphon played a note of its plan, however long.
    fn has_sounded(&self, note: &Note) -> bool {
        let notes = &self.snapshot.by_antiphon;
        let from = notes.partition_point(|other| other.onset < note.onset);
        let same = |other: &Note| (other.pitch, other.role) == (note.pitch, note.role);
        notes[from..].iter().take_while(|other| other.onset == note.onset).any(same)
    }

    /// Whether a phrase was started and is still ahead.
    fn is_pending(&self) -> bool {
        self.begins_at().is_some()
    }

    /// Which button Play's is now: Stop while Antiphon plays, is about to, or plays by itself when it is time.
    pub(super) fn pressed(&self) -> Button {
        let waits = matches!(self.mode(), PlayMode::Accompany | PlayMode::Infill) && !self.snapshot.is_stopped && !self.is_recalled;
        let has_begun = self.is_playing() || self.is_pending() || waits;
        if self.snapshot.plan.is_some() && self.now.motion != Motion::Stopped && has_begun { Button::Stop } else { Button::Play }
    }

    /// What the button does.
    pub(super) fn button(&self) -> String {
        let from = || format!("Play from bar {}", self.snapshot.bar_at(self.next_bar()).number);
        match self.mode() {
            _ if self.pressed() == Button::Stop => if self.is_pending() && self.sound() == Sound::Waits { "Cancel" } else { "Stop" }.into(),
            // The clock starts with it.
            _ if self.snapshot.plan.is_none() || self.now.motion == Motion::Stopped => "Play".into(),
            _ if self.is_recalled => from(),
            PlayMode::Suggest | PlayMode::Trade => from(),
            PlayMode::Answer if !self.snapshot.is_stopped => "Answer now".into(),
            PlayMode::Answer | PlayMode::Accompany | PlayMode::Infill => "Play".into(),
        }
    }

    /// What becomes of the phrase that is chosen, for its card. `None` without one, and while one plays, which its card says.
    pub(super) fn chosen(&self) -> Option<String> {
        if self.snapshot.plan.is_none() || self.is_playing() && !self.is_pending() {
            return None;
        }
        if let Some(from) = self.begins_at() {
            return Some(format!("starts at {}", place(self.snapshot, from)));
        }
        let waits_for_play = self.is_recalled || self.snapshot.is_stopped || self.now.motion == Motion::Stopped;
        let words = match self.mode() {
            _ if waits_for_play => "Play starts this",
            PlayMode::Suggest => "Play starts this",
            PlayMode::Answer => "answers you next",
            PlayMode::Trade => "plays next",
            PlayMode::Accompany => "plays along",
            PlayMode::Infill => "fills the bars",
        };
        Some(words.into())
    }

    /// What the ruler shows.
    pub(super) fn flags(&self) -> Flags {
        let starts_itself = matches!(self.mode(), PlayMode::Trade | PlayMode::Accompany | PlayMode::Infill) && !self.snapshot.is_stopped;
        let is_lit = self.is_playing() || self.is_pending() || starts_itself && !self.is_recalled;
        Flags { is_lit, ..self.places() }
    }

    fn places(&self) -> Flags {
        let Some(shown) = &self.snapshot.plan else { return Flags::default() };
        if self.now.motion == Motion::Stopped {
            return Flags::default();
        }
        let begins = shown.plan.brief.start;
        let after = match self.mode() {
            PlayMode::Trade => After::You,
            PlayMode::Accompany => After::More,
            PlayMode::Suggest | PlayMode::Answer | PlayMode::Infill => After::Silence,
        };
        let ends = (shown.plan.brief.end, after);
        if shown.playing {
            let from = self.sounds_from(shown);
            let starts = (from.0 as f64 > self.now.playhead.0).then_some((from, "starts"));
            let swap = self.swap();
            // Where the one ends that takes over is not known before it is being made. The band says where a fill ends.
            let has_end = self.mode() != PlayMode::Infill && swap.is_none_or(|swap| swap.plan.is_some());
            let swap = swap.map(|swap| (swap.at, swap.to));
            return Flags {
                starts,
                swap,
                ends: has_end.then_some(ends),
                silent_before: (from > begins).then_some(from),
                ..Flags::default()
            };
        }
        match self.mode() {
            // It stays as it is, so its end is known, too.
            _ if self.is_recalled => {
                let word = if self.is_pending() { "starts" } else { "Play" };
                Flags { starts: Some((begins, word)), ends: Some((ends.0, After::Silence)), ..Flags::default() }
            }
            PlayMode::Suggest => {
                let line = self.begins_at().unwrap_or_else(|| self.next_bar());
                let word = if self.is_pending() { "starts" } else { "Play" };
                let ends = self.is_pending().then_some(ends);
                Flags { starts: Some((line, word)), silent_before: Some(line), ends, ..Flags::default() }
            }
            PlayMode::Trade => Flags { starts: Some((begins, "starts")), ends: Some(ends), ..Flags::default() },
            PlayMode::Answer | PlayMode::Accompany | PlayMode::Infill => Flags::default(),
        }
    }

    /// What the mode does, in a sentence: who plays now, or what makes Antiphon play.
    pub(super) fn sentence(&self) -> String {
        let plays = self.is_playing();
        if let Some(swap) = self.swap() {
            let Swap { from, to, at, plan } = swap;
            let end = plan.map_or_else(String::new, |_| format!(" and plays to {}", self.end()));
            let new = if from == to { "A new " } else { "" };
            return format!("{new}{} starts at {}{end}; until then {} plays", to.name(), place(self.snapshot, at), from.name());
        }
        match self.mode() {
            _ if self.is_recalled && !plays => format!("Play starts this phrase{}", self.starts_at()),
            PlayMode::Suggest if self.is_pending() => {
                let from = self.begins_at().unwrap_or_default();
                format!("Antiphon begins at {} and plays to {}", place(self.snapshot, from), self.end())
            }
            PlayMode::Suggest if plays => format!("Antiphon plays to {}", self.end()),
            PlayMode::Suggest if !self.snapshot.locks.is_empty() => {
                "Antiphon plays when you press Play; Another leaves what is locked".into()
            }
            PlayMode::Suggest => "Antiphon plays when you press Play".into(),
            _ if self.snapshot.is_stopped => "Antiphon is silent until you press Play".into(),
            PlayMode::Answer if plays => format!("Antiphon answers to {}, or until you play", self.end()),
            PlayMode::Answer => {
                let pause = match self.values.turns.answer_after {
                    AnswerAfter::Beat => "1 beat",
                    AnswerAfter::TwoBeats => "2 beats",
                    AnswerAfter::Bar => "1 bar",
                    AnswerAfter::TwoBars => "2 bars",
                };
                format!("Antiphon answers when you pause for {pause}")
            }
            PlayMode::Trade => match &self.snapshot.turn {
                Some(turn) if turn.side == Side::Antiphon => {
                    format!("Antiphon's turn to the end of bar {}, then yours", self.last_of_turn(turn))
                }
                Some(turn) => format!("Your turn to the end of bar {}, then Antiphon's", self.last_of_turn(turn)),
                None => {
                    let bars = count(self.values.turns.trade_bars.count().into(), "bar");
                    format!("You have {bars}, then Antiphon {bars}")
                }
            },
            PlayMode::Accompany => match self.planned_roles().split_last() {
                None => "Antiphon plays along with you until you pause for 4 bars".into(),
                Some((last, [])) => format!("Antiphon plays {last} along with you until you pause for 4 bars"),
                Some((last, others)) => {
                    format!("Antiphon plays {} and {last} along with you until you pause for 4 bars", others.join(", "))
                }
            },
            PlayMode::Infill => {
                let bars = infill::name(self.values.turns.infill);
                let when = self.beats_left().filter(|_| self.fill_from().is_some());
                let when = when.map_or_else(String::new, |beats| format!(" in {}", counted(beats)));
                format!("Antiphon fills {bars} of the song{when}, on top of what your track plays there")
            }
        }
    }

    /// Where Play would start the phrase that is shown: " at bar 16". Empty while the transport stands, since it starts with Play.
    pub(super) fn starts_at(&self) -> String {
        let from = self.flags().starts.map(|(from, _)| place(self.snapshot, from));
        from.map_or_else(String::new, |from| format!(" at {from}"))
    }

    /// The swap that is ahead, unless a phrase of the history is shown.
    fn swap(&self) -> Option<Swap<'_>> {
        Swap::of(self.snapshot).filter(|_| !self.is_recalled)
    }

    /// Where the plan ends, in words.
    fn end(&self) -> String {
        let end = self.snapshot.plan.as_ref().map_or(Tick(1), |shown| shown.plan.brief.end);
        let ShownBar { bar, number } = self.snapshot.bar_at(end - Tick(1));
        if bar.end() == end { format!("the end of bar {number}") } else { place(self.snapshot, end) }
    }

    /// Number of the bar in which the current turn of Trade ends.
    fn last_of_turn(&self, turn: &ShownTurn) -> i64 {
        let bars = self.snapshot.bars_between(self.now.playhead.tick(), Tick::MAX);
        bars.map(|shown| shown.number).nth(usize::try_from(turn.bars_left).unwrap_or(usize::MAX)).unwrap_or_default()
    }

    /// Names of the roles in the plan.
    fn planned_roles(&self) -> Vec<&'static str> {
        let notes = self.snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
        let roles: BTreeSet<Role> = notes.map(|note| note.role).collect();
        roles.into_iter().map(Role::name).collect()
    }
}

/// "1 beat", "7 beats".
pub(super) fn counted(beats: u32) -> String {
    count(usize::try_from(beats).unwrap_or(usize::MAX), "beat")
}

/// "bar 12", or "bar 12, beat 3" within it.
pub(super) fn place(snapshot: &Snapshot, tick: Tick) -> String {
    let ShownBar { bar, number } = snapshot.bar_at(tick);
    let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
    match (tick - bar.start).0 / beat {
        0 => format!("bar {number}"),
        beats => format!("bar {number}, beat {}", beats + 1),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Note;
    use antiphon_engine::plan::InfillRange;
    use antiphon_engine::session::{ShownVariations, Takeover, Withheld, WithheldNote};

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
            (
                PlayMode::Trade,
                ["Play from bar 3", "You have 4 bars, then Antiphon 4 bars"],
                ["Stop", "You have 4 bars, then Antiphon 4 bars"],
            ),
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
            assert_eq!(words(&stopped, mode, false, Motion::Host), play, "after Stop");
            assert_eq!(words(&snapshot(false), mode, false, Motion::Stopped), play, "the transport is stopped");
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
        let latched = snapshot(true);
        assert_eq!(at(&silent, PlayMode::Suggest, 100.0), seen("Play from bar 3", Sound::None, false));
        assert_eq!(at(&pressed, PlayMode::Suggest, 100.0), seen("Cancel", Sound::Waits, true));
        assert_eq!(at(&latched, PlayMode::Suggest, 100.0), seen("Cancel", Sound::Waits, true));
        assert_eq!(at(&latched, PlayMode::Suggest, 121.0), seen("Stop", Sound::Plays, true));
        assert_eq!(at(&silent, PlayMode::Infill, 100.0), seen("Stop", Sound::Waits, false));
        assert_eq!(at(&latched, PlayMode::Accompany, 121.0), seen("Stop", Sound::Plays, true));
    }

    #[test]
    fn phrase_that_plays_is_shown_from_where_it_began_to_sound() {
        let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role: Role::Bass };
        let mut planned = plan(120, 384, &[note(130, 40), note(192, 41), note(200, 42)]);
        planned.playing = true;
        let from = |by_antiphon: &[Note], withheld: Vec<WithheldNote>, playhead| {
            let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
            let snapshot = Snapshot { plan: Some(planned.clone()), by_antiphon: by_antiphon.to_vec(), withheld, ..Snapshot::default() };
            let time = PlayTime { snapshot: &snapshot, now: &now, values: &values(PlayMode::Suggest), is_recalled: false };
            (time.flags().silent_before, time.beats_left())
        };
        assert_eq!(from(&[], Vec::new(), 125.0), (None, None), "nothing of it has passed");
        assert_eq!(from(&[], Vec::new(), 170.0), (Some(Tick(192)), Some(1)), "its first note did not sound: it waits for its bar line");
        let shorter = Note { duration: Tick(3), ..note(192, 41) };
        assert_eq!(from(&[shorter], Vec::new(), 210.0), (Some(Tick(192)), None));
        assert_eq!(from(&[note(130, 40)], Vec::new(), 210.0), (None, None));
        let left_out = WithheldNote { note: note(130, 40), reason: Withheld::KeyHeld };
        assert_eq!(from(&[], vec![left_out], 170.0), (None, None), "it was to sound");
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
    fn modes_that_play_by_themselves_wait_for_play_after_stop() {
        let stopped = Snapshot { is_stopped: true, ..snapshot(false) };
        for (mode, text) in
            [(PlayMode::Answer, "Play"), (PlayMode::Trade, "Play from bar 3"), (PlayMode::Accompany, "Play"), (PlayMode::Infill, "Play")]
        {
            let (button, pressed, _, sentence) = words_of(&stopped, mode, false);
            assert_eq!((button.as_str(), pressed), (text, Button::Play), "{mode:?}");
            assert_eq!(sentence, "Antiphon is silent until you press Play", "{mode:?}");
        }
        assert_eq!(words_of(&stopped, PlayMode::Suggest, false).3, "Antiphon plays when you press Play");
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
}
