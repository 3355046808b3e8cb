//! The editor in a window, with a window beside it that takes files, while the plug-in plays.

use std::io::BufRead;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_engine::music::{Clip, smf};
use antiphon_tests::win32::drop_target::DropTarget;
use antiphon_tests::win32::host_window::{self, HostWindow};
use antiphon_tests::{Block, ClapHost, Class, Host, Message, RollingTransport, Setup, Timed, Vst3Editor, Vst3Host, Vst3Library, playback};
use anyhow::{Result, bail};

use crate::hosts::Format;

/// Sample rate in hertz.
const SAMPLE_RATE: f64 = 48_000.0;
/// Samples per block: 11 ms, as in most hosts.
const FRAMES: u32 = 512;
/// Bars of the clip to play.
const BARS: u32 = 4;
/// Places of the two windows.
const EDITOR: (i32, i32) = (30, 30);
/// See [`EDITOR`].
const TARGET: (i32, i32) = (30, 760);
/// Size of the drop target.
const TARGET_SIZE: (u32, u32) = (600, 120);

/// Time for the windows to get their places.
const SETTLING_TIME: Duration = Duration::from_secs(2);
/// Request on the standard input: print [`SETTLED`] when the editor has drawn some frames. Input sent before it has been handled by then.
const SETTLE: &str = "settle";
/// See [`SETTLE`].
const SETTLED: &str = "settled";
/// Rounds of the message loop within which the editor reacts to any input: a click takes three frames to give the focus back.
const ROUNDS: u32 = 8;
/// Least time of a round while [`SETTLED`] is waited for: the interval of the editor's frames. A slow machine takes longer for a frame, and
/// so for a round.
const ROUND: Duration = Duration::from_millis(17);

/// An instance with its editor open.
enum Open {
    Clap(Box<ClapHost>),
    /// The editor is closed before its instance goes.
    Vst3(Vst3Editor, Box<Vst3Host>),
}

impl Open {
    /// An instance, its editor, and the window around it.
    fn new(format: Format, library: &Path) -> Result<(Self, HostWindow)> {
        let setup = Setup { sample_rate: SAMPLE_RATE, ..Setup::default() };
        match format {
            Format::Clap => {
                let mut host = ClapHost::bundled(library, Class::Instrument, setup)?;
                let window = host.open_editor(|width, height| {
                    let window = HostWindow::open("Antiphon", EDITOR, (width, height))?;
                    let id = window.window();
                    Ok((window, id))
                })?;
                Ok((Self::Clap(Box::new(host)), window))
            }
            Format::Vst3 => {
                let host = Vst3Host::of(Vst3Library::load(library)?, Class::Instrument, setup);
                let editor = host.editor()?;
                let window = HostWindow::open("Antiphon", EDITOR, editor.size()?)?;
                editor.open(window.window())?;
                Ok((Self::Vst3(editor, Box::new(host)), window))
            }
        }
    }

    fn host(&mut self) -> &mut dyn Host {
        match self {
            Self::Clap(host) => &mut **host,
            Self::Vst3(_, host) => &mut **host,
        }
    }

    fn idle(&mut self) {
        if let Self::Clap(host) = self {
            host.idle();
        }
    }

    fn close(&mut self) -> Result<()> {
        match self {
            Self::Clap(host) => host.close_editor(),
            Self::Vst3(editor, _) => editor.close()?,
        }
        Ok(())
    }
}

/// A player who plays the first bars of a clip, on a transport that rolls on.
struct Player {
    roll: RollingTransport,
    messages: Vec<Timed>,
    /// Sample at which the player stops.
    until: u64,
    began: Instant,
    /// Notes that the plug-in sent after the player had stopped.
    planned: usize,
}

impl Player {
    fn new(clip: &Clip) -> Self {
        let roll = RollingTransport::new(120.0, SAMPLE_RATE);
        let end = playback::bar_line(&roll, BARS);
        let messages = playback::to_messages(clip, &roll, end);
        Self { roll, messages, until: roll.sample_of(end.0 as f64), began: Instant::now(), planned: 0 }
    }

    /// Processes the blocks that are due.
    fn play(&mut self, host: &mut dyn Host) {
        while self.began.elapsed().as_secs_f64() * SAMPLE_RATE > self.roll.played as f64 {
            let (start, end) = (self.roll.played, self.roll.played + u64::from(FRAMES));
            let inside = self.messages.iter().filter(|timed| (start..end).contains(&timed.sample));
            let messages: Vec<_> = inside.map(|timed| Timed { sample: timed.sample - start, ..*timed }).collect();
            let sent =
                host.process(&Block { frames: FRAMES, transport: Some(self.roll.transport()), messages: &messages, ..Block::default() });
            let is_planned = |timed: &&Timed| matches!(timed.message, Message::NoteOn { .. }) && messages.is_empty();
            self.planned += sent.messages.iter().filter(is_planned).count();
            self.roll.played = end;
        }
    }
}

pub(crate) fn run(format: Format, library: &Path, clip: &Path) -> Result<()> {
    let clip = smf::read_file(clip)?.clip;
    let target = DropTarget::open(TARGET, TARGET_SIZE)?;
    let (mut open, window) = Open::new(format, library)?;
    // The window manager moves them, and says so later.
    let opened = Instant::now();
    while opened.elapsed() < SETTLING_TIME {
        host_window::pump();
        open.idle();
        thread::sleep(Duration::from_millis(10));
    }
    say("editor", &window)?;
    say("target", target.window())?;
    let requests = requests();
    let mut player = Player::new(&clip);
    let (mut keys, mut has_played) = (0, false);
    // Rounds until the answer to a request.
    let mut rounds = 0;
    loop {
        host_window::pump();
        player.play(open.host());
        open.idle();
        if let Some(files) = target.dropped() {
            for file in files {
                println!("dropped {}", file.display());
            }
        }
        if host_window::keys_pressed() > keys {
            keys = host_window::keys_pressed();
            println!("keys {keys}");
        }
        if !has_played && player.roll.played >= player.until {
            has_played = true;
            println!("played");
        }
        if rounds > 0 {
            thread::sleep(ROUND);
            rounds -= 1;
            if rounds == 0 {
                println!("{SETTLED}");
            }
            continue;
        }
        match requests.try_recv() {
            Ok(request) if request.trim() == SETTLE => rounds = ROUNDS,
            Ok(request) => bail!("unknown request: {request}"),
            Err(TryRecvError::Empty) => thread::sleep(Duration::from_millis(3)),
            Err(TryRecvError::Disconnected) => break,
        }
    }
    println!("embedded {}", window.embedded());
    open.close()?;
    host_window::pump();
    println!("embedded after closing {}", window.embedded());
    drop(open);
    println!("notes {}", player.planned);
    Ok(())
}

/// Lines of the standard input; disconnected at its end.
fn requests() -> Receiver<String> {
    let (sender, requests) = channel();
    thread::spawn(move || std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    requests
}

/// Prints a window's place and size.
fn say(name: &str, window: &HostWindow) -> Result<()> {
    let (x, y, width, height) = window.inside()?;
    println!("{name} {x} {y} {width} {height}");
    Ok(())
}
