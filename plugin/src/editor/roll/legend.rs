//! Legend under the notes: colours of the roles, and the looks of the player's and of Antiphon's notes.

use std::sync::Arc;

use antiphon_engine::music::Role;
use antiphon_engine::session::Snapshot;
use egui::{Align2, CursorIcon, FontId, Galley, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::locks::{self, Padlock};
use super::{Roll, paint, roles, shown};
use crate::editor::palette::Palette;

/// Width and height of a sign, in points.
const SIGN: f32 = 9.0;
/// Width of the sign of what is locked: a padlock, and a note with the bar that locked notes have.
const LOCKED: f32 = 23.0;
/// Between a sign and its name, in points.
const BESIDE: f32 = 4.0;
/// Between a name and the next sign, in points.
const BETWEEN: f32 = 10.0;

/// What a sign stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Role(Role),
    Player,
    Antiphon,
    Song,
    Locked,
}

impl Meaning {
    /// Width of its sign, in points.
    const fn width(self) -> f32 {
        match self {
            Self::Locked => LOCKED,
            Self::Role(_) | Self::Player | Self::Antiphon | Self::Song => SIGN,
        }
    }
}

/// The signs with their names, from left to right.
pub(super) struct Legend {
    entries: Vec<(Meaning, Arc<Galley>)>,
    palette: &'static Palette,
    /// Of all of them, in points.
    pub(super) width: f32,
}

impl Roll {
    /// The roles in view and, once there are notes of either, whose notes look how.
    pub(super) fn legend(&self, painter: &Painter, snapshot: &Snapshot) -> Legend {
        let hands = [
            (Meaning::Player, "you", snapshot.played.len() > snapshot.by_antiphon.len()),
            (Meaning::Antiphon, "Antiphon", snapshot.plan.is_some() || !snapshot.by_antiphon.is_empty()),
            (Meaning::Song, "song", !snapshot.song_ahead.is_empty()),
            (Meaning::Locked, "locked", !snapshot.locks.is_empty()),
        ];
        let roles = roles(shown(snapshot)).map(|role| (Meaning::Role(role), role.name()));
        let hands = hands.into_iter().filter(|(.., is_there)| *is_there).map(|(meaning, name, _)| (meaning, name));
        let text = |name: &str| painter.layout_no_wrap(name.to_owned(), FontId::proportional(11.0), paint(self.palette.soft));
        let entries: Vec<_> = roles.chain(hands).map(|(meaning, name)| (meaning, text(name))).collect();
        let width = entries.iter().map(|(meaning, text)| meaning.width() + BESIDE + text.size().x + BETWEEN).sum::<f32>() - BETWEEN;
        Legend { entries, palette: self.palette, width: width.max(0.0) }
    }
}

impl Legend {
    /// Draws it with its right end here. What would lie left of `from` is left out: the hands come first, then the roles from the last on. Returns
    /// where the roles are.
    pub(super) fn draw(&self, painter: &Painter, right: Pos2, from: f32) -> Vec<(Role, Rect)> {
        let mut x = right.x;
        let mut drawn = Vec::new();
        for (meaning, text) in self.entries.iter().rev() {
            let name = Align2::RIGHT_CENTER.anchor_size(pos2(x, right.y), text.size());
            let sign = Rect::from_center_size(pos2(name.left() - BESIDE - meaning.width() / 2.0, right.y), vec2(meaning.width(), SIGN));
            if sign.left() < from {
                break;
            }
            if let Meaning::Role(role) = meaning {
                drawn.push((*role, sign.union(name)));
            }
            painter.galley(name.min, Arc::clone(text), paint(self.palette.soft));
            let (ink, bar) = (paint(self.palette.soft), sign.shrink2(vec2(0.0, 2.0)));
            match meaning {
                Meaning::Role(role) => _ = painter.rect_filled(sign, 2, paint(self.palette.role(*role))),
                Meaning::Player => _ = painter.rect_filled(bar, 1, ink),
                Meaning::Locked => {
                    locks::draw(painter, self.palette, sign.left_center() + vec2(locks::LOCK / 2.0, 0.0), Padlock::Closed);
                    let note = bar.with_min_x(sign.left() + locks::LOCK + 3.0);
                    painter.rect_stroke(note, 1, Stroke::new(1.0, ink), StrokeKind::Inside);
                    locks::cap(painter, self.palette, note);
                }
                Meaning::Song => _ = painter.rect_filled(bar, 1, self.palette.faded(0.3)),
                Meaning::Antiphon => _ = painter.rect_stroke(bar, 1, Stroke::new(1.5, ink), StrokeKind::Inside),
            }
            x = sign.left() - BETWEEN;
        }
        drawn
    }
}

/// The role of the plan whose name in the legend begins to be dragged.
pub(super) fn dragged(ui: &Ui, snapshot: &Snapshot, drawn: &[(Role, Rect)]) -> Option<Role> {
    let planned: Vec<Role> = roles(snapshot.plan.iter().flat_map(|shown| shown.plan.notes())).collect();
    let mut dragged = None;
    for &(role, area) in drawn.iter().filter(|(role, _)| planned.contains(role)) {
        let name = role.name();
        let response = ui.interact(area.expand2(vec2(3.0, 2.0)), ui.scope_id().with(name), Sense::drag());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Drag {name}")));
        let response = response.on_hover_text(format!("Drag the {name} of this phrase onto a track or into a folder"));
        if response.on_hover_cursor(CursorIcon::Grab).drag_started() {
            dragged = Some(role);
        }
    }
    dragged
}
