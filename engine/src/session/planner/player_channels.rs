//! MIDI channels of the player: whether they are instruments, or the voices of one player who has a channel for each, as MPE controllers and MIDI guitars do.

use std::collections::VecDeque;

use crate::music::Role;
use crate::plan::{PERCUSSION_CHANNEL, PlayerChannel};

/// Notes that are looked at.
const RECENT: usize = 16;
/// Fewest channels, that of percussion aside, of a player with a channel for each voice: two may as well be two instruments.
const FEWEST_CHANNELS: usize = 3;
/// Channel, 0 to 15, of what is planned for such a player: the master channel of MPE's lower zone, which no voice bends.
const MASTER: u8 = 0;

/// A note of the player.
#[derive(Debug, Clone, Copy)]
struct Struck {
    channel: u8,
    /// Whether another key was down on its channel.
    overlaps: bool,
}

/// Channels of the player's latest notes.
#[derive(Debug, Clone, Default)]
pub(super) struct PlayerChannels {
    /// The latest last.
    recent: VecDeque<Struck>,
    /// Keys down on each channel.
    down: [u8; 16],
}

impl PlayerChannels {
    /// The player strikes a key on a channel.
    pub(super) fn strike(&mut self, channel: u8) {
        let Some(down) = self.down.get_mut(usize::from(channel)) else { return };
        self.recent.push_back(Struck { channel, overlaps: *down > 0 });
        *down = down.saturating_add(1);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// The player lets a key go.
    pub(super) fn let_go(&mut self, channel: u8) {
        if let Some(down) = self.down.get_mut(usize::from(channel)) {
            *down = down.saturating_sub(1);
        }
    }

    /// All keys are up.
    pub(super) const fn release(&mut self) {
        self.down = [0; 16];
    }

    /// Whether each channel is a voice of one player: there are several, and none has carried two notes at once.
    fn are_voices(&self) -> bool {
        let channels =
            self.recent.iter().filter(|note| note.channel != PERCUSSION_CHANNEL).fold(0_u16, |all, note| all | 1 << note.channel);
        usize::try_from(channels.count_ones()).is_ok_and(|channels| channels >= FEWEST_CHANNELS)
            && self.recent.iter().all(|note| !note.overlaps)
    }

    /// Role of a note on a channel, by General MIDI: percussion on channel 10, unless that is a voice.
    pub(super) fn role_on(&self, channel: u8) -> Role {
        if channel == PERCUSSION_CHANNEL && !self.are_voices() { Role::Drums } else { Role::Keys }
    }

    /// The player's channel and role, as planned notes go by them.
    pub(super) fn player(&self) -> PlayerChannel {
        let channel = self.recent.back().map_or(MASTER, |note| note.channel);
        PlayerChannel { channel: if self.are_voices() { MASTER } else { channel }, role: self.role_on(channel) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The player after one note on each of these channels in turn, each held for so many of the next ones.
    fn after(channels: &[u8], held: usize) -> PlayerChannels {
        let mut player = PlayerChannels::default();
        for (place, channel) in channels.iter().enumerate() {
            if let Some(ended) = place.checked_sub(held + 1) {
                player.let_go(channels[ended]);
            }
            player.strike(*channel);
        }
        player
    }

    #[test]
    fn channel_10_is_percussion_unless_it_is_a_voice_of_a_player_with_a_channel_for_each() {
        let drummer = after(&[9, 9, 9], 0).player();
        assert_eq!((drummer.channel, drummer.role), (9, Role::Drums));
        // MPE goes round the channels 2 to 16 with the keys of a chord down.
        let voices: Vec<u8> = (1..10).collect();
        let mpe = after(&voices, 3).player();
        assert_eq!((mpe.channel, mpe.role), (MASTER, Role::Keys));
        let first = after(&[9, 9, 1, 2], 0);
        assert_eq!(first.role_on(9), Role::Drums, "two channels may be two instruments");
    }

    #[test]
    fn band_on_one_track_has_chords_on_a_channel() {
        let band = after(&[0, 0, 0, 1, 2, 9, 9, 3], 2).player();
        assert_eq!((band.channel, band.role), (3, Role::Keys));
        assert_eq!(after(&[0, 0, 0, 1, 2, 9, 9, 3, 9], 2).role_on(9), Role::Drums);
    }

    #[test]
    fn lost_input_leaves_no_key_down() {
        let mut player = after(&[0, 1, 2], 9);
        player.release();
        [0, 1, 2].into_iter().for_each(|channel| player.strike(channel));
        assert!(player.are_voices());
    }
}
