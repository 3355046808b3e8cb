//! The plug-in as nice-plug knows it: what the host calls, handed on.

use std::marker::PhantomData;
use std::sync::Arc;

use nice_plug::prelude::*;

use crate::class::Class;
use crate::clock::HostTime;
use crate::editor::window;
use crate::editor::window_thread::AntiphonEditor;
use crate::meters::Meters;
use crate::musician::{Musician, Seat, rings};
use crate::params::AntiphonParams;
use crate::port::{Event, Port, Sound};
use crate::preview::{Performance, Preview};
use crate::realtime::RealTime;
use crate::state;
use crate::vst3::link::{BlockMode, Link};
use crate::vst3::worker::{self, Leave};
use antiphon_engine::session::{Board, CommandSender};

/// One instance of a class.
///
/// Making one does no input or output and starts no thread: hosts make instances just to look at them. The musician sits down when an
/// instance is first activated, and leaves with it.
pub struct Shell<C, M> {
    params: Arc<AntiphonParams>,
    /// What a VST3 component says besides nice-plug.
    link: Arc<Link>,
    realtime: RealTime,
    /// Its own sound: once it is activated, in a class that has one.
    preview: Option<Preview>,
    /// How the audio thread fares, for the editor.
    meters: Arc<Meters>,
    /// What the musician shows in the editor.
    board: Arc<Board>,
    /// What the editor asks the musician for.
    commands: CommandSender,
    /// Until the musician sits in it.
    seat: Option<Seat>,
    /// Kept for as long as the instance lives.
    musician: Option<M>,
    /// What the host said at the last activation that it renders for.
    mode: BlockMode,
    class: PhantomData<C>,
}

impl<C: Class, M: Musician> Default for Shell<C, M> {
    fn default() -> Self {
        let params = Arc::new(AntiphonParams::new(C::PREVIEW));
        let (ends, seat) = rings(Arc::clone(&params.state));
        let (meters, board, commands) = (Arc::clone(&seat.meters), Arc::clone(&seat.board), seat.commands.sender());
        Self {
            link: Link::new(&params),
            params,
            realtime: RealTime::new(ends),
            preview: None,
            meters,
            board,
            commands,
            seat: Some(seat),
            musician: None,
            mode: BlockMode::Live,
            class: PhantomData,
        }
    }
}

impl<C, M> Shell<C, M> {
    /// Its parameters, by name.
    #[must_use]
    pub fn parameters(&self) -> Arc<AntiphonParams> {
        Arc::clone(&self.params)
    }
}

impl<C: Class, M: Musician> Plugin for Shell<C, M> {
    const NAME: &'static str = C::NAME;
    const VENDOR: &'static str = "The Antiphon developers";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = C::AUDIO;
    /// The pedal must be heard, and thru must carry controllers and bend.
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    /// nice-plug recomputes the bar start wrongly after a metre change when it splits blocks.
    const SAMPLE_ACCURATE_AUTOMATION: bool = false;
    /// Beyond it the wrapper allocates on the audio thread.
    const INPUT_EVENT_CAPACITY: usize = 16_384;

    type Editor = AntiphonEditor;
    type SysExMessage = ();
    /// Never used for our work: nice-plug's one worker serves all instances, and dies with the first that is removed.
    type BackgroundTask = Leave;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(Leave::obey)
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        worker::pass_on(&executor);
        window::editor(Arc::clone(&self.params), Arc::clone(&self.meters), Arc::clone(&self.board), self.commands.clone())
    }

    fn filter_state(chunk: &mut PluginState) {
        state::admit(chunk);
    }

    fn activate(&mut self, _audio: &AudioIOLayout, config: &BufferConfig, _context: &mut impl ActivateContext<Self>) -> bool {
        if let Some(seat) = self.seat.take() {
            self.musician = Some(M::sit(seat));
        }
        // What was heard and planned stays as it is.
        self.mode = if config.process_mode == ProcessMode::Offline { BlockMode::Offline } else { BlockMode::Live };
        self.realtime.set_sample_rate(config.sample_rate);
        self.preview = C::PREVIEW.then(|| Preview::new(config.sample_rate));
        true
    }

    /// What sounds is released with the next block, if there is one: nothing can be sent from here.
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
            && let Some(musician) = &mut self.musician
        {
            musician.attend(self.realtime.told());
        }
        let host = HostTime::read(context.transport());
        // A block of 2^32 samples is a day long.
        let frames = u32::try_from(buffer.samples()).unwrap_or(u32::MAX);
        let audio = buffer.as_slice();
        if C::AUDIO.iter().all(|layout| layout.main_input_channels.is_none()) {
            audio.iter_mut().for_each(|channel| channel.fill(0.0));
        } else {
            audio.iter_mut().for_each(|channel| flush_subnormals(channel));
        }
        let is_heard = self.params.preview.value() && !self.params.bypass.value();
        let performance = match (&mut self.preview, audio) {
            (Some(preview), [left, right]) => Some(preview.begin(is_heard, left, right)),
            _ => None,
        };
        self.realtime.process(&self.params, &host, frames, &mut Ports { context, performance, shell: PhantomData::<Self> });
        // A plan may sound at any time, whatever comes in.
        ProcessStatus::KeepAlive
    }
}

impl<C: Class, M: Musician> ClapPlugin for Shell<C, M> {
    const CLAP_ID: &'static str = C::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(C::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = C::CLAP_FEATURES;
}

impl<C: Class, M: Musician> Vst3Plugin for Shell<C, M> {
    const VST3_CLASS_ID: [u8; 16] = C::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = C::VST3_SUBCATEGORIES;
}

/// Writes 0, of the same sign, for what is too small to hear and slow to reckon with: whatever comes in, no effect behind is slowed down by what
/// goes out. In whole numbers and without a branch, so that it takes as long for either.
fn flush_subnormals(channel: &mut [f32]) {
    const SIGN: u32 = 1 << 31;
    const EXPONENT: u32 = f32::INFINITY.to_bits();
    for sample in channel {
        let bits = sample.to_bits();
        let kept = if bits & EXPONENT == 0 { SIGN } else { u32::MAX };
        *sample = f32::from_bits(bits & kept);
    }
}

/// nice-plug's context as event ports, heard by the preview sound.
struct Ports<'a, X, P> {
    context: &'a mut X,
    performance: Option<Performance<'a>>,
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

    /// What is sent sounds whether the host takes it or not: some have no way out for events.
    fn send(&mut self, event: Event, sound: Sound) -> bool {
        if let Some(performance) = &mut self.performance {
            performance.play(&event, sound);
        }
        self.context.try_send_event(event).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_small_becomes_zero_and_all_else_stays_bit_for_bit() {
        let tiny = f32::from_bits(1);
        let mut channel = [tiny, -tiny, f32::MIN_POSITIVE / 2.0, f32::MIN_POSITIVE, -0.0, 0.0, 1.0, -1e-30, f32::NEG_INFINITY, f32::NAN];
        let before = channel;
        flush_subnormals(&mut channel);
        assert_eq!(channel[..3].iter().map(|sample| sample.to_bits()).collect::<Vec<_>>(), [0, 1 << 31, 0]);
        assert!(channel[3..].iter().zip(&before[3..]).all(|(after, before)| after.to_bits() == before.to_bits()));
    }
}
