//! Type, spacing and widget visuals of the editor.

use egui::{
    Button, Color32, Context, CornerRadius, FontFamily, FontId, IntoAtoms, Margin, Shadow, Stroke, TextStyle, Theme, Ui, Vec2, Visuals,
    vec2,
};

use super::palette::{Palette, paint};
use crate::params::Look;

/// Distance between related widgets, in points.
pub(super) const GAP: f32 = 8.0;
/// Distance between window edge and content, in points.
pub(super) const MARGIN: i8 = 14;
/// Height of buttons, in points.
pub(super) const BUTTON_HEIGHT: f32 = 32.0;
/// Height of the control row, in points.
pub(super) const ROW_HEIGHT: f32 = 40.0;
/// Corner radius, in points.
pub(super) const RADIUS: u8 = 5;

/// A button of the editor's height.
pub(super) fn button<'a>(text: impl IntoAtoms<'a>) -> Button<'a> {
    Button::new(text).min_size(vec2(76.0, BUTTON_HEIGHT))
}

/// Sets fonts, colours and spacing.
pub(super) fn apply(ctx: &Context) {
    ctx.set_theme(Theme::Light);
    ctx.options_mut(|options| {
        // The window size follows the scale; zoom shortcuts belong to the host.
        options.zoom_with_keyboard = false;
        // egui measures clicks in frames: on a slow machine quick clicks would be lost, and a handle held still would start a drag.
        options.input_options.max_click_duration = f64::INFINITY;
    });
    for (theme, palette) in [(Theme::Light, &Palette::LIGHT), (Theme::Dark, &Palette::DARK)] {
        ctx.style_mut_of(theme, |style| {
            let sizes = [
                (TextStyle::Small, 11.5),
                (TextStyle::Body, 14.0),
                (TextStyle::Button, 14.0),
                (TextStyle::Monospace, 13.0),
                (TextStyle::Heading, 20.0),
            ];
            style.text_styles = sizes.into_iter().map(|(text, size)| (text, FontId::new(size, FontFamily::Proportional))).collect();
            style.spacing.item_spacing = vec2(GAP, GAP / 2.0);
            style.spacing.button_padding = vec2(12.0, 5.0);
            style.spacing.slider_width = 130.0;
            style.spacing.interact_size.y = 22.0;
            style.spacing.window_margin = Margin::same(16);
            style.interaction.selectable_labels = false;
            style.interaction.tooltip_delay = 0.4;
            style.visuals = visuals(theme, palette);
        });
    }
}

/// Puts a frame into the colours of a look, before anything is drawn in it.
pub(super) fn follow(ui: &mut Ui, look: Look) {
    let theme = match look {
        Look::Light => Theme::Light,
        Look::Dark => Theme::Dark,
    };
    if ui.ctx().theme() != theme {
        ui.ctx().set_theme(theme);
        ui.reset_style();
    }
}

fn visuals(theme: Theme, palette: &Palette) -> Visuals {
    let mut visuals = theme.default_visuals();
    visuals.panel_fill = paint(palette.paper);
    visuals.window_fill = paint(palette.paper);
    visuals.window_stroke = palette.hairline(0.25);
    visuals.window_shadow = Shadow { offset: [0, 4], blur: 18, spread: 0, color: Color32::from_black_alpha(40) };
    visuals.popup_shadow = Shadow { offset: [0, 2], blur: 8, spread: 0, color: Color32::from_black_alpha(30) };
    visuals.extreme_bg_color = paint(palette.coming);
    visuals.faint_bg_color = paint(palette.played);
    visuals.weak_text_color = Some(paint(palette.soft));
    visuals.error_fg_color = paint(palette.error);
    visuals.warn_fg_color = paint(palette.waiting);
    visuals.hyperlink_color = paint(palette.action);
    visuals.selection.bg_fill = paint(palette.selected());
    visuals.selection.stroke = Stroke::new(1.0, paint(palette.ink));
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    let states = [
        (&mut widgets.noninteractive, palette.paper, palette.hairline(0.15)),
        (&mut widgets.inactive, palette.coming, palette.hairline(0.22)),
        (&mut widgets.hovered, palette.played, palette.hairline(0.45)),
        // Pressed or focused.
        (&mut widgets.active, palette.coming, Stroke::new(2.0, paint(palette.action))),
        (&mut widgets.open, palette.played, palette.hairline(0.45)),
    ];
    for (state, fill, outline) in states {
        state.weak_bg_fill = paint(fill);
        state.bg_fill = paint(palette.played);
        state.bg_stroke = outline;
        state.fg_stroke = Stroke::new(1.0, paint(palette.ink));
        state.corner_radius = CornerRadius::same(RADIUS);
        state.expansion = 0.0;
    }
    // Rails and knobs of sliders.
    widgets.inactive.bg_fill = palette.faded(0.16);
    visuals
}

/// Width in points below which the controls need two rows.
pub(super) const NARROW_BELOW: f32 = 985.0;

/// Minimum size at which everything fits, in points.
pub(super) const LEAST_SIZE: Vec2 = vec2(720.0, 420.0);
