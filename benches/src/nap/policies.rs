//! Trains the policies that an experiment needs, and keeps them as files.
//!
//! `policies/NAME.safetensors` is a finished policy, `NAME.json` says what it cost and which recipe made
//! it, `NAME.csv` is its curve. `NAME.checkpoint` is a training in progress: the same command goes on
//! from there, bit for bit.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use warmfront_core::Purpose;
use warmfront_np::policy::{About, Policy};
use warmfront_np::train::{Evaluation, Progress, Trainer, curve_csv, regret_curves};
use warmfront_np::{Network, Task, Utility};

use super::families::{FamilySpec, Hall, Halls};
use super::recipes::Recipe;
use super::sources::Source;
use super::task::Table;
use crate::clock::process_seconds;
use crate::runner::{RunConfig, panic_text};
use crate::store::replace;

/// Seconds between checkpoints.
const CHECKPOINT: Duration = Duration::from_secs(30);

/// What is known of a finished policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name of its files.
    pub name: String,
    /// The family.
    pub family: String,
    /// Which way of training.
    pub variant: String,
    /// The recipe.
    pub key: String,
    /// Parameters of the network.
    pub parameters: usize,
    /// Optimiser steps of the warm-up, and iterations of the second phase.
    pub steps: [u64; 2],
    /// Decisions made in training.
    pub decisions: u64,
    /// Processor seconds of all threads, those of a warm-up taken over from another policy included.
    pub processor_seconds: f64,
    /// Seconds by the clock, of this policy alone.
    pub seconds: f64,
    /// Mean normalised regret on the validation tasks after 5, 10, 25 and 50 decisions: policy, expected
    /// improvement, random.
    pub validation: [Vec<f64>; 3],
}

/// Decisions at which policies are judged on validation tasks.
pub const VALIDATION_AT: [usize; 4] = [5, 10, 25, 50];

/// Trained policies by the keys of their recipes.
#[derive(Default)]
pub struct Policies {
    ready: RwLock<HashMap<String, Result<Arc<Policy>, String>>>,
}

impl Policies {
    /// A trained policy.
    ///
    /// # Errors
    /// If it has not been trained, or its training failed.
    pub fn get(&self, recipe: &Recipe) -> anyhow::Result<Arc<Policy>> {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        let found = ready.get(&recipe.key()).cloned();
        found
            .with_context(|| format!("the policy `{}` is not trained", recipe.name()))?
            .map_err(anyhow::Error::msg)
    }

    /// Whether a policy is trained, or its training failed.
    #[must_use]
    pub fn is_decided(&self, recipe: &Recipe) -> bool {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        ready.contains_key(&recipe.key())
    }

    fn put(&self, recipe: &Recipe, policy: Result<Arc<Policy>, String>) {
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        ready.insert(recipe.key(), policy);
    }

    /// Reads or trains policies in the order given, those that others begin with first. Stops at the time
    /// limit; what was done is kept. A training that fails is a failure of the cells that need its policy,
    /// and of no others.
    ///
    /// # Errors
    /// If the folder of the policies cannot be made.
    #[expect(clippy::disallowed_methods, reason = "a time limit needs a clock")]
    #[expect(clippy::print_stderr, reason = "failures of a command-line program")]
    pub fn train(
        &self,
        wanted: &[Recipe],
        halls: &Halls,
        out: &Path,
        config: &RunConfig,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut order: Vec<Recipe> = Vec::new();
        for recipe in wanted {
            for recipe in recipe.begins_with().into_iter().chain([recipe.clone()]) {
                if !order.contains(&recipe) {
                    order.push(recipe);
                }
            }
        }
        if order.is_empty() {
            return Ok(());
        }
        let folder = out.join("policies");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(config.jobs)
            .build()
            .context("cannot start the threads of the training")?;
        for recipe in &order {
            let files = Files::new(&folder, recipe);
            if let Some(policy) = files.finished(recipe) {
                self.put(recipe, Ok(Arc::new(policy)));
                continue;
            }
            let spec = FamilySpec::find(recipe.family).context("unknown family")?;
            let hall = halls.get(spec)?;
            let first = match recipe.begins_with() {
                Some(first) => {
                    let record = Files::new(&folder, &first).record();
                    match (self.get(&first), record) {
                        (Ok(policy), Some(record)) => Some((policy, record)),
                        (Err(error), _) if self.is_decided(&first) => {
                            self.put(recipe, Err(format!("{error:#}")));
                            continue;
                        }
                        // Out of time before it was finished.
                        _ => continue,
                    }
                }
                None => None,
            };
            let job = Job {
                recipe,
                hall: &hall,
                files: &files,
                first,
                deadline: config.time_limit.map(|limit| start + limit),
                progress: config.progress,
            };
            match pool.install(|| caught(|| job.run())) {
                Ok(Some(policy)) => self.put(recipe, Ok(Arc::new(policy))),
                Ok(None) => {}
                Err(error) => {
                    let text = format!("cannot train the policy `{}`: {error:#}", recipe.name());
                    eprintln!("{text}");
                    self.put(recipe, Err(text));
                }
            }
        }
        Ok(())
    }
}

/// A panic becomes an error.
fn caught<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    caught.unwrap_or_else(|payload| Err(anyhow::anyhow!("panicked: {}", panic_text(&*payload))))
}

/// Where a policy and its training are kept.
struct Files {
    policy: PathBuf,
    record: PathBuf,
    curve: PathBuf,
    checkpoint: PathBuf,
}

impl Files {
    fn new(folder: &Path, recipe: &Recipe) -> Self {
        let path = |extension: &str| folder.join(format!("{}.{extension}", recipe.name()));
        Self {
            policy: path("safetensors"),
            record: path("json"),
            curve: path("csv"),
            checkpoint: path("checkpoint"),
        }
    }

    fn record(&self) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(&self.record).ok()?).ok()
    }

    /// The policy, if this very recipe has made it.
    fn finished(&self, recipe: &Recipe) -> Option<Policy> {
        let record = self.record()?;
        if record.key != recipe.key() {
            return None;
        }
        Policy::read(BufReader::new(File::open(&self.policy).ok()?)).ok()
    }
}

/// What stands before the trainer's state in a checkpoint.
#[derive(Serialize, Deserialize)]
struct CheckpointHead {
    key: String,
    processor_seconds: f64,
    seconds: f64,
}

/// One policy to be trained.
struct Job<'a> {
    recipe: &'a Recipe,
    hall: &'a Arc<Hall>,
    files: &'a Files,
    first: Option<(Arc<Policy>, Record)>,
    deadline: Option<Instant>,
    progress: bool,
}

impl Job<'_> {
    /// Trains until the end or the time limit; `None` in the latter case.
    #[expect(clippy::disallowed_methods, reason = "training is measured")]
    fn run(&self) -> anyhow::Result<Option<Policy>> {
        // Surrogates of tables are fitted by the first training that needs them, and count there.
        let (start, processor) = (Instant::now(), processor_seconds());
        let source = self.recipe.source(self.hall)?;
        let (mut trainer, mut head) = self.begin(&source)?;
        let (spent, before) = (head.seconds, head.processor_seconds);
        let now = |head: &mut CheckpointHead| {
            head.seconds = spent + start.elapsed().as_secs_f64();
            head.processor_seconds = before + processor_seconds() - processor;
        };
        let mut bar = Bar::new(self.recipe, self.progress);
        let mut saved = Instant::now();
        loop {
            if self.deadline.is_some_and(|end| Instant::now() >= end) {
                now(&mut head);
                self.save(&trainer, &head)?;
                return Ok(None);
            }
            let Some(progress) = trainer.advance(&source) else {
                break;
            };
            bar.show(&progress);
            if saved.elapsed() >= CHECKPOINT {
                now(&mut head);
                self.save(&trainer, &head)?;
                saved = Instant::now();
            }
        }
        now(&mut head);
        let policy = self.finish(trainer, &head)?;
        // The policy is there: what led to it is no longer needed.
        let _ = std::fs::remove_file(&self.files.checkpoint);
        Ok(Some(policy))
    }

    fn begin(&self, source: &Source) -> anyhow::Result<(Trainer, CheckpointHead)> {
        if let Some(begun) = self.resume() {
            return Ok(begun);
        }
        let recipe = self.recipe;
        let seed = recipe.training_seed();
        let (trainer, processor_seconds) = match &self.first {
            Some((policy, record)) => {
                let network = policy.network().clone();
                let mut train = recipe.train.clone();
                // Over already; its histories are those of the second phase, too.
                if let Some(warm_up) = &mut train.warm_up {
                    warm_up.steps = 0;
                }
                let trainer = Trainer::from_network(train, network, seed)?;
                (trainer, record.processor_seconds)
            }
            None => {
                let network = recipe.first_network(source)?;
                let trainer = Trainer::new(recipe.train.clone(), network, seed)?;
                (trainer, 0.0)
            }
        };
        let head = CheckpointHead {
            key: recipe.key(),
            processor_seconds,
            seconds: 0.0,
        };
        Ok((trainer, head))
    }

    /// A checkpoint of this recipe, if there is a whole one.
    fn resume(&self) -> Option<(Trainer, CheckpointHead)> {
        let mut file = BufReader::new(File::open(&self.files.checkpoint).ok()?);
        let mut length = [0; 8];
        file.read_exact(&mut length).ok()?;
        let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
        if length > 1 << 28 {
            return None;
        }
        let mut text = vec![0; length];
        file.read_exact(&mut text).ok()?;
        let head: CheckpointHead = serde_json::from_slice(&text).ok()?;
        if head.key != self.recipe.key() {
            return None;
        }
        Some((Trainer::load(file).ok()?, head))
    }

    fn save(&self, trainer: &Trainer, head: &CheckpointHead) -> anyhow::Result<()> {
        replace(&self.files.checkpoint, |file| {
            let text = serde_json::to_vec(head)?;
            file.write_all(&(text.len() as u64).to_le_bytes())?;
            file.write_all(&text)?;
            trainer.save(file)?;
            Ok(())
        })
    }

    fn finish(&self, trainer: Trainer, head: &CheckpointHead) -> anyhow::Result<Policy> {
        let recipe = self.recipe;
        let validation = self.validate(trainer.network())?;
        let decisions = trainer.curve().iter().filter_map(|p| p.policy.as_ref());
        let count = |train: &warmfront_np::train::TrainConfig| {
            let warm_up = train.warm_up.as_ref().map_or(0, |w| w.steps);
            [warm_up, train.policy.as_ref().map_or(0, |p| p.iterations)]
        };
        let record = Record {
            name: recipe.name(),
            family: recipe.family.to_owned(),
            variant: recipe.variant.name(),
            key: recipe.key(),
            parameters: trainer.network().parameters().len(),
            steps: count(&recipe.train),
            decisions: decisions.map(|p| p.decisions).sum(),
            processor_seconds: head.processor_seconds,
            seconds: head.seconds,
            validation,
        };
        let policy = recipe.train.policy.as_ref();
        let horizon = policy.map_or(100, |p| p.initial.1 + p.horizon.1);
        let about = About {
            acquisition: match recipe.variant.predicts_only() {
                true => Utility::LogEi,
                false => Utility::Acquisition,
            },
            trained: format!(
                "{}, recipe {} {}",
                match self.hall.spec.is_general() {
                    true => "cargo run --release -p warmfront-bench --bin shipped_policy",
                    false => "cargo xtask reproduce nap",
                },
                recipe.name(),
                recipe.key()
            ),
            ..match self.hall.spec.is_general() {
                true => About::general(horizon),
                false => About::new(&self.hall.space, horizon),
            }
        };
        let curve = trainer.curve().to_vec();
        let policy = trainer.finish(about)?;
        replace(&self.files.curve, |file| {
            Ok(file.write_all(curve_csv(&curve).as_bytes())?)
        })?;
        replace(&self.files.policy, |file| Ok(policy.write(file)?))?;
        // Last: with it the policy counts as finished.
        replace(&self.files.record, |file| {
            Ok(serde_json::to_writer_pretty(file, &record)?)
        })?;
        Ok(policy)
    }

    /// Mean regrets on the validation tasks.
    fn validate(&self, network: &Network) -> anyhow::Result<[Vec<f64>; 3]> {
        let seed = self.recipe.training_seed().child(5);
        let tasks = self.hall.validation.iter().enumerate();
        let tasks: Vec<Task> = tasks
            .map(|(index, table)| {
                let mut rng = seed.child(index as u64).stream(Purpose::Init, 0);
                let rows = super::families::subset(table.len(), 300, &mut rng);
                task_of(&table.select(&rows))
            })
            .collect::<anyhow::Result<_>>()?;
        let horizon = VALIDATION_AT[VALIDATION_AT.len() - 1];
        let by = |utility| {
            let evaluation = Evaluation {
                horizon,
                repeats: 2,
                utility,
                scaling: self.recipe.train.scaling,
                ..Evaluation::default()
            };
            let curves = regret_curves(network, &tasks, &evaluation, seed);
            warmfront_np::train::mean_regret(&curves, &VALIDATION_AT)
        };
        Ok([Some(Utility::Acquisition), Some(Utility::LogEi), None].map(by))
    }
}

fn task_of(table: &Table) -> anyhow::Result<Task> {
    let x = table.x.iter().map(|v| *v as f32).collect();
    Ok(Task::new(table.dim, x, table.costs.clone())?)
}

/// Processor seconds of all threads; 0 where the system does not tell them.
fn processor_seconds() -> f64 {
    process_seconds().unwrap_or(0.0)
}

/// Progress on standard error.
struct Bar {
    bar: ProgressBar,
    name: String,
    plain: bool,
    reported: u64,
}

impl Bar {
    fn new(recipe: &Recipe, shown: bool) -> Self {
        let bar = if shown {
            ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = "{elapsed_precise} [{bar:32}] {pos}/{len} {msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("a constant template"));
        Self {
            plain: shown && bar.is_hidden(),
            bar,
            name: recipe.name(),
            reported: 0,
        }
    }

    #[expect(clippy::print_stderr, reason = "progress of a command-line program")]
    fn show(&mut self, progress: &Progress) {
        let number = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
        let text = match &progress.policy {
            None => format!("training {}, loss {}", self.name, number(progress.nll)),
            Some(policy) => format!(
                "training {}, loss {}, regret {:.4}",
                self.name,
                number(progress.nll),
                policy.regret
            ),
        };
        self.bar.set_length(progress.of);
        self.bar.set_position(progress.step);
        self.bar.set_message(text.clone());
        let tenth = 10 * progress.step / progress.of.max(1);
        if self.plain && (tenth != self.reported || progress.step == 1) {
            self.reported = tenth;
            eprintln!("{text}, step {} of {}", progress.step, progress.of);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
