//! Files that are damaged, cut short or beyond the limits: refused with the byte, or repaired and reported.

use super::fixtures::{QUARTER, chunk, file, header, spans};
use super::{Ignored, Place, read, read_file};
use crate::music::{Metre, MetreMap, Tick};

fn refused(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

#[test]
fn more_than_128_notes_may_be_held_but_not_for_ever() {
    let strike: Vec<u8> = (0..128u8).flat_map(|key| [0, 0x90, key, 80, 0, 0x91, key, 80]).collect();
    let release: Vec<u8> = (0..128u8).flat_map(|key| [0, 0x80, key, 0, 0, 0x81, key, 0]).collect();
    let import = read(&file(0, 24, &[&[&strike[..], &[24, 0xB0, 7, 100], &release].concat()])).unwrap();
    assert_eq!((import.report.notes, import.report.unclosed.count), (256, 0));
    assert!(import.clip.notes().iter().all(|note| note.duration == Tick(24)));
    assert_eq!(
        refused(&file(0, 24, &[&strike])),
        "256 notes are struck and never end, the first at byte 22; more than 128 is damage: export the file again"
    );
    let import = read(&file(0, 24, &[&strike[..4 * 128]])).unwrap();
    assert_eq!((import.report.notes, import.report.unclosed.count), (128, 128), "a few are closed where the track ends");
}

#[test]
fn metres_of_no_beats_and_tempi_of_zero_are_refused_with_their_byte() {
    let metres = [0, 0xFF, 0x58, 4, 3, 2, 24, 8, 72, 0xFF, 0x58, 4, 0, 0, 24, 8];
    let tempos = [0, 0xFF, 0x51, 3, 0x0B, 0x71, 0xB0, 24, 0xFF, 0x51, 3, 0, 0, 0];
    let message = refused(&file(1, 24, &[QUARTER, &metres]));
    assert!(message.starts_with("track 2 sets a metre of no beats (0/n) at byte 50;"), "{message}");
    let message = refused(&file(1, 24, &[&tempos]));
    assert!(message.starts_with("track 1 sets a tempo of zero at byte 29;"), "{message}");
}

#[test]
fn metres_that_are_too_fine_leave_the_one_before() {
    let metres = [0, 0xFF, 0x58, 4, 3, 2, 24, 8, 72, 0xFF, 0x58, 4, 4, 6, 24, 8, 0, 0xFF, 0x58, 4, 4, 200, 24, 8];
    let import = read(&file(1, 24, &[&metres, QUARTER])).unwrap();
    assert_eq!(import.clip.metres, MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]));
    assert_eq!((import.report.bad_metres.count, import.report.bad_metres.first), (2, Some(Place { byte: 30, file_tick: 72 })));
}

#[test]
fn file_cut_anywhere_is_refused() {
    let whole = file(1, 24, &[QUARTER, QUARTER, &[0, 0xFF, 3, 2, b'a', b'b']]);
    for length in 0..whole.len() {
        refused(&whole[..length]);
    }
    assert!(refused(&whole[..50]).contains("track 2 of 3 at byte 34 needs 20 bytes, 16 are left"));
}

#[test]
fn damaged_event_is_refused_with_its_byte() {
    // A data byte where no status was; a name longer than its track; a time that never ends.
    for damage in [&[0, 0xFF, 3, 100][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]] {
        let message = refused(&file(1, 24, &[&[QUARTER, &[0, 0xFF, 1, 0], damage].concat()]));
        assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 34"), "{message}");
    }
    let message = refused(&file(1, 24, &[&[0, 0xFF, 1, 0, 0, 60, 80]]));
    assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 26"), "{message}");
}

#[test]
fn running_status_across_other_events_is_read_and_reported() {
    let song = [&[0, 0x90, 60, 80, 24, 60, 0, 0, 0xFF, 1, 2, b'l', b'a', 0, 62, 80, 12, 0xF0, 1, 0xF7, 12, 62, 0][..]].concat();
    let import = read(&file(0, 24, &[&song])).unwrap();
    assert_eq!(spans(&import.clip), [(0, 24, 60, 0), (24, 48, 62, 0)]);
    let Ignored { count, first } = import.report.carried_status;
    assert_eq!((count, first), (2, Some(Place { byte: 35, file_tick: 24 })));
    assert!(import.report.repaired()[0].contains("2 (first at byte 35, file tick 24)"), "{:?}", import.report.repaired());
}

#[test]
fn system_messages_are_skipped_and_reported() {
    let song = [0, 0x90, 60, 80, 12, 0xF8, 0, 0xFE, 0, 0xF3, 5, 0, 0xF1, 1, 12, 60, 0];
    let import = read(&file(0, 24, &[&song])).unwrap();
    assert_eq!((spans(&import.clip), import.report.system_messages.count), (vec![(0, 24, 60, 0)], 4));
    assert!(import.report.repaired()[0].starts_with("system messages"), "{:?}", import.report.repaired());
}

#[test]
fn tracks_missing_in_the_header_count_are_read_and_reported() {
    for announced in [0, 1] {
        let mut bytes = file(1, 24, &[QUARTER, QUARTER, QUARTER]);
        bytes[11] = announced;
        // Another chunk in between is none the header counts.
        bytes.splice(34..34, chunk(b"odd ", b"?"));
        let import = read(&bytes).unwrap();
        assert_eq!((import.clip.parts.len(), import.report.unannounced_tracks), (3, 3 - usize::from(announced)));
        let repair = format!("tracks announced by the header: {announced}, tracks in the file, all read: 3");
        assert_eq!(import.report.repaired(), [repair]);
        assert!(refused(&bytes[..bytes.len() - 1]).contains("cut short: track 3"));
    }
}

#[test]
fn bytes_after_the_end_are_counted() {
    let track = [QUARTER, &[0, 0xFF, 0x2F, 0, 1, 2, 3]].concat();
    let bytes = [header(0, 1, 24), chunk(b"odd ", b"?"), chunk(b"MTrk", &track), b"junk".to_vec()].concat();
    let report = read(&bytes).unwrap().report;
    assert_eq!((report.trailing_bytes, report.endless_tracks), (7, 0));
    let endless = read(&[header(0, 1, 24), chunk(b"MTrk", QUARTER)].concat()).unwrap().report;
    assert_eq!((endless.trailing_bytes, endless.endless_tracks), (0, 1));
}

#[test]
fn ten_million_events_are_refused_where_the_limit_is_reached() {
    let events: Vec<u8> = [0, 0x90, 60, 80].into_iter().chain([0, 60, 0, 0, 60, 80].repeat(5_000_000)).collect();
    assert!(refused(&file(0, 24, &[&events])).contains("more than 4000000 events: the limit is reached in track 1 at byte 12000023"));
    assert!(refused(&vec![0; 64 << 20 | 1]).contains("67108865 bytes"));
}

#[test]
fn absurd_pause_is_refused() {
    let message = refused(&file(0, 24, &[&[0xFF, 0xFF, 0xFF, 0x7F, 0x90, 60, 80]]));
    assert!(message.contains("longer than 200000 quarter notes: track 1, byte 22"), "{message}");
}

#[test]
fn errors_of_files_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.mid");
    assert!(read_file(&path).unwrap_err().to_string().contains("broken.mid"));
    std::fs::write(&path, b"MThd").unwrap();
    assert!(read_file(&path).unwrap_err().to_string().contains("broken.mid: the file is cut short"));
}
