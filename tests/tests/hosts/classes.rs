//! Classes in the library, and creating and removing instances.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

#[test]
fn parameters_that_the_ardour_scripts_set_have_these_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ardour");
    let mut names = BTreeSet::new();
    for script in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(script.unwrap().path()).unwrap();
        let calls = text.lines().filter_map(|line| line.trim().strip_prefix("host.set (it.antiphon, \""));
        names.extend(calls.map(|call| call.split_once('"').expect("the name's quote closes").0.to_owned()));
    }
    assert!(names.contains("Play") && names.len() > 4, "{names:?}");
    for (_, make) in LOADED {
        let mut host = make(Class::ALL[0], Setup::default());
        for name in &names {
            host.get(name); // Panics for a name that no parameter has.
        }
    }
}
