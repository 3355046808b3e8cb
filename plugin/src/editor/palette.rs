//! Colours of the editor, light and dark. Each meaning has a second sign besides its colour; see docs/design.

use antiphon_engine::music::Role;
use antiphon_roll::legend::{self, Colour};
use egui::{Color32, Context, Stroke, Theme};

/// Share of a role's own colour on a dark ground; the rest is white.
const ROLE_ON_DARK: f32 = 0.72;
const WHITE: Colour = Colour(0x00FF_FFFF);

/// Colours by meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Palette {
    /// Behind everything.
    pub(super) paper: Colour,
    /// Ground of what was played.
    pub(super) played: Colour,
    /// Ground of what is to come.
    pub(super) coming: Colour,
    /// Text and lines.
    pub(super) ink: Colour,
    /// Text that may be overlooked.
    pub(super) soft: Colour,
    /// What can be acted on: focus, selection, the shown variation.
    pub(super) action: Colour,
    /// Playing, in order.
    pub(super) playing: Colour,
    /// In progress, catching up.
    pub(super) waiting: Colour,
    /// Errors.
    pub(super) error: Colour,
}

impl Palette {
    /// On a light ground.
    pub(super) const LIGHT: Self = Self {
        paper: legend::PAPER,
        played: legend::BEFORE,
        coming: legend::AFTER,
        ink: legend::INK,
        soft: Colour(0x005D_6067),
        action: Colour(0x001D_5C99),
        playing: Colour(0x001F_7A49),
        waiting: Colour(0x008A_5A00),
        error: Colour(0x00B3_2D2D),
    };

    /// On a dark ground.
    pub(super) const DARK: Self = Self {
        paper: Colour(0x001E_2025),
        played: Colour(0x0026_282E),
        coming: Colour(0x0017_181C),
        ink: Colour(0x00EC_EAE4),
        soft: Colour(0x00A9_ABB2),
        action: Colour(0x007D_B7EA),
        playing: Colour(0x006F_CB97),
        waiting: Colour(0x00E3_B14C),
        error: Colour(0x00F0_8A84),
    };

    /// The palette of a context's theme.
    pub(super) fn of(ctx: &Context) -> &'static Self {
        match ctx.theme() {
            Theme::Light => &Self::LIGHT,
            Theme::Dark => &Self::DARK,
        }
    }

    /// Colour of a role's notes.
    pub(super) fn role(&self, role: Role) -> Colour {
        if *self == Self::DARK { legend::colour(role).over(WHITE, ROLE_ON_DARK) } else { legend::colour(role) }
    }

    /// Colour of the outline of a role's notes, which stands out from every ground however pale the note is: of notes that will sound as
    /// shown, or of those that may still change.
    pub(super) fn rim(&self, role: Role, is_settled: bool) -> Colour {
        self.ink.over(self.role(role), if is_settled { 0.45 } else { 0.22 })
    }

    /// Colour of the outline of the player's notes. On a dark ground it is near that of the note, so that small ones look solid, too.
    pub(super) fn own_rim(&self, role: Role) -> Colour {
        self.rim(role, *self != Self::DARK)
    }

    /// Ground of what is selected.
    pub(super) fn selected(&self) -> Colour {
        self.action.over(self.coming, 0.25)
    }

    /// Ground of Stop while Antiphon waits for its bars.
    pub(super) fn armed(&self) -> Colour {
        self.playing.over(self.coming, 0.22)
    }

    /// Colours of white and black piano keys.
    pub(super) fn piano_keys(&self) -> [Color32; 2] {
        let keys = [paint(self.coming), self.faded(0.75)];
        if *self == Self::DARK { [keys[1], keys[0]] } else { keys }
    }

    /// Ink of this opacity over the ground of what is to come.
    pub(super) fn faded(&self, opacity: f32) -> Color32 {
        paint(self.ink.over(self.coming, opacity))
    }

    /// A one-point line in ink of this opacity.
    pub(super) fn hairline(&self, opacity: f32) -> Stroke {
        Stroke::new(1.0, self.faded(opacity))
    }
}

/// A colour as egui's.
pub(super) const fn paint(colour: Colour) -> Color32 {
    let [red, green, blue] = colour.channels();
    Color32::from_rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_that_waits_differs_from_the_grounds_of_other_buttons() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            for ground in [palette.paper, palette.coming, palette.played] {
                assert!(contrast(palette.armed(), ground) > 1.1 && contrast(palette.playing, ground) >= 3.0, "{ground:?}");
            }
        }
    }

    /// Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(one: Colour, other: Colour) -> f64 {
        let luminance = |colour: Colour| {
            let linear = colour.channels().map(|channel| {
                let share = f64::from(channel) / 255.0;
                if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_of_black_on_white_is_21() {
        assert!((contrast(Colour(0), WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn text_is_readable_on_every_ground() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            for ground in [palette.paper, palette.played, palette.coming] {
                for text in [palette.ink, palette.soft, palette.action, palette.playing, palette.waiting, palette.error] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {:.2}", contrast(text, ground));
                }
            }
        }
    }

    #[test]
    fn text_of_buttons_is_readable() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            // Selected; Play; Stop while a plan plays, and while it waits.
            let grounds = [
                (palette.ink, palette.selected()),
                (palette.paper, palette.ink),
                (palette.paper, palette.playing),
                (palette.ink, palette.armed()),
            ];
            for (text, ground) in grounds {
                assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {:.2}", contrast(text, ground));
            }
        }
    }

    #[test]
    fn notes_of_every_role_stand_out_from_every_ground() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            for (role, is_settled) in Role::ALL.into_iter().flat_map(|role| [(role, false), (role, true)]) {
                for ground in [palette.played, palette.coming] {
                    let found = contrast(palette.rim(role, is_settled), ground);
                    assert!(found >= 3.0, "{role:?} on {ground:?}: {found:.2}");
                }
            }
        }
    }
}
