//! Conversion between clips and timed keyboard messages.

use antiphon_engine::music::{
    Clip, DRUM_CHANNEL, Metre, MetreMap, Note, OFFSETS_PER_TICK, Role, TICKS_PER_QUARTER, Tempo, TempoMap, Tick, distribute,
};

use crate::{Message, RollingTransport, Timed};

/// A clip up to a tick as messages of one keyboard player: each key at most once at a time, and the last released before `until`. Drums are
/// left out, unless there is nothing else.
#[must_use]
pub fn to_messages(clip: &Clip, roll: &RollingTransport, until: Tick) -> Vec<Timed> {
    let mut notes = clip.notes();
    let plays_drums = notes.iter().all(|note| note.role == Role::Drums);
    notes.retain(|note| note.onset < until && (plays_drums || note.role != Role::Drums));
    let channel = if plays_drums { DRUM_CHANNEL } else { 0 };
    let last = roll.sample_of(until.0 as f64) - 1;
    let mut held: Vec<(u8, Tick)> = Vec::new();
    let mut messages = Vec::new();
    for note in notes {
        held.retain(|&(_, end)| end > note.onset);
        if held.iter().any(|&(key, _)| key == note.pitch) {
            continue;
        }
        held.push((note.pitch, note.end()));
        // Onsets keep their offset; ends are on the grid.
        let played = (note.onset.0 * OFFSETS_PER_TICK + i64::from(note.offset)).max(0) as f64 / OFFSETS_PER_TICK as f64;
        let on = roll.sample_of(played).min(last - 1);
        let off = roll.sample_of(note.end().0 as f64).min(last).max(on + 1);
        let (key, velocity) = (note.pitch, f32::from(note.velocity) / 127.0);
        messages.push(Timed { sample: on, message: Message::NoteOn { channel, key, velocity } });
        messages.push(Timed { sample: off, message: Message::NoteOff { channel, key, velocity: 0.0 } });
    }
    messages.sort_by_key(|timed| (timed.sample, timed.message.rank()));
    messages
}

/// The notes of a time range as a clip whose tick 0 is `from`, a bar line. Notes still held at the end are cut there.
///
/// # Panics
/// If the transport has an impossible metre or tempo.
#[must_use]
pub fn to_clip(messages: &[Timed], roll: &RollingTransport, from: Tick, until: Tick) -> Clip {
    let eighth = |sample: u64| {
        #[allow(clippy::cast_possible_truncation, reason = "a time of a short song")]
        let eighth = (sample as f64 / roll.samples_per_tick() * OFFSETS_PER_TICK as f64).round() as i64;
        eighth - from.0 * OFFSETS_PER_TICK
    };
    let nearest = |eighths: i64| Tick((eighths + OFFSETS_PER_TICK / 2).div_euclid(OFFSETS_PER_TICK));
    let end = until - from;
    let mut notes: Vec<Note> = Vec::new();
    let mut held: Vec<(u8, u8, usize)> = Vec::new();
    for timed in messages {
        match timed.message {
            Message::NoteOn { channel, key, velocity } => {
                let at = eighth(timed.sample);
                let onset = nearest(at);
                let offset = i8::try_from(at - onset.0 * OFFSETS_PER_TICK).expect("less than a tick");
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 127")]
                let velocity = (velocity * 127.0).round().clamp(1.0, 127.0) as u8;
                let role = if channel == DRUM_CHANNEL { Role::Drums } else { Role::Keys };
                held.push((channel, key, notes.len()));
                notes.push(Note { onset, offset, duration: Tick((end - onset).0.max(1)), pitch: key, velocity, role });
            }
            Message::NoteOff { channel, key, .. } => {
                if let Some(found) = held.iter().position(|&(other, pitch, _)| (other, pitch) == (channel, key)) {
                    let note = &mut notes[held.swap_remove(found).2];
                    note.duration = Tick((nearest(eighth(timed.sample)) - note.onset).0.max(1));
                }
            }
            _ => {}
        }
    }
    notes.retain(|note| (Tick::ZERO..end).contains(&note.onset));
    let [numerator, denominator] = [roll.metre.0, roll.metre.1].map(|number| u8::try_from(number).expect("a metre's number"));
    Clip {
        parts: distribute(&[], &notes),
        metres: MetreMap::new([(Tick::ZERO, Metre::new(numerator, denominator).expect("a metre"))]),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(roll.tempo).expect("a tempo"))]),
        end,
    }
}

/// Tick at which a bar starts, counted from 0.
#[must_use]
pub fn bar_line(roll: &RollingTransport, bar: u32) -> Tick {
    #[allow(clippy::cast_possible_truncation, reason = "a metre's bar is whole ticks long")]
    let length = (roll.quarters_per_bar() * TICKS_PER_QUARTER as f64) as i64;
    Tick(i64::from(bar) * length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;

    use antiphon_engine::music::smf;

    use super::*;

    fn demo(name: &str) -> Clip {
        smf::read_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").join(name)).unwrap().clip
    }

    #[test]
    fn clip_played_and_recorded_has_the_same_notes() {
        let clip = demo("waltz.mid");
        let roll = RollingTransport { metre: (3, 4), ..RollingTransport::new(126.0, 44_100.0) };
        let (from, until) = (bar_line(&roll, 2), bar_line(&roll, 10));
        assert_eq!((from, until), (clip.metres.bar(2).start, clip.metres.bar(10).start));
        let messages = to_messages(&clip, &roll, until);
        let recorded = to_clip(&messages, &roll, from, until).notes();
        let place = |note: &Note| (note.onset, note.offset, note.pitch, note.velocity);
        let expected: Vec<_> = clip.notes().into_iter().filter(|note| (from..until).contains(&note.onset)).collect();
        assert!(recorded.len() > 50 && recorded.len() <= expected.len());
        for note in &recorded {
            let source = expected.iter().find(|other| {
                let shifted = Note { onset: other.onset - from, ..**other };
                place(&shifted) == place(note)
            });
            let source = source.unwrap_or_else(|| panic!("{note:?} was never played"));
            assert_eq!(note.duration, source.duration.min(until - source.onset));
        }
    }

    #[test]
    fn keyboard_messages_have_no_drums_and_each_key_once() {
        let roll = RollingTransport::new(104.0, 48_000.0);
        let messages = to_messages(&demo("band.mid"), &roll, bar_line(&roll, 16));
        let mut held = Vec::new();
        for timed in &messages {
            match timed.message {
                Message::NoteOn { channel: 0, key, .. } => {
                    assert!(!held.contains(&key));
                    held.push(key);
                }
                Message::NoteOff { channel: 0, key, .. } => held.retain(|&other| other != key),
                other => panic!("{other:?}"),
            }
        }
        assert!(held.is_empty() && messages.last().unwrap().sample < roll.sample_of(16.0 * 96.0));
    }

    #[test]
    fn note_held_at_the_end_is_cut_there() {
        let roll = RollingTransport::new(120.0, 48_000.0);
        let on = Message::NoteOn { channel: 9, key: 38, velocity: 0.5 };
        let clip = to_clip(&[Timed { sample: 100_125, message: on }], &roll, Tick(96), Tick(192));
        let expected = Note { onset: Tick(4), offset: 1, duration: Tick(92), pitch: 38, velocity: 64, role: Role::Drums };
        assert_eq!((clip.notes(), clip.end), (vec![expected], Tick(96)));
    }
}
