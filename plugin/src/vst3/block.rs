//! One VST3 block on its way to nice-plug.

use std::ptr;

use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IEventListTrait, ProcessContext_, ProcessData, ProcessModes_, ProcessSetup,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kInvalidArgument, tresult, uint32};

use super::controllers::BlockInfo;
use super::inputs::Inputs;
use super::link::{BlockMode, Link};

#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap, reason = "the constants' type differs between platforms")]
const OFFLINE: int32 = ProcessModes_::kOffline as int32;
#[allow(clippy::unnecessary_cast, reason = "as above")]
const PLAYING: uint32 = ProcessContext_::StatesAndFlags_::kPlaying as uint32;
#[allow(clippy::unnecessary_cast, reason = "as above")]
const POSITION_VALID: uint32 = ProcessContext_::StatesAndFlags_::kProjectTimeMusicValid as uint32;

/// Channels of the audio output that both classes have.
const CHANNELS: usize = 2;

/// Block processing that nice-plug lacks.
pub(super) struct Block {
    inputs: Inputs,
    /// Output buffers for hosts that pass none, as Live does for plug-ins that are switched off. nice-plug would skip such a block with all
    /// its events.
    scratch: [Vec<f32>; CHANNELS],
}

impl Block {
    pub(super) const fn new(inputs: Inputs) -> Self {
        Self { inputs, scratch: [Vec::new(), Vec::new()] }
    }

    /// Prepares for processing. Allocates.
    pub(super) fn set_up(&mut self, setup: &ProcessSetup) {
        self.inputs.set_sample_rate(setup.sampleRate);
        let longest = usize::try_from(setup.maxSamplesPerBlock).unwrap_or_default();
        self.scratch.iter_mut().for_each(|channel| channel.resize(longest, 0.0));
    }

    /// Processes a block through nice-plug.
    ///
    /// # Safety
    /// `data` is null, or a block passed by the host.
    pub(super) unsafe fn play(&mut self, data: *mut ProcessData, link: &Link, play: impl FnOnce(*mut ProcessData) -> tresult) -> tresult {
        // SAFETY: guaranteed by the caller. The structure holds numbers and pointers that are used during this call only.
        let Some(mut data) = (unsafe { data.as_ref().map(|data| ptr::read(data)) }) else { return kInvalidArgument };
        // The mode set up may be outdated: Ardour sets it only when its block size changes.
        link.set_mode(if data.processMode == OFFLINE { BlockMode::Offline } else { BlockMode::Live });
        // SAFETY: guaranteed by the caller.
        let info = unsafe { info(&data) };
        // SAFETY: guaranteed by the caller, and the list lives as long as the block.
        data.inputParameterChanges = unsafe { self.inputs.begin(data.inputParameterChanges, info) };
        let mut channels = self.scratch.each_mut().map(|channel| channel.as_mut_ptr());
        let mut output = AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_mut_ptr() },
        };
        // Without time and notes this is a parameter flush, not a block.
        let is_block = !data.processContext.is_null() || info.has_notes;
        let fits = usize::try_from(data.numSamples).is_ok_and(|frames| frames <= self.scratch[0].len());
        // SAFETY: guaranteed by the caller.
        if is_block && fits && !unsafe { has_output(&data) } {
            (data.numOutputs, data.outputs) = (1, &raw mut output);
        }
        let outcome = play(&raw mut data);
        self.inputs.end();
        outcome
    }
}

/// The block's properties that classify its controller changes.
///
/// # Safety
/// The block was passed by the host.
unsafe fn info(data: &ProcessData) -> BlockInfo {
    // SAFETY: null, or the host's and valid during the block.
    let (context, events) = unsafe { (data.processContext.as_ref(), ComRef::from_raw(data.inputEvents)) };
    let state = context.map_or(0, |context| context.state);
    BlockInfo {
        frames: uint32::try_from(data.numSamples).unwrap_or_default(),
        playing: state & PLAYING != 0,
        position: context.filter(|_| state & POSITION_VALID != 0).map(|context| context.projectTimeMusic),
        // SAFETY: a plain interface call.
        has_notes: events.is_some_and(|events| unsafe { events.getEventCount() } > 0),
    }
}

/// Whether there is an audio output buffer.
///
/// # Safety
/// The block was passed by the host.
unsafe fn has_output(data: &ProcessData) -> bool {
    if data.numOutputs <= 0 {
        return false;
    }
    // SAFETY: as many as the host says, or null.
    let output = unsafe { data.outputs.as_ref() };
    // SAFETY: nice-plug reads the same field, since it processes single precision only.
    output.is_some_and(|output| output.numChannels > 0 && !unsafe { output.__field0.channelBuffers32 }.is_null())
}
