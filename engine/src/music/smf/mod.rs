//! Standard MIDI Files: clips in and out.
//!
//! Follows "Standard MIDI Files 1.0" (RP-001, MIDI Manufacturers Association). [`midly`] parses the bytes of events; this module interprets them.
//!
//! * **Read**: types 0 and 1 with metrical time, also in a RIFF container (.rmi). A track makes one [`Part`](super::Part) per port and channel it uses, or one
//!   altogether if its channels are the voices of one player. A damaged file is refused with the byte where the damage is, never half-read; faults that other
//!   readers accept are repaired, contents that a [`Clip`](super::Clip) cannot hold are adjusted, and both are counted in the [`ImportReport`].
//! * **Edited**: a [`Source`] keeps the file's bytes; notes of it can be replaced, all else stays unchanged.
//! * **Written**: type 1, 960 ticks per quarter note, one track for metres and tempi and then one per part. Notes on the grid are read
//!   back unchanged.

mod channel;
mod chunks;
#[cfg(test)]
mod damage_tests;
mod edit;
#[cfg(test)]
mod edit_tests;
mod events;
#[cfg(test)]
mod fixtures;
mod grid;
mod one_player;
mod patches;
mod placing;
mod read;
mod report;
mod source;
mod track;
mod write;

use std::path::PathBuf;

pub use edit::Edited;
pub use read::{Import, read, read_file};
pub use report::{Ignored, ImportReport, Place};
pub use source::Source;
pub use write::{write, write_file};

/// Largest file that is read, in bytes: several times what [`MAX_EVENTS`] can fill with music.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Most events a file may hold, of all kinds and tracks together: about two million notes, many times the longest symphony.
pub const MAX_EVENTS: u64 = 4_000_000;

/// Most notes a file may leave without an end: as many as there are keys. A few are a slip of the player's or the program's, more are damage.
pub const MAX_UNENDED: u64 = 128;

/// Longest piece, in quarter notes: more than a day at 120 a minute. It keeps one absurd pause from making millions of bars.
pub const MAX_QUARTERS: i64 = 200_000;

/// Why a MIDI file was not read or written. Tracks are counted from 1, bytes from 0.
#[derive(Debug, thiserror::Error)]
pub enum MidiError {
    /// The error of a file that has a name.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The fault.
        #[source]
        error: Box<MidiError>,
    },
    /// The file system refused.
    #[error("{}: {error}; {}", path.display(), cure(error))]
    Io {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        #[source]
        error: std::io::Error,
    },
    /// Nothing in it.
    #[error("the file is empty (0 bytes); export it again")]
    Empty,
    /// Bytes of something else.
    #[error("not a Standard MIDI File: it begins with \"{begins}\" (byte {byte}) instead of \"MThd\"; export it as .mid")]
    NotMidi {
        /// Its first bytes, made printable.
        begins: String,
        /// Their place in the bytes: not 0 inside a container.
        byte: usize,
    },
    /// A RIFF container of type RMID without a data chunk.
    #[error(
        "the file is a RIFF MIDI file (.rmi) with no MIDI data in it: it has no chunk \"data\" that holds an \"MThd\"; export it as .mid"
    )]
    Rmid,
    /// The file ends before it should.
    #[error("the file is cut short: {what} at byte {byte} needs {needed} bytes, {left} are left; get a whole copy of the file")]
    CutShort {
        /// Structure that was being read.
        what: String,
        /// Where it begins.
        byte: usize,
        /// Stated length.
        needed: u64,
        /// How many bytes there are.
        left: usize,
    },
    /// The header is invalid.
    #[error("the header is damaged: {what} (byte {byte}); export the file again")]
    Header {
        /// The fault.
        what: String,
        /// Place of that statement.
        byte: usize,
    },
    /// Type 2: independent patterns.
    #[error("a type 2 file (byte 8) holds independent patterns, not one piece; export it as type 0 or 1")]
    Patterns,
    /// SMPTE time division.
    #[error("the file counts seconds (SMPTE time division, byte 12), so it has no bars; export it with ticks per quarter note")]
    Smpte,
    /// An event that is none.
    #[error("track {track} is damaged: no MIDI event can be read at byte {byte}; export the file again")]
    Damaged {
        /// The track, counted from 1.
        track: usize,
        /// The event's first byte in the file.
        byte: usize,
    },
    /// A metre of no beats, such as 0/0.
    #[error("track {track} sets a metre of no beats (0/n) at byte {byte}; give that bar a time signature and export the file again")]
    Metre {
        /// The track, counted from 1.
        track: usize,
        /// Where the event begins.
        byte: usize,
    },
    /// A tempo of zero microseconds.
    #[error("track {track} sets a tempo of zero at byte {byte}; give it a tempo and export the file again")]
    Tempo {
        /// The track, counted from 1.
        track: usize,
        /// Where the event begins.
        byte: usize,
    },
    /// Beyond [`MAX_UNENDED`].
    #[error("{count} notes are struck and never end, the first at byte {byte}; more than {MAX_UNENDED} is damage: export the file again")]
    Unended {
        /// How many.
        count: u64,
        /// Where the first is struck.
        byte: usize,
    },
    /// Beyond [`MAX_FILE_BYTES`].
    #[error("the file has {bytes} bytes, more than the {MAX_FILE_BYTES} that are read; split it")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Beyond [`MAX_EVENTS`].
    #[error("more than {MAX_EVENTS} events: the limit is reached in track {track} at byte {byte}; split the file")]
    TooManyEvents {
        /// The track, counted from 1.
        track: usize,
        /// Where the first event too many begins.
        byte: usize,
    },
    /// Beyond [`MAX_QUARTERS`].
    #[error("longer than {MAX_QUARTERS} quarter notes: {place}; remove the pause or split the piece")]
    TooLong {
        /// The event or part beyond the limit.
        place: String,
    },
    /// A clip that no file can hold.
    #[error("the clip does not fit a Standard MIDI File: {what}")]
    Unwritable {
        /// The quantity that does not fit.
        what: String,
    },
}

/// What helps against an error of the file system.
fn cure(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "check the path",
        ErrorKind::IsADirectory => "name a file in it",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "check the permissions",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "make room",
        _ => "try another file or folder",
    }
}
