//! Antiphon as a stand-alone program: audio and MIDI through JACK or the system, the editor in a window, no host.
//!
//! nice-plug provides devices and window; this crate adds what users need around them. [`options`] is the command line, [`backend`] chooses
//! the audio back end, [`program`] is the plug-in as nice-plug runs it, with a corrected transport ([`transport`]) and a window that closes
//! on signals ([`window`]). [`project`] keeps settings and history between runs ([`restore`]). [`status`] prints the engine's status to the
//! terminal.
//!
//! It is separate from the plug-in crate because building it needs the development files of ALSA and JACK.

// No terminal opens beside the window.
#![cfg_attr(windows, windows_subsystem = "windows")]

mod backend;
#[cfg(windows)]
mod console;
mod contexts;
mod options;
mod program;
mod project;
mod restore;
mod status;
mod transport;
mod window;

use std::process::ExitCode;

use antiphon_plugin::class::{Instrument, NoteFx};
use clap::Parser;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use options::Options;
use project::{Project, ProjectError};

fn main() -> ExitCode {
    #[cfg(windows)]
    console::attach();
    let options = Options::parse();
    let targets = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target(window::SIGNAL_HANDLER_LOG, LevelFilter::OFF)
        // baseview warns for every window closed from outside.
        .with_target("baseview", LevelFilter::ERROR);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time().with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(targets)).init();
    window::close_on_signals();
    if let Err(error) = keep_project(&options) {
        return fail(&error.to_string());
    }
    let played = if options.note_fx { backend::play::<NoteFx>(&options) } else { backend::play::<Instrument>(&options) };
    played.map_or_else(|error| fail(&error.to_string()), |()| ExitCode::SUCCESS)
}

/// Reports what ends the program.
fn fail(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    #[cfg(windows)]
    console::show(error);
    ExitCode::FAILURE
}

/// Opens the project, unless disabled. Only a project named on the command line must open.
fn keep_project(options: &Options) -> Result<(), ProjectError> {
    if options.forget || options.lists_devices() {
        return Ok(());
    }
    let name = if options.note_fx { "standalone-note-fx" } else { "standalone" };
    match options.project.clone().map_or_else(|| project::default_path(name), Ok).and_then(Project::open) {
        Ok((project, loaded)) => {
            eprintln!("Project: {}{}", project.path().display(), if loaded.is_some() { "" } else { " (new)" });
            project::keep(project, loaded);
        }
        Err(error) if options.project.is_some() => return Err(error),
        Err(error) => eprintln!("Settings and history will not be saved: {error}"),
    }
    Ok(())
}
