//! The editor in a VST3 host without a run loop, as VST3 allows.

use std::mem::MaybeUninit;

use anyhow::{Context, Result, ensure};
use vst3::ComPtr;
use vst3::Steinberg::Vst::{IEditControllerTrait, ViewType};
use vst3::Steinberg::{
    FIDString, IPlugView, IPlugViewContentScaleSupport, IPlugViewContentScaleSupportTrait, IPlugViewTrait, ViewRect, int32,
    kPlatformTypeHWND, kPlatformTypeX11EmbedWindowID, kResultOk,
};

use crate::{Vst3Host, WindowId};

/// Window system of this platform.
const PLATFORM: FIDString = if cfg!(windows) { kPlatformTypeHWND } else { kPlatformTypeX11EmbedWindowID };

/// The editor of an instance, which may process on another thread meanwhile.
pub struct Vst3Editor(ComPtr<IPlugView>);

impl Vst3Editor {
    /// Opens the editor in a window, which must exist until it is closed.
    ///
    /// # Errors
    /// When it is already open, or does not support this window system.
    pub fn open(&self, window: WindowId) -> Result<()> {
        #[cfg(target_os = "linux")]
        let window = usize::try_from(window)? as *mut std::ffi::c_void;
        // SAFETY: a plain interface call; an X11 window's id stands in for a pointer.
        let outcome = unsafe { self.0.attached(window, PLATFORM) };
        ensure!(outcome == kResultOk, "the editor does not go into the window");
        Ok(())
    }

    /// Closes the editor.
    ///
    /// # Errors
    /// When it was not open.
    pub fn close(&self) -> Result<()> {
        // SAFETY: a plain interface call.
        ensure!(unsafe { self.0.removed() } == kResultOk, "there is no editor to close");
        Ok(())
    }

    /// Sets the scale of the open editor.
    ///
    /// # Errors
    /// When the editor rejects it.
    pub fn set_scale(&self, scale: f32) -> Result<()> {
        let scaled: ComPtr<IPlugViewContentScaleSupport> = self.0.cast().context("the editor has no scale")?;
        // SAFETY: a plain interface call.
        ensure!(unsafe { scaled.setContentScaleFactor(scale) } == kResultOk, "the editor does not take the scale");
        Ok(())
    }

    /// Resizes the open editor to its nearest permitted size, in pixels, as a host does while its window is dragged by a corner.
    ///
    /// # Errors
    /// When the editor rejects it.
    pub fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        let mut size = ViewRect { left: 0, top: 0, right: int32::try_from(width)?, bottom: int32::try_from(height)? };
        // SAFETY: plain interface calls.
        unsafe {
            ensure!(self.0.checkSizeConstraint(&raw mut size) == kResultOk, "the editor cannot be resized");
            ensure!(self.0.onSize(&raw mut size) == kResultOk, "the editor does not take the size");
        }
        Ok(())
    }

    /// Size the editor requests, in pixels.
    ///
    /// # Errors
    /// When it reports none.
    pub fn size(&self) -> Result<(u32, u32)> {
        let mut size = MaybeUninit::<ViewRect>::zeroed();
        // SAFETY: a plain interface call, and a zeroed rectangle is valid.
        let size = unsafe {
            ensure!(self.0.getSize(size.as_mut_ptr()) == kResultOk, "the editor has no size");
            size.assume_init()
        };
        Ok((u32::try_from(size.right - size.left)?, u32::try_from(size.bottom - size.top)?))
    }
}

impl Vst3Host {
    /// The editor, not yet open.
    ///
    /// # Errors
    /// When the plug-in has none.
    pub fn editor(&self) -> Result<Vst3Editor> {
        // SAFETY: a plain interface call that transfers a reference.
        let view = unsafe { ComPtr::from_raw(self.edit_controller().createView(ViewType::kEditor)) };
        view.map(Vst3Editor).context("the plug-in has no editor")
    }
}
