//! Names of widgets, for a screen reader.

use egui::accesskit::Role;
use egui_kittest::kittest::NodeT;

use super::*;

/// Roles that take a click, a key or text.
const INTERACTIVE: [Role; 9] = [
    Role::Button,
    Role::CheckBox,
    Role::RadioButton,
    Role::Slider,
    Role::SpinButton,
    Role::TextInput,
    Role::ComboBox,
    Role::MenuItem,
    Role::Canvas,
];

/// Widgets without a name, and the number of all.
fn unnamed(harness: &Harness<'_, (Editor, PlainModel)>) -> (Vec<String>, usize) {
    let nodes = harness.root().children_recursive().filter(|node| INTERACTIVE.contains(&node.accesskit_node().role()));
    let nodes: Vec<_> = nodes.collect();
    let is_unnamed = |node: &&egui_kittest::Node<'_>| node.accesskit_node().label().is_none_or(|name| name.trim().is_empty());
    (nodes.iter().filter(is_unnamed).map(|node| format!("{node:?}")).collect(), nodes.len())
}

#[test]
fn every_widget_that_one_can_use_has_a_name() {
    let mut harness = open(model(music()), FakeDragSource::default());
    assert_eq!(unnamed(&harness).0, Vec::<String>::new());
    let closed = unnamed(&harness).1;
    harness.get_by_label("More").click();
    harness.run_steps(3);
    let (without, count) = unnamed(&harness);
    assert_eq!(without, Vec::<String>::new());
    assert!(count > closed + 20, "the drawer has its controls: {count} and {closed}");
    for opens in ["Details", "Preset: As you play"] {
        harness.get_by_label(opens).click();
        harness.run_steps(3);
        assert_eq!(unnamed(&harness).0, Vec::<String>::new(), "{opens}");
        harness.key_press(Key::Escape);
        harness.run_steps(3);
    }
}
