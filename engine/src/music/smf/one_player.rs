//! Whether several channels of a track are one player: MPE controllers and MIDI guitars give every voice a channel of its own.

use super::channel::{Channel, RawNote};

/// Fewest channels of such a player: two may as well be two instruments.
const FEWEST_CHANNELS: usize = 3;

/// Of a player's notes at most one in this many overlaps the next on its channel: a channel is a voice.
const NOTES_PER_OVERLAP: usize = 20;

/// Properties of a track besides its notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// The only one of a type 0 file, where every instrument has a channel of its own.
    Whole,
    /// One of a type 1 file, where an instrument has a track of its own.
    OfMany,
}

/// Whether the channels with notes of one track are the voices of one player.
///
/// Each carries one note at a time, and they are not set to different programs. In a type 0 file, and where the drum channel is among them, they are bent note
/// by note besides, as MPE does: otherwise they are a band.
pub(super) fn is_one_player(track: Track, channels: &[(Channel, Vec<RawNote>)]) -> bool {
    if channels.len() < FEWEST_CHANNELS {
        return false;
    }
    let mut programs = channels.iter().flat_map(|(channel, _)| &channel.programs);
    let first = programs.next();
    if programs.any(|program| Some(program) != first) {
        return false;
    }
    let notes: usize = channels.iter().map(|(_, notes)| notes.len()).sum();
    let overlaps = |notes: &[RawNote]| notes.windows(2).filter(|pair| pair[0].released > pair[1].start).count();
    if channels.iter().map(|(_, notes)| overlaps(notes)).sum::<usize>() * NOTES_PER_OVERLAP > notes {
        return false;
    }
    let has_drum_channel = channels.iter().any(|(channel, _)| channel.number == crate::music::DRUM_CHANNEL);
    is_bent_by_note(channels) || track == Track::OfMany && !has_drum_channel
}

/// Whether there is a pitch bend for every note, on its channel.
pub(super) fn is_bent_by_note(channels: &[(Channel, Vec<RawNote>)]) -> bool {
    channels.iter().all(|(channel, notes)| channel.bends >= notes.len())
}

#[cfg(test)]
mod tests {
    use super::super::report::{ImportReport, Place};
    use super::*;

    /// Channels of quarter notes that follow each other round and round, each channel's notes `length` ticks long.
    fn round(numbers: &[u8], length: u64) -> Vec<(Channel, Vec<RawNote>)> {
        let channel = |(index, &number): (u64, &u8)| {
            let mut channel = Channel::new(number);
            let at = |file_tick| Place { byte: 0, file_tick };
            for number in 0..4_u8 {
                let start = (u64::from(number) * 3 + index) * 24;
                channel.note_on(60 + number, 80, 2 * usize::from(number), at(start));
                channel.note_off(60 + number, 2 * usize::from(number) + 1, at(start + length));
            }
            let notes = channel.clone().finish(1000, &mut ImportReport::default());
            (channel, notes)
        };
        (0..).zip(numbers).map(channel).collect()
    }

    #[test]
    fn voices_on_channels_of_their_own_in_one_track_are_one_player() {
        assert!(is_one_player(Track::OfMany, &round(&[10, 11, 12], 40)));
        assert!(!is_one_player(Track::OfMany, &round(&[10, 11], 40)), "two may be two instruments");
        assert!(!is_one_player(Track::OfMany, &round(&[10, 11, 12], 100)), "a channel with chords is an instrument");
    }

    #[test]
    fn band_in_one_track_is_no_player_unless_it_is_bent_note_by_note() {
        let mut channels = round(&[0, 1, 9], 40);
        assert!(!is_one_player(Track::Whole, &channels) && !is_one_player(Track::OfMany, &channels));
        channels.iter_mut().for_each(|(channel, _)| channel.bends = 4);
        assert!(is_one_player(Track::Whole, &channels) && is_one_player(Track::OfMany, &channels));
        channels[0].0.programs = vec![4];
        channels[1].0.programs = vec![33];
        assert!(!is_one_player(Track::OfMany, &channels), "different programs are different instruments");
    }
}
