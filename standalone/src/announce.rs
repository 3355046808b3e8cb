//! How the engine fares, in the terminal: the window's status line, for those who look for it there.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use antiphon_engine::session::{Board, Component};
use antiphon_plugin::musician::{Musician, Seat};
use antiphon_plugin::session::Session;

/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// The plug-in's musician, announced.
pub(crate) struct Announced {
    session: Session,
    /// Dropped to end the announcer.
    ends: Option<Sender<()>>,
    announcer: Option<JoinHandle<()>>,
}

impl Musician for Announced {
    fn sit(seat: Seat) -> Self {
        let board = Arc::clone(&seat.board);
        let (ends, ended) = mpsc::channel();
        let announcer = thread::spawn(move || {
            let mut said = parts(&Board::default());
            while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                let now = parts(&board);
                for ((name, before), now) in said.iter().zip(&now) {
                    if *before != now.1 {
                        eprint!("{}", account(name, &now.1));
                    }
                }
                said = now;
            }
        });
        Self { session: Session::sit(seat), ends: Some(ends), announcer: Some(announcer) }
    }

    fn attend(&mut self, told: u64) {
        self.session.attend(told);
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(announcer) = self.announcer.take() {
            // One that panicked has said so.
            let _ = announcer.join();
        }
    }
}

/// What is announced, by name.
fn parts(board: &Board) -> [(&'static str, Component); 2] {
    let status = board.latest().status.clone();
    [("Engine", status.engine), ("Model", status.model)]
}

/// A part in lines.
fn account(name: &str, part: &Component) -> String {
    match part {
        Component::Resting => format!("{name}: resting\n"),
        Component::Loading => format!("{name}: loading\n"),
        Component::Ready(version) => format!("{name}: {version}\n"),
        Component::Missing { what, looked_in } => {
            let places: String = looked_in.iter().map(|place| format!("  looked in {place}\n")).collect();
            format!("{name}: {what}\n{places}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_every_place() {
        let what = "ONNX Runtime was not found".to_owned();
        let part = Component::Missing { what, looked_in: vec!["/a".into(), "/b (another version)".into()] };
        assert_eq!(account("Engine", &part), "Engine: ONNX Runtime was not found\n  looked in /a\n  looked in /b (another version)\n");
        assert_eq!(account("Model", &Component::Ready("some".into())), "Model: some\n");
    }
}
