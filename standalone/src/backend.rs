//! What there is to play through, found out before nice-plug starts: it neither asks JACK for its sample rate nor says what to do when
//! nothing is there.

use std::fmt;
use std::sync::OnceLock;

use antiphon_plugin::class::Class;
use jack::{Client, ClientOptions, LoggerType};
use nice_plug::prelude::nice_export_standalone_with_args;

use crate::options::{Backend, Options};
use crate::program::{self, Program};

/// What nice-plug calls the system's own devices.
const SYSTEM: &str = if cfg!(target_os = "macos") {
    "core-audio"
} else if cfg!(windows) {
    "wasapi"
} else {
    "alsa"
};

/// What time comes from.
static TIME: OnceLock<Time> = OnceLock::new();

/// Who drives the transport that nice-plug hands us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// The transport of a JACK server: it rolls, stops and jumps.
    Jack,
    /// A count of samples since the start, called a rolling transport although nobody set it going.
    Count,
}

impl Time {
    /// That of this program.
    pub(crate) fn of_program() -> Self {
        TIME.get().copied().unwrap_or(Self::Count)
    }
}

/// Why nothing is played.
#[derive(Debug)]
pub(crate) enum Unplayable {
    /// JACK was asked for and cannot be used.
    Jack(jack::Error),
    /// The system's devices were asked for and cannot be used; nice-plug has said why.
    System,
    /// The window did not open; nice-plug has said why.
    Window,
}

impl fmt::Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jack(error) => write!(f, "{}. Or leave --backend out: then the system's own devices are tried next", why(error)),
            Self::System => f.write_str(
                "these devices cannot be used: the reason stands above. An empty name lists what there is, as in --backend system --output-device '' or --midi-input ''; --sample-rate and --period-size must suit the device",
            ),
            Self::Window => f.write_str("there is no window: the reason stands above. On Linux it needs a display (X11, or XWayland) and OpenGL"),
        }
    }
}

/// Plays until the window is closed.
pub(crate) fn play<C: Class>(options: &Options) -> Result<(), Unplayable> {
    match options.backend {
        Backend::Jack => play_through_jack::<C>(options, &server().map_err(Unplayable::Jack)?),
        Backend::System => play_through_system::<C>(options),
        Backend::Dummy => start::<C>(options, "dummy", Time::Count, Unplayable::Window),
        Backend::Auto if options.names_a_device() => play_through_system::<C>(options),
        Backend::Auto => match server() {
            Ok(server) => play_through_jack::<C>(options, &server),
            Err(error) => match play_through_system::<C>(options) {
                Err(Unplayable::System) => {
                    eprintln!(
                        "There is neither sound nor MIDI: {}, and the system's own devices cannot be used for the reason above.\n\
                         The window opens all the same. To play, start JACK or PipeWire, or name a device: \
                         antiphon-standalone --output-device '' lists them, --midi-input '' lists keyboards.",
                        why(&error)
                    );
                    start::<C>(options, "dummy", Time::Count, Unplayable::Window)
                }
                ended => ended,
            },
        },
    }
}

/// How a JACK server runs.
struct Server {
    /// In hertz.
    sample_rate: u32,
    /// In samples.
    period_size: u32,
}

/// Asks the JACK server that runs; starts none.
fn server() -> Result<Server, jack::Error> {
    // Its own account of why there is no server is longer than ours, and comes before it.
    if jack::jack_sys::library().is_ok() {
        jack::set_logger(LoggerType::None);
    }
    let (client, _) = Client::new("antiphon-asks", ClientOptions::NO_START_SERVER)?;
    Ok(Server { sample_rate: client.sample_rate(), period_size: client.buffer_size() })
}

/// Why there is no JACK, and the cure.
fn why(error: &jack::Error) -> String {
    match error {
        jack::Error::LibraryError(_) => "JACK's library is not installed (Debian's package is libjack-jackd2-0, or pipewire-jack)".into(),
        jack::Error::ClientError(_) => "no JACK server runs for this user (start JACK or PipeWire)".into(),
        other => format!("JACK cannot be used ({other})"),
    }
}

/// nice-plug tells the plug-in the sample rate of its command line, whatever JACK's is.
fn play_through_jack<C: Class>(options: &Options, server: &Server) -> Result<(), Unplayable> {
    let options = Options { sample_rate: server.sample_rate, period_size: server.period_size, ..options.clone() };
    start::<C>(&options, "jack", Time::Jack, Unplayable::System)
}

fn play_through_system<C: Class>(options: &Options) -> Result<(), Unplayable> {
    start::<C>(options, SYSTEM, Time::Count, Unplayable::System)
}

/// Runs nice-plug's program; `unready` is what is wrong if it does not come as far as making the plug-in.
fn start<C: Class>(options: &Options, backend: &str, time: Time, unready: Unplayable) -> Result<(), Unplayable> {
    // The last is the one that is played through.
    let _ = TIME.set(time);
    if nice_export_standalone_with_args::<Program<C>, _>(options.arguments(backend)) {
        return Ok(());
    }
    Err(if program::was_made() { Unplayable::Window } else { unready })
}
