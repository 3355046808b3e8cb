//! Load time of the library: until its classes are known, and until an instance is active.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use antiphon_tests::{ClapHost, Class, Sample, Setup, Vst3Host, machine};
use anyhow::{Context, Result, ensure};
use clack_host::prelude::PluginEntry;
use clap::ValueEnum;

/// Loads with the file in the page cache, each in a new process.
const TIMES: usize = 20;
/// Loads with the file only on disk.
const TIMES_FROM_DISK: usize = 5;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

/// Measurements of one process.
#[derive(serde::Serialize, serde::Deserialize)]
struct Measured {
    /// Wall time until the host has read the classes.
    listed: Duration,
    /// CPU time of that.
    listed_cpu: Duration,
    /// Bytes made resident by it.
    listed_memory: u64,
    /// Wall time from there until an instance is active.
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
                    drop_from_page_cache(library)?;
                }
                let output = Command::new(&program).arg("--bundle").arg(library).args(["--once", name.get_name()]).output()?;
                ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                let measured: Measured = serde_json::from_slice(&output.stdout)?;
                listed.add(measured.listed);
                cpu.add(measured.listed_cpu);
                active.add(measured.active);
                memory = memory.max(measured.listed_memory);
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

/// Runs in its own process: loads the library once, and prints the measurements.
pub(crate) fn once(library: &Path, format: Format) -> Result<()> {
    let (memory, began, time) = (machine::memory().resident, Instant::now(), machine::thread_time());
    let (clap, vst3) = match format {
        Format::Clap => {
            // SAFETY: the caller trusts the bundle it names, as every host does.
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
    println!("{}", serde_json::to_string(&Measured { listed, listed_cpu, listed_memory, active })?);
    Ok(())
}

/// Drops a file's unused pages from the page cache.
fn drop_from_page_cache(path: &Path) -> Result<()> {
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
