//! Audio back end, chosen before nice-plug starts: nice-plug neither queries JACK's sample rate nor says what to do when nothing is
//! available.

use std::fmt;
use std::sync::OnceLock;

use antiphon_plugin::class::Class;
use jack::{Client, ClientOptions, LoggerType};
use nice_plug::prelude::nice_export_standalone_with_args;

use crate::options::{Backend, Options};
use crate::program::{self, Program};

/// nice-plug's name for the system's own devices.
const SYSTEM: &str = if cfg!(target_os = "macos") {
    "core-audio"
} else if cfg!(windows) {
    "wasapi"
} else {
    "alsa"
};

/// Time source of this program.
static TIME: OnceLock<Time> = OnceLock::new();

/// Source of the transport that nice-plug passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// The transport of a JACK server: it rolls, stops and jumps.
    Jack,
    /// A sample count since the start, which nice-plug reports as a rolling transport.
    Count,
}

impl Time {
    /// Time source of this program.
    pub(crate) fn of_program() -> Self {
        TIME.get().copied().unwrap_or(Self::Count)
    }
}

/// Why the program cannot run.
#[derive(Debug)]
pub(crate) enum StartError {
    /// JACK was requested and cannot be used.
    Jack(jack::Error),
    /// The system's devices were requested and cannot be used; nice-plug has printed the reason.
    System,
    /// The window did not open; nice-plug has printed the reason.
    Window,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jack(error) => write!(f, "{}. Or leave --backend out to try the system's own devices", reason(error)),
            Self::System => f.write_str(
                "these devices cannot be used; see the message above. An empty name lists the available ones, as in --backend system --output-device '' or --midi-input ''; --sample-rate and --period-size must suit the device",
            ),
            Self::Window => f.write_str("the window cannot be opened; see the message above. On Linux it needs a display (X11, or XWayland) and OpenGL"),
        }
    }
}

/// Runs until the window is closed.
pub(crate) fn play<C: Class>(options: &Options) -> Result<(), StartError> {
    match options.backend {
        Backend::Jack => play_through_jack::<C>(options, &server().map_err(StartError::Jack)?),
        Backend::System => play_through_system::<C>(options),
        Backend::Dummy => start::<C>(options, "dummy", Time::Count, StartError::Window),
        Backend::Auto if options.names_a_device() => play_through_system::<C>(options),
        Backend::Auto => match server() {
            Ok(server) => play_through_jack::<C>(options, &server),
            Err(error) => match play_through_system::<C>(options) {
                Err(StartError::System) => {
                    eprintln!(
                        "No audio and no MIDI: {}, and the system's own devices cannot be used (see above).\n\
                         The window opens anyway. To play, start JACK or PipeWire, or name a device: \
                         antiphon-standalone --output-device '' lists them, --midi-input '' lists keyboards.",
                        reason(&error)
                    );
                    start::<C>(options, "dummy", Time::Count, StartError::Window)
                }
                ended => ended,
            },
        },
    }
}

/// Settings of a JACK server.
struct Server {
    /// Sample rate in hertz.
    sample_rate: u32,
    /// Block size in samples.
    period_size: u32,
}

/// Queries the running JACK server; does not start one.
fn server() -> Result<Server, jack::Error> {
    // libjack's own messages about a missing server are longer than ours, and would come first.
    if jack::jack_sys::library().is_ok() {
        jack::set_logger(LoggerType::None);
    }
    let (client, _) = Client::new("antiphon-probe", ClientOptions::NO_START_SERVER)?;
    Ok(Server { sample_rate: client.sample_rate(), period_size: client.buffer_size() })
}

/// Why JACK cannot be used, and the remedy.
fn reason(error: &jack::Error) -> String {
    match error {
        jack::Error::LibraryError(_) => "JACK's library is not installed (Debian's package is libjack-jackd2-0, or pipewire-jack)".into(),
        jack::Error::ClientError(_) => "no JACK server runs for this user (start JACK or PipeWire)".into(),
        other => format!("JACK cannot be used ({other})"),
    }
}

/// nice-plug passes the sample rate of its command line to the plug-in, whatever JACK's is.
fn play_through_jack<C: Class>(options: &Options, server: &Server) -> Result<(), StartError> {
    let options = Options { sample_rate: server.sample_rate, period_size: server.period_size, ..options.clone() };
    start::<C>(&options, "jack", Time::Jack, StartError::System)
}

fn play_through_system<C: Class>(options: &Options) -> Result<(), StartError> {
    start::<C>(options, SYSTEM, Time::Count, StartError::System)
}

/// Runs nice-plug's program; `unready` is the error if it fails before the plug-in is created.
fn start<C: Class>(options: &Options, backend: &str, time: Time, unready: StartError) -> Result<(), StartError> {
    // The last time source set is the one in use.
    let _ = TIME.set(time);
    if nice_export_standalone_with_args::<Program<C>, _>(options.arguments(backend)) {
        return Ok(());
    }
    Err(if program::was_made() { StartError::Window } else { unready })
}
