//! How long the library takes to load: before a host knows what is inside, and until an instance is active.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use antiphon_tests::{ClapHost, Class, Sample, Setup, Vst3Host, machine};
use anyhow::{Context, Result, ensure};
use clack_host::prelude::PluginEntry;
use clap::ValueEnum;

/// How often it is loaded with its file in memory, each time in a new process.
const TIMES: usize = 20;
/// How often with its file on disk alone.
const TIMES_FROM_DISK: usize = 5;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

/// What one process saw.
#[derive(serde::Serialize, serde::Deserialize)]
struct Seen {
    /// Until the host has read which classes there are.
    listed: Duration,
    /// Of that, on a processor.
    listed_cpu: Duration,
    /// Bytes that this made resident.
    listed_memory: u64,
    /// From there until an instance processes.
    active: Duration,
}

pub(crate) fn report(library: &Path) -> Result<()> {
    let program = std::env::current_exe()?;
    println!("\n{:<52} {:>6} {:>8} {:>8} {:>8}", "loading, in milliseconds", "times", "p50", "p95", "most");
    for format in Format::value_variants() {
        let name = format.to_possible_value().context("no format is hidden")?;
        for (from, times) in [("in memory", TIMES), ("on disk", TIMES_FROM_DISK)] {
            let (mut listed, mut cpu, mut active, mut memory) = (Sample::default(), Sample::default(), Sample::default(), 0);
            for _ in 0..times {
                if times == TIMES_FROM_DISK {
                    forget(library)?;
                }
                let output = Command::new(&program).arg("--bundle").arg(library).args(["--once", name.get_name()]).output()?;
                ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                let seen: Seen = serde_json::from_slice(&output.stdout)?;
                listed.add(seen.listed);
                cpu.add(seen.listed_cpu);
                active.add(seen.active);
                memory = memory.max(seen.listed_memory);
            }
            let columns = |sample: &Sample| sample.columns(Duration::from_millis(1), &[500, 950, 1000]);
            println!("{:<52} {}", format!("{} until its classes are known, file {from}", name.get_name()), columns(&listed));
            println!("{:<52} {}", "  of that, on a processor", columns(&cpu));
            println!("{:<52} {}", "  then until an instance is active", columns(&active));
            println!("  resident by then, at most: {:.1} MiB", memory as f64 / f64::from(1 << 20));
        }
    }
    Ok(())
}

/// In a process of its own: loads it, and prints what that took.
pub(crate) fn once(library: &Path, format: Format) -> Result<()> {
    let (memory, began, time) = (machine::memory().resident, Instant::now(), machine::thread_time());
    let (clap, vst3) = match format {
        Format::Clap => {
            // SAFETY: whoever names a bundle trusts it, as every host does.
            let entry = unsafe { PluginEntry::load(library) }?;
            let factory = entry.get_plugin_factory().context("it has no plug-ins")?;
            ensure!(factory.plugin_descriptors().count() == Class::ALL.len(), "it lists other classes");
            (Some(entry), None)
        }
        Format::Vst3 => (None, Some(antiphon_tests::Vst3Library::load(library)?)),
    };
    if let Some(vst3) = &vst3 {
        ensure!(vst3.classes().len() == Class::ALL.len(), "it lists other classes");
    }
    let (listed, listed_cpu) = (began.elapsed(), machine::thread_time() - time);
    let listed_memory = machine::memory().resident.saturating_sub(memory);
    ensure!(!fs::read_to_string("/proc/self/maps")?.contains("onnxruntime"), "loading the library loads ONNX Runtime");

    let began = Instant::now();
    let setup = Setup { sample_rate: crate::RATE, ..Setup::default() };
    let active = match vst3 {
        None => {
            let _host = ClapHost::bundled(library, Class::Instrument, setup)?;
            began.elapsed()
        }
        Some(vst3) => {
            let _host = Vst3Host::of(vst3, Class::Instrument, setup);
            began.elapsed()
        }
    };
    drop(clap);
    println!("{}", serde_json::to_string(&Seen { listed, listed_cpu, listed_memory, active })?);
    Ok(())
}

/// Lets the system forget what it has of a file in memory, as far as nobody uses it.
fn forget(path: &Path) -> Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        // SAFETY: the file is open.
        let outcome = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        ensure!(outcome == 0, "the system keeps {} in memory", path.display());
    }
    Ok(())
}
