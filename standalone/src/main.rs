//! Antiphon as a program of its own: sound and MIDI from JACK or the system, the editor in a window, no host.
//!
//! nice-plug brings the devices and the window; this crate is what a musician needs around them. [`options`] is the command line, [`backend`]
//! finds out what there is to play through, [`program`] is the plug-in as nice-plug takes it, with its transport set right on the way
//! ([`transport`]) and a window that closes when the program is told to end ([`window`]). [`project`] keeps settings and history from one
//! run to the next ([`restore`]). [`announce`] says in the terminal how the engine fares.
//!
//! It stands apart from the plug-in's crate because of what it takes to build: the development files of ALSA and JACK.

mod announce;
mod backend;
mod contexts;
mod options;
mod program;
mod project;
mod restore;
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
use project::{Project, Unopened};

fn main() -> ExitCode {
    let options = Options::parse();
    let said = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target(window::WHO_COMPLAINS_OF_SIGNALS, LevelFilter::OFF)
        // It warns of every window that it is told to close.
        .with_target("baseview", LevelFilter::ERROR);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time().with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(said)).init();
    window::close_on_signals();
    if let Err(error) = keep_project(&options) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let played = if options.note_fx { backend::play::<NoteFx>(&options) } else { backend::play::<Instrument>(&options) };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the project, if one is wanted. Only one that was asked for has to be there.
fn keep_project(options: &Options) -> Result<(), Unopened> {
    if options.forget || options.lists_devices() {
        return Ok(());
    }
    let name = if options.note_fx { "standalone-note-fx" } else { "standalone" };
    match options.project.clone().map_or_else(|| project::usual(name), Ok).and_then(Project::open) {
        Ok((project, held)) => {
            eprintln!("Project: {}{}", project.path().display(), if held.is_some() { "" } else { " (new)" });
            project::keep(project, held);
        }
        Err(error) if options.project.is_some() => return Err(error),
        Err(error) => eprintln!("Nothing of this run is kept: {error}"),
    }
    Ok(())
}
