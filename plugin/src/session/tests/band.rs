//! Band: instances in one process hear each other, by script.

use antiphon_engine::codec::OwnRoles;
use antiphon_engine::music::Role;
use antiphon_engine::service::Band;

use super::script::{BAR, BEAT, ScriptedHost, stroke, tune};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// Values of Hears.
const KEY_AND_CHORDS: f32 = 0.5;
const EVERYTHING: f32 = 1.0;
/// Values of Input role.
const BASS: f32 = 0.5;
const DRUMS: f32 = 0.75;

/// Instances of one host: each plays a stretch of a few ticks in turn, as tracks do in a host's graph.
struct Tracks {
    band: Band,
    hosts: Vec<ScriptedHost>,
}

impl Tracks {
    /// Tracks with blocks of this length, with the values of Input role and Hears of each.
    fn new(frames: u32, tracks: &[(f32, f32)]) -> Self {
        let band = Band::default();
        let host = |&(role, hears): &(f32, f32)| {
            let host = ScriptedHost::in_band(frames, &band);
            set(&host.params, "input_role", role);
            set(&host.params, "hears", hears);
            host
        };
        let hosts = tracks.iter().map(host).collect();
        Self { band, hosts }
    }

    /// Plays to a tick, with the player's events of each track. `order` turns the tracks around in each stretch.
    fn play_to(&mut self, tick: i64, players: &[&[(u32, Event)]]) {
        let from = self.hosts[0].now();
        for at in (from..tick).step_by(4).map(|at| (at + 4).min(tick)) {
            for (number, host) in self.hosts.iter_mut().enumerate() {
                host.play_to(at, players.get(number).copied().unwrap_or_default());
            }
        }
    }
}

/// A bass line: a note on every second beat.
fn bass(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats / 2).flat_map(|two| stroke(from + two * 2 * BEAT, 40, u8::try_from(61 + two % 5).unwrap())).collect()
}

/// Notes of the others in the context of an instance.
fn others(host: &ScriptedHost, own: Role) -> Vec<(i64, u8, Role)> {
    host.script.context_roles().into_iter().filter(|(.., role)| *role != own).collect()
}

#[test]
fn notes_of_another_instance_are_given_notes_of_the_context() {
    let mut tracks = Tracks::new(500, &[(BASS, 0.0), (0.25, EVERYTHING)]);
    tracks.play_to(4 * BAR + 30, &[&bass(0, 20), &tune(0, 20)]);
    let keys = &tracks.hosts[1];
    assert_eq!(keys.script.own(), OwnRoles::new([Role::Keys]).unwrap());
    let heard = others(keys, Role::Keys);
    // The notes of the last bar's last beat count from the next planning tick on.
    let expected: Vec<_> = (0..8).map(|two| (two * 2 * BEAT, u8::try_from(61 + two % 5).unwrap(), Role::Bass)).collect();
    assert_eq!(heard, expected);
    assert_eq!(others(&tracks.hosts[0], Role::Bass), [], "the bass hears its own track only");
    let band = keys.status().band.unwrap();
    assert_eq!((band.number, band.heard, band.late), (2, vec![(1, Role::Bass)], 0));
}

/// What an instance was asked, has heard and played: fingerprints of the contexts of its plans, notes of its context, planned notes that sounded.
type Performance = (Vec<u64>, Vec<(i64, u8, Role)>, Vec<(i64, u8, i64)>);

/// What the keys' worker was asked, and its context, with two instances that hear each other.
fn perform(frames: u32) -> Performance {
    let mut tracks = Tracks::new(frames, &[(BASS, EVERYTHING), (0.25, EVERYTHING)]);
    tracks.play_to(3 * BAR, &[&bass(0, 12), &tune(0, 8)]);
    set(&tracks.hosts[1].params, "play", 1.0);
    tracks.play_to(8 * BAR, &[&bass(3 * BAR, 18), &[]]);
    for host in &tracks.hosts {
        assert_eq!(host.count(Count::Late), 0);
        assert_eq!(host.status().band.unwrap().late, 0, "in blocks of {frames}");
    }
    let keys = &tracks.hosts[1];
    // The context fingerprint of each plan, with all that was heard.
    let plans = keys.script.requests().into_iter().map(|(brief, _)| brief.context.0).collect();
    (plans, keys.script.context_roles(), keys.planned())
}

#[test]
fn what_is_heard_does_not_depend_on_the_block_length() {
    let whole = perform(64);
    assert!(!whole.2.is_empty());
    for frames in [16, 480, 2048, 4000] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}

#[test]
fn silent_track_plans_from_what_it_hears_and_rests_when_the_others_do() {
    let mut tracks = Tracks::new(500, &[(0.25, 0.0), (BASS, EVERYTHING)]);
    tracks.play_to(3 * BAR, &[&tune(0, 8), &[]]);
    let bass = &tracks.hosts[1];
    assert!(bass.shown().plan.is_some(), "a line for what the keys play");
    assert!(bass.shown().played.is_empty(), "what is heard is not shown as its own");
    tracks.play_to(8 * BAR, &[]);
    let jobs: Vec<usize> = tracks.hosts.iter().map(|host| host.script.jobs()).collect();
    tracks.play_to(30 * BAR, &[]);
    assert_eq!(tracks.hosts.iter().map(|host| host.script.jobs()).collect::<Vec<_>>(), jobs);
    tracks.play_to(32 * BAR, &[&tune(30 * BAR, 8), &[]]);
    assert!(tracks.hosts[1].script.jobs() > jobs[1], "it goes on with the others");
}

#[test]
fn four_instances_hear_all_or_the_one_that_is_chosen() {
    let mut tracks = Tracks::new(480, &[(0.25, 0.0), (BASS, 0.0), (DRUMS, 0.0), (1.0, EVERYTHING)]);
    let players: [&[(u32, Event)]; 4] = [&tune(0, 40), &bass(0, 40), &bass(12, 40), &tune(6, 40)];
    tracks.play_to(4 * BAR + 30, &players);
    let roles = |host: &ScriptedHost| {
        let mut roles: Vec<Role> = host.script.context_roles().into_iter().map(|(.., role)| role).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    };
    assert_eq!(roles(&tracks.hosts[3]), [Role::Bass, Role::Drums, Role::Lead, Role::Keys]);
    assert_eq!(tracks.hosts[3].status().band.unwrap().heard.len(), 3);
    // Instance 2 alone.
    set(&tracks.hosts[3].params, "hears_whom", 2.0 / 16.0);
    tracks.play_to(8 * BAR + 30, &players);
    let late: Vec<_> = others(&tracks.hosts[3], Role::Lead).into_iter().filter(|(onset, ..)| *onset >= 5 * BAR).collect();
    assert!(!late.is_empty() && late.iter().all(|(.., role)| *role == Role::Bass), "{late:?}");
}

#[test]
fn key_and_chords_are_heard_as_chords_of_finished_bars() {
    let mut tracks = Tracks::new(500, &[(BASS, 0.0), (0.25, KEY_AND_CHORDS)]);
    let triads: Vec<(u32, Event)> = (0..6)
        .flat_map(|bar| [0, 4, 7].into_iter().flat_map(move |above| stroke(bar * BAR, 90, 61 + above + u8::try_from(bar % 2 * 5).unwrap())))
        .collect();
    tracks.play_to(4 * BAR + 30, &[&triads, &tune(0, 20)]);
    let heard = others(&tracks.hosts[1], Role::Keys);
    assert!(heard.iter().all(|(onset, _, role)| onset % BAR == 0 && *role == Role::Chords), "{heard:?}");
    let classes = |bar: i64| heard.iter().filter(|(onset, ..)| *onset == bar * BAR).map(|(_, pitch, _)| pitch % 12).collect::<Vec<_>>();
    assert_eq!([classes(0), classes(1)], [vec![1, 5, 8], vec![1, 6, 10]]);
}

#[test]
fn instance_that_goes_away_stays_in_the_context_and_a_new_one_takes_its_number() {
    let mut tracks = Tracks::new(500, &[(BASS, 0.0), (0.25, EVERYTHING)]);
    tracks.play_to(3 * BAR, &[&bass(0, 12), &tune(0, 20)]);
    let gone = tracks.hosts.remove(0);
    drop(gone);
    tracks.play_to(5 * BAR + 30, &[&tune(0, 30)]);
    let keys = &tracks.hosts[0];
    let heard = others(keys, Role::Keys);
    assert_eq!(heard.iter().filter(|(onset, ..)| *onset < 3 * BAR - BEAT).count(), 6, "{heard:?}");
    assert_eq!(keys.status().band.unwrap().heard, []);
    assert_eq!(tracks.band.join().unwrap().number(), 1);
}

#[test]
fn loop_and_locate_of_the_host_keep_the_instances_together() {
    let mut tracks = Tracks::new(500, &[(BASS, 0.0), (0.25, EVERYTHING)]);
    for host in &mut tracks.hosts {
        host.cycle = Some((0, 2 * BAR));
    }
    tracks.play_to(8 * BAR + 30, &[&bass(0, 60), &tune(0, 40)]);
    let heard = others(&tracks.hosts[1], Role::Keys);
    assert_eq!(heard.len(), 16, "each note of every pass once: {heard:?}");
    for host in &mut tracks.hosts {
        host.cycle = None;
        host.locate(100 * BAR);
    }
    tracks.play_to(12 * BAR + 30, &[&bass(0, 60), &tune(0, 60)]);
    let band = tracks.hosts[1].status().band.unwrap();
    assert_eq!((band.heard, band.late), (vec![(1, Role::Bass)], 0));
    assert!(others(&tracks.hosts[1], Role::Keys).len() > 16);
}

#[test]
fn instance_whose_transport_stands_is_not_heard() {
    let mut tracks = Tracks::new(500, &[(BASS, 0.0), (0.25, EVERYTHING)]);
    tracks.hosts[0].playing = false;
    tracks.play_to(4 * BAR, &[&bass(0, 16), &tune(0, 16)]);
    assert_eq!(others(&tracks.hosts[1], Role::Keys), [], "its clock runs by itself, from its player's first note on");
    assert_eq!(tracks.hosts[1].status().band.unwrap().heard, []);
}
