//! The editor in a CLAP host.

use anyhow::{Context, Result};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};

use crate::{ClapHost, WindowId};

/// Window system of this platform.
const API: GuiApiType<'static> = if cfg!(windows) { GuiApiType::WIN32 } else { GuiApiType::X11 };
/// Embedded in a window of the host.
const EMBEDDED: GuiConfiguration<'static> = GuiConfiguration { api_type: API, is_floating: false };

/// A host's window as CLAP describes it.
fn described(window: WindowId) -> Window<'static, 'static> {
    // SAFETY: the caller's window is open.
    #[cfg(windows)]
    return unsafe { Window::from_win32_hwnd(window) };
    #[cfg(target_os = "linux")]
    Window::from_x11_handle(std::ffi::c_ulong::from(window))
}

impl ClapHost {
    /// Opens the editor. `window` receives the editor's size in pixels, creates a window for it, which must outlive the editor, and
    /// returns its id.
    ///
    /// # Errors
    /// When the plug-in has no editor for this window system or cannot open it, or `window` fails.
    pub fn open_editor<W>(&mut self, window: impl FnOnce(u32, u32) -> Result<(W, WindowId)>) -> Result<W> {
        self.open_editor_at(None, window)
    }

    /// [`open_editor`](Self::open_editor) with a scale set before the editor is asked for its size.
    ///
    /// # Errors
    /// As above, or when the editor rejects the scale.
    pub fn open_editor_at<W>(&mut self, scale: Option<f64>, window: impl FnOnce(u32, u32) -> Result<(W, WindowId)>) -> Result<W> {
        let plugin = self.instance().plugin_handle();
        let gui: PluginGui = plugin.get_extension().context("the plug-in has no editor")?;
        gui.create(&plugin, EMBEDDED).context("the plug-in cannot show its editor on this display")?;
        if let Some(scale) = scale {
            gui.set_scale(&plugin, scale).context("the editor does not take the scale")?;
        }
        let GuiSize { width, height } = gui.get_size(&plugin).context("the editor has no size")?;
        let (window, id) = window(width, height)?;
        // SAFETY: the window was just created, and the caller lets it outlive the editor.
        let embedded = unsafe { gui.set_parent(&plugin, described(id)) };
        embedded.context("the editor does not go into the window")?;
        gui.show(&plugin).context("the editor does not show")?;
        Ok(window)
    }

    /// Size reported by the editor, in pixels.
    ///
    /// # Errors
    /// When it reports none.
    pub fn editor_size(&mut self) -> Result<(u32, u32)> {
        let plugin = self.instance().plugin_handle();
        let gui: PluginGui = plugin.get_extension().context("the plug-in has no editor")?;
        let GuiSize { width, height } = gui.get_size(&plugin).context("the editor has no size")?;
        Ok((width, height))
    }

    /// Sets the scale of the open editor.
    ///
    /// # Errors
    /// When the editor rejects it.
    pub fn scale_editor(&mut self, scale: f64) -> Result<()> {
        let plugin = self.instance().plugin_handle();
        let gui: PluginGui = plugin.get_extension().context("the plug-in has no editor")?;
        gui.set_scale(&plugin, scale).context("the editor does not take the scale")
    }

    /// Resizes the open editor to its nearest permitted size, in pixels, as a host does while its window is dragged by a corner.
    ///
    /// # Errors
    /// When the editor rejects it.
    pub fn resize_editor(&mut self, (width, height): (u32, u32)) -> Result<()> {
        let plugin = self.instance().plugin_handle();
        let gui: PluginGui = plugin.get_extension().context("the plug-in has no editor")?;
        let size = gui.adjust_size(&plugin, GuiSize { width, height }).context("the editor cannot be resized")?;
        gui.set_size(&plugin, size).context("the editor does not take the size")
    }

    /// The size the editor last requested from the host.
    pub fn requested_size(&mut self) -> Option<(u32, u32)> {
        self.instance().access_shared_handler(|shared| *shared.requested_size.lock().ok()?)
    }

    /// Closes the editor.
    pub fn close_editor(&mut self) {
        let plugin = self.instance().plugin_handle();
        if let Some(gui) = plugin.get_extension::<PluginGui>() {
            gui.destroy(&plugin);
        }
    }
}
