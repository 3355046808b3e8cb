//! `--roles`: the roles that play, and the roles of parts of the file.

use std::path::Path;

use antiphon_engine::music::{Clip, Role, roles};
use anyhow::{Result, bail};

use crate::steering;

/// One item of `--roles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Casting {
    /// This role plays.
    Plays(Role),
    /// The parts of this name have this role in the file.
    Part {
        /// Track name.
        name: String,
        /// Role of these parts.
        role: Role,
    },
}

/// Reads `ROLE` or `NAME=ROLE`.
pub(crate) fn read(text: &str) -> Result<Casting, String> {
    match text.rsplit_once('=') {
        None => steering::role(text).map(Casting::Plays),
        Some((name, _)) if name.trim().is_empty() => Err("the name of a part is missing before the =, for instance \"Beat=drums\"".into()),
        Some((name, role)) => Ok(Casting::Part { name: name.trim().to_owned(), role: steering::role(role.trim())? }),
    }
}

/// Gives the parts that are named their roles, and returns the roles that play, in the order in which they are named, each once.
pub(crate) fn cast(items: &[Casting], clip: &mut Clip, path: &Path) -> Result<Vec<Role>> {
    let mut plays = Vec::new();
    for item in items {
        match item {
            Casting::Plays(role) if !plays.contains(role) => plays.push(*role),
            Casting::Plays(_) => {}
            Casting::Part { name, role } => {
                if roles::rename(&mut clip.parts, name, *role) == 0 {
                    let names: Vec<&str> = clip.parts.iter().map(|part| part.name.as_str()).filter(|name| !name.is_empty()).collect();
                    let there = if names.is_empty() { "its parts have no names".into() } else { format!("it has {}", names.join(", ")) };
                    bail!("{}: has no part named {name} (--roles {name}={}); {there}", path.display(), role.name().replace(' ', "-"));
                }
            }
        }
    }
    Ok(plays)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Note, Part, Tick};

    use super::*;

    #[test]
    fn items_are_roles_or_parts_with_their_role() {
        assert_eq!(read("left-hand"), Ok(Casting::Plays(Role::LeftHand)));
        assert_eq!(read("Beat 2 = drums"), Ok(Casting::Part { name: "Beat 2".into(), role: Role::Drums }));
        assert_eq!(read("Beat=2=drums"), Ok(Casting::Part { name: "Beat=2".into(), role: Role::Drums }));
        assert!(read("=drums").unwrap_err().contains("name"));
        assert!(read("Beat=kazoo").unwrap_err().contains("low-strings"));
    }

    #[test]
    fn parts_are_cast_and_the_others_play() {
        let note = Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch: 38, velocity: 80, role: Role::Keys };
        let mut clip = Clip { parts: vec![Part { name: "Beat".into(), notes: vec![note], ..Part::default() }], ..Clip::default() };
        let part = |name: &str| Casting::Part { name: name.into(), role: Role::Drums };
        let items = [part("beat"), Casting::Plays(Role::Bass), Casting::Plays(Role::Bass)];
        assert_eq!(cast(&items, &mut clip, Path::new("a.mid")).unwrap(), [Role::Bass]);
        assert_eq!(clip.parts[0].notes[0].role, Role::Drums);
        let error = cast(&[part("Kit")], &mut clip, Path::new("a.mid")).unwrap_err().to_string();
        assert!(error.contains("a.mid") && error.contains("Kit") && error.contains("Beat"), "{error}");
    }
}
