//! Output routing: the MIDI channel of each planned note.

use crate::music::Role;

/// MIDI channels.
const CHANNELS: u8 = 16;
/// General MIDI's percussion channel, counted from 0.
pub const PERCUSSION_CHANNEL: u8 = 9;

/// How the pitched roles of a plan share channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelSpread {
    /// All on one channel.
    #[default]
    Together,
    /// Each on its own.
    PerRole,
}

/// Where planned notes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routing {
    /// Channel of the first pitched role, 0 to 15; `None` is the player's.
    pub channel: Option<u8>,
    /// How further pitched roles follow.
    pub spread: ChannelSpread,
    /// Channel of drums, 0 to 15.
    pub drums: u8,
}

impl Default for Routing {
    fn default() -> Self {
        Self { channel: None, spread: ChannelSpread::Together, drums: PERCUSSION_CHANNEL }
    }
}

/// The player's channel, and the role played on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayerChannel {
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// Role of the player on it.
    pub role: Role,
}

/// One to three roles of a plan, without repetition, in the order they were requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRoles([Option<Role>; 3]);

impl PlannedRoles {
    /// A first role, and further ones; a repeated one counts once.
    #[must_use]
    pub fn new(first: Role, [second, third]: [Option<Role>; 2]) -> Self {
        let second = second.filter(|role| *role != first);
        let third = third.filter(|role| *role != first && Some(*role) != second);
        Self([Some(first), second, third])
    }

    /// The roles in order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        self.0.into_iter().flatten()
    }
}

impl Routing {
    /// Channel, 0 to 15, of a note of this role in a plan of `planned` roles. A note of another role, as of a suggestion from the history, goes where a role
    /// after the last of them would.
    ///
    /// Drums have their own channel, unless the player plays drums: those are continued on the player's. Pitched notes never go to the drums' channel, neither
    /// the player's nor the plan's, unless it was set for them.
    ///
    /// ```
    /// use antiphon_engine::music::Role;
    /// use antiphon_engine::plan::{PlannedRoles, PlayerChannel, Routing};
    ///
    /// let keys = PlayerChannel { channel: 2, role: Role::Keys };
    /// let planned = PlannedRoles::new(Role::Bass, [Some(Role::Drums), None]);
    /// let routing = Routing::default();
    /// assert_eq!(routing.channel(Role::Bass, keys, planned), 2);
    /// assert_eq!(routing.channel(Role::Drums, keys, planned), 9);
    /// ```
    #[must_use]
    pub fn channel(self, role: Role, player: PlayerChannel, planned: PlannedRoles) -> u8 {
        let continues_drums = player.role == Role::Drums && self.channel.is_none();
        if role == Role::Drums {
            return if continues_drums { player.channel } else { self.drums };
        }
        let is_of_drums = |channel: u8| channel == self.drums || continues_drums && channel == player.channel;
        let next = |channel: u8| (channel + 1) % CHANNELS;
        let after = |channel: u8| (0..CHANNELS).fold(next(channel), |found, _| if is_of_drums(found) { next(found) } else { found });
        let first = match self.channel {
            Some(channel) => channel,
            None if continues_drums => after(CHANNELS - 1),
            None => player.channel,
        };
        let place = match self.spread {
            ChannelSpread::Together => 0,
            ChannelSpread::PerRole => planned.iter().filter(|role| *role != Role::Drums).take_while(|other| *other != role).count(),
        };
        (0..place).fold(first, |channel, _| after(channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: PlayerChannel = PlayerChannel { channel: 3, role: Role::Keys };
    const BAND: PlannedRoles = PlannedRoles([Some(Role::Bass), Some(Role::Drums), Some(Role::Pad)]);

    fn channels(routing: Routing, player: PlayerChannel) -> [u8; 3] {
        [Role::Bass, Role::Drums, Role::Pad].map(|role| routing.channel(role, player, BAND))
    }

    #[test]
    fn pitched_roles_follow_the_player_and_drums_have_their_own_channel() {
        assert_eq!(channels(Routing::default(), KEYS), [3, 9, 3]);
        assert_eq!(channels(Routing { channel: Some(6), drums: 15, ..Routing::default() }, KEYS), [6, 15, 6]);
        assert_eq!(channels(Routing { drums: 3, ..Routing::default() }, KEYS), [3, 3, 3], "set by the player");
    }

    #[test]
    fn roles_on_their_own_channels_skip_the_one_of_the_drums() {
        let routing = Routing { channel: Some(8), spread: ChannelSpread::PerRole, drums: 9 };
        assert_eq!(channels(routing, KEYS), [8, 9, 10]);
        assert_eq!(channels(Routing { channel: Some(15), ..routing }, KEYS), [15, 9, 0]);
        assert_eq!(channels(Routing { channel: None, ..routing }, KEYS), [3, 9, 4]);
        assert_eq!(routing.channel(Role::Lead, KEYS, BAND), 11, "a role of an older suggestion comes after the others");
    }

    #[test]
    fn drums_of_the_player_are_continued_on_the_players_channel_and_pitched_roles_avoid_it() {
        for (channel, pitched) in [(0, 1), (9, 0), (4, 0)] {
            let player = PlayerChannel { channel, role: Role::Drums };
            assert_eq!(channels(Routing::default(), player), [pitched, channel, pitched]);
        }
        let player = PlayerChannel { channel: 0, role: Role::Drums };
        assert_eq!(channels(Routing { channel: Some(0), ..Routing::default() }, player), [0, 9, 0], "set by the player");
    }

    #[test]
    fn drums_reach_no_melodic_channel_of_the_player_by_default() {
        for channel in (0..CHANNELS).filter(|channel| *channel != PERCUSSION_CHANNEL) {
            for spread in [ChannelSpread::Together, ChannelSpread::PerRole] {
                let routing = Routing { spread, ..Routing::default() };
                let [bass, drums, pad] = channels(routing, PlayerChannel { channel, role: Role::Keys });
                assert!(drums != channel && bass != drums && pad != drums && (bass == pad) == (spread == ChannelSpread::Together));
            }
        }
    }

    #[test]
    fn repeated_role_counts_once() {
        let roles = |second, third| PlannedRoles::new(Role::Bass, [second, third]).iter().collect::<Vec<_>>();
        assert_eq!(roles(Some(Role::Bass), None), [Role::Bass]);
        assert_eq!(roles(Some(Role::Pad), Some(Role::Pad)), [Role::Bass, Role::Pad]);
        assert_eq!(roles(None, Some(Role::Keys)), [Role::Bass, Role::Keys]);
    }
}
