//! Cost of the window: `cargo bench -p antiphon-tests --bench editor`.
//!
//! Frames of the editor with 2,000 notes in view, drawn and tessellated without a window, in processor time; and the time until a window on a
//! virtual X server, drawn in software, has its first frame.
#![allow(missing_docs, reason = "a program")]

#[cfg(target_os = "linux")]
mod linux {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use antiphon_engine::music::{Note, Role, Tick};
    use antiphon_engine::plan::{Brief, Controls, Fingerprint, Passage, Plan, PlanId};
    use antiphon_engine::session::{ShownPlan, Snapshot};
    use antiphon_plugin::clock::{Motion, MusicalTime};
    use antiphon_plugin::drag::platform_source;
    use antiphon_plugin::editor::plain_model::PlainModel;
    use antiphon_plugin::editor::{Editor, Exporter, Now, SIZE};
    use antiphon_tests::display::Display;
    use antiphon_tests::{Sample, machine};
    use anyhow::{Result, anyhow, ensure};
    use egui::{Pos2, RawInput, Rect, Ui, ViewportCommand, vec2};
    use nice_plug_egui::baseview::{self, HandlerError, dpi::LogicalSize};
    use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};
    use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

    /// Set in the child process, which has its display.
    const INSIDE: &str = "ANTIPHON_EDITOR_BENCH_INSIDE";
    /// Screen of the window, in pixels.
    const SCREEN: (u32, u32) = (1000, 600);
    /// Notes in view.
    const NOTES: i64 = 2_000;
    /// Ticks in view, at 4 bars ahead.
    const IN_VIEW: i64 = 650;
    /// Ticks in view before the playhead.
    const BEFORE: i64 = 240;
    /// Frames measured.
    const FRAMES: u32 = 300;
    /// Windows opened.
    const WINDOWS: u32 = 5;

    pub(super) fn run() -> Result<()> {
        if std::env::var_os(INSIDE).is_some() {
            return open();
        }
        println!("load {}", machine::load_average());
        frames();
        for _ in 0..WINDOWS {
            let display = Display::start(SCREEN.0, SCREEN.1)?;
            let status = Command::new(std::env::current_exe()?).env("DISPLAY", display.name()).env(INSIDE, "1").status()?;
            ensure!(status.success(), "the window was not opened: {status}");
        }
        Ok(())
    }

    /// A played and planned texture of notes on all pitches of four octaves, in which the clock runs.
    fn model() -> PlainModel {
        let note = |place: i64| {
            let role = [Role::Keys, Role::Bass, Role::Lead, Role::Drums][usize::try_from(place % 4).unwrap_or(0)];
            let pitch = u8::try_from(36 + place * 7 % 48).unwrap_or(60);
            Note { onset: Tick(place * IN_VIEW / NOTES), offset: 0, duration: Tick(12), pitch, velocity: 80, role }
        };
        let notes: Vec<_> = (0..NOTES).map(note).collect();
        let (played, planned): (Vec<_>, Vec<_>) = notes.into_iter().partition(|note| note.onset < Tick(BEFORE));
        let (start, end) = (Tick(BEFORE), Tick(IN_VIEW + 96));
        let context = Fingerprint::of(&played);
        let brief = Brief { plan: PlanId(1), made_at: start, start, end, seed: 1, controls: Controls::default(), context };
        // It has begun to sound.
        let by_antiphon = planned[..1].to_vec();
        let mut plan = Plan::new(brief);
        plan.append(&Passage { plan: PlanId(1), from: start, until: end, notes: planned });
        let snapshot = Snapshot { played, by_antiphon, ..Snapshot::default() }.with_plan(ShownPlan {
            plan,
            commit: start + Tick(24),
            playing: true,
            sounds_from: start,
        });
        let now = Now { playhead: MusicalTime(BEFORE as f64), tempo: 120.0, motion: Motion::Host };
        PlainModel { now, ..PlainModel::new(snapshot) }
    }

    struct NoWindow;

    impl HasWindowHandle for NoWindow {
        fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
            Err(HandleError::Unavailable)
        }
    }

    /// Frames without a window.
    fn frames() {
        let (ctx, mut model, mut editor) = (egui::Context::default(), model(), Editor::new(Exporter::new(platform_source())));
        Editor::apply_style(&ctx);
        let (mut sample, mut first) = (Sample::with_capacity(FRAMES as usize), None);
        let mut shapes = 0;
        for frame in 0..=FRAMES {
            model.now.playhead = MusicalTime(BEFORE as f64 + f64::from(frame) * 0.1);
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(SIZE.0, SIZE.1)));
            let input = RawInput { screen_rect, time: Some(f64::from(frame) / 60.0), ..RawInput::default() };
            let began = machine::thread_time();
            let mut output = ctx.run_ui(input, |ui| editor.show(ui, &mut model, &NoWindow));
            // No graphics card takes them.
            output.textures_delta.clear();
            let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
            let took = machine::thread_time().saturating_sub(began);
            shapes = primitives.len();
            // The first frame lays out every text.
            match first {
                None => first = Some(took),
                Some(_) => sample.add(took),
            }
        }
        println!("frames with {NOTES} notes at {} x {} points, {shapes} primitives: processor time", SIZE.0, SIZE.1);
        println!("first frame {:.1} ms", first.unwrap_or_default().as_secs_f64() * 1e3);
        println!("frames   median p95 p99 most, ms");
        println!("{}", sample.columns(Duration::from_millis(1), &[500, 950, 990, 1000]));
    }

    /// Opens a window, and prints when its first frame was shown.
    fn open() -> Result<()> {
        // SAFETY: this is a program, not a plug-in in a host.
        unsafe { baseview::assume_standalone_in_process() };
        let size = LogicalSize::new(f64::from(SIZE.0), f64::from(SIZE.1));
        let settings = EguiWindowSettings::new().with_title("Antiphon").with_size(size);
        let window = Window { editor: Editor::new(Exporter::new(platform_source())), model: model(), began: Instant::now(), frames: 0 };
        let shown = EguiWindow::create(settings, window).and_then(baseview::Window::run_until_closed);
        shown.map_err(|error| anyhow!("the editor's window cannot be opened: {error}"))
    }

    struct Window {
        editor: Editor,
        model: PlainModel,
        began: Instant,
        frames: u32,
    }

    impl App for Window {
        fn build(&mut self, egui_ctx: egui::Context, _frame: &mut Frame) -> Result<(), HandlerError> {
            Editor::apply_style(&egui_ctx);
            Ok(())
        }

        fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
            self.frames += 1;
            // The second frame begins once the first is on the screen.
            if self.frames == 2 {
                println!("first frame of a window on screen after {} ms", self.began.elapsed().as_millis());
                ui.ctx().send_viewport_cmd(ViewportCommand::Close);
            }
            self.editor.show(ui, &mut self.model, frame.baseview_window());
            ui.ctx().request_repaint();
        }
    }
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("The bench of the window needs a virtual X server.");
}
