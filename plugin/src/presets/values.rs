//! Settings as normalised values of the parameters, and back.

use super::{SCOPE, Settings};
use crate::params::{AntiphonParams, ShownParameter};

/// Parameters of the window that settings never hold: a recording and the look of the window are not a sound.
const LEFT_OUT: [&str; 2] = ["take", "look"];

/// What happens to parameters that settings do not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Those of [`SCOPE`] get their defaults.
    Default,
    /// They stay.
    Leave,
}

/// Settings that this version understands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// Ids and normalised values.
    pub values: Vec<(&'static str, f32)>,
    /// Number of settings that are not understood.
    pub unknown: usize,
}

impl Values {
    /// The values of settings.
    #[must_use]
    pub fn of(settings: &Settings, missing: Missing) -> Self {
        let params = AntiphonParams::new(true);
        let mut values = Vec::new();
        for parameter in held(&params.settable()) {
            let listed = settings.get(parameter.id).and_then(|text| params.read(parameter.id, text));
            let default = (missing == Missing::Default && SCOPE.contains(&parameter.id)).then_some(parameter.default);
            values.extend(listed.or(default).map(|value| (parameter.id, value)));
        }
        let is_known = |(id, text): &(&String, &String)| params.read(id, text).is_some() && values.iter().any(|(known, _)| known == id);
        let unknown = settings.iter().filter(|setting| !is_known(setting)).count();
        Self { values, unknown }
    }

    /// Those that differ from the parameters.
    #[must_use]
    pub fn changes(&self, now: &[ShownParameter]) -> Vec<(&'static str, f32)> {
        // Normalised values have at most a thousand steps.
        let differs = |(id, value): &&(&'static str, f32)| now.iter().any(|shown| shown.id == *id && (shown.value - value).abs() > 1e-4);
        self.values.iter().filter(differs).copied().collect()
    }
}

/// Settings of the parameters: all that settings may hold, or those of [`SCOPE`] alone.
#[must_use]
pub fn settings(now: &[ShownParameter], scope: Option<&[&str]>) -> Settings {
    let in_scope = |id: &str| scope.is_none_or(|scope| scope.contains(&id));
    held(now).filter(|shown| in_scope(shown.id)).map(|shown| (shown.id.to_owned(), shown.text.clone())).collect()
}

fn held(shown: &[ShownParameter]) -> impl Iterator<Item = &ShownParameter> {
    shown.iter().filter(|parameter| !LEFT_OUT.contains(&parameter.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(params: &AntiphonParams, values: &[(&'static str, f32)]) {
        for (id, value) in values {
            // SAFETY: the pointer lives as long as `params`.
            unsafe { params.find(id).unwrap()._internal_set_normalized_value(*value) };
        }
    }

    #[test]
    fn settings_are_the_same_after_they_were_applied() {
        let (one, other) = (AntiphonParams::new(true), AntiphonParams::new(true));
        set(&one, &[("mode", 0.5), ("voices", 0.25), ("adventurousness", 0.8), ("register_low", 48.0 / 127.0), ("take", 1.0)]);
        let saved = settings(&one.settable(), None);
        assert!(!saved.contains_key("take"));
        let Values { values, unknown } = Values::of(&saved, Missing::Leave);
        set(&other, &values);
        assert_eq!((settings(&other.settable(), None), unknown), (saved, 0));
        assert_eq!(Values::of(&settings(&one.settable(), None), Missing::Leave).changes(&other.settable()), []);
    }

    #[test]
    fn preset_resets_what_it_does_not_list_and_leaves_the_set_up() {
        let params = AntiphonParams::new(true);
        set(&params, &[("voices", 0.25), ("output_channel", 0.5), ("key", 0.5), ("mode", 0.5)]);
        let preset: Settings = [("mode".to_owned(), "Answer".to_owned())].into();
        let of = |missing| Values::of(&preset, missing).changes(&params.settable());
        assert_eq!(of(Missing::Default), [("mode", 0.25), ("voices", 0.0)]);
        assert_eq!(of(Missing::Leave), [("mode", 0.25)]);
    }

    #[test]
    fn settings_of_a_newer_version_are_counted() {
        let newer = [("mode", "Dance"), ("colour", "Red"), ("take", "Replay"), ("voices", "1 voice")];
        let newer: Settings = newer.map(|(id, text)| (id.to_owned(), text.to_owned())).into();
        assert_eq!(Values::of(&newer, Missing::Leave), Values { values: vec![("voices", 0.125)], unknown: 3 });
    }
}
