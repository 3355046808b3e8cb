//! The editor of a plug-in in a CLAP host.

use std::ffi::c_ulong;

use anyhow::{Context, Result};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, HostGuiImpl, PluginGui, Window};
use clack_host::prelude::HostError;

use crate::ClapHost;
use crate::clap_host::Shared;

/// An editor of its own inside a window of the host.
const EMBEDDED: GuiConfiguration<'static> = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };

impl ClapHost {
    /// Opens the editor. It says how large it wants to be, in pixels; `window` makes an X11 window of that size for it, which must outlive the
    /// editor, and hands back its id.
    ///
    /// # Errors
    /// When the plug-in has no editor for X11 or does not open it, or there is no window.
    pub fn open_editor<W>(&mut self, window: impl FnOnce(u32, u32) -> Result<(W, u32)>) -> Result<W> {
        let plugin = self.instance().plugin_handle();
        let gui: PluginGui = plugin.get_extension().context("the plug-in has no editor")?;
        gui.create(&plugin, EMBEDDED).context("the plug-in cannot show its editor on this display")?;
        let GuiSize { width, height } = gui.get_size(&plugin).context("the editor has no size")?;
        let (window, id) = window(width, height)?;
        // SAFETY: the window was just made, and the caller lets it outlive the editor.
        let embedded = unsafe { gui.set_parent(&plugin, Window::from_x11_handle(c_ulong::from(id))) };
        embedded.context("the editor does not go into the window")?;
        gui.show(&plugin).context("the editor does not show")?;
        Ok(window)
    }

    /// Closes the editor.
    pub fn close_editor(&mut self) {
        let plugin = self.instance().plugin_handle();
        if let Some(gui) = plugin.get_extension::<PluginGui>() {
            gui.destroy(&plugin);
        }
    }
}

/// A host whose windows stay as they are.
impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _new_size: GuiSize) -> Result<(), HostError> {
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
