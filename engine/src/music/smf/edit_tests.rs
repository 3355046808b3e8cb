//! Effect of an edit: the requested notes and no other event.

// Read by `midly` alone, without the code under test.
#[path = "../../../tests/common/bytes.rs"]
mod bytes;

use std::collections::HashSet;

use midly::Smf;

use self::bytes::parsed;
use super::fixtures::{chunk, file, header};
use super::{Edited, Source, read};
use crate::music::{Clip, Metre, MetreMap, Note, Part, Role, Tick, insertion};

/// 24 ticks a quarter, bars of a quarter: a player with everything that is no note, a track of text, and another player.
fn rich() -> Vec<u8> {
    let conductor = [
        &[0, 0xFF, 0x58, 4, 1, 2, 24, 8, 0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xFF, 2, 2, b'(', b'c', 0, 0xFF, 0x59, 2, 1, 0][..],
        &[48, 0xFF, 6, 1, b'B', 24, 0xF0, 3, 0x7E, 9, 0xF7],
    ];
    let player = [
        &[0, 0xFF, 3, 2, 0x83, b's', 0, 0xB0, 0, 1, 0, 32, 3, 0, 0xC0, 73, 0, 0xB0, 64, 127, 0, 0x90, 60, 80, 0, 64, 80][..],
        // The first chord rings into the second bar; there a bend, pressure, a lyric and the pedal happen under running status.
        &[
            24, 0xE0, 0, 70, 0, 0x90, 62, 80, 6, 0xD0, 9, 0, 0xFF, 5, 1, b'a', 6, 0x90, 60, 0, 0, 64, 0, 12, 62, 0, 0, 0xB0, 64, 0, 0, 64,
            127,
        ],
        &[0, 0xC0, 40, 0, 0x90, 65, 90, 24, 0x80, 65, 33, 0, 0x90, 67, 90, 24, 0x80, 67, 34],
    ];
    let text = [0, 0xFF, 3, 1, b't', 12, 0xFF, 1, 2, b'h', b'i'];
    let other = [0, 0x91, 40, 80, 24, 40, 0, 0, 40, 81, 24, 40, 0, 0, 40, 82, 24, 40, 0, 0, 40, 83, 24, 40, 0];
    file(1, 24, &[&conductor.concat(), &player.concat(), &text, &other])
}

fn note(onset: i64, duration: i64, pitch: u8) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 77, role: Role::Keys }
}

/// The clip of a source without the notes of these ticks, and the same with other notes in its first part.
fn replaced(source: &Source, from: i64, until: i64, notes: &[Note]) -> Edited {
    let kept = insertion::without(source.clip(), |note| (from..until).contains(&note.onset.0));
    let mut whole = kept.clone();
    whole.parts[0].notes.extend(notes);
    whole.parts[0].notes.sort_by_key(Note::order);
    source.edited(&kept, &whole).unwrap()
}

#[test]
fn edit_without_a_change_gives_the_same_bytes() {
    let bytes = [rich(), b"and what follows".to_vec()].concat();
    let source = Source::read(bytes.clone()).unwrap();
    assert_eq!(source.edited(source.clip(), source.clip()).unwrap(), Edited { bytes, left_out: 0 });
}

#[test]
fn edit_of_a_bar_leaves_every_other_event_and_note_as_it_was() {
    let before = rich();
    let source = Source::read(before.clone()).unwrap();
    let after = replaced(&source, 24, 48, &[note(24, 12, 71), note(36, 12, 72)]).bytes;
    let (before, after) = (parsed(&before), parsed(&after));
    for (track, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!(before.0, after.0, "track {track}: everything that is no note");
    }
    // The chord keeps its own length under the pedal, and rings into the bar.
    assert_eq!(before[1].1, [(0, 36, 0, 60), (0, 36, 0, 64), (24, 48, 0, 62), (48, 72, 0, 65), (72, 96, 0, 67)]);
    assert_eq!(after[1].1, [(0, 36, 0, 60), (0, 36, 0, 64), (24, 36, 0, 71), (36, 48, 0, 72), (48, 72, 0, 65), (72, 96, 0, 67)]);
    assert_eq!(after[3].1, [(0, 24, 1, 40), (48, 72, 1, 40), (72, 96, 1, 40)]);
}

#[test]
fn edit_keeps_the_bytes_of_tracks_without_a_change() {
    let before = rich();
    let source = Source::read(before.clone()).unwrap();
    let kept = insertion::without(source.clip(), |note| note.pitch == 40);
    let after = source.edited(&kept, &kept).unwrap().bytes;
    let tracks = |bytes: &[u8]| bytes.windows(4).enumerate().filter(|(_, head)| *head == b"MTrk").map(|(at, _)| at).collect::<Vec<_>>();
    let last = tracks(&before)[3];
    assert_eq!(before[..last], after[..last], "all but the last track");
    assert_eq!(parsed(&after)[3].1, []);
}

#[test]
fn edit_under_a_held_key_leaves_the_new_note_out_and_ends_others_where_the_key_is_struck() {
    let source = Source::read(rich()).unwrap();
    // Key 60 is held until 36, key 65 is struck at 48.
    let Edited { bytes, left_out } = replaced(&source, 24, 48, &[note(30, 12, 60), note(36, 6, 60), note(40, 20, 65)]);
    let after = parsed(&bytes);
    assert_eq!(left_out, 1);
    assert_eq!(after[1].1, [(0, 36, 0, 60), (0, 36, 0, 64), (36, 42, 0, 60), (40, 48, 0, 65), (48, 72, 0, 65), (72, 96, 0, 67)]);
}

#[test]
fn edit_with_a_new_part_adds_a_track_or_in_a_type_0_file_a_channel() {
    let tune = [0, 0xFF, 3, 4, b'S', b'o', b'n', b'g', 0, 0x90, 60, 80, 24, 60, 0];
    for format in [0, 1] {
        let before = file(format, 480, &[&tune]);
        let source = Source::read(before).unwrap();
        let mut whole = source.clip().clone();
        let bass = Part { name: "Bass".into(), channel: 0, program: Some(33), notes: vec![note(0, 48, 36)], ..Part::default() };
        whole.parts.push(bass);
        let bytes = source.edited(source.clip(), &whole).unwrap().bytes;
        let after = read(&bytes).unwrap().clip;
        assert_eq!(Smf::parse(&bytes).unwrap().tracks.len(), if format == 0 { 1 } else { 2 });
        let new = after.parts.last().unwrap();
        assert_eq!((after.parts.len(), new.channel, new.program), (2, 1, Some(33)), "channel 0 is taken");
        assert_eq!(new.notes.iter().map(|note| (note.onset.0, note.end().0)).collect::<Vec<_>>(), [(0, 48)]);
        assert!(bytes.windows(4).any(|window| window == b"Song"));
        assert_eq!(bytes.windows(4).any(|window| window == b"Bass"), format == 1);
    }
}

#[test]
fn edit_of_a_file_with_uncounted_tracks_writes_the_right_number() {
    let mut bytes = rich();
    bytes[11] = 2;
    let source = Source::read(bytes).unwrap();
    assert_eq!(Smf::parse(&replaced(&source, 24, 48, &[]).bytes).unwrap().tracks.len(), 4);
}

#[test]
fn edit_of_carried_status_writes_it_out() {
    let song = [0, 0x90, 60, 80, 24, 60, 0, 0, 0xFF, 1, 1, b'a', 0, 62, 80, 24, 62, 0, 0, 64, 80, 24, 64, 0];
    let source = Source::read(file(0, 24, &[&song])).unwrap();
    let after = parsed(&replaced(&source, 24, 48, &[]).bytes);
    assert_eq!(after[0].1, [(0, 24, 0, 60), (48, 72, 0, 64)]);
}

#[test]
fn edit_of_an_mpe_player_gives_every_note_a_free_channel_and_its_bend() {
    let voices: Vec<u8> = (1..5).flat_map(|c| [0, 0xE0 | c, 5, 70, 0, 0x90 | c, 60 + c, 80, 24, 0x80 | c, 60 + c, 0]).collect();
    let source = Source::read(file(1, 24, &[&voices])).unwrap();
    let bytes = replaced(&source, 24, 96, &[note(24, 24, 70), note(24, 24, 74), note(48, 24, 70)]).bytes;
    let after = parsed(&bytes);
    let channels: HashSet<u8> = after[0].1[1..3].iter().map(|note| note.2).collect();
    assert_eq!((channels.len(), after[0].1.len()), (2, 4), "{:?}", after[0].1);
    for &(start, _, channel, _) in &after[0].1[1..] {
        let bend = |(at, event): &&(u32, String)| *at == start && event.contains(&format!("channel: u4({channel}), message: PitchBend"));
        assert!(after[0].0.iter().any(|event| bend(&event)), "{:?}", after[0].0);
    }
    assert_eq!(read(&bytes).unwrap().clip.parts.len(), 1);
}

#[test]
fn edit_of_a_track_that_never_ends_ends_it() {
    let bytes = [header(0, 1, 24), chunk(b"MTrk", &[0, 0x90, 60, 80, 24, 60, 0, 0, 62, 80, 24, 62, 0])].concat();
    let source = Source::read(bytes).unwrap();
    let after = replaced(&source, 24, 48, &[note(24, 48, 70)]).bytes;
    assert!(after.ends_with(&[0xFF, 0x2F, 0]));
    assert_eq!(parsed(&after)[0].1, [(0, 24, 0, 60), (24, 72, 0, 70)]);
}

/// Every file of this crate's, and of a folder named by `ANTIPHON_MIDI_FOLDER`, if it is set: each half of its bars emptied.
#[test]
fn edit_of_whole_files_leaves_all_events_outside_the_bars_equal() {
    let mut files = vec![("rich".to_owned(), rich()), ("lost note-off".to_owned(), without_a_note_off())];
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    let folders = [Some(demo), std::env::var_os("ANTIPHON_MIDI_FOLDER").map(Into::into)];
    let mut folders: Vec<std::path::PathBuf> = folders.into_iter().flatten().collect();
    let mut edited = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "mid") {
                files.push((entry.display().to_string(), Vec::new()));
            }
        }
    }
    for (name, bytes) in files {
        let bytes = if bytes.is_empty() { std::fs::read(&name).unwrap() } else { bytes };
        let Ok(source) = Source::read(bytes.clone()) else { continue };
        edited += 1;
        let clip = source.clip();
        assert_eq!(source.edited(clip, clip).unwrap().bytes, bytes, "{name}");
        let bars = insertion::bars(clip);
        for (first, last) in [(0, bars / 2), (bars / 2, bars)] {
            check_bars(&name, &source, &bytes, clip, clip.metres.bar(first).start, clip.metres.bar(last).start);
        }
    }
    assert!(edited >= 5, "only {edited} files");
}

/// Four bars of quarters on one key, the first of which is never released.
fn without_a_note_off() -> Vec<u8> {
    let mut quarters: Vec<_> = (0..16).flat_map(|beat| bytes::note(24 * beat, 24 * beat + 20, 0, 60)).collect();
    quarters.remove(1);
    bytes::file(1, 24, &[bytes::track(0, quarters)])
}

fn check_bars(name: &str, source: &Source, bytes: &[u8], clip: &Clip, from: Tick, until: Tick) {
    let kept = insertion::without(clip, |note| (from..until).contains(&note.onset));
    let after = source.edited(&kept, &kept).unwrap().bytes;
    let division = i64::from(source.report().division);
    // `parsed` pairs in order: after a lost note-off each note has the end of the next one on its key.
    let has_all_ends = source.report().unclosed.count == 0;
    let start = |(start, _, channel, key): (u32, u32, u8, u8)| (start, start, channel, key);
    let comparable = |notes: Vec<(u32, u32, u8, u8)>| if has_all_ends { notes } else { notes.into_iter().map(start).collect() };
    for ((others, notes), (others_after, notes_after)) in parsed(bytes).into_iter().zip(parsed(&after)) {
        assert_eq!(others, others_after, "{name}");
        // The same rounding as the grid's: to the nearest tick, halves up.
        let tick = |start: u32| Tick((i64::from(start) * 48 + division) / (2 * division));
        let outside: Vec<_> = notes.into_iter().filter(|note| !(from..until).contains(&tick(note.0))).collect();
        assert_eq!(comparable(outside), comparable(notes_after), "{name}");
    }
}

#[test]
fn edit_of_a_clip_with_other_bar_lines_changes_no_event() {
    let source = Source::read(rich()).unwrap();
    let mut clip = source.clip().clone();
    clip.metres = MetreMap::new([(Tick::ZERO, Metre::new(7, 8).unwrap())]);
    assert_eq!(source.edited(&clip, &clip).unwrap().bytes, rich());
}
