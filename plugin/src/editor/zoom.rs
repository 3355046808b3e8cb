//! egui's zoom factor of one window: the host's scale relative to the one baseview finds.

use egui::{Context, ViewportCommand, vec2};
use nice_plug_egui::baseview::WindowSize;

use super::sizing::Sizing;

/// Zoom factor of one window, and the size that goes with it.
pub(super) struct Zoom {
    sizing: Sizing,
    /// Factor in the last frame.
    last: f32,
}

impl Zoom {
    /// Zoom of a window that opens with this factor.
    pub(super) const fn new(sizing: Sizing, factor: f32) -> Self {
        Self { sizing, last: factor }
    }

    /// The window's new size in pixels; egui-baseview's logical sizes include its zoom factor.
    pub(super) fn resized(&self, size: WindowSize) {
        self.sizing.window_resized(size.physical, size.scale_factor);
    }

    /// Follows the host's scale. Called once a frame.
    pub(super) fn follow(&mut self, ctx: &Context, window: WindowSize) {
        let current = ctx.zoom_factor();
        #[allow(clippy::float_cmp, reason = "egui keeps the value it is given")]
        if current != self.last {
            self.last = current;
            // egui-baseview would resize the window by the change. The host determines the size, so request that one.
            #[allow(clippy::cast_possible_truncation, reason = "egui's points are f32")]
            let point = window.scale_factor as f32 * current;
            let points = vec2(window.physical.width as f32, window.physical.height as f32) / point;
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(points));
        }
        // Takes effect in the next frame.
        ctx.set_zoom_factor(self.sizing.zoom(window.scale_factor));
    }
}
