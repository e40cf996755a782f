//! The comparison with other libraries, without any of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use warmfront_bench::peer::race::contest::{Contest, Outcome, Records, Terms};
use warmfront_bench::peer::race::loops::{self, Arena, Method, Plan};
use warmfront_bench::peer::race::protocol::{Answer, Request, Task, Work};
use warmfront_bench::peer::race::rows::choose;
use warmfront_bench::peer::race::sides::{Launcher, Party, Side};
use warmfront_bench::peer::worker::Worker;

const LIMIT: Duration = Duration::from_secs(60);

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_peers"))
}

fn worker() -> Party {
    Party::start(program().arg("--worker"), 1, LIMIT).unwrap()
}

fn measure(seconds: f64) -> Request {
    Request::Measure { seconds, seed: 1 }
}

/// A folder of its own that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("warmfront-peers-{test}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // There may be nothing to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_side_says_its_versions_measures_and_survives_an_error() {
    let mut side = worker();
    assert!(side.versions.contains_key("warmfront"));
    let task = Task::new(Work::Hypervolume, "concave", 3, 50);
    assert!(side.ask(&measure(0.0)).is_err());
    side.ask(&Request::Prepare { task }).unwrap();
    match side.ask(&measure(0.01)).unwrap() {
        Answer::Measured(measured) => {
            assert!(measured.calls > 1 && measured.seconds > 0.0);
            assert!(measured.values["volume"][0] > 0.1);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(side.ask(&Request::Memory), Ok(Answer::Memory(mb)) if mb > 0.1));
}

#[test]
fn a_program_that_does_not_speak_is_given_up() {
    let error = Party::start(program().arg("--list"), 1, LIMIT).unwrap_err();
    assert!(error.to_string().contains("not an answer"), "{error:#}");
    let error = Party::start(&mut Command::new("no-such-program"), 1, LIMIT).unwrap_err();
    assert!(error.to_string().contains("did not start"), "{error:#}");
    // What takes a minute has no answer after a moment.
    let mut slow = Worker::start(program().arg("--worker"), 1).unwrap();
    slow.limit = Some(LIMIT);
    assert!(matches!(slow.read().unwrap(), Answer::Hello(_)));
    let task = Task::new(Work::Hypervolume, "concave", 3, 50);
    assert!(slow.ask::<Answer>(&Request::Prepare { task }).is_ok());
    slow.limit = Some(Duration::from_millis(10));
    let error = slow.ask::<Answer>(&measure(60.0)).unwrap_err();
    assert!(error.to_string().contains("no answer within"), "{error:#}");
}

#[test]
fn loops_take_our_own_design_and_problem() {
    let arena = Arena::new("branin_currin").unwrap();
    let cell = loops::run(&mut worker(), Method::Random, &arena, 3).unwrap();
    assert_eq!((cell.design, cell.scores.len()), (6, loops::EVALUATIONS));
    assert_eq!(cell.cpu_seconds.len(), loops::EVALUATIONS - 6);
    let grows = cell.scores.windows(2).all(|w| w[0] <= w[1]);
    assert!(grows && cell.scores[49] > 0.1, "{:?}", cell.scores);
}

fn contest(folder: &Path) -> Contest {
    let terms = Terms {
        rounds: 1,
        turn_seconds: 0.0,
        ..Terms::new(true)
    };
    let python = Some("no-such-python".into());
    Contest::new(Launcher::new(folder, python, LIMIT), terms)
}

#[test]
fn a_library_that_is_missing_leaves_a_reason() {
    let folder = Folder::new("missing");
    let mut contest = contest(&folder.0);
    let error = contest.party(Side::Moocore, 1).unwrap_err();
    assert!(error.to_string().contains("did not start"), "{error:#}");
    let plan = Plan {
        methods: vec![Method::Peer(Side::Optuna)],
        problems: vec!["dtlz2".into()],
        seeds: 2,
        threads: 1,
    };
    let mut said = Vec::new();
    loops::run_all(&plan, &folder.0, &mut contest, false, |line| {
        said.push(line.to_owned());
    })
    .unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(loops::read(&plan, &folder.0).unwrap().is_empty());
}

/// A script in place of the Python interpreter: it says the versions of Optuna, and then does `then`.
#[cfg(unix)]
fn stand_in(folder: &Folder, then: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("stand-in");
    let versions: Vec<String> = Side::Optuna
        .requirements()
        .iter()
        .map(|(package, version)| format!("\"{package}\":\"{version}\""))
        .collect();
    let hello = versions.join(",");
    let text = format!("#!/bin/sh\necho '{{\"hello\":{{{hello}}}}}'\n{then}\n");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
fn optuna_loops(
    test: &str,
    then: &str,
    seeds: u32,
) -> (Vec<String>, Vec<loops::Cell>, Vec<String>) {
    let folder = Folder::new(test);
    let launcher = Launcher::new(&folder.0, Some(stand_in(&folder, then)), LIMIT);
    let mut contest = Contest::new(launcher, Terms::new(true));
    let plan = Plan {
        methods: vec![Method::Peer(Side::Optuna)],
        problems: vec!["dtlz2".into()],
        seeds,
        threads: 1,
    };
    let mut run = |again| {
        let mut said = Vec::new();
        loops::run_all(&plan, &folder.0, &mut contest, again, |line| {
            said.push(line.to_owned());
        })
        .unwrap();
        said
    };
    let first = run(false);
    assert_eq!(run(false), [""; 0], "what failed is not tried again");
    let again = run(true);
    (first, loops::read(&plan, &folder.0).unwrap(), again)
}

#[cfg(unix)]
#[test]
fn a_process_that_dies_is_started_again_for_the_next_run() {
    // Begins one run and dies in it.
    let then = "read request; echo '\"ready\"'; read request";
    let (first, cells, again) = optuna_loops("dead", then, 2);
    assert_eq!(first.len(), 2, "{first:?}");
    let failed: Vec<_> = cells.iter().filter_map(|c| c.failure.as_ref()).collect();
    assert_eq!(failed, ["the process ended"; 2], "both seeds had a process");
    assert_eq!(again.len(), 2, "{again:?}");
}

#[cfg(unix)]
#[test]
fn a_method_that_always_fails_is_given_up() {
    let then = "while read request; do echo '{\"error\":\"no\"}'; done";
    let (first, cells, again) = optuna_loops("hopeless", then, 5);
    assert_eq!(first.len(), 3, "{first:?}");
    let failed: Vec<_> = cells.iter().filter_map(|c| c.failure.as_ref()).collect();
    assert_eq!(failed, ["no"; 3]);
    assert_eq!(again.len(), 3, "{again:?}");
}

#[cfg(unix)]
#[test]
fn a_library_of_another_version_takes_no_part() {
    let folder = Folder::new("version");
    let python = stand_in(&folder, "cat > /dev/null");
    let mut launcher = Launcher::new(&folder.0, Some(python), LIMIT);
    assert!(launcher.start(Side::Optuna, 1).is_ok());
    let error = format!("{:#}", launcher.start(Side::Moocore, 1).unwrap_err());
    let expected = "moocore does not run: moocore 0.3.2 is measured, this has none";
    assert_eq!(error, expected);
}

#[test]
fn the_program_measures_ours_and_writes_the_tables() {
    let folder = Folder::new("program");
    let run = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(["--quick", "--rounds", "1", "--python", "no-such-python"])
            .args([
                "--rows",
                "filter-m2-n100,threads-hv-concave-m8-n100",
                "--out",
            ])
            .arg(&folder.0)
            .args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = run(&[]);
    assert!(said.contains("of 1 known goals met, 2 goals"), "{said}");
    let page = std::fs::read_to_string(folder.0.join("peers.md")).unwrap();
    assert!(page.contains("| moocore | – |"), "{page}");
    assert!(page.contains("did not start"), "{page}");
    assert!(page.contains("| one thread |"), "{page}");
    for name in ["peers.csv", "peers.svg"] {
        assert!(folder.0.join(name).exists(), "{name}");
    }

    // What has been measured stays, what was missing is tried again.
    let records = Records::new(&folder.0, 1).unwrap();
    let row = choose(&["threads-hv-concave-m8-n100".into()])
        .unwrap()
        .remove(0);
    let before = records.get(&row.id).unwrap();
    assert!(matches!(before.peers[0].outcome, Outcome::Measured { .. }));
    assert!(!before.commit.is_empty() && !before.measured.is_empty());
    run(&[]);
    assert_eq!(records.get(&row.id), Some(before.clone()));

    // Of another program it is older, and measured anew.
    let mut older = before;
    older.program = "another".into();
    older.peers[0].beside = "another".into();
    older.commit = "long ago".into();
    records.put(&older).unwrap();
    run(&["--report"]);
    let page = std::fs::read_to_string(folder.0.join("peers.md")).unwrap();
    assert!(
        page.contains("| older | equal; of an older state or another machine |"),
        "{page}"
    );
    run(&[]);
    assert_ne!(records.get(&row.id).unwrap().commit, "long ago");
}

#[test]
fn the_program_fails_where_ours_does_and_measures_it_the_next_time() {
    let folder = Folder::new("failed");
    let run = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(["--quick", "--rounds", "1", "--rows"])
            .args(["threads-ranks", "--out"])
            .arg(&folder.0)
            .args(arguments);
        let succeeded = command.output().unwrap().status.success();
        let page = std::fs::read_to_string(folder.0.join("peers.md")).unwrap();
        (succeeded, page.contains("**failed**"))
    };
    assert_eq!(run(&[]), (true, false));
    // What was met before is not met any more. No answer comes within no time.
    assert_eq!(run(&["--again", "--limit", "0"]), (false, true));
    assert_eq!(run(&["--report"]), (false, true));
    assert_eq!(run(&[]), (true, false));
}
