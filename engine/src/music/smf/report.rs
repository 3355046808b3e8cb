//! What an import had to adjust.

/// Place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its first byte in the file.
    pub byte: usize,
    /// Its time in the file's own ticks.
    pub file_tick: u64,
}

/// Events that were ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ignored {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Option<Place>,
}

impl Ignored {
    pub(super) fn add(&mut self, place: Place) {
        self.count += 1;
        self.first.get_or_insert(place);
    }
}

impl std::fmt::Display for Ignored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.first {
            Some(place) => write!(f, "{} (first at byte {}, file tick {})", self.count, place.byte, place.file_tick),
            None => write!(f, "{}", self.count),
        }
    }
}

/// Counts of notes or events that were read, and of adjustments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// SMF type, 0 or 1.
    pub format: u8,
    /// Ticks per quarter note of the file.
    pub division: u16,
    /// Track chunks read.
    pub tracks: usize,
    /// Events read, of all kinds.
    pub events: u64,
    /// Notes in the clip.
    pub notes: usize,
    /// Notes off the grid; the rest is kept in their offset.
    pub off_grid: u64,
    /// Notes whose offset was clamped to 3 eighths of a tick: they lie closest to half a tick after the grid.
    pub offset_clamped: u64,
    /// Notes that the sustain pedal made longer.
    pub pedalled: u64,
    /// Notes shorter than a tick, made one tick long.
    pub lengthened: u64,
    /// Notes without an end: closed where their key is struck again or their track ends.
    pub unclosed: Ignored,
    /// Note-offs without a note.
    pub stray_note_offs: Ignored,
    /// Notes that started together with the same pitch in the same part: the longest is kept.
    pub duplicates: u64,
    /// Metres in 64ths or finer, which the grid cannot represent: the metre before stays.
    pub bad_metres: Ignored,
    /// Program changes after a channel's first: a part keeps one program.
    pub later_programs: u64,
    /// Channel messages that take their status byte from before a meta or system exclusive event, which the standard forbids.
    pub carried_status: Ignored,
    /// System messages (0xF1 to 0xFE), which a file must not hold.
    pub system_messages: Ignored,
    /// Tracks beyond the number that the header announces: read like the others.
    pub unannounced_tracks: usize,
    /// Tracks without an end-of-track event; they end with their last event.
    pub endless_tracks: u64,
    /// Bytes after the last track, and after a track's end-of-track event: not read.
    pub trailing_bytes: usize,
}

impl ImportReport {
    /// Messages of the faults that were repaired; empty if there were none. Adjustments for the grid and the pedal do not count.
    #[must_use]
    pub fn repaired(&self) -> Vec<String> {
        let mut repaired = Vec::new();
        if self.unannounced_tracks > 0 {
            let announced = self.tracks - self.unannounced_tracks;
            repaired.push(format!("tracks announced by the header: {announced}, tracks in the file, all read: {}", self.tracks));
        }
        for (ignored, what) in [
            (self.carried_status, "messages without a status byte after a text or system exclusive event, read with the last status byte"),
            (self.system_messages, "system messages, which a file must not contain, ignored"),
            (self.unclosed, "notes without an end, ended where their key is struck again or their track ends"),
            (self.stray_note_offs, "note-offs without a note, ignored"),
            (self.bad_metres, "metres too fine for the grid, ignored"),
        ] {
            if ignored.count > 0 {
                repaired.push(format!("{what}: {ignored}"));
            }
        }
        if self.duplicates > 0 {
            repaired.push(format!("doubled notes, the longest kept: {}", self.duplicates));
        }
        if self.endless_tracks > 0 {
            repaired.push(format!("tracks without an end, ended with their last event: {}", self.endless_tracks));
        }
        if self.trailing_bytes > 0 {
            repaired.push(format!("bytes after the end, not read: {}", self.trailing_bytes));
        }
        repaired
    }
}
