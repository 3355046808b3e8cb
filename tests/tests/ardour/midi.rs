//! MIDI messages as a probe saw them, and whether every key that went down came up.

use std::collections::BTreeMap;
use std::fmt;

use super::song::Song;

/// Samples of Ardour's blocks, as the scripts set them.
const BLOCK: i64 = 512;

/// Velocity of the note-offs that Ardour makes itself.
const ARDOURS_RELEASE: u8 = 64;

/// One message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    /// Sample of all that the probe processed.
    pub(crate) processed: i64,
    /// Sample of the song; while the transport stands, where it stands.
    pub(crate) song: i64,
    pub(crate) bytes: [u8; 3],
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [status, first, second] = self.bytes;
        write!(f, "{status:02x} {first} {second} at {} (song {})", self.processed, self.song)
    }
}

/// What a message means here.
enum Kind {
    On(u8, u8),
    Off(u8, u8),
    /// All notes or all sound off, on a channel.
    AllOff(u8),
    Other,
}

impl Message {
    fn kind(&self) -> Kind {
        let [status, first, second] = self.bytes;
        let channel = status & 15;
        match (status >> 4, first, second) {
            (9, key, 1..) => Kind::On(channel, key),
            (8 | 9, key, _) => Kind::Off(channel, key),
            (11, 120 | 123, _) => Kind::AllOff(channel),
            _ => Kind::Other,
        }
    }
}

/// Keys that are down, channel and key, with the message that struck each.
pub(crate) type Down = BTreeMap<(u8, u8), Message>;

/// Which releases count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Releases {
    /// All.
    Any,
    /// All, on the track that takes Antiphon's output: there Ardour's own releases come several times, blocks apart.
    Downstream,
    /// Of the plan's keys only Antiphon's own, which have velocity 0: Ardour releases keys too when it stops or jumps.
    Own,
}

/// The keys that are down after these messages. Every message is asked to fit: no key is struck twice, and none is released that is up.
/// Ardour's own releases are let pass: when it stops or jumps it releases the keys that it sent to each plug-in, the probe too, with velocity
/// 64, and those of a track's region with velocity 0, within a block.
pub(crate) fn keys_down(messages: &[Message], releases: Releases) -> Result<Down, String> {
    let mut down = Down::new();
    let mut released = BTreeMap::new();
    for &message in messages {
        match message.kind() {
            Kind::On(channel, key) => {
                if let Some(earlier) = down.insert((channel, key), message) {
                    return Err(format!("{message:?} strikes a key that is down since {earlier:?}"));
                }
            }
            Kind::Off(channel, key) => {
                let earlier = released.insert((channel, key), message.processed);
                match down.get(&(channel, key)) {
                    Some(struck) if counts(releases, message, *struck) => drop(down.remove(&(channel, key))),
                    Some(_) => {}
                    None if releases == Releases::Downstream || message.bytes[2] == ARDOURS_RELEASE => {}
                    None if earlier.is_some_and(|earlier| message.processed < earlier + BLOCK) => {}
                    None => return Err(format!("{message:?} releases a key that is up")),
                }
            }
            Kind::AllOff(channel) => {
                let silenced = down.extract_if(.., |&(other, _), struck| other == channel && counts(releases, message, *struck));
                // The note-off of such a key may still come.
                released.extend(silenced.map(|(key, _)| (key, i64::MAX - BLOCK)));
            }
            Kind::Other => {}
        }
    }
    Ok(down)
}

/// Whether a message counts as the release of a key.
fn counts(releases: Releases, message: Message, struck: Message) -> bool {
    let is_own = matches!((message.kind(), message.bytes[2]), (Kind::Off(..), 0));
    releases != Releases::Own || is_own || Song::VELOCITIES.contains(&struck.bytes[2])
}

impl Message {
    /// Channel and key, if it strikes one.
    pub(crate) fn struck(&self) -> Option<(u8, u8)> {
        match self.kind() {
            Kind::On(channel, key) => Some((channel, key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(bytes: &[[u8; 3]]) -> Vec<Message> {
        bytes.iter().map(|&bytes| Message { processed: 0, song: 0, bytes }).collect()
    }

    #[test]
    fn keys_are_down_until_released_or_all_are() {
        let down = |bytes: &[[u8; 3]]| keys_down(&messages(bytes), Releases::Any).map(|down| down.into_keys().collect::<Vec<_>>());
        assert_eq!(down(&[[0x90, 60, 1], [0x91, 60, 1], [0x80, 60, 0]]), Ok(vec![(1, 60)]));
        assert_eq!(down(&[[0x90, 60, 1], [0x90, 60, 0]]), Ok(vec![]));
        assert_eq!(down(&[[0x90, 60, 1], [0x91, 61, 1], [0xb0, 123, 0]]), Ok(vec![(1, 61)]));
        assert_eq!(down(&[[0x90, 60, 1], [0xb0, 123, 0], [0x80, 60, 0]]), Ok(vec![]));
        assert!(down(&[[0x90, 60, 1], [0x90, 60, 1]]).unwrap_err().contains("strikes a key that is down"));
        assert!(down(&[[0x80, 60, 1]]).unwrap_err().contains("releases a key that is up"));
        assert_eq!(down(&[[0x80, 60, ARDOURS_RELEASE]]), Ok(vec![]));
        let mut twice = messages(&[[0x90, 60, 1], [0x80, 60, 0], [0x80, 60, 0]]);
        assert!(keys_down(&twice, Releases::Any).is_ok());
        twice[2].processed = BLOCK;
        assert!(keys_down(&twice, Releases::Any).unwrap_err().contains("releases a key that is up"));
    }

    #[test]
    fn what_ardour_releases_of_the_plan_is_not_released_by_antiphon() {
        let own = |bytes: &[[u8; 3]]| keys_down(&messages(bytes), Releases::Own).unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(own(&[[0x90, 60, 90], [0x80, 60, 0]]), []);
        assert_eq!(own(&[[0x90, 60, 90], [0x80, 60, 64]]), [(0, 60)]);
        assert_eq!(own(&[[0x90, 60, 90], [0xb0, 123, 0]]), [(0, 60)]);
        assert_eq!(own(&[[0x90, 60, Song::VELOCITIES[0]], [0x80, 60, 64]]), []);
    }
}
