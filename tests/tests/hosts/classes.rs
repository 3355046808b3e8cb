//! Classes in the library, and creating and removing instances.

use antiphon_tests::{Block, Class, Host, Setup, library};
use clack_host::prelude::PluginEntry;

use crate::{LOADED, Random};

#[test]
fn both_classes_are_listed_with_ids_and_features() {
    // SAFETY: the library is ours.
    let entry = unsafe { PluginEntry::load(library::path()) }.unwrap();
    let text = |text: Option<&std::ffi::CStr>| text.unwrap().to_str().unwrap().to_owned();
    let listed: Vec<_> = entry
        .get_plugin_factory()
        .unwrap()
        .plugin_descriptors()
        .map(|plugin| {
            let features: Vec<_> = plugin.features().map(|feature| text(Some(feature))).collect();
            (text(plugin.id()), text(plugin.name()), features.join(" "))
        })
        .collect();
    let expected = [
        ("org.antiphon.antiphon", "Antiphon", "instrument note-effect"),
        ("org.antiphon.antiphon-note-fx", "Antiphon Note FX", "note-effect utility"),
    ];
    assert_eq!(listed, expected.map(|(id, name, features)| (id.to_owned(), name.to_owned(), features.to_owned())));
}

#[test]
fn instances_created_and_removed_in_any_order_are_silent() {
    for (format, make) in LOADED {
        let mut dice = Random(5);
        let mut hosts: Vec<Box<dyn Host>> = Vec::new();
        for _ in 0..60 {
            let sides = u32::try_from(hosts.len() + 1).unwrap();
            match dice.roll(sides) as usize {
                index if index < hosts.len() && (hosts.len() == 8 || dice.roll(2) == 0) => drop(hosts.swap_remove(index)),
                _ if hosts.len() < 8 => hosts.push(make(Class::ALL[dice.roll(2) as usize], Setup::default())),
                _ => {}
            }
            for host in &mut hosts {
                let outcome = host.process(&Block { frames: 64, ..Block::default() });
                assert_eq!(outcome.audio[0], [0.0; 64], "{format}");
            }
        }
    }
}
