//! Excerpts: whole bars of what the editor shows, as a MIDI file that starts on a bar line and carries tempo and metre.

use std::collections::BTreeSet;
use std::ops::Range;

use antiphon_engine::music::smf::MidiError;
use antiphon_engine::music::{Bar, Clip, DRUM_CHANNEL, MetreMap, Note, Part, Role, Tempo, TempoMap, Tick, distribute, smf};
use antiphon_engine::plan::{Entry, Variation};
use antiphon_engine::session::{ShownBar, Snapshot};

use super::heard::Heard;
use super::model::Now;
use crate::clock::{Motion, MusicalTime};

/// What can be exported from the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The plan shown.
    Plan,
    /// A variation of it.
    Variation(Variation),
    /// An entry of the history.
    Suggestion,
    /// Selected bars of what was played and is planned.
    Bars,
    /// The notes that sounded, and whose they are.
    Played(Players),
}

/// Whose notes have sounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Players {
    /// The player's alone.
    Player,
    /// Antiphon's alone.
    Antiphon,
    /// Those of both.
    Both,
}

impl Players {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        match snapshot.by_antiphon.len() {
            0 => Self::Player,
            all if all == snapshot.played.len() => Self::Antiphon,
            _ => Self::Both,
        }
    }

    /// Their notes, in words.
    pub(super) const fn notes(self) -> &'static str {
        match self {
            Self::Player => "your notes",
            Self::Antiphon => "Antiphon's notes",
            Self::Both => "yours and Antiphon's",
        }
    }
}

impl Source {
    /// Noun for use inside a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Variation(Variation::A) => "variation A",
            Self::Variation(Variation::B) => "variation B",
            Self::Variation(Variation::C) => "variation C",
            Self::Variation(Variation::D) => "variation D",
            Self::Suggestion => "suggestion",
            Self::Bars => "selection",
            Self::Played(Players::Player) => "played",
            Self::Played(Players::Antiphon) => "played by Antiphon",
            Self::Played(Players::Both) => "played by you and Antiphon",
        }
    }
}

/// Some whole bars of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The music. Tick 0 is a bar line.
    pub clip: Clip,
    /// Number of the first bar in the host's song.
    pub first_bar: i64,
    /// Length in bars.
    pub bars: usize,
    /// What it is an excerpt of.
    pub source: Source,
    /// The role it was reduced to.
    pub role: Option<Role>,
}

impl Excerpt {
    /// What was played, from the bar of the first note to the bar line after the last one. If both played, each has parts of its own, which are named so.
    /// `None` if there are no notes.
    #[must_use]
    pub fn of_played(snapshot: &Snapshot, now: &Now) -> Option<Self> {
        let notes = snapshot.played.as_slice();
        let span = span(notes, notes.first()?.onset..Tick::ZERO, now)?;
        let (players, from) = (Players::of(snapshot), snapshot.bar_at(span.start).bar.start);
        let mut excerpt = Self::of_notes(Source::Played(players), ended(notes, now), span, snapshot, now)?;
        if players == Players::Both {
            let by = |is_antiphon: bool| -> Vec<Note> {
                let own = snapshot.played_by().zip(ended(notes, now)).filter(|((_, by_antiphon), _)| *by_antiphon == is_antiphon);
                own.map(|(_, note)| Note { onset: note.onset - from, ..note }).collect()
            };
            excerpt.clip.parts = parts_of_both(&by(false), &by(true));
        }
        Some(excerpt)
    }

    /// What is heard of a plan, from the bar in which that begins to the bar line after the last note and the end of the plan. `None` if there are no notes.
    pub(super) fn of_plan(source: Source, heard: Heard<'_>, snapshot: &Snapshot, now: &Now) -> Option<Self> {
        let span = span(heard.notes(), heard.start()..heard.ready(), now)?;
        Self::of_notes(source, ended(heard.notes(), now), span, snapshot, now)
    }

    /// Bars of what was played and is planned. Notes end with the last bar. `None` if there are no notes.
    #[must_use]
    pub fn of_bars(bars: Range<Tick>, snapshot: &Snapshot, now: &Now) -> Option<Self> {
        let planned = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
        let playhead = now.playhead.tick();
        let ends = |note: &Note| if note.end() == Tick::MAX { playhead.max(note.onset + Tick(1)) } else { note.end() };
        let inside = |note: &&Note| bars.contains(&note.onset);
        let cut = |note: &Note| Note { duration: ends(note).min(bars.end) - note.onset, ..*note };
        let mut notes: Vec<Note> = snapshot.played.iter().chain(planned).filter(inside).map(cut).collect();
        notes.sort_by_key(Note::order);
        if notes.is_empty() {
            return None;
        }
        Self::of_notes(Source::Bars, notes.into_iter(), bars, snapshot, now)
    }

    /// Notes as whole bars, from that in which `span` begins.
    fn of_notes(source: Source, notes: impl Iterator<Item = Note>, span: Range<Tick>, snapshot: &Snapshot, now: &Now) -> Option<Self> {
        let bars: Vec<_> = snapshot.bars_between(span.start, span.end).collect();
        let (first, last) = (bars.first()?, bars.last()?);
        let from = first.bar.start;
        let shifted = |note: Note| Note { onset: note.onset - from, ..note };
        let clip = Clip {
            parts: distribute(&[], &notes.map(shifted).collect::<Vec<_>>()),
            metres: MetreMap::new(bars.iter().map(|shown| (shown.bar.start - from, shown.bar.metre))),
            tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(now.tempo).unwrap_or_default())]),
            end: last.bar.end() - from,
        };
        Some(Self { clip, first_bar: first.number, bars: bars.len(), source, role: None })
    }

    /// Names of the bars that a history entry has as an excerpt.
    pub(super) fn bars_of_entry(entry: &Entry) -> Option<String> {
        let (snapshot, now) = in_place(entry);
        bars_of_plan(Heard::of(entry), &snapshot, &now)
    }

    /// A history entry as it was suggested: at its own bar, in its own metre and tempo.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Self> {
        let (snapshot, now) = in_place(entry);
        Self::of_plan(Source::Suggestion, Heard::of(entry), &snapshot, &now)
    }

    /// Its roles, each in its own track.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        let roles: BTreeSet<Role> = self.clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.role).collect();
        roles.into_iter().collect()
    }

    /// The part of one role.
    #[must_use]
    pub fn of_role(&self, role: Role) -> Self {
        let mut excerpt = Self { role: Some(role), ..self.clone() };
        excerpt.clip.parts.iter_mut().for_each(|part| part.notes.retain(|note| note.role == role));
        excerpt.clip.parts.retain(|part| !part.notes.is_empty());
        excerpt
    }

    /// What it is, in words: source, bars, and role if it has one alone.
    #[must_use]
    pub fn description(&self) -> String {
        let bars = bars(self.first_bar, self.first_bar + i64::try_from(self.bars).unwrap_or(i64::MAX) - 1);
        let role = self.role.map_or_else(String::new, |role| format!(", {}", role.name()));
        format!("{}, {bars}{role}", self.source.name())
    }

    /// File name. Hosts show it on the region they import.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("Antiphon {}.mid", self.description())
    }

    /// The excerpt as a Standard MIDI File.
    ///
    /// # Errors
    /// As [`smf::write()`].
    pub fn bytes(&self) -> Result<Vec<u8>, MidiError> {
        smf::write(&self.clip)
    }
}

/// Parts of the player and of Antiphon, named so and on channels of their own, as far as there are any.
fn parts_of_both(player: &[Note], antiphon: &[Note]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (notes, who) in [(player, "you"), (antiphon, "Antiphon")] {
        for mut part in distribute(&[], notes) {
            let is_free = |channel: &u8| *channel != DRUM_CHANNEL && parts.iter().all(|other| other.channel != *channel);
            if part.channel != DRUM_CHANNEL {
                part.channel = (0..16).find(is_free).unwrap_or(part.channel);
            }
            part.name = format!("{} ({who})", part.name);
            parts.push(part);
        }
    }
    parts
}

/// Bars, metre and tempo of a history entry.
fn in_place(entry: &Entry) -> (Snapshot, Now) {
    let (place, plan) = (entry.place(), entry.plan());
    let bars = place.metres.bars(plan.ready() - place.line);
    let shown = |bar: Bar| ShownBar { bar: Bar { start: bar.start + place.line, ..bar }, number: place.bar + i64::from(bar.index) };
    let snapshot = Snapshot { bars: bars.map(shown).collect(), ..Snapshot::default() };
    let now = Now { playhead: MusicalTime::from(entry.start()), tempo: place.tempo.bpm(), motion: Motion::Stopped };
    (snapshot, now)
}

/// Names of the bars that an excerpt of all that was played would have. `None` without notes.
pub(super) fn bars_of_played(snapshot: &Snapshot, now: &Now) -> Option<String> {
    let notes = snapshot.played.as_slice();
    span(notes, notes.first()?.onset..Tick::ZERO, now).map(|span| bars_between(&span, snapshot))
}

/// The same of what is heard of a plan.
pub(super) fn bars_of_plan(heard: Heard<'_>, snapshot: &Snapshot, now: &Now) -> Option<String> {
    span(heard.notes(), heard.start()..heard.ready(), now).map(|span| bars_between(&span, snapshot))
}

/// From a start to the end of the last note, at least to the end of `least`. `None` without notes.
fn span(notes: &[Note], least: Range<Tick>, now: &Now) -> Option<Range<Tick>> {
    let end = notes.iter().map(|note| end_of(note, now)).max()?;
    Some(least.start..end.max(least.end))
}

/// End of a note. A held key ends at the playhead.
fn end_of(note: &Note, now: &Now) -> Tick {
    if note.end() == Tick::MAX { now.playhead.tick().max(note.onset + Tick(1)) } else { note.end() }
}

/// Notes whose held keys end at the playhead.
fn ended<'a>(notes: &'a [Note], now: &'a Now) -> impl Iterator<Item = Note> + 'a {
    notes.iter().map(|note| Note { duration: end_of(note, now) - note.onset, ..*note })
}

fn bars_between(span: &Range<Tick>, snapshot: &Snapshot) -> String {
    bars(snapshot.bar_at(span.start).number, snapshot.bar_at(span.end - Tick(1)).number)
}

/// "bar 3", or "bars 3-5".
fn bars(first: i64, last: i64) -> String {
    if first == last { format!("bar {last}") } else { format!("bars {first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::samples::{bar, plan};

    fn now(playhead: f64, tempo: f64) -> Now {
        Now { playhead: MusicalTime(playhead), tempo, motion: Motion::Host }
    }

    fn note(onset: i64, duration: Tick, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration, pitch, velocity: 90, role }
    }

    fn read_back(excerpt: &Excerpt) -> Clip {
        smf::read(&excerpt.bytes().unwrap()).unwrap().clip
    }

    #[test]
    fn excerpt_of_a_plan_starts_on_the_bar_line_before_it_and_is_whole_bars_long() {
        let notes = [note(90, Tick(10), 60, Role::Keys), note(206, Tick(10), 64, Role::Keys)];
        let snapshot = Snapshot { bars: vec![bar(17, 60, 72, 3)], plan: Some(plan(84, 228, &notes)), ..Snapshot::default() };
        let shown = &snapshot.plan.as_ref().unwrap().plan;
        let excerpt = Excerpt::of_plan(Source::Plan, Heard::from(shown, None), &snapshot, &now(70.0, 133.0)).unwrap();
        assert_eq!((excerpt.first_bar, excerpt.bars, excerpt.file_name().as_str()), (17, 3, "Antiphon plan, bars 17-19.mid"));
        assert_eq!(bars_of_plan(Heard::from(shown, None), &snapshot, &now(70.0, 133.0)), Some("bars 17-19".into()));
        let heard = Heard::from(shown, Some(Tick(132)));
        assert_eq!(
            bars_of_plan(heard, &snapshot, &now(70.0, 133.0)),
            Some("bars 18-19".into()),
            "from the line on before which it is silent"
        );
        let from_there = Excerpt::of_plan(Source::Plan, heard, &snapshot, &now(70.0, 133.0)).unwrap();
        assert_eq!(read_back(&from_there).notes().iter().map(|note| (note.onset.0, note.pitch)).collect::<Vec<_>>(), [(74, 64)]);
        let clip = read_back(&excerpt);
        assert_eq!((clip.end, clip.metres.at(Tick::ZERO).to_string().as_str()), (Tick(216), "3/4"));
        assert!((clip.tempos.at(Tick::ZERO).bpm() - 133.0).abs() < 1e-3);
        assert_eq!(clip.notes().iter().map(|note| (note.onset.0, note.pitch)).collect::<Vec<_>>(), [(30, 60), (146, 64)]);
    }

    #[test]
    fn excerpt_of_a_plan_that_ends_on_a_bar_line_ends_there() {
        let shown = plan(96, 288, &[note(96, Tick(192), 60, Role::Keys)]);
        let excerpt = Excerpt::of_plan(Source::Plan, Heard::from(&shown.plan, None), &Snapshot::default(), &now(90.0, 120.0)).unwrap();
        assert_eq!((excerpt.first_bar, excerpt.bars, excerpt.clip.end), (2, 2, Tick(192)));
    }

    #[test]
    fn excerpt_of_played_notes_keeps_short_bars_and_ends_held_keys_at_the_playhead() {
        let played = vec![note(100, Tick(10), 60, Role::Keys), note(110, Tick(5), 38, Role::Drums), note(140, Tick::MAX, 62, Role::Keys)];
        let bars = vec![bar(1, 0, 96, 4), bar(2, 96, 40, 4), bar(1, 136, 96, 4)];
        let snapshot = Snapshot { bars, played, ..Snapshot::default() };
        let excerpt = Excerpt::of_played(&snapshot, &now(150.5, 120.0)).unwrap();
        assert_eq!((excerpt.first_bar, excerpt.bars), (2, 2));
        assert_eq!(bars_of_played(&snapshot, &now(150.5, 120.0)), Some("bars 2-1".into()), "as the song numbers them");
        let clip = read_back(&excerpt);
        assert_eq!(clip.metres.bars(clip.end).map(|bar| bar.length.0).collect::<Vec<_>>(), [40, 96]);
        assert_eq!(clip.notes().iter().map(|note| (note.onset.0, note.end().0)).collect::<Vec<_>>(), [(4, 14), (14, 19), (44, 54)]);
        assert!(clip.parts.iter().any(|part| part.channel == DRUM_CHANNEL && part.name == "Drums"));
    }

    #[test]
    fn what_both_played_is_on_tracks_of_their_own() {
        let played = vec![note(96, Tick(10), 60, Role::Keys), note(100, Tick(10), 38, Role::Drums), note(120, Tick::MAX, 64, Role::Keys)];
        let snapshot = Snapshot { by_antiphon: vec![played[2]], played, ..Snapshot::default() };
        let excerpt = Excerpt::of_played(&snapshot, &now(150.0, 120.0)).unwrap();
        assert_eq!(excerpt.file_name(), "Antiphon played by you and Antiphon, bar 2.mid");
        let parts: Vec<_> =
            read_back(&excerpt).parts.iter().map(|part| (part.name.clone(), part.notes[0].onset.0, part.notes[0].end().0)).collect();
        let expected = [("Keys (you)", 0, 10), ("Drums (you)", 4, 14), ("Keys (Antiphon)", 24, 54)];
        assert_eq!(parts, expected.map(|(name, from, to)| (name.to_owned(), from, to)));
        assert_eq!(excerpt.clip.parts.iter().map(|part| part.channel).collect::<Vec<_>>(), [0, DRUM_CHANNEL, 1]);
        let alone = Snapshot { by_antiphon: snapshot.played.clone(), ..snapshot };
        assert_eq!(Excerpt::of_played(&alone, &now(150.0, 120.0)).unwrap().source, Source::Played(Players::Antiphon));
    }

    #[test]
    fn excerpt_of_bars_has_their_notes_on_both_sides_of_the_playhead_cut_at_the_end() {
        let played = vec![note(0, Tick(10), 59, Role::Keys), note(96, Tick(10), 60, Role::Keys)];
        let planned = [note(150, Tick(100), 40, Role::Bass), note(192, Tick(10), 62, Role::Keys)];
        let bars = vec![bar(1, 0, 96, 4), bar(2, 96, 96, 4)];
        let snapshot = Snapshot { bars, played, plan: Some(plan(144, 288, &planned)), ..Snapshot::default() };
        let excerpt = Excerpt::of_bars(Tick(96)..Tick(192), &snapshot, &now(120.0, 120.0)).unwrap();
        assert_eq!((excerpt.first_bar, excerpt.bars, excerpt.clip.end), (2, 1, Tick(96)));
        let notes = |clip: &Clip| clip.notes().iter().map(|note| (note.onset.0, note.end().0, note.pitch)).collect::<Vec<_>>();
        assert_eq!(notes(&read_back(&excerpt)), [(0, 10, 60), (54, 96, 40)]);
        assert_eq!(excerpt.roles().len(), 2);
        let bass = excerpt.of_role(Role::Bass);
        assert_eq!(bass.file_name(), "Antiphon selection, bar 2, bass.mid");
        assert_eq!((notes(&read_back(&bass)), bass.clip.end), (vec![(54, 96, 40)], Tick(96)));
        assert_eq!(Excerpt::of_bars(Tick(384)..Tick(480), &snapshot, &now(120.0, 120.0)), None);
    }

    #[test]
    fn excerpt_without_notes_is_none() {
        let (nothing, silent) = (Snapshot::default(), plan(0, 96, &[]));
        assert_eq!(Excerpt::of_played(&nothing, &now(0.0, 120.0)), None);
        assert_eq!(Excerpt::of_plan(Source::Plan, Heard::from(&silent.plan, None), &nothing, &now(0.0, 120.0)), None);
    }

    #[test]
    fn excerpt_with_an_invalid_tempo_has_the_default_tempo() {
        let snapshot = Snapshot { played: vec![note(0, Tick(10), 60, Role::Keys)], ..Snapshot::default() };
        for tempo in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let excerpt = Excerpt::of_played(&snapshot, &now(20.0, tempo)).unwrap();
            assert_eq!(excerpt.clip.tempos.at(Tick::ZERO), Tempo::default());
        }
    }
}
