//! What the player asks for in the window: one channel to the session's thread.
//!
//! The window changes nothing that the session changes, too: it sends a command, and reads what the session publishes. The same commands as host
//! parameters come with the audio thread's events, in order of time.

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::Command;

/// The session's end of the channel. It holds a handful at most: a command is a click.
///
/// ```
/// use antiphon_engine::session::{Command, CommandQueue};
///
/// let queue = CommandQueue::new();
/// let window = queue.sender();
/// window.send(Command::Play);
/// drop(queue);
/// // A window may outlive the session: then nothing happens.
/// window.send(Command::Another);
/// ```
#[derive(Debug)]
pub struct CommandQueue {
    sender: Sender<Command>,
    receiver: Receiver<Command>,
}

/// A window's end of the channel.
#[derive(Debug, Clone)]
pub struct CommandSender(Sender<Command>);

impl CommandQueue {
    /// An empty channel.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }

    /// Another end for a window.
    #[must_use]
    pub fn sender(&self) -> CommandSender {
        CommandSender(self.sender.clone())
    }

    /// The next command, if there is one.
    pub(super) fn next(&self) -> Option<Command> {
        self.receiver.try_recv().ok()
    }
}

impl Default for CommandQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl CommandSender {
    /// Asks for something. Does not wait; the session acts on it within 20 ms.
    pub fn send(&self, command: Command) {
        // Without a session there is nobody to ask.
        let _ = self.0.send(command);
    }
}
