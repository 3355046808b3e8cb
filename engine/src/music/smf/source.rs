//! A file that was read, together with its bytes, so that some of its notes can be replaced and all else stays unchanged.

use std::ops::Range;
use std::path::Path;

use super::channel::RawNote;
use super::edit::{self, Edited};
use super::grid::Grid;
use super::read::{Import, ReadParts, bytes_of, read_parts};
use super::{ImportReport, MidiError};
use crate::music::{Clip, Tick};

/// A MIDI file with its bytes.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) bytes: Vec<u8>,
    pub(super) clip: Clip,
    report: ImportReport,
    pub(super) tracks: Vec<TrackSource>,
    pub(super) parts: Vec<PartSource>,
    pub(super) grid: Grid,
}

/// Place of a track in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TrackSource {
    /// Its content in the bytes of the file, without the head of the chunk.
    pub(super) content: Range<usize>,
}

/// Where a part of the clip comes from.
#[derive(Debug, Clone)]
pub(super) struct PartSource {
    /// Counted from 0.
    pub(super) track: usize,
    /// MIDI port, 0 where none is named.
    pub(super) port: u8,
    /// The part's channel, or one of those that its voices have.
    pub(super) channel: u8,
    /// Whether its channels are bent note by note, as MPE does.
    pub(super) is_bent: bool,
    /// Every note as the file has it; several may have become one note of the clip.
    pub(super) notes: Vec<SourceNote>,
}

/// A note as the file has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceNote {
    /// Its onset in the clip. With its key it names the note of the clip.
    pub(super) onset: Tick,
    pub(super) raw: RawNote,
}

impl Source {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As [`read()`](super::read()).
    pub fn read(bytes: Vec<u8>) -> Result<Self, MidiError> {
        let ReadParts { clip, report, tracks, parts, grid } = read_parts(&bytes)?;
        Ok(Self { bytes, clip, report, tracks, parts, grid })
    }

    /// Reads a file; every error names it.
    ///
    /// # Errors
    /// As [`read()`](super::read()), or the error of the file system.
    pub fn read_file(path: &Path) -> Result<Self, MidiError> {
        Self::read(bytes_of(path)?).map_err(|error| MidiError::InFile { path: path.to_owned(), error: Box::new(error) })
    }

    /// The music in it.
    #[must_use]
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Adjustments made in reading it.
    #[must_use]
    pub fn report(&self) -> &ImportReport {
        &self.report
    }

    /// The music and the report, without the bytes.
    #[must_use]
    pub fn into_import(self) -> Import {
        Import { clip: self.clip, report: self.report }
    }

    /// The file with some of its notes replaced.
    ///
    /// `kept` is [`Source::clip`] without the notes that go, `whole` is `kept` with the new notes, in the same parts and perhaps further ones behind them. Only
    /// note-ons and note-offs change: every other event keeps its bytes and its time, notes that stay keep their own lengths, and controllers, bends and the
    /// pedal stay where notes are replaced, too. Tracks without a change keep every byte; a file without a change is the file. A part that the file lacks gets
    /// a track of its own, in a type 0 file a channel. A file in a RIFF container comes out of it.
    ///
    /// A new note is left out where a note that stays still holds its key, and ends where one strikes it.
    ///
    /// # Errors
    /// [`MidiError::TooLong`] beyond [`MAX_QUARTERS`](super::MAX_QUARTERS), [`MidiError::Unwritable`] for more than the format can count.
    pub fn edited(&self, kept: &Clip, whole: &Clip) -> Result<Edited, MidiError> {
        edit::edited(self, kept, whole)
    }
}
