//! A VST3 host built on the Rust bindings.

use std::cell::RefCell;

use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, Event, Event_, Event__type0, IAudioProcessor, IAudioProcessorTrait, IComponent,
    IComponentTrait, IEditController, IEditControllerTrait, IEventList, IMidiMapping, IMidiMappingTrait, IParameterChanges,
    LegacyMIDICCOutEvent, MediaTypes_, NoteOffEvent, NoteOnEvent, ParamID, ParameterInfo, PolyPressureEvent, ProcessContext,
    ProcessContext_, ProcessData, ProcessModes_, ProcessSetup, SymbolicSampleSizes_,
};
use vst3::Steinberg::{IBStream, IPluginBaseTrait, int32, kResultOk};
use vst3::{ComPtr, ComWrapper};

#[cfg(feature = "linked")]
use crate::linked::{self, ManualSession, ObservedSession};
use crate::memory_stream::MemoryStream;
use crate::vst3_library::Vst3Library;
use crate::vst3_lists::{Changes, Events};
use crate::{Block, Class, Host, Message, Outcome, Outputs, Render, Setup, Timed, Transport, library};

/// Output events per block.
const EVENTS: usize = 32_768;
/// VST3's controller numbers beyond MIDI's.
const CHANNEL_PRESSURE: u8 = 128;
/// See [`CHANNEL_PRESSURE`].
const PITCH_BEND: u8 = 129;

/// A VST3 host with one instance.
pub struct Vst3Host {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    mapping: ComPtr<IMidiMapping>,
    class: Class,
    sample_rate: f64,
    /// Render mode of the blocks.
    render: Render,
    /// Parameter changes for the next block.
    pending: Vec<(ParamID, int32, f64)>,
    /// Unloaded after everything that came from it.
    _library: Option<Vst3Library>,
}

impl Vst3Host {
    /// An instance from the built library.
    #[must_use]
    pub fn loaded(class: Class, setup: Setup) -> Self {
        Self::of(Vst3Library::load(&library::path()).expect("the library loads"), class, setup)
    }

    /// An instance from a library.
    #[must_use]
    pub fn of(library: Vst3Library, class: Class, setup: Setup) -> Self {
        Self::new(library.make(class.name()), Some(library), class, setup)
    }

    /// An instance whose session is driven by the test.
    #[cfg(feature = "linked")]
    #[must_use]
    pub fn with_manual_session(class: Class, setup: Setup) -> Self {
        Self::new(linked::vst3_component::<ManualSession>(class), None, class, setup)
    }

    /// An instance with the real session, under observation.
    #[cfg(feature = "linked")]
    #[must_use]
    pub fn observed(class: Class, setup: Setup) -> Self {
        Self::new(linked::vst3_component::<ObservedSession>(class), None, class, setup)
    }

    fn new(component: ComPtr<IComponent>, library: Option<Vst3Library>, class: Class, setup: Setup) -> Self {
        let processor: ComPtr<IAudioProcessor> = component.cast().expect("it processes");
        let controller = component.cast().expect("it has a controller");
        let mapping = component.cast().expect("it maps controllers");
        let mut process_setup = ProcessSetup {
            processMode: process_mode(setup.render),
            symbolicSampleSize: constant(SymbolicSampleSizes_::kSample32),
            maxSamplesPerBlock: int32::try_from(setup.longest_block).expect("blocks are shorter"),
            sampleRate: setup.sample_rate,
        };
        // SAFETY: calls in the order the format requires.
        unsafe {
            component.initialize(std::ptr::null_mut());
            assert_eq!(processor.setupProcessing(&mut process_setup), kResultOk);
            let (audio, events) = (constant(MediaTypes_::kAudio), constant(MediaTypes_::kEvent));
            for (media, direction) in [audio, events].into_iter().flat_map(|media| [(media, 0), (media, 1)]) {
                for bus in 0..component.getBusCount(media, direction) {
                    assert_eq!(component.activateBus(media, direction, bus, 1), kResultOk);
                }
            }
            assert_eq!(component.setActive(1), kResultOk);
            assert_eq!(processor.setProcessing(1), kResultOk);
        }
        let Setup { sample_rate, render, .. } = setup;
        Self { component, processor, controller, mapping, class, sample_rate, render, pending: Vec::new(), _library: library }
    }

    /// Changes the render mode of the following blocks without a new set-up, as Ardour's export does.
    pub const fn set_render(&mut self, render: Render) {
        self.render = render;
    }

    /// Writes a value, 0 to 1, to all hidden parameters with the next block.
    pub fn write_controllers(&mut self, value: f64) {
        let controllers = (0..16).flat_map(|channel| (0..=PITCH_BEND).map(move |controller| (channel, controller)));
        let changes: Vec<_> = controllers.map(|(channel, controller)| (self.controller(channel, controller), 0, value)).collect();
        self.pending.extend(changes);
    }

    /// Value and default of a controller's hidden parameter, 0 to 1.
    #[must_use]
    pub fn controller_value(&self, channel: u8, controller: u8) -> (f64, f64) {
        let id = self.controller(channel, controller);
        let info = self.parameters().into_iter().find(|info| info.id == id).expect("a hidden parameter is listed");
        // SAFETY: a plain interface call.
        (unsafe { self.controller.getParamNormalized(id) }, info.defaultNormalizedValue)
    }

    /// Sets a parameter on the controller's side only, as hosts do for their display; returns whether it was accepted.
    pub fn display(&mut self, channel: u8, controller: u8, value: f64) -> bool {
        // SAFETY: a plain interface call.
        unsafe { self.controller.setParamNormalized(self.controller(channel, controller), value) == kResultOk }
    }

    #[cfg(any(target_os = "linux", windows))]
    pub(crate) fn edit_controller(&self) -> &ComPtr<IEditController> {
        &self.controller
    }

    /// Id of a parameter.
    fn parameter(&self, name: &str) -> ParamID {
        let wanted: Vec<u16> = name.encode_utf16().chain([0]).collect();
        // Named parameters precede those of the controllers.
        let info = (0..self.parameter_count()).map(|index| self.info(index)).find(|info| {
            let title = info.title;
            title.starts_with(&wanted)
        });
        info.unwrap_or_else(|| panic!("no parameter is called {name}")).id
    }

    fn parameter_count(&self) -> int32 {
        // SAFETY: a plain interface call.
        unsafe { self.controller.getParameterCount() }
    }

    fn info(&self, index: int32) -> ParameterInfo {
        // SAFETY: a structure of numbers, for which zero is valid; a plain interface call that writes to it.
        unsafe {
            let mut info: ParameterInfo = std::mem::zeroed();
            assert_eq!(self.controller.getParameterInfo(index, &mut info), kResultOk);
            info
        }
    }

    fn parameters(&self) -> Vec<ParameterInfo> {
        (0..self.parameter_count()).map(|index| self.info(index)).collect()
    }

    /// Id of a controller's hidden parameter.
    fn controller(&self, channel: u8, controller: u8) -> ParamID {
        let mut id = 0;
        // SAFETY: a plain interface call.
        let mapped = unsafe { self.mapping.getMidiControllerAssignment(0, channel.into(), controller.into(), &mut id) };
        assert_eq!(mapped, kResultOk, "controller {controller} of channel {channel} is not mapped");
        id
    }
}

/// A constant whose type differs between platforms.
pub(crate) fn constant<T: TryInto<int32>>(value: T) -> int32 {
    value.try_into().ok().expect("VST3's constants are small")
}

fn process_mode(render: Render) -> int32 {
    constant(match render {
        Render::RealTime => ProcessModes_::kRealtime,
        Render::Offline => ProcessModes_::kOffline,
    })
}

impl Host for Vst3Host {
    fn process(&mut self, block: &Block<'_>) -> Outcome {
        let mut changes = std::mem::take(&mut self.pending);
        let mut events = Vec::new();
        for timed in block.messages {
            let sample = int32::try_from(timed.sample).expect("a sample of a block");
            let mut change = |channel, controller, value: f64| changes.push((self.controller(channel, controller), sample, value));
            match timed.message {
                Message::Control { channel, controller, value } => change(channel, controller, f64::from(value) / 127.0),
                Message::ChannelPressure { channel, value } => change(channel, CHANNEL_PRESSURE, f64::from(value) / 127.0),
                Message::Bend { channel, value } => change(channel, PITCH_BEND, f64::from(value) / 16_383.0),
                note => events.push(event(sample, note)),
            }
        }
        let changes = ComWrapper::new(Changes::new(&changes));
        let events = ComWrapper::new(Events(RefCell::new(events)));
        let sent = ComWrapper::new(Events(RefCell::new(Vec::with_capacity(EVENTS))));
        let mut context = block.transport.map(|transport| context(&transport, self.sample_rate));

        let frames = block.frames as usize;
        let mut audio_in = vec![0.0; frames];
        let given = block.audio.len().min(frames);
        audio_in[..given].copy_from_slice(&block.audio[..given]);
        let mut audio_in = [audio_in.clone(), audio_in];
        let mut audio_out = [vec![f32::NAN; frames], vec![f32::NAN; frames]];
        let mut channels_in = audio_in.each_mut().map(|channel| channel.as_mut_ptr());
        let mut channels_out = audio_out.each_mut().map(|channel| channel.as_mut_ptr());
        let bus = |channels: &mut [*mut f32; 2]| AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_mut_ptr() },
        };
        let (mut bus_in, mut bus_out) = (bus(&mut channels_in), bus(&mut channels_out));
        let (has_input, has_output) = (self.class.has_input(), block.outputs != Outputs::None);
        let mut data = ProcessData {
            processMode: process_mode(self.render),
            symbolicSampleSize: constant(SymbolicSampleSizes_::kSample32),
            numSamples: int32::try_from(block.frames).expect("blocks are shorter"),
            numInputs: has_input.into(),
            numOutputs: has_output.into(),
            inputs: if has_input { &mut bus_in } else { std::ptr::null_mut() },
            outputs: if has_output { &mut bus_out } else { std::ptr::null_mut() },
            inputParameterChanges: changes.as_com_ref::<IParameterChanges>().map_or(std::ptr::null_mut(), |list| list.as_ptr()),
            outputParameterChanges: std::ptr::null_mut(),
            inputEvents: events.as_com_ref::<IEventList>().map_or(std::ptr::null_mut(), |list| list.as_ptr()),
            outputEvents: sent
                .as_com_ref::<IEventList>()
                .filter(|_| block.outputs != Outputs::Audio)
                .map_or(std::ptr::null_mut(), |list| list.as_ptr()),
            processContext: context.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut),
        };
        // SAFETY: everything referenced lives until after the call.
        assert_eq!(unsafe { self.processor.process(&mut data) }, kResultOk);
        let messages = sent.0.borrow().iter().map(read).collect();
        Outcome { messages, audio: audio_out }
    }

    fn set(&mut self, name: &str, normalised: f64) {
        self.pending.push((self.parameter(name), 0, normalised));
    }

    fn get(&mut self, name: &str) -> f64 {
        // SAFETY: a plain interface call.
        unsafe { self.controller.getParamNormalized(self.parameter(name)) }
    }

    fn save(&mut self) -> Vec<u8> {
        let stream = ComWrapper::new(MemoryStream::new(&[]));
        let pointer = stream.as_com_ref::<IBStream>().expect("it is a stream").as_ptr();
        // SAFETY: the stream lives until after the call.
        assert_eq!(unsafe { self.component.getState(pointer) }, kResultOk);
        stream.bytes.take()
    }

    fn load(&mut self, chunk: &[u8]) -> bool {
        let stream = ComWrapper::new(MemoryStream::new(chunk));
        let pointer = stream.as_com_ref::<IBStream>().expect("it is a stream").as_ptr();
        // SAFETY: the stream lives until after the call.
        unsafe { self.component.setState(pointer) == kResultOk }
    }

    fn write_back(&mut self) {
        for info in self.parameters() {
            // SAFETY: a plain interface call.
            let value = unsafe { self.controller.getParamNormalized(info.id) };
            self.pending.push((info.id, 0, value));
        }
    }

    fn reset(&mut self) {
        // SAFETY: plain interface calls.
        unsafe {
            self.processor.setProcessing(0);
            self.processor.setProcessing(1);
        }
    }

    /// Does not call `setProcessing` again: not all hosts do.
    fn reactivate(&mut self) {
        // SAFETY: plain interface calls.
        unsafe {
            assert_eq!(self.component.setActive(0), kResultOk);
            assert_eq!(self.component.setActive(1), kResultOk);
        }
    }
}

impl Drop for Vst3Host {
    fn drop(&mut self) {
        // SAFETY: calls in the order the format requires.
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
            self.component.terminate();
        }
    }
}

fn context(transport: &Transport, sample_rate: f64) -> ProcessContext {
    use ProcessContext_::StatesAndFlags_ as Flags;
    let flag = |on: bool, flag| if on { flag } else { 0 };
    let state = flag(transport.playing, Flags::kPlaying)
        | flag(transport.tempo.is_some(), Flags::kTempoValid)
        | flag(transport.metre.is_some(), Flags::kTimeSigValid)
        | flag(transport.position.is_some(), Flags::kProjectTimeMusicValid)
        | flag(transport.bar.is_some(), Flags::kBarPositionValid)
        | flag(transport.cycle.is_some(), Flags::kCycleActive | Flags::kCycleValid);
    let (numerator, denominator) = transport.metre.unwrap_or_default();
    let (start, end) = transport.cycle.unwrap_or_default();
    // SAFETY: a structure of numbers, for which zero is valid.
    let mut context: ProcessContext = unsafe { std::mem::zeroed() };
    #[allow(clippy::useless_conversion, reason = "the flags' type differs between platforms")]
    let state = u32::try_from(state).expect("flags are positive");
    context.state = state;
    context.sampleRate = sample_rate;
    context.projectTimeMusic = transport.position.unwrap_or_default();
    context.barPositionMusic = transport.bar.unwrap_or_default();
    context.cycleStartMusic = start;
    context.cycleEndMusic = end;
    context.tempo = transport.tempo.unwrap_or_default();
    context.timeSigNumerator = numerator.into();
    context.timeSigDenominator = denominator.into();
    context
}

fn event(sample: int32, message: Message) -> Event {
    use Event_::EventTypes_ as Types;
    let (kind, field) = match message {
        Message::NoteOn { channel, key, velocity } => {
            let note = NoteOnEvent { channel: channel.into(), pitch: key.into(), tuning: 0.0, velocity, length: 0, noteId: -1 };
            (Types::kNoteOnEvent, Event__type0 { noteOn: note })
        }
        Message::NoteOff { channel, key, velocity } => {
            let note = NoteOffEvent { channel: channel.into(), pitch: key.into(), velocity, noteId: -1, tuning: 0.0 };
            (Types::kNoteOffEvent, Event__type0 { noteOff: note })
        }
        Message::KeyPressure { channel, key, pressure } => {
            let note = PolyPressureEvent { channel: channel.into(), pitch: key.into(), pressure, noteId: -1 };
            (Types::kPolyPressureEvent, Event__type0 { polyPressure: note })
        }
        other => panic!("{other:?} is a parameter change"),
    };
    // SAFETY: a structure of numbers, for which zero is valid.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.sampleOffset = sample;
    event.r#type = u16::try_from(kind).expect("event types are small");
    event.__field0 = field;
    event
}

/// A message the plug-in sent.
fn read(event: &Event) -> Timed {
    use Event_::EventTypes_ as Types;
    let number = |value: i16| u8::try_from(value).expect("a MIDI number, no wildcard");
    let kind = int32::from(event.r#type);
    // SAFETY: the type selects the field.
    let message = unsafe {
        match kind {
            kind if kind == constant(Types::kNoteOnEvent) => {
                let NoteOnEvent { channel, pitch, velocity, .. } = event.__field0.noteOn;
                Message::NoteOn { channel: number(channel), key: number(pitch), velocity }
            }
            kind if kind == constant(Types::kNoteOffEvent) => {
                let NoteOffEvent { channel, pitch, velocity, .. } = event.__field0.noteOff;
                Message::NoteOff { channel: number(channel), key: number(pitch), velocity }
            }
            kind if kind == constant(Types::kPolyPressureEvent) => {
                let PolyPressureEvent { channel, pitch, pressure, .. } = event.__field0.polyPressure;
                Message::KeyPressure { channel: number(channel), key: number(pitch), pressure }
            }
            kind if kind == constant(Types::kLegacyMIDICCOutEvent) => controller(event.__field0.midiCCOut),
            other => panic!("an event of type {other} was sent"),
        }
    };
    Timed { sample: u64::try_from(event.sampleOffset).expect("within the block"), message }
}

fn controller(sent: LegacyMIDICCOutEvent) -> Message {
    let [channel, value, high] = [sent.channel, sent.value, sent.value2].map(|byte| u8::try_from(byte).expect("seven bits"));
    match sent.controlNumber {
        CHANNEL_PRESSURE => Message::ChannelPressure { channel, value },
        PITCH_BEND => Message::Bend { channel, value: u16::from(value) | u16::from(high) << 7 },
        controller => Message::Control { channel, controller, value },
    }
}
