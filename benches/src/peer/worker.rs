//! A process that answers lines with lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Variables by which libraries learn how many threads they may use.
const THREAD_VARIABLES: [&str; 5] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "PEERS_THREADS",
];

/// A running process and its two pipes; it ends when this is dropped.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    // `None` once closed, which ends the process.
    lines: Option<ChildStdin>,
    answers: Receiver<std::io::Result<String>>,
    /// How long an answer may take; no limit if `None`.
    pub limit: Option<Duration>,
}

impl Worker {
    /// Starts `command`, telling whatever library it uses how many threads it may use.
    ///
    /// # Errors
    /// If the program does not start.
    pub fn start(command: &mut Command, threads: usize) -> anyhow::Result<Self> {
        let mut child = command
            .envs(THREAD_VARIABLES.map(|variable| (variable, threads.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} did not start", command.get_program().display()))?;
        let output = BufReader::new(child.stdout.take().context("no pipe to read")?);
        let (sender, answers) = channel();
        // A thread of its own reads, so that an answer can be waited for with a limit.
        std::thread::spawn(move || {
            for line in output.lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            lines: child.stdin.take(),
            child,
            answers,
            limit: None,
        })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If the process takes none any more.
    pub fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let lines = self.lines.as_mut().context("the process was closed")?;
        writeln!(lines, "{line}")
            .and_then(|()| lines.flush())
            .context("the process takes no lines any more")
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// If the process has ended or takes too long (it is then ended), or the line is not that answer.
    pub fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let line = match self.limit {
            None => self.answers.recv().map_err(RecvTimeoutError::from),
            Some(limit) => self.answers.recv_timeout(limit),
        };
        let line = match line {
            Ok(line) => line?,
            Err(RecvTimeoutError::Disconnected) => bail!("the process ended"),
            Err(RecvTimeoutError::Timeout) => {
                // It would go on computing; that it has ended already is as good.
                let _ = self.child.kill();
                bail!(
                    "no answer within {:.0} s",
                    self.limit.unwrap_or_default().as_secs_f64()
                );
            }
        };
        serde_json::from_str(&line).with_context(|| {
            let start: String = line.chars().take(200).collect();
            format!("not an answer: {start}")
        })
    }

    /// Writes a request as a line and reads the answer.
    ///
    /// # Errors
    /// As [`tell`](Self::tell) and [`read`](Self::read).
    pub fn ask<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> anyhow::Result<T> {
        self.tell(&serde_json::to_string(request)?)?;
        self.read()
    }

    /// Tells the process that there are no further lines.
    pub fn close(&mut self) {
        self.lines = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.close();
        for _ in 0..20 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // It computes what nobody waits for; nothing is left to do about one that cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
