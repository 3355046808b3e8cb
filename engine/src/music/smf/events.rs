//! The events of a track with their bytes: `midly` parses them, and events that it refuses but other readers accept are repaired here.

use midly::num::u28;
use midly::{EventIter, TrackEventKind};

/// One event of a track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    /// Where its delta time begins, in bytes from the start of the track's content.
    pub(super) at: usize,
    /// The file tick it happens at.
    pub(super) file_tick: u64,
    /// Its bytes after the delta time. A channel message under running status begins with its first data byte.
    pub(super) body: &'a [u8],
    /// Its content.
    pub(super) kind: Kind<'a>,
}

/// Content of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// An event as the standard has it.
    Standard(TrackEventKind<'a>),
    /// A channel message that takes its status byte from before a meta or system exclusive event, which the standard forbids.
    CarriedStatus(TrackEventKind<'a>),
    /// A system message (0xF1 to 0xFE), which a file must not hold: nothing to do with notes.
    System,
}

/// The events of one track in file order.
#[derive(Debug, Clone)]
pub(super) struct Events<'a> {
    content: &'a [u8],
    iter: EventIter<'a>,
    /// The status byte of the last channel message, kept across other events.
    status: Option<u8>,
    file_tick: u64,
}

/// No event can be read at this place, in bytes from the start of the track's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) usize);

impl<'a> Events<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self { content, iter: EventIter::new(content), status: None, file_tick: 0 }
    }

    /// How many bytes are left.
    pub(super) fn unread(&self) -> usize {
        self.iter.unread().len()
    }

    fn read(&mut self) -> Result<Event<'a>, Unreadable> {
        let rest = self.iter.unread();
        let at = self.content.len() - rest.len();
        let delta = delta_bytes(rest);
        let carried = self.iter.running_status().is_none();
        if let Some(data) = rest.get(delta).copied().and_then(system_data_bytes) {
            let end = (delta + 1 + data).min(rest.len());
            self.file_tick += u64::from(delta_of(&rest[..delta]).as_int());
            self.iter = EventIter::new(&rest[end..]);
            *self.iter.running_status_mut() = self.status;
            return Ok(Event { at, file_tick: self.file_tick, body: &rest[delta..end], kind: Kind::System });
        }
        if carried {
            *self.iter.running_status_mut() = self.status;
        }
        let event = self.iter.next().and_then(Result::ok).ok_or(Unreadable(at))?;
        self.status = self.iter.running_status().or(self.status);
        self.file_tick += u64::from(event.delta.as_int());
        let body = &rest[delta.min(rest.len())..rest.len() - self.iter.unread().len()];
        let is_running = body.first().is_some_and(|byte| *byte < 0x80);
        let kind = if carried && is_running { Kind::CarriedStatus(event.kind) } else { Kind::Standard(event.kind) };
        Ok(Event { at, file_tick: self.file_tick, body, kind })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.unread() > 0).then(|| self.read())
    }
}

impl Event<'_> {
    /// The status byte of a channel message, written or carried over; `None` for other events.
    pub(super) fn channel_status(&self) -> Option<u8> {
        let (Kind::Standard(kind) | Kind::CarriedStatus(kind)) = self.kind else { return None };
        let TrackEventKind::Midi { channel, message } = kind else { return None };
        let nibble = match message {
            midly::MidiMessage::NoteOff { .. } => 0x80,
            midly::MidiMessage::NoteOn { .. } => 0x90,
            midly::MidiMessage::Aftertouch { .. } => 0xA0,
            midly::MidiMessage::Controller { .. } => 0xB0,
            midly::MidiMessage::ProgramChange { .. } => 0xC0,
            midly::MidiMessage::ChannelAftertouch { .. } => 0xD0,
            midly::MidiMessage::PitchBend { .. } => 0xE0,
        };
        Some(nibble | channel.as_int())
    }
}

/// How many bytes the delta time takes: up to four, the last without its top bit.
fn delta_bytes(rest: &[u8]) -> usize {
    rest.iter().take(4).position(|byte| *byte < 0x80).map_or(rest.len().min(4), |last| last + 1)
}

fn delta_of(bytes: &[u8]) -> u28 {
    u28::new(bytes.iter().fold(0, |delta, byte| delta << 7 | u32::from(byte & 0x7F)))
}

/// Data bytes after the status byte of a system message; `None` for a byte that begins something else.
fn system_data_bytes(status: u8) -> Option<usize> {
    match status {
        0xF1 | 0xF3 => Some(1),
        0xF2 => Some(2),
        0xF4..=0xF6 | 0xF8..=0xFE => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(content: &[u8]) -> Vec<(usize, u64, Vec<u8>, &'static str)> {
        let name = |kind| match kind {
            Kind::Standard(_) => "standard",
            Kind::CarriedStatus(_) => "carried",
            Kind::System => "system",
        };
        Events::new(content).map(Result::unwrap).map(|event| (event.at, event.file_tick, event.body.to_vec(), name(event.kind))).collect()
    }

    #[test]
    fn running_status_across_a_text_keeps_the_last_channel_message_status() {
        let content = [0, 0x91, 60, 80, 24, 0xFF, 1, 2, b'l', b'a', 0, 60, 0, 5, 62, 80];
        let read = kinds(&content);
        assert_eq!(read[2], (10, 24, vec![60, 0], "carried"));
        assert_eq!(read[3], (13, 29, vec![62, 80], "standard"), "from there on it runs as it should");
        let statuses: Vec<_> = Events::new(&content).map(|event| event.unwrap().channel_status()).collect();
        assert_eq!(statuses, [Some(0x91), None, Some(0x91), Some(0x91)]);
    }

    #[test]
    fn system_messages_are_passed_over_with_their_data_and_their_time_counts() {
        let content = [0, 0x90, 60, 80, 12, 0xF8, 12, 0xF2, 1, 2, 0, 60, 0, 0x81, 0, 0xF3, 7, 0, 0xFE];
        let read = kinds(&content);
        assert_eq!(
            read.iter().map(|event| (event.1, event.3)).collect::<Vec<_>>()[1..4],
            [(12, "system"), (24, "system"), (24, "standard")]
        );
        assert_eq!((read[4].1, &read[4].2[..], read[5].1), (152, &[0xF3, 7][..], 152));
    }

    #[test]
    fn unreadable_event_is_named_by_its_place() {
        for damage in [&[0, 60, 80][..], &[0, 0xFF, 3, 100], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF], &[0, 0x90, 60]] {
            assert_eq!(Events::new(damage).next().unwrap().unwrap_err(), Unreadable(0), "{damage:?}");
        }
    }
}
