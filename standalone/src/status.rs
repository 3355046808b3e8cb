//! The engine's status in the terminal: same information as the editor's status line.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use antiphon_engine::session::{Component, SharedSnapshot};
use antiphon_plugin::planning_session::{PlanningPorts, PlanningSession};
use antiphon_plugin::session::Session;

/// Polling interval for the status.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The plug-in's session, with its status printed to the terminal.
pub(crate) struct ReportingSession {
    session: Session,
    /// Dropped to stop the reporter thread.
    stop: Option<Sender<()>>,
    reporter: Option<JoinHandle<()>>,
}

impl PlanningSession for ReportingSession {
    fn spawn(ports: PlanningPorts) -> Self {
        let snapshot = Arc::clone(&ports.snapshot);
        let (stop, stopped) = mpsc::channel();
        let reporter = thread::spawn(move || {
            let mut reported = components(&SharedSnapshot::default());
            while stopped.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let now = components(&snapshot);
                for ((name, before), now) in reported.iter().zip(&now) {
                    if *before != now.1 {
                        eprint!("{}", describe(name, &now.1));
                    }
                }
                reported = now;
            }
        });
        Self { session: Session::spawn(ports), stop: Some(stop), reporter: Some(reporter) }
    }

    fn wait_for(&mut self, sent: u64) {
        self.session.wait_for(sent);
    }
}

impl Drop for ReportingSession {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(reporter) = self.reporter.take() {
            // A panic has already been printed.
            let _ = reporter.join();
        }
    }
}

/// The components reported, by name.
fn components(snapshot: &SharedSnapshot) -> [(&'static str, Component); 2] {
    let status = snapshot.latest().status.clone();
    [("Engine", status.engine), ("Model", status.model)]
}

/// A component's status as lines of text.
fn describe(name: &str, component: &Component) -> String {
    match component {
        Component::Resting => format!("{name}: idle\n"),
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
    fn missing_component_is_printed_with_every_place_searched() {
        let what = "ONNX Runtime was not found".to_owned();
        let component = Component::Missing { what, looked_in: vec!["/a".into(), "/b (another version)".into()] };
        assert_eq!(
            describe("Engine", &component),
            "Engine: ONNX Runtime was not found\n  looked in /a\n  looked in /b (another version)\n"
        );
        assert_eq!(describe("Model", &Component::Ready("some".into())), "Model: some\n");
    }
}
