//! The command line: a subset of that of nice-plug's programs.

use std::path::PathBuf;

use antiphon_engine::music::Metre;
use clap::{Parser, ValueEnum};

/// Plays with you without a host: MIDI in, the next phrase out, with a built-in sound.
///
/// Audio and MIDI go through JACK (or PipeWire in its place) if a server is running, otherwise directly through the system. With JACK,
/// connect its ports with the options below or in a patch bay. Bars begin with your first note, or with Play; a rolling JACK transport is
/// followed.
#[derive(Debug, Clone, Parser)]
#[command(name = "antiphon-standalone", version, max_term_width = 100)]
pub(crate) struct Options {
    /// Run Antiphon Note FX: audio passes through unchanged, and there is no built-in sound
    #[arg(long)]
    pub(crate) note_fx: bool,
    /// Load and keep settings and history in this file instead of the default one in your data folder
    #[arg(long, value_name = "FILE", conflicts_with = "forget")]
    pub(crate) project: Option<PathBuf>,
    /// Start with default settings, and keep nothing
    #[arg(long)]
    pub(crate) forget: bool,
    /// Back end for audio and MIDI
    #[arg(short, long, value_enum, default_value = "auto")]
    pub(crate) backend: Backend,
    /// Sample rate; ignored with JACK, which has its own
    #[arg(short = 'r', long, value_name = "HERTZ", default_value_t = 48_000, value_parser = clap::value_parser!(u32).range(8_000..=384_000))]
    pub(crate) sample_rate: u32,
    /// Samples per block; ignored with JACK, which has its own
    #[arg(short, long, value_name = "SAMPLES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=8_192))]
    pub(crate) period_size: u32,
    /// Quarters per minute, unless a JACK transport sets the tempo
    #[arg(long, value_name = "BPM", default_value_t = 120.0, value_parser = tempo)]
    pub(crate) tempo: f32,
    /// Time signature
    #[arg(long, value_name = "METRE", default_value = "4/4", value_parser = metre)]
    pub(crate) metre: Metre,
    /// The system's audio output; an empty name lists all
    #[arg(long, value_name = "NAME")]
    pub(crate) output_device: Option<String>,
    /// The system's audio input, for Note FX; an empty name lists all
    #[arg(long, value_name = "NAME")]
    pub(crate) input_device: Option<String>,
    /// The system's MIDI input, your keyboard; an empty name lists all
    #[arg(long, value_name = "NAME")]
    pub(crate) midi_input: Option<String>,
    /// The system's MIDI output, for a synth; an empty name lists all
    #[arg(long, value_name = "NAME")]
    pub(crate) midi_output: Option<String>,
    /// JACK ports to take Note FX's audio from, separated by commas
    #[arg(long, value_name = "PORTS")]
    pub(crate) connect_jack_inputs: Option<String>,
    /// JACK port of your keyboard
    #[arg(long, value_name = "PORT")]
    pub(crate) connect_jack_midi_input: Option<String>,
    /// JACK port of a synth
    #[arg(long, value_name = "PORT")]
    pub(crate) connect_jack_midi_output: Option<String>,
}

/// Back end for audio and MIDI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// JACK if a server is running, else the system, else none
    Auto,
    /// JACK, or PipeWire in its place
    Jack,
    /// The system's own: ALSA, CoreAudio or WASAPI
    #[value(alias = "alsa", alias = "coreaudio", alias = "wasapi")]
    System,
    /// None: neither audio nor MIDI
    Dummy,
}

impl Options {
    /// Whether a system device was requested by name.
    pub(crate) const fn names_a_device(&self) -> bool {
        self.output_device.is_some() || self.input_device.is_some() || self.midi_input.is_some() || self.midi_output.is_some()
    }

    /// Whether to list the system's devices instead of playing.
    pub(crate) fn lists_devices(&self) -> bool {
        [&self.output_device, &self.input_device, &self.midi_input, &self.midi_output].into_iter().flatten().any(String::is_empty)
    }

    /// The equivalent command line of nice-plug, for the back end nice-plug calls `backend`.
    pub(crate) fn arguments(&self, backend: &str) -> Vec<String> {
        let mut arguments = vec!["antiphon-standalone".to_owned()];
        let mut say = |name: &str, value: String| arguments.extend([format!("--{name}={value}")]);
        say("backend", backend.to_owned());
        say("sample-rate", self.sample_rate.to_string());
        say("period-size", self.period_size.to_string());
        say("tempo", self.tempo.to_string());
        say("timesig-num", self.metre.numerator().to_string());
        say("timesig-denom", self.metre.denominator().to_string());
        for (name, value) in [
            ("output-device", &self.output_device),
            ("input-device", &self.input_device),
            ("midi-input", &self.midi_input),
            ("midi-output", &self.midi_output),
            ("connect-jack-inputs", &self.connect_jack_inputs),
            ("connect-jack-midi-input", &self.connect_jack_midi_input),
            ("connect-jack-midi-output", &self.connect_jack_midi_output),
        ] {
            if let Some(value) = value {
                say(name, value.clone());
            }
        }
        arguments
    }
}

fn tempo(text: &str) -> Result<f32, String> {
    let tempo: f32 = text.parse().map_err(|_| "a tempo is a number, as in 96.5".to_owned())?;
    if (20.0..=400.0).contains(&tempo) { Ok(tempo) } else { Err("tempi go from 20 to 400 quarters a minute".to_owned()) }
}

fn metre(text: &str) -> Result<Metre, String> {
    let parts = text.split_once('/').and_then(|(beats, beat)| Some((beats.trim().parse().ok()?, beat.trim().parse().ok()?)));
    let metre = parts.and_then(|(beats, beat)| Metre::new(beats, beat));
    metre.ok_or_else(|| "a metre is two numbers, as in 3/4 or 6/8; the second is 1, 2, 4, 8, 16 or 32".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["antiphon-standalone"], arguments].concat())
    }

    #[test]
    fn command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn options_are_passed_to_nice_plug() {
        let options = parse(&["-r", "44100", "--metre", "6/8", "--tempo", "92.5", "--midi-input", ""]).unwrap();
        let arguments = options.arguments("alsa");
        for argument in ["--backend=alsa", "--sample-rate=44100", "--timesig-num=6", "--timesig-denom=8", "--tempo=92.5", "--midi-input="] {
            assert!(arguments.iter().any(|other| other == argument), "{argument}: {arguments:?}");
        }
        assert!(!arguments.iter().any(|argument| argument.contains("device") || argument.contains("jack")), "{arguments:?}");
        assert!(options.names_a_device() && !parse(&[]).unwrap().names_a_device());
        assert!(options.lists_devices() && !parse(&["--midi-input", "keys"]).unwrap().lists_devices());
        assert_eq!(parse(&["--backend", "alsa"]).unwrap().backend, Backend::System);
    }

    #[test]
    fn invalid_options_are_refused_with_the_cure() {
        for (arguments, cure) in [
            (["--metre", "4/3"], "3/4 or 6/8"),
            (["--metre", "waltz"], "3/4 or 6/8"),
            (["--tempo", "0"], "from 20 to 400"),
            (["--tempo", "NaN"], "from 20 to 400"),
            (["--sample-rate", "0"], "8000..=384000"),
            (["--period-size", "0"], "16..=8192"),
            (["--project=a", "--forget"], "cannot be used with"),
            (["--backend", "pulse"], "possible values: auto, jack, system, dummy"),
        ] {
            let error = parse(&arguments).unwrap_err().to_string();
            assert!(error.contains(cure), "{error}");
        }
    }
}
