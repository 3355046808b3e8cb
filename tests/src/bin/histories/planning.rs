//! The planning side of an instance in a history: scripted plans, or the model.

use std::sync::Arc;

use antiphon_engine::session::{Command, CommandSender, Planner, RenderWait, SessionPorts, SessionStatus, SharedSnapshot, Status};
use antiphon_plugin::planning_session::PlanningPorts;
use antiphon_tests::linked::{Observer, take_observer, take_ports};
use parking_lot::Mutex;

use crate::script::Script;

/// What generates the plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
pub(crate) enum Engine {
    /// Random notes, on the thread of the test.
    Scripted,
    /// The model, in offline renders: each block waits for it.
    Real,
}

/// The planning side of an instance.
pub(crate) enum Planning {
    Scripted { planner: Box<Planner<Script>>, script: Script, commands: CommandSender, snapshot: Arc<SharedSnapshot> },
    Real { commands: CommandSender, snapshot: Arc<SharedSnapshot> },
}

impl Planning {
    /// That of the instance made last.
    pub(crate) fn take(engine: Engine, script: &Script) -> Self {
        match engine {
            Engine::Real => {
                let Observer { commands, snapshot, .. } = take_observer();
                Self::Real { commands, snapshot }
            }
            Engine::Scripted => {
                let PlanningPorts { events, planned, takes, commands, snapshot, state, .. } = take_ports();
                let (sender, shown) = (commands.sender(), Arc::clone(&snapshot));
                let ports = SessionPorts { events, planned, commands, snapshot, archive: state, takes, count_ignored: Box::new(|_| ()) };
                let status = Arc::new(Mutex::new(SessionStatus::default()));
                let planner = Planner::new(ports, script.clone(), status, Arc::new(RenderWait::default()), 7);
                Self::Scripted { planner: Box::new(planner), script: script.clone(), commands: sender, snapshot: shown }
            }
        }
    }

    /// What the window says.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Scripted { snapshot, .. } | Self::Real { snapshot, .. } => snapshot.latest().status.clone(),
        }
    }

    pub(crate) fn run(&mut self) {
        if let Self::Scripted { planner, script, .. } = self {
            planner.run();
            script.work();
            planner.run();
        }
    }

    pub(crate) fn send(&self, command: Command) {
        match self {
            Self::Scripted { commands, .. } | Self::Real { commands, .. } => commands.send(command),
        }
    }
}
