//! Listening to the other instances of the band: which of their notes become part of this instance's context, and when.
//!
//! A note of another instance counts from the first planning tick that lies [`DELAY`] after its onset. By then it has been published, unless that instance is
//! late: then it counts one planning tick later. Clocks run side by side while the host's transport rolls, so a part is aligned by the one difference
//! between its clock and this one, which song positions give. A part elsewhere in the song, or whose transport stands, is not heard. What was heard is kept
//! when its instance goes away.

use std::collections::BTreeMap;

use crate::music::analysis::{BarHarmony, KeySignature, PitchProfile};
use crate::music::{Bar, Note, Role, TICKS_PER_QUARTER, Tick};
use crate::plan::MusicalClock;
use crate::service::Part;

use super::{BandControls, Hearing};

/// Musical time after which a note of another instance counts: a beat. It must cover a block of the host and the polling of a session.
pub(super) const DELAY: Tick = Tick(TICKS_PER_QUARTER);
/// Largest distance in ticks of an instance's song position from this one's: more is another place in the song.
const TOGETHER: Tick = Tick::quarters(4);
/// Bars that show the key that others play in: few enough to follow a change within two bars.
const KEY_BARS: i64 = 2;
/// Lowest key of the chords that stand for what is heard.
const CHORD_KEY: u8 = 48;
/// Velocity of those chords.
const CHORD_VELOCITY: u8 = 64;
/// Roles in which notes are heard whose own role is this instance's.
const SUBSTITUTES: [Role; 6] = [Role::Chords, Role::Pad, Role::Strings, Role::Organ, Role::Guitar, Role::Other];

/// A note that was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Heard {
    /// Number of its instance.
    from: u8,
    /// Its onset on that instance's clock.
    theirs: Tick,
    /// The note, on this clock; [`Tick::MAX`] long until its end is heard.
    note: Note,
}

/// State for one other instance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Ear {
    /// Its clock less this one.
    shift: Option<Tick>,
    /// Notes that start before this tick, on this clock, have been heard.
    until: Option<Tick>,
}

/// What was heard of the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Listening {
    heard: Vec<Heard>,
    ears: BTreeMap<u8, Ear>,
    /// Planning ticks at which an instance's notes had not all been published in time.
    pub(super) late: u64,
    /// The instances heard at the last planning tick, with their roles.
    pub(super) members: Vec<(u8, Role)>,
}

impl Listening {
    /// Takes what the others played up to [`DELAY`] before now.
    pub(super) fn listen(&mut self, parts: &[(u8, Part)], clock: &MusicalClock, controls: BandControls) {
        let cut = clock.now() - DELAY;
        self.ears.retain(|number, _| parts.iter().any(|(other, _)| other == number));
        let gone = |heard: &Heard| !parts.iter().any(|(number, _)| *number == heard.from);
        self.heard.iter_mut().filter(|heard| gone(heard)).for_each(|heard| heard.note = ended(heard.note, cut));
        self.members.clear();
        for (number, part) in parts.iter().filter(|(number, _)| controls.hears(*number)) {
            if self.hear(*number, part, clock, cut) {
                self.members.push((*number, part.role));
            }
        }
        self.heard.sort_by_key(|heard| heard.note.order());
    }

    /// Takes what one instance played; returns whether it is together with this one.
    fn hear(&mut self, number: u8, part: &Part, clock: &MusicalClock, cut: Tick) -> bool {
        self.end(number, part, cut);
        let ear = self.ears.entry(number).or_default();
        let is_together = |there: Tick| (there - clock.now()).0.abs() <= TOGETHER.0;
        let here = part.song.and_then(|song| clock.nearest_at(song)).filter(|tick| is_together(*tick));
        ear.shift =
            here.map(|tick| part.reached - tick).or(ear.shift).filter(|shift| part.song.is_some() && is_together(part.reached - *shift));
        let Some(shift) = ear.shift else {
            ear.until = Some(cut);
            return false;
        };
        let (from, there) = (ear.until.unwrap_or(cut - TOGETHER), part.reached - shift);
        let until = cut.min(there);
        ear.until = Some(until.max(from));
        self.late += u64::from(there < cut);
        let notes = part.notes.iter().map(|note| (note.onset, Note { onset: note.onset - shift, ..*note }));
        let new = notes.filter(|(_, note)| from <= note.onset && note.onset < until);
        self.heard.extend(new.map(|(theirs, note)| Heard { from: number, theirs, note: known(note, cut) }));
        true
    }

    /// Gives notes that sounded their ends, as far as those lie before `cut`.
    fn end(&mut self, number: u8, part: &Part, cut: Tick) {
        for heard in self.heard.iter_mut().filter(|heard| heard.from == number && heard.note.duration == Tick::MAX) {
            let theirs =
                part.notes.iter().find(|note| (note.onset, note.pitch, note.role) == (heard.theirs, heard.note.pitch, heard.note.role));
            heard.note = match theirs {
                Some(note) if part.song.is_some() => known(Note { duration: note.duration, ..heard.note }, cut),
                // It stopped, or the note ended long ago over there.
                _ => ended(heard.note, cut),
            };
        }
    }

    /// The notes as this instance hears them, in order: all of them, or chords that stand for the finished bars. `own` are the roles that it plays.
    pub(super) fn notes(&self, controls: BandControls, clock: &MusicalClock, own: impl Fn(Role) -> bool) -> Vec<Note> {
        let role_of = |role: Role| if own(role) { SUBSTITUTES.into_iter().find(|role| !own(*role)) } else { Some(role) };
        let heard = self.heard.iter().filter(|heard| controls.hears(heard.from));
        match controls.hearing {
            Hearing::Nothing => Vec::new(),
            Hearing::Everything => {
                // Drums of another kit are no chords.
                let is_heard = |note: &Note| note.role != Role::Drums || !own(Role::Drums);
                heard.map(|heard| heard.note).filter(is_heard).filter_map(|note| Some(Note { role: role_of(note.role)?, ..note })).collect()
            }
            Hearing::KeyAndChords => {
                let notes: Vec<Note> = heard.map(|heard| heard.note).filter(|note| note.role != Role::Drums).collect();
                role_of(Role::Chords).map_or(Vec::new(), |role| chords(&notes, clock, role))
            }
        }
    }

    /// Key of what was heard in the last [`KEY_BARS`]; `None` if that fits many keys.
    pub(super) fn key(&self, controls: BandControls, clock: &MusicalClock) -> Option<KeySignature> {
        let from = clock.now() - Tick(KEY_BARS * clock.open_bar().metre.bar_length().0);
        let lately = self.heard.iter().filter(|heard| controls.hears(heard.from) && heard.note.onset >= from);
        PitchProfile::new(lately.map(|heard| &heard.note)).key()
    }

    /// Nothing is heard any more, until instances are listened to again.
    pub(super) fn stop(&mut self) {
        self.ears.clear();
        self.members.clear();
    }

    /// Whether nothing was heard since this tick.
    pub(super) fn is_silent_since(&self, tick: Tick) -> bool {
        self.heard.iter().all(|heard| heard.note.end() <= tick)
    }

    /// Notes that start before this are not needed any more.
    pub(super) fn forget_before(&mut self, start: Tick) {
        self.heard.retain(|heard| heard.note.onset >= start);
    }
}

/// A note as it is known at `cut`: one that sounds there has no end yet.
fn known(note: Note, cut: Tick) -> Note {
    if note.duration == Tick::MAX || note.end() > cut { Note { duration: Tick::MAX, ..note } } else { note }
}

/// A note that ends at `cut` at the latest.
fn ended(note: Note, cut: Tick) -> Note {
    if note.duration == Tick::MAX { Note { duration: (cut - note.onset).max(Tick(1)), ..note } } else { note }
}

/// The chords of the finished bars as notes of a role, each as long as its bar or half a bar.
fn chords(notes: &[Note], clock: &MusicalClock, role: Role) -> Vec<Note> {
    let Some(first) = notes.first() else { return Vec::new() };
    let heard = clock.now() - DELAY;
    let finished = clock.bars().filter(|bar| first.onset < bar.end() && bar.end() <= heard);
    finished.flat_map(|bar| chords_of(notes, &bar, role)).collect()
}

fn chords_of(notes: &[Note], bar: &Bar, role: Role) -> Vec<Note> {
    let sounding: Vec<Note> = notes.iter().filter(|note| note.onset < bar.end() && note.end() > bar.start).copied().collect();
    let found = BarHarmony::measure(bar, &sounding, &PitchProfile::new(&sounding)).chords;
    let ends = [found[1].map_or(bar.length, |second| second.at), bar.length];
    let mut chords = Vec::new();
    for (found, end) in found.into_iter().zip(ends).filter_map(|(found, end)| Some((found?, end))) {
        let length = end - found.at;
        chords.extend(found.chord.scale().pitch_classes().map(|class| Note {
            onset: bar.start + found.at,
            offset: 0,
            duration: length.max(Tick(1)),
            pitch: CHORD_KEY + class,
            velocity: CHORD_VELOCITY,
            role,
        }));
    }
    chords
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Metre;
    use crate::plan::{SongBar, SongPosition};

    const ALL: BandControls = BandControls { hearing: Hearing::Everything, whom: None };

    fn bar_line(song: i64) -> SongBar {
        SongBar { start: SongPosition(song), metre: Metre::COMMON }
    }

    /// A clock at a tick, whose song began at a position.
    fn clock(song: i64, now: i64) -> MusicalClock {
        let mut clock = MusicalClock::new(SongPosition(song), bar_line(0));
        clock.advance(Tick(now));
        clock
    }

    fn note(onset: i64, duration: i64, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch: 60, velocity: 80, role }
    }

    fn part(reached: i64, song: Option<i64>, notes: &[Note]) -> [(u8, Part); 1] {
        [(2, Part { role: Role::Bass, reached: Tick(reached), song: song.map(SongPosition), notes: notes.to_vec() })]
    }

    /// Onsets and durations of what is heard; a note without an end is 0 long.
    fn heard(listening: &Listening, clock: &MusicalClock) -> Vec<(i64, i64)> {
        let notes = listening.notes(ALL, clock, |role| role == Role::Keys);
        notes.iter().map(|note| (note.onset.0, if note.duration == Tick::MAX { 0 } else { note.duration.0 })).collect()
    }

    #[test]
    fn notes_count_a_beat_after_their_onsets_by_the_song_whatever_the_clocks_say() {
        let mut listening = Listening::default();
        // The other clock started 1000 ticks earlier in its life, at the same place of the song.
        let notes = [note(1100, 12, Role::Bass), note(1130, 100, Role::Bass), note(1175, 10, Role::Bass)];
        let clock = clock(96, 192);
        listening.listen(&part(1195, Some(96 + 195), &notes), &clock, ALL);
        assert_eq!(heard(&listening, &clock), [(100, 12), (130, 0)], "the third is less than a beat old; the second sounds");
        let mut clock = clock;
        clock.advance(Tick(96));
        listening.listen(&part(1290, Some(96 + 290), &notes), &clock, ALL);
        assert_eq!(heard(&listening, &clock), [(100, 12), (130, 100), (175, 10)]);
        assert_eq!((listening.late, &listening.members[..]), (0, &[(2, Role::Bass)][..]));
    }

    #[test]
    fn result_does_not_depend_on_how_far_ahead_the_other_thread_is() {
        let notes: Vec<Note> = (0..40).map(|beat| note(beat * 24, 30, Role::Bass)).collect();
        let run = |lead: i64| {
            let mut listening = Listening::default();
            let mut seen = Vec::new();
            for beat in 4..30 {
                let now = beat * 24;
                let reached = now + lead;
                let published: Vec<Note> =
                    notes.iter().filter(|note| note.onset.0 < reached && note.onset.0 > reached - 384).copied().collect();
                let clock = clock(0, now);
                listening.listen(&part(reached, Some(reached), &published), &clock, ALL);
                seen.push(heard(&listening, &clock));
            }
            assert_eq!(listening.late, 0);
            seen
        };
        let together = run(0);
        assert!(together.last().unwrap().len() >= 26);
        for lead in [-23, -6, 7, 60] {
            assert_eq!(run(lead), together, "{lead} ticks ahead");
        }
    }

    #[test]
    fn late_instance_is_counted_and_heard_at_the_next_planning_tick() {
        let mut listening = Listening::default();
        let first = clock(0, 96);
        listening.listen(&part(50, Some(50), &[note(24, 12, Role::Bass)]), &first, ALL);
        assert_eq!((heard(&listening, &first), listening.late), (vec![(24, 12)], 1));
        let second = clock(0, 120);
        listening.listen(&part(118, Some(118), &[note(24, 12, Role::Bass), note(60, 12, Role::Bass)]), &second, ALL);
        assert_eq!((heard(&listening, &second), listening.late), (vec![(24, 12), (60, 12)], 1));
    }

    #[test]
    fn loop_and_locate_keep_the_passes_apart() {
        let mut listening = Listening::default();
        let mut clock = MusicalClock::new(SongPosition(0), bar_line(0));
        let mut played = Vec::new();
        let mut seen = Vec::new();
        // Two bars in a loop, of which the other plays one note a pass; then elsewhere.
        for pass in 0..4 {
            for beat in 0..8 {
                let at = pass * 192 + beat * 24;
                if beat == 2 {
                    played.push(note(at + 5000, 12, Role::Bass));
                }
                clock.advance(Tick(24));
                let song = (clock.now().0 - pass * 192).rem_euclid(192);
                // The other instance has seen the loop before this one.
                let song = if beat == 7 { 0 } else { song };
                listening.listen(&part(clock.now().0 + 5000, Some(song), &played), &clock, ALL);
            }
            clock.jump(SongPosition(0), bar_line(0));
            seen.push(listening.heard.len());
        }
        assert_eq!(seen, [1, 2, 3, 4]);
        let onsets: Vec<_> = heard(&listening, &clock).into_iter().map(|(onset, _)| onset).collect();
        assert_eq!(onsets, [48, 240, 432, 624]);
        // The other instance is located far away: what it plays there is not heard.
        clock.advance(Tick(48));
        played.push(note(5780, 12, Role::Bass));
        listening.listen(&part(clock.now().0 + 5000 + 300, Some(90_000), &played), &clock, ALL);
        assert_eq!((listening.heard.len(), listening.members.len()), (4, 0));
    }

    #[test]
    fn instance_that_goes_away_or_stops_leaves_what_was_heard() {
        let rings = [note(60, i64::MAX, Role::Bass)];
        for gone in [&[][..], &part(110, None, &rings)[..]] {
            let mut listening = Listening::default();
            listening.listen(&part(100, Some(100), &rings), &clock(0, 96), ALL);
            let later = clock(0, 144);
            listening.listen(gone, &later, ALL);
            assert_eq!(heard(&listening, &later), [(60, 60)], "it ends where it was last heard of");
            listening.forget_before(Tick(61));
            assert!(heard(&listening, &later).is_empty());
        }
    }

    #[test]
    fn roles_of_this_instance_are_heard_as_others_and_its_drums_are_not() {
        let mut listening = Listening::default();
        let clock = clock(0, 192);
        let notes = [note(96, 12, Role::Keys), note(97, 12, Role::Drums), note(98, 12, Role::Bass)];
        listening.listen(&part(192, Some(192), &notes), &clock, ALL);
        let roles = |own: Role| listening.notes(ALL, &clock, |role| role == own).iter().map(|note| note.role).collect::<Vec<_>>();
        assert_eq!(roles(Role::Keys), [Role::Chords, Role::Drums, Role::Bass]);
        assert_eq!(roles(Role::Drums), [Role::Keys, Role::Bass]);
        let other = BandControls { whom: Some(3), ..ALL };
        assert!(listening.notes(other, &clock, |_| false).is_empty());
    }

    #[test]
    fn key_is_that_of_the_last_two_bars_heard() {
        let mut listening = Listening::default();
        let scale = |from: i64, tonic: u8| {
            [0, 2, 4, 5, 7, 9, 11, 12]
                .into_iter()
                .zip(0..)
                .map(move |(above, step)| Note { pitch: tonic + above, ..note(from + step * 12, 12, Role::Keys) })
        };
        let notes: Vec<Note> = (0..8).flat_map(|bar| scale(bar * 96, if bar < 4 { 60 } else { 66 })).collect();
        let mut clock = clock(0, 96);
        let mut keys = Vec::new();
        for _ in 0..28 {
            listening.listen(&part(clock.now().0, Some(clock.now().0), &notes), &clock, ALL);
            keys.push(listening.key(ALL, &clock).map(|key| key.tonic()));
            clock.advance(Tick(24));
        }
        // The change is at tick 384, the first entry at 96.
        assert_eq!((keys[12], keys[20]), (Some(0), Some(6)), "at the change, and two bars after it: {keys:?}");
        assert_eq!(listening.key(BandControls::default(), &clock), None);
    }

    #[test]
    fn chords_of_finished_bars_stand_for_what_was_heard() {
        let mut listening = Listening::default();
        let triad = |onset: i64, root: u8| [0, 4, 7].map(|above| Note { pitch: 60 + root + above, ..note(onset, 96, Role::Keys) });
        let notes = [triad(0, 0), triad(96, 5), triad(192, 7)].concat();
        let mut now = clock(0, 96);
        let controls = BandControls { hearing: Hearing::KeyAndChords, whom: None };
        for _ in 0..6 {
            listening.listen(&part(now.now().0, Some(now.now().0), &notes), &now, controls);
            now.advance(Tick(24));
        }
        let chords = listening.notes(controls, &now, |role| role == Role::Bass);
        let found: Vec<_> = chords.iter().map(|note| (note.onset.0, note.pitch % 12, note.duration.0, note.role)).collect();
        let chord = |onset: i64, classes: [u8; 3]| classes.map(|class| (onset, class, 96, Role::Chords));
        assert_eq!(found, [chord(0, [0, 4, 7]), chord(96, [0, 5, 9])].concat(), "the third bar is not finished");
    }
}
