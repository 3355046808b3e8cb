//! Plays a clip to the plug-in, presses Play, and records the output.

use std::time::{Duration, Instant};

use antiphon_engine::music::{Clip, Tick};
use antiphon_tests::{Block, ClapHost, Host, Message, Render, RollingTransport, Timed, Transport, playback};
use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// Samples per block, as in most hosts: 11 ms at 48 kHz.
pub(crate) const FRAMES: u32 = 512;
/// Time before the transport starts, as with a real user. The plug-in loads its model meanwhile.
const LOADING_TIME: Duration = Duration::from_secs(3);
/// How long before the seam Play is pressed, in ticks: an eighth note.
const PRESS_TICKS_BEFORE_SEAM: f64 = 12.0;
/// How far into the answer a screenshot is useful, in ticks.
const PICTURE_TICKS_AFTER_SEAM: f64 = 36.0;

/// Parameters of a performance.
pub(crate) struct Parameters {
    /// Bars of the clip to play.
    pub(crate) context_bars: u32,
    /// Bars to plan, 1 to 8.
    pub(crate) bars: u32,
    /// Seed, 1 to 999.
    pub(crate) seed: u32,
    /// Sample rate in hertz.
    pub(crate) sample_rate: f64,
    /// Real time, or as fast as the plug-in answers.
    pub(crate) render: Render,
}

/// Result of a performance.
pub(crate) struct Performance {
    /// The part of the clip that was played.
    pub(crate) context: Clip,
    /// The plug-in's answer; tick 0 is the seam.
    pub(crate) suggestion: Clip,
    /// Both in sequence.
    pub(crate) song: Clip,
}

/// Phase of the performance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The answer has not begun.
    Context,
    /// The first bar of the answer is playing, so there are notes on both sides of the playhead.
    Answer,
}

/// Plays the clip and the answer in real time, since a faster host would leave the plug-in less time than a real one. `watch` is called
/// between blocks. The host is dropped before this returns.
pub(crate) fn play(mut host: ClapHost, clip: &Clip, parameters: &Parameters, mut watch: impl FnMut(Phase)) -> Result<Performance> {
    let mut roll = RollingTransport::new(clip.tempos.at(Tick::ZERO).bpm(), parameters.sample_rate);
    let metre = clip.metres.at(Tick::ZERO);
    roll.metre = (metre.numerator().into(), metre.denominator().into());
    let line = |bar: u32| playback::bar_line(&roll, bar);
    let (seam, end) = (line(parameters.context_bars), line(parameters.context_bars + parameters.bars));
    let origin = roll;
    let sample = |tick: Tick| origin.sample_of(tick.0 as f64);
    let (pressed, answered, over) =
        (sample(seam) - roll.sample_of(PRESS_TICKS_BEFORE_SEAM), sample(seam) + roll.sample_of(PICTURE_TICKS_AFTER_SEAM), sample(end));
    let played = playback::to_messages(clip, &roll, seam);
    ensure!(!played.is_empty(), "the clip has no notes in its first {} bars", parameters.context_bars);

    host.set("Seed", f64::from(parameters.seed) / 999.0);
    host.set("Bars ahead", f64::from(parameters.bars - 1) / 7.0);
    let mut out = Vec::new();
    let mut pacer = Pacer::start(parameters);
    let bar = progress(over, parameters.sample_rate);
    bar.set_message("transport stopped, loading the model");
    let stopped_transport = Transport { playing: false, ..roll.transport() };
    while parameters.render == Render::RealTime && pacer.began.elapsed() < LOADING_TIME {
        pacer.wait(FRAMES);
        step(&mut host, stopped_transport, &[], FRAMES);
        watch(Phase::Context);
    }

    bar.set_message("playing the clip");
    let mut left = played.as_slice();
    while roll.played < over {
        // Blocks are split at each action, so that it happens at its exact sample.
        let next = [pressed, sample(seam), over].into_iter().find(|&at| at > roll.played).unwrap_or(over);
        let frames = u32::try_from(next - roll.played).map_or(FRAMES, |left| left.min(FRAMES));
        if roll.played == pressed {
            host.set("Play", 1.0);
            bar.set_message("Play is pressed");
        } else if roll.played == sample(seam) {
            host.set("Play", 0.0);
            bar.set_message("playing the answer");
        }
        let now = left.partition_point(|timed| timed.sample < roll.played + u64::from(frames));
        let inside: Vec<Timed> = left[..now].iter().map(|timed| Timed { sample: timed.sample - roll.played, ..*timed }).collect();
        left = &left[now..];
        pacer.wait(frames);
        let sent = step(&mut host, roll.transport(), &inside, frames);
        out.extend(sent.into_iter().map(|timed| Timed { sample: timed.sample + roll.played, ..timed }));
        roll.played += u64::from(frames);
        watch(if roll.played < answered { Phase::Context } else { Phase::Answer });
        bar.set_position(roll.played);
    }
    bar.finish_and_clear();
    let stopped = Transport { playing: false, ..roll.transport() };
    out.extend(step(&mut host, stopped, &[], FRAMES).into_iter().map(|timed| Timed { sample: timed.sample + roll.played, ..timed }));
    drop(host);

    let at_seam = sample(seam);
    let through: Vec<&Timed> = out.iter().filter(|timed| timed.sample < at_seam).collect();
    ensure!(same(&through, &played), "the plug-in did not pass the clip through as it was played");
    ensure!(every_key_is_up(&out), "a note hangs after the transport stopped");
    Ok(Performance {
        context: playback::to_clip(&played, &roll, Tick::ZERO, seam),
        suggestion: playback::to_clip(&out, &roll, seam, end),
        song: playback::to_clip(&out, &roll, Tick::ZERO, end),
    })
}

/// Whether both hold the same messages, regardless of the order within a sample.
fn same(through: &[&Timed], played: &[Timed]) -> bool {
    through.len() == played.len() && played.iter().all(|timed| through.contains(&timed))
}

fn every_key_is_up(out: &[Timed]) -> bool {
    let mut down = Vec::new();
    for timed in out {
        match timed.message {
            Message::NoteOn { channel, key, .. } => down.push((channel, key)),
            Message::NoteOff { channel, key, .. } => down.retain(|&other| other != (channel, key)),
            _ => {}
        }
    }
    down.is_empty()
}

fn step(host: &mut ClapHost, transport: Transport, messages: &[Timed], frames: u32) -> Vec<Timed> {
    let sent = host.process(&Block { frames, transport: Some(transport), messages, ..Block::default() }).messages;
    host.idle();
    sent
}

/// Paces blocks like a sound card.
struct Pacer {
    began: Instant,
    render: Render,
    sample_rate: f64,
    played: u64,
}

impl Pacer {
    fn start(parameters: &Parameters) -> Self {
        Self { began: Instant::now(), render: parameters.render, sample_rate: parameters.sample_rate, played: 0 }
    }

    /// Waits until the next block is due.
    fn wait(&mut self, frames: u32) {
        if self.render == Render::Offline {
            return;
        }
        let due = self.began + Duration::from_secs_f64(self.played as f64 / self.sample_rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        self.played += u64::from(frames);
    }
}

fn progress(samples: u64, sample_rate: f64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {elapsed} of {seconds}  {msg}").map(|style| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short song")]
        let seconds = (samples as f64 / sample_rate).ceil() as u64 + LOADING_TIME.as_secs();
        style.with_key("seconds", move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // Writing to the progress line cannot fail in a way that matters.
            let _ = write!(out, "{seconds} s");
        })
    });
    ProgressBar::new(samples).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
