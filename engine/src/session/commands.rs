//! Commands of the editor window: one channel to the session's thread.
//!
//! The window does not change state that the session owns: it sends a command and reads the published snapshot. The same commands as host
//! parameters arrive with the audio thread's events, in order of time.

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::Command;
use crate::music::Clip;
use crate::plan::SongPosition;

/// What a window sends.
#[derive(Debug)]
pub(super) enum WindowMessage {
    /// A command of the player.
    Command(Command),
    /// Music that counts as heard at a bar line of the song, and as phrases of the player.
    Song {
        /// The music; its first bar line is tick 0.
        clip: Box<Clip>,
        /// The bar line.
        at: SongPosition,
    },
}

/// Receiving end of the channel. Unbounded, but short in practice: a command is a click.
///
/// ```
/// use antiphon_engine::session::{Command, CommandQueue};
///
/// let queue = CommandQueue::new();
/// let window = queue.sender();
/// window.send(Command::Play);
/// drop(queue);
/// // A window may outlive the session: its commands are then dropped.
/// window.send(Command::Another);
/// ```
#[derive(Debug)]
pub struct CommandQueue {
    sender: Sender<WindowMessage>,
    receiver: Receiver<WindowMessage>,
}

/// Sending end of the channel, held by a window.
#[derive(Debug, Clone)]
pub struct CommandSender(Sender<WindowMessage>);

impl CommandQueue {
    /// An empty channel.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }

    /// Another sending end.
    #[must_use]
    pub fn sender(&self) -> CommandSender {
        CommandSender(self.sender.clone())
    }

    /// The next message, if there is one.
    pub(super) fn next(&self) -> Option<WindowMessage> {
        self.receiver.try_recv().ok()
    }
}

impl Default for CommandQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl CommandSender {
    /// Sends a command. Does not wait; the session executes it within 20 ms.
    pub fn send(&self, command: Command) {
        // Without a session the channel has no receiver, and the command is dropped.
        let _ = self.0.send(WindowMessage::Command(command));
    }

    /// Sends a clip that counts as heard at this bar line of the song, as the player's: Infill leads from it and into it, and its phrases are learnt.
    pub fn send_song(&self, clip: Clip, at: SongPosition) {
        let _ = self.0.send(WindowMessage::Song { clip: Box::new(clip), at });
    }
}
