//! The editor in a window, with a window beside it that takes files, while the plug-in plays.

use std::io::BufRead;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_engine::music::{Clip, smf};
use antiphon_tests::win32::drop_target::DropTarget;
use antiphon_tests::win32::host_window::{self, HostWindow};
use antiphon_tests::{Block, ClapHost, Class, Host, Message, RollingTransport, Setup, Timed, Vst3Editor, Vst3Host, Vst3Library, playback};
use anyhow::Result;

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

/// Set when the standard input has ended.
static OVER: AtomicBool = AtomicBool::new(false);

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
    began: Instant,
    /// Notes that the plug-in sent after the player had stopped.
    planned: usize,
}

impl Player {
    fn new(clip: &Clip) -> Self {
        let roll = RollingTransport::new(120.0, SAMPLE_RATE);
        let messages = playback::to_messages(clip, &roll, playback::bar_line(&roll, BARS));
        Self { roll, messages, began: Instant::now(), planned: 0 }
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
    thread::spawn(|| {
        std::io::stdin().lock().lines().map_while(Result::ok).for_each(drop);
        OVER.store(true, Ordering::Relaxed);
    });
    let mut player = Player::new(&clip);
    let mut keys = 0;
    while !OVER.load(Ordering::Relaxed) {
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
        thread::sleep(Duration::from_millis(3));
    }
    println!("embedded {}", window.embedded());
    open.close()?;
    host_window::pump();
    println!("embedded after closing {}", window.embedded());
    drop(open);
    println!("notes {}", player.planned);
    Ok(())
}

/// Prints a window's place and size.
fn say(name: &str, window: &HostWindow) -> Result<()> {
    let (x, y, width, height) = window.inside()?;
    println!("{name} {x} {y} {width} {height}");
    Ok(())
}
