//! The plug-in as nice-plug sees it: forwards the host's calls.

use std::marker::PhantomData;
use std::sync::Arc;

use nice_plug::prelude::*;

use crate::class::Class;
use crate::clock::HostTime;
use crate::editor::window;
use crate::editor::window_thread::AntiphonEditor;
use crate::meters::Meters;
use crate::params::{AntiphonParams, HostParams};
use crate::planning_session::{PlanningPorts, PlanningSession, rings};
use crate::port::{Event, Port, Sound};
use crate::preview::{BlockRenderer, Preview};
use crate::realtime::RealTime;
use crate::state;
use crate::vst3::link::{BlockMode, Link};
use crate::vst3::worker::{self, QuitWorker};
use antiphon_engine::session::{CommandSender, SharedSnapshot};

/// One instance of a class.
///
/// Creating one does no I/O and starts no thread, since hosts create instances only to inspect them. Planning starts when the instance is
/// first activated, and stops when it is dropped.
pub struct Shell<C, P> {
    params: Arc<AntiphonParams>,
    /// Connection to the VST3 component around this plug-in.
    link: Arc<Link>,
    realtime: RealTime,
    /// The preview synth; `None` before activation, and in the class without one.
    preview: Option<Preview>,
    /// The audio thread's counters, for the editor.
    meters: Arc<Meters>,
    /// The session's snapshots, for the editor.
    snapshot: Arc<SharedSnapshot>,
    /// The editor's commands to the session.
    commands: CommandSender,
    /// The planning side's ports, until planning starts.
    session_ports: Option<PlanningPorts>,
    /// The planning side; `None` before the first activation.
    session: Option<P>,
    /// Render mode set at the last activation.
    mode: BlockMode,
    class: PhantomData<C>,
}

impl<C: Class, P: PlanningSession> Default for Shell<C, P> {
    fn default() -> Self {
        let params = Arc::new(AntiphonParams::new(C::PREVIEW));
        let (audio_ports, session_ports) = rings(Arc::clone(&params.state));
        let (meters, snapshot) = (Arc::clone(&session_ports.meters), Arc::clone(&session_ports.snapshot));
        let commands = session_ports.commands.sender();
        Self {
            link: Link::new(&params),
            params,
            realtime: RealTime::new(audio_ports),
            preview: None,
            meters,
            snapshot,
            commands,
            session_ports: Some(session_ports),
            session: None,
            mode: BlockMode::Live,
            class: PhantomData,
        }
    }
}

impl<C, P> Shell<C, P> {
    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> Arc<AntiphonParams> {
        Arc::clone(&self.params)
    }
}

impl<C: Class, P: PlanningSession> Plugin for Shell<C, P> {
    const NAME: &'static str = C::NAME;
    const VENDOR: &'static str = "The Antiphon developers";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = C::AUDIO;
    /// The pedal must be captured, and thru must pass controllers and pitch bend.
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    /// nice-plug recomputes the bar start wrongly after a metre change when it splits blocks.
    const SAMPLE_ACCURATE_AUTOMATION: bool = false;
    /// Beyond this the wrapper allocates on the audio thread.
    const INPUT_EVENT_CAPACITY: usize = 16_384;

    type Editor = AntiphonEditor;
    type SysExMessage = ();
    /// Used only to stop nice-plug's worker, which is shared by all instances and dies with the first one removed.
    type BackgroundTask = QuitWorker;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(QuitWorker::run)
    }

    fn params(&self) -> Arc<dyn Params> {
        Arc::new(HostParams(Arc::clone(&self.params)))
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        worker::forward(&executor);
        window::editor(Arc::clone(&self.params), Arc::clone(&self.meters), Arc::clone(&self.snapshot), self.commands.clone())
    }

    fn filter_state(chunk: &mut PluginState) {
        state::admit(chunk);
    }

    fn activate(&mut self, _audio: &AudioIOLayout, config: &BufferConfig, _context: &mut impl ActivateContext<Self>) -> bool {
        if let Some(ports) = self.session_ports.take() {
            self.session = Some(P::spawn(ports));
        }
        // Context and plan are kept.
        self.mode = if config.process_mode == ProcessMode::Offline { BlockMode::Offline } else { BlockMode::Live };
        self.realtime.set_sample_rate(config.sample_rate);
        self.realtime.set_take(self.params.state.take());
        self.preview = C::PREVIEW.then(|| Preview::new(config.sample_rate));
        true
    }

    /// Sounding notes end in the next block, if there is one: events cannot be sent from here.
    fn deactivate(&mut self) {
        self.realtime.reset();
    }

    fn reset(&mut self) {
        self.realtime.reset();
        if let Some(preview) = &mut self.preview {
            preview.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        _aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        if self.link.mode().unwrap_or(self.mode) == BlockMode::Offline
            && let Some(session) = &mut self.session
        {
            session.wait_for(self.realtime.events_sent());
        }
        let host = HostTime::read(context.transport());
        // 2^32 samples are a day.
        let frames = u32::try_from(buffer.samples()).unwrap_or(u32::MAX);
        let audio = buffer.as_slice();
        if C::AUDIO.iter().all(|layout| layout.main_input_channels.is_none()) {
            audio.iter_mut().for_each(|channel| channel.fill(0.0));
        } else {
            audio.iter_mut().for_each(|channel| flush_subnormals(channel));
        }
        let is_audible = self.params.preview.value() && !self.params.bypass.value();
        let renderer = match (&mut self.preview, audio) {
            (Some(preview), [left, right]) => Some(preview.begin(is_audible, left, right)),
            _ => None,
        };
        self.realtime.process(&self.params, &host, frames, &mut Ports { context, renderer, shell: PhantomData::<Self> });
        // A plan may start playing at any time, whatever the input.
        ProcessStatus::KeepAlive
    }
}

impl<C: Class, P: PlanningSession> ClapPlugin for Shell<C, P> {
    const CLAP_ID: &'static str = C::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(C::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = C::CLAP_FEATURES;
}

impl<C: Class, P: PlanningSession> Vst3Plugin for Shell<C, P> {
    const VST3_CLASS_ID: [u8; 16] = C::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = C::VST3_SUBCATEGORIES;
}

/// Replaces subnormal samples by zero of the same sign, so that they do not slow down effects behind the plug-in. Integer and branch-free,
/// so it takes the same time for all values.
fn flush_subnormals(channel: &mut [f32]) {
    const SIGN: u32 = 1 << 31;
    const EXPONENT: u32 = f32::INFINITY.to_bits();
    for sample in channel {
        let bits = sample.to_bits();
        let kept = if bits & EXPONENT == 0 { SIGN } else { u32::MAX };
        *sample = f32::from_bits(bits & kept);
    }
}

/// nice-plug's context as event ports; the preview synth plays what is sent.
struct Ports<'a, X, P> {
    context: &'a mut X,
    renderer: Option<BlockRenderer<'a>>,
    shell: PhantomData<P>,
}

impl<P, X> Port for Ports<'_, X, P>
where
    P: Plugin<SysExMessage = ()>,
    X: ProcessContext<P>,
{
    fn next(&mut self) -> Option<Event> {
        self.context.next_event()
    }

    /// The synth plays the event whether the host accepts it or not: some hosts have no event output.
    fn send(&mut self, event: Event, sound: Sound) -> bool {
        if let Some(renderer) = &mut self.renderer {
            renderer.play(&event, sound);
        }
        self.context.try_send_event(event).is_ok()
    }

    fn send_again(&mut self, event: Event) -> bool {
        self.context.try_send_event(event).is_ok()
    }

    fn is_heard(&self) -> bool {
        self.renderer.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flush_subnormals_zeroes_subnormals_and_keeps_every_other_value_bit_for_bit() {
        let tiny = f32::from_bits(1);
        let mut channel = [tiny, -tiny, f32::MIN_POSITIVE / 2.0, f32::MIN_POSITIVE, -0.0, 0.0, 1.0, -1e-30, f32::NEG_INFINITY, f32::NAN];
        let before = channel;
        flush_subnormals(&mut channel);
        assert_eq!(channel[..3].iter().map(|sample| sample.to_bits()).collect::<Vec<_>>(), [0, 1 << 31, 0]);
        assert!(channel[3..].iter().zip(&before[3..]).all(|(after, before)| after.to_bits() == before.to_bits()));
    }
}
