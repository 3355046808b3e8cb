//! A CLAP host built on clack.

use std::ffi::CString;
use std::io::Cursor;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::{
    MidiEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent, NoteOnEvent, ParamValueEvent, TransportEvent, TransportFlags,
};
use clack_host::events::io::{OutputEventBuffer, TryPushError};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{EventFlags, Match};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};

#[cfg(feature = "linked")]
use crate::linked::{self, ManualSession, ObservedSession};
use crate::{Block, Class, Host, Message, Outcome, Outputs, Render, Setup, Timed, Transport, library};

/// Events per block without allocation in the host.
const EVENTS: usize = 32_768;

/// A CLAP host with one instance.
pub struct ClapHost {
    /// Dropped first; `None` only while the host is dropped.
    processor: Option<StartedPluginAudioProcessor<Handlers>>,
    instance: PluginInstance<Handlers>,
    class: Class,
    configuration: PluginAudioConfiguration,
    /// Parameter changes for the next block.
    pending: Vec<(ClapId, f64)>,
    inputs: EventBuffer,
    outputs: EventBuffer,
}

pub(crate) struct Handlers;

/// Calls by the plug-in from any thread.
#[derive(Default)]
pub(crate) struct Shared {
    /// Whether it requested a callback on the main thread.
    calls: AtomicBool,
    /// Size its editor requested, in pixels.
    pub(crate) requested_size: Mutex<Option<(u32, u32)>>,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.calls.store(true, Ordering::Release);
    }
}

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<'_, Self>, _shared: &Self::Shared<'_>) {
        builder.register::<HostGui>();
    }
}

/// A host that refuses to resize its windows and records the request.
impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, new_size: GuiSize) -> Result<(), HostError> {
        if let Ok(mut requested) = self.requested_size.lock() {
            *requested = Some((new_size.width, new_size.height));
        }
        Err(HostError::Message("windows stay as they are"))
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _was_destroyed: bool) {}
}

impl ClapHost {
    /// An instance from the built library.
    #[must_use]
    pub fn loaded(class: Class, setup: Setup) -> Self {
        // SAFETY: the library is ours.
        let entry = unsafe { PluginEntry::load(library::path()) }.expect("the library has a CLAP entry point");
        Self::new(&entry, class, setup)
    }

    /// An instance from a bundle: the path of the file that hosts load.
    ///
    /// # Errors
    /// When the file cannot be loaded.
    pub fn bundled(path: &Path, class: Class, setup: Setup) -> anyhow::Result<Self> {
        // SAFETY: the caller trusts the bundle it names, as every host does.
        let entry = unsafe { PluginEntry::load(path) }.with_context(|| format!("loading {}", path.display()))?;
        Ok(Self::new(&entry, class, setup))
    }

    /// An instance whose session is driven by the test.
    #[cfg(feature = "linked")]
    #[must_use]
    pub fn with_manual_session(class: Class, setup: Setup) -> Self {
        // SAFETY: the entry point is ours.
        let entry =
            unsafe { PluginEntry::load_from_raw(linked::clap_entry::<ManualSession>(class), c"linked") }.expect("the entry point is valid");
        Self::new(&entry, class, setup)
    }

    /// An instance with the real session, under observation.
    #[cfg(feature = "linked")]
    #[must_use]
    pub fn observed(class: Class, setup: Setup) -> Self {
        // SAFETY: the entry point is ours.
        let entry = unsafe { PluginEntry::load_from_raw(linked::clap_entry::<ObservedSession>(class), c"linked") }
            .expect("the entry point is valid");
        Self::new(&entry, class, setup)
    }

    /// Names of the classes that a bundle lists.
    ///
    /// # Errors
    /// When the file cannot be loaded.
    pub fn classes(path: &Path) -> anyhow::Result<Vec<String>> {
        // SAFETY: as for `bundled`.
        let entry = unsafe { PluginEntry::load(path) }.with_context(|| format!("loading {}", path.display()))?;
        let factory = entry.get_plugin_factory().context("it has no plug-ins")?;
        let names = factory.plugin_descriptors().filter_map(|plugin| Some(plugin.name()?.to_string_lossy().into_owned()));
        Ok(names.collect())
    }

    fn new(entry: &PluginEntry, class: Class, setup: Setup) -> Self {
        let factory = entry.get_plugin_factory().expect("it has plug-ins");
        let name = CString::new(class.name()).expect("no name has a zero in it");
        let plugin = factory.plugin_descriptors().find(|plugin| plugin.name() == Some(&name)).expect("the class is listed");
        let id = plugin.id().expect("it has an id");
        let info = HostInfo::new("Antiphon tests", "The Antiphon developers", "", "0").expect("no zeros");
        let mut instance = PluginInstance::new(|()| Shared::default(), |_| (), entry, id, &info).expect("it can be made");
        if setup.render == Render::Offline {
            let handle = instance.plugin_handle();
            let render: PluginRender = handle.get_extension().expect("it has the render extension");
            render.set(&handle, RenderMode::Offline).expect("it renders offline");
        }
        let configuration =
            PluginAudioConfiguration { sample_rate: setup.sample_rate, min_frames_count: 1, max_frames_count: setup.longest_block };
        let processor = instance.activate(|_, _| (), configuration).expect("it activates").start_processing().expect("it starts");
        let (inputs, outputs) = (EventBuffer::with_capacity(EVENTS), EventBuffer::with_capacity(EVENTS));
        Self { processor: Some(processor), instance, class, configuration, pending: Vec::new(), inputs, outputs }
    }

    #[cfg(any(target_os = "linux", windows))]
    pub(crate) fn instance(&mut self) -> &mut PluginInstance<Handlers> {
        &mut self.instance
    }

    /// [`process`](Host::process) with the call of the plug-in handed to `around`, which must make it once, so that it can be measured
    /// without the host's overhead.
    pub fn process_around(&mut self, block: &Block<'_>, around: impl FnOnce(&mut dyn FnMut())) -> Outcome {
        self.inputs.clear();
        self.outputs.clear();
        for (id, value) in self.pending.drain(..) {
            self.inputs.push(&ParamValueEvent::new(0, id, Pckn::match_all(), value));
        }
        block.messages.iter().for_each(|timed| push(&mut self.inputs, timed));
        let transport = block.transport.as_ref().map(transport_event);

        let frames = block.frames as usize;
        let mut audio_in = vec![0.0; frames];
        let given = block.audio.len().min(frames);
        audio_in[..given].copy_from_slice(&block.audio[..given]);
        let mut audio_in = [audio_in.clone(), audio_in];
        let mut audio_out = [vec![f32::NAN; frames], vec![f32::NAN; frames]];
        let (mut ports_in, mut ports_out) = (AudioPorts::with_capacity(2, 1), AudioPorts::with_capacity(2, 1));
        // SAFETY: there are no buffers.
        let silence = unsafe { InputAudioBuffers::from_raw_buffers(&[], block.frames) };
        let inputs = if self.class.has_input() {
            let channels = audio_in.iter_mut().map(InputChannel::variable);
            ports_in.with_input_buffers([AudioPortBuffer { latency: 0, channels: AudioPortBufferType::f32_input_only(channels) }])
        } else {
            silence
        };
        let mut outputs = match block.outputs {
            Outputs::None => OutputAudioBuffers::empty(),
            Outputs::All | Outputs::Audio => {
                let channels = audio_out.iter_mut().map(Vec::as_mut_slice);
                ports_out.with_output_buffers([AudioPortBuffer { latency: 0, channels: AudioPortBufferType::f32_output_only(channels) }])
            }
        };
        let processor = self.processor.as_mut().expect("it is there until it is dropped");
        let events_in = self.inputs.as_input();
        let mut refusing = Refusing;
        let mut events_out =
            if block.outputs == Outputs::Audio { OutputEvents::from_buffer(&mut refusing) } else { self.outputs.as_output() };
        around(&mut || {
            processor.process(&inputs, &mut outputs, &events_in, &mut events_out, None, transport.as_ref()).expect("it processes");
        });
        Outcome { messages: self.outputs.iter().filter_map(read).collect(), audio: audio_out }
    }

    /// Runs the main-thread callback if the plug-in requested it. Hosts do so continuously while an editor is open.
    pub fn idle(&mut self) {
        if self.instance.access_shared_handler(|shared| shared.calls.swap(false, Ordering::AcqRel)) {
            self.instance.call_on_main_thread_callback();
        }
    }

    /// Id and range of a parameter.
    fn parameter(&mut self, name: &str) -> (ClapId, f64, f64) {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("it has parameters");
        let mut buffer = ParamInfoBuffer::new();
        for index in 0..params.count(&handle) {
            let info = params.get_info(&handle, index, &mut buffer).expect("every index has its parameter");
            if info.name == name.as_bytes() {
                return (info.id, info.min_value, info.max_value);
            }
        }
        panic!("no parameter is called {name}")
    }

    fn state(&mut self) -> PluginState {
        self.instance.plugin_handle().get_extension().expect("it has state")
    }
}

/// Event output that takes nothing.
struct Refusing;

impl OutputEventBuffer for Refusing {
    fn try_push(&mut self, _event: &UnknownEvent) -> Result<(), TryPushError> {
        Err(TryPushError::new())
    }
}

impl Host for ClapHost {
    fn process(&mut self, block: &Block<'_>) -> Outcome {
        self.process_around(block, |call| call())
    }

    fn set(&mut self, name: &str, normalised: f64) {
        let (id, lowest, highest) = self.parameter(name);
        self.pending.push((id, lowest + normalised * (highest - lowest)));
    }

    fn get(&mut self, name: &str) -> f64 {
        let (id, lowest, highest) = self.parameter(name);
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("it has parameters");
        (params.get_value(&handle, id).expect("it has a value") - lowest) / (highest - lowest)
    }

    fn save(&mut self) -> Vec<u8> {
        let mut chunk = Vec::new();
        self.state().save(&self.instance.plugin_handle(), &mut chunk).expect("it saves");
        chunk
    }

    fn load(&mut self, chunk: &[u8]) -> bool {
        self.state().load(&self.instance.plugin_handle(), &mut Cursor::new(chunk)).is_ok()
    }

    fn write_back(&mut self) {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("it has parameters");
        let mut buffer = ParamInfoBuffer::new();
        for index in 0..params.count(&handle) {
            let id = params.get_info(&handle, index, &mut buffer).expect("every index has its parameter").id;
            self.pending.push((id, params.get_value(&handle, id).expect("it has a value")));
        }
    }

    fn reactivate(&mut self) {
        let processor = self.processor.take().expect("it is there until it is dropped");
        self.instance.deactivate(processor.stop_processing());
        let processor = self.instance.activate(|_, _| (), self.configuration).expect("it activates again");
        self.processor = Some(processor.start_processing().expect("it starts again"));
    }

    fn reset(&mut self) {
        self.processor.as_mut().expect("it is there until it is dropped").reset();
    }
}

impl Drop for ClapHost {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take() {
            self.instance.deactivate(processor.stop_processing());
        }
    }
}

fn transport_event(transport: &Transport) -> TransportEvent {
    let flag = |on, flag| if on { flag } else { TransportFlags::empty() };
    let (numerator, denominator) = transport.metre.unwrap_or_default();
    let (start, end) = transport.cycle.unwrap_or_default();
    TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags: flag(transport.playing, TransportFlags::IS_PLAYING)
            | flag(transport.tempo.is_some(), TransportFlags::HAS_TEMPO)
            | flag(transport.metre.is_some(), TransportFlags::HAS_TIME_SIGNATURE)
            | flag(transport.position.is_some(), TransportFlags::HAS_BEATS_TIMELINE)
            | flag(transport.cycle.is_some(), TransportFlags::IS_LOOP_ACTIVE),
        song_pos_beats: BeatTime::from_float(transport.position.unwrap_or_default()),
        song_pos_seconds: SecondsTime::from_float(0.0),
        tempo: transport.tempo.unwrap_or_default(),
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_float(start),
        loop_end_beats: BeatTime::from_float(end),
        loop_start_seconds: SecondsTime::from_float(0.0),
        loop_end_seconds: SecondsTime::from_float(0.0),
        bar_start: BeatTime::from_float(transport.bar.unwrap_or_default()),
        bar_number: 0,
        time_signature_numerator: numerator,
        time_signature_denominator: denominator,
    }
}

fn address(channel: u8, key: u8) -> Pckn {
    Pckn::new(0u16, u16::from(channel), u16::from(key), Match::All)
}

fn push(events: &mut EventBuffer, timed: &Timed) {
    let time = u32::try_from(timed.sample).expect("a sample of a block");
    let midi = |status: u8, channel: u8, first: u8, second: u8| MidiEvent::new(time, 0, [status | channel, first, second]);
    match timed.message {
        Message::NoteOn { channel, key, velocity } => events.push(&NoteOnEvent::new(time, address(channel, key), velocity.into())),
        Message::NoteOff { channel, key, velocity } => events.push(&NoteOffEvent::new(time, address(channel, key), velocity.into())),
        Message::KeyPressure { channel, key, pressure } => {
            events.push(&NoteExpressionEvent::new(time, address(channel, key), NoteExpressionType::Pressure, pressure.into()));
        }
        Message::Control { channel, controller, value } => events.push(&midi(0xB0, channel, controller, value)),
        Message::Bend { channel, value } => {
            let [low, high] = [value & 0x7F, value >> 7].map(|half| u8::try_from(half).expect("seven bits"));
            events.push(&midi(0xE0, channel, low, high));
        }
        Message::ChannelPressure { channel, value } => events.push(&midi(0xD0, channel, value, 0)),
    }
}

/// A message the plug-in sent; `None` for other events, such as parameter changes.
fn read(event: &UnknownEvent) -> Option<Timed> {
    let number = |value: Match<u16>| u8::try_from(value.into_specific().expect("no wildcard is sent")).expect("a MIDI number");
    #[allow(clippy::cast_possible_truncation, reason = "nice-plug's velocities are `f32`")]
    let float = |value: f64| value as f32;
    let message = match event.as_core_event()? {
        CoreEventSpace::NoteOn(note) => {
            Message::NoteOn { channel: number(note.channel()), key: number(note.key()), velocity: float(note.velocity()) }
        }
        CoreEventSpace::NoteOff(note) => {
            Message::NoteOff { channel: number(note.channel()), key: number(note.key()), velocity: float(note.velocity()) }
        }
        CoreEventSpace::NoteExpression(note) => {
            Message::KeyPressure { channel: number(note.channel()), key: number(note.key()), pressure: float(note.value()) }
        }
        CoreEventSpace::Midi(midi) => match midi.data() {
            [status @ 0xB0..0xC0, controller, value] => Message::Control { channel: status & 15, controller, value },
            [status @ 0xE0..0xF0, low, high] => Message::Bend { channel: status & 15, value: u16::from(low) | u16::from(high) << 7 },
            [status @ 0xD0..0xE0, value, _] => Message::ChannelPressure { channel: status & 15, value },
            other => panic!("{other:02X?} was sent"),
        },
        _ => return None,
    };
    Some(Timed { sample: event.header().time().into(), message })
}
