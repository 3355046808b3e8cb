//! Structure of a file: chunks, the header, and the RIFF container that some files come in.

use std::ops::Range;

use super::MidiError;

/// A chunk of the file: four letters and a length.
pub(super) struct Chunk<'a> {
    pub(super) id: [u8; 4],
    pub(super) content: &'a [u8],
    /// The byte after it.
    pub(super) end: usize,
}

impl<'a> Chunk<'a> {
    pub(super) fn read(bytes: &'a [u8], at: usize, what: impl Fn() -> String) -> Result<Self, MidiError> {
        let rest = &bytes[at..];
        let cut_short = |needed| MidiError::CutShort { what: what(), byte: at, needed, left: rest.len() };
        let (head, rest) = rest.split_first_chunk::<8>().ok_or_else(|| cut_short(8))?;
        let [i, d, e, n, length @ ..] = *head;
        let length = u32::from_be_bytes(length);
        let content = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or_else(|| cut_short(8 + u64::from(length)))?;
        Ok(Self { id: [i, d, e, n], content, end: at + 8 + content.len() })
    }
}

/// Where the Standard MIDI File lies in the bytes: all of them, or the data of a RIFF file of type RMID (.rmi), as RP-029 has it.
///
/// # Errors
/// [`MidiError::Rmid`] for a container without one, [`MidiError::CutShort`] for one that ends too early.
pub(super) fn midi_range(bytes: &[u8]) -> Result<Range<usize>, MidiError> {
    if !(bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"RMID")) {
        return Ok(0..bytes.len());
    }
    let mut at = 12;
    while let Some(&[i, d, e, n, a, b, c, d2]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        // RIFF counts from the low byte on, and pads to even lengths.
        let length = u32::from_le_bytes([a, b, c, d2]);
        let needed = 8 + u64::from(length);
        let end = usize::try_from(needed).ok().and_then(|needed| at.checked_add(needed)).filter(|end| *end <= bytes.len());
        let Some(end) = end else {
            return Err(MidiError::CutShort { what: "the RIFF chunk".to_owned(), byte: at, needed, left: bytes.len() - at });
        };
        if [i, d, e, n] == *b"data" {
            return Ok(at + 8..end);
        }
        at = end + end % 2;
    }
    Err(MidiError::Rmid)
}

/// Contents of the header chunk.
pub(super) struct Header {
    pub(super) format: u8,
    pub(super) tracks: u16,
    /// Ticks per quarter note.
    pub(super) division: u16,
    /// The byte after it.
    pub(super) end: usize,
}

impl Header {
    /// Reads the header that begins at byte `at`.
    pub(super) fn read(bytes: &[u8], at: usize) -> Result<Self, MidiError> {
        let begin = &bytes[at..];
        if begin.is_empty() {
            return Err(MidiError::Empty);
        }
        if !begin.starts_with(b"MThd") {
            return Err(MidiError::NotMidi { begins: begin[..begin.len().min(8)].escape_ascii().to_string(), byte: at });
        }
        let chunk = Chunk::read(bytes, at, || "the header".to_owned())?;
        let Some(&[f0, f1, t0, t1, d0, d1]) = chunk.content.first_chunk::<6>() else {
            return Err(MidiError::Header { what: format!("it is {} bytes long instead of 6", chunk.content.len()), byte: at + 4 });
        };
        let format = match u16::from_be_bytes([f0, f1]) {
            0 => 0,
            1 => 1,
            2 => return Err(MidiError::Patterns),
            other => return Err(MidiError::Header { what: format!("type {other} does not exist"), byte: at + 8 }),
        };
        let tracks = u16::from_be_bytes([t0, t1]);
        // A track is at least 8 bytes: a count beyond that needs no further look.
        let room = (bytes.len() - chunk.end) / 8;
        if usize::from(tracks) > room {
            let what =
                format!("it announces {tracks} tracks, and the file has room for {room}: the count is wrong or the file is cut short");
            return Err(MidiError::Header { what, byte: at + 10 });
        }
        if d0 >= 0x80 {
            return Err(MidiError::Smpte);
        }
        let division = u16::from_be_bytes([d0, d1]);
        if division == 0 {
            return Err(MidiError::Header { what: "it gives a quarter note 0 ticks".to_owned(), byte: at + 12 });
        }
        Ok(Self { format, tracks, division, end: chunk.end })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{chunk, file, header};
    use super::super::read;

    fn refused(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn bytes_that_are_no_midi_file_are_refused() {
        assert!(refused(b"").contains("empty"));
        assert!(refused(b"RIFF\0\0\0\0WAVE").contains("begins with \"RIFF"));
        assert!(refused(b"MThd\0\0").contains("cut short"));
    }

    #[test]
    fn absurd_headers_are_refused() {
        for (header, wanted) in [
            (chunk(b"MThd", &[0, 1]), "2 bytes long"),
            (header(3, 1, 480), "type 3"),
            (header(1, 65535, 480), "announces 65535 tracks"),
            (header(1, 1, 0), "0 ticks"),
            (header(2, 1, 480), "type 2"),
            (header(1, 1, 0xE728), "SMPTE"),
            (b"MThd\xFF\xFF\xFF\xFF\0\x01\0\x01\x01\xE0".to_vec(), "the header at byte 0 needs 4294967303 bytes"),
        ] {
            let message = refused(&[header, chunk(b"MTrk", &[0, 0xFF, 0x2F, 0])].concat());
            assert!(message.contains(wanted), "{message}");
        }
        assert!(refused(&header(1, 0, 480)).contains("no tracks"));
    }

    #[test]
    fn riff_container_is_opened_and_places_count_from_its_first_byte() {
        let song = file(0, 24, &[&[0, 0x90, 60, 80, 24, 60, 0]]);
        let riff = |id: &[u8; 4], data: &[u8]| {
            let chunk =
                |id: &[u8], data: &[u8]| [id, &u32::try_from(data.len()).unwrap().to_le_bytes(), data, &vec![0; data.len() % 2]].concat();
            chunk(b"RIFF", &[&b"RMID"[..], &chunk(b"DISP", b"odd"), &chunk(id, data)].concat())
        };
        let import = read(&riff(b"data", &song)).unwrap();
        assert_eq!((import.clip.note_count(), import.report.trailing_bytes), (1, 0));
        assert!(refused(&riff(b"junk", &song)).contains("no MIDI data"));
        let mut absurd = song.clone();
        absurd[12..14].fill(0);
        // RIFF header, DISP chunk with padding, and the head of the data chunk lie before.
        assert!(refused(&riff(b"data", &absurd)).contains("byte 44"));
        let whole = riff(b"data", &song);
        assert!(refused(&whole[..40]).contains("cut short: the RIFF chunk at byte 24 needs"));
    }
}
