//! MIDI files with unusual but readable contents, and the notes read from them.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use antiphon_engine::music::smf::read;
use antiphon_engine::music::{Clip, Role};
use common::bytes::{file, meta, note, track};

/// (onset, end, pitch) of a part's notes, in quarters and 24ths.
fn spans(clip: &Clip, part: usize) -> Vec<(i64, i64, u8)> {
    clip.parts[part].notes.iter().map(|note| (note.onset.0, note.end().0, note.pitch)).collect()
}

/// One quarter each of these keys, 24 ticks a quarter, on channel 0.
fn quarters(keys: &[u8]) -> Vec<(u32, Vec<u8>)> {
    (0..).zip(keys).flat_map(|(beat, key)| note(24 * beat, 24 * beat + 20, 0, *key)).collect()
}

#[test]
fn lost_note_off_leaves_all_later_notes_of_its_key_their_lengths() {
    let mut song = quarters(&[60, 62, 60, 60, 64, 60]);
    // The first note-off of key 60.
    song.remove(1);
    let clip = read(&file(1, 24, &[track(0, song)])).unwrap().clip;
    assert_eq!(spans(&clip, 0), [(0, 48, 60), (24, 44, 62), (48, 68, 60), (72, 92, 60), (96, 116, 64), (120, 140, 60)]);
}

#[test]
fn running_status_across_a_text_is_read_on() {
    let song = [0, 0x90, 60, 80, 24, 60, 0, 0, 0xFF, 1, 2, b'%', b'+', 0, 62, 80, 24, 62, 0, 0, 0xFF, 0x2F, 0].to_vec();
    assert_eq!(spans(&read(&file(0, 24, &[song])).unwrap().clip, 0), [(0, 24, 60), (24, 48, 62)]);
}

#[test]
fn system_messages_in_a_track_are_passed_over() {
    let song = [0, 0x90, 60, 80, 12, 0xF8, 0, 0xF2, 1, 2, 0, 0xFE, 12, 0x80, 60, 0, 0, 0xFF, 0x2F, 0].to_vec();
    assert_eq!(spans(&read(&file(0, 24, &[song])).unwrap().clip, 0), [(0, 24, 60)]);
}

#[test]
fn track_count_that_is_too_small_loses_no_track() {
    for announced in [0, 1, 2] {
        let mut bytes = file(1, 24, &[track(0, quarters(&[60])), track(0, quarters(&[62])), track(0, quarters(&[64]))]);
        bytes[11] = announced;
        assert_eq!(read(&bytes).unwrap().clip.note_count(), 3, "{announced} announced");
    }
}

#[test]
fn riff_container_is_opened() {
    let song = file(0, 24, &[track(0, quarters(&[60, 62]))]);
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let data = [&b"RMIDdata"[..], &size(&song), &song].concat();
    assert_eq!(read(&[&b"RIFF"[..], &size(&data), &data].concat()).unwrap().clip.note_count(), 2);
}

#[test]
fn voices_with_a_channel_each_are_one_player_by_bends_or_in_a_track_of_their_own() {
    let voices = |bent: bool| {
        let voice = |(beat, channel): (u32, u8)| {
            let bend = bent.then(|| (24 * beat, vec![0xE0 | channel, 72, 65]));
            bend.into_iter().chain(note(24 * beat, 24 * beat + 20, channel, 60 + channel))
        };
        let notes = (0..).zip([7, 8, 9, 10, 7, 8]).flat_map(voice);
        track(0, [meta(0, 0x03, b"Player")].into_iter().chain(notes).collect())
    };
    for format in [0, 1] {
        let clip = read(&file(format, 24, &[voices(true)])).unwrap().clip;
        assert_eq!((clip.parts.len(), &*clip.parts[0].name, clip.note_count()), (1, "Player", 6), "type {format}");
        assert!(clip.notes().iter().all(|note| note.role != Role::Drums), "channel 10 is a voice as any other");
    }
    assert!(read(&file(0, 24, &[voices(false)])).unwrap().clip.parts.len() > 1, "a band in a type 0 file is a band");
}

#[test]
fn title_of_a_type_0_file_names_no_part() {
    let bass = note(0, 24, 1, 40);
    let song = [vec![meta(0, 0x03, b"The Old Bridge")], quarters(&[72]), bass.to_vec()].concat();
    let clip = read(&file(0, 24, &[track(0, song)])).unwrap().clip;
    assert_eq!(clip.parts.iter().map(|part| &*part.name).collect::<Vec<_>>(), ["", ""]);
    assert!(clip.notes().iter().all(|note| note.role != Role::Lead), "a bridge in the title is no lead");
}

#[test]
fn program_from_a_set_up_track_is_the_player_s() {
    let set_up = track(0, vec![(0, vec![0xC0, 73]), (0, vec![0xC1, 33])]);
    let bass = note(0, 24, 1, 40).to_vec();
    let clip = read(&file(1, 24, &[set_up, track(0, quarters(&[72])), track(0, bass)])).unwrap().clip;
    assert_eq!(
        clip.parts.iter().map(|part| (part.program, part.notes[0].role)).collect::<Vec<_>>(),
        [(Some(73), Role::Winds), (Some(33), Role::Bass)]
    );
}

#[test]
fn program_is_the_one_in_force_at_the_first_note() {
    let song = [vec![(0, vec![0xC0, 0]), (0, vec![0xC0, 33])], quarters(&[40])].concat();
    assert_eq!(read(&file(1, 24, &[track(0, song)])).unwrap().clip.parts[0].program, Some(33));
}

#[test]
fn pedal_left_down_at_the_end_holds_no_note_to_the_end_of_the_track() {
    let song = [vec![(0, vec![0xB0, 64, 127])], quarters(&[60])].concat();
    assert_eq!(spans(&read(&file(1, 24, &[track(2400, song)])).unwrap().clip, 0), [(0, 20, 60)]);
}

#[test]
fn late_tempo_makes_no_bars_and_a_rest_at_the_end_of_a_track_does() {
    let late = track(0, vec![meta(9600, 0x51, &[6, 0, 0])]);
    assert_eq!(read(&file(1, 24, &[late, track(0, quarters(&[60]))])).unwrap().clip.end.0, 96);
    assert_eq!(read(&file(1, 24, &[track(0, quarters(&[60])), track(192, vec![])])).unwrap().clip.end.0, 192);
}
