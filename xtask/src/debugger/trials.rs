//! Cores and gdb, tried on kernels that run: what gdb shows is held against what the memory and the console say.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::answers::{self, Answers};
use super::expect::{Facts, astray};
use super::session::{CPUS, Written, boot, output, satisfied};
use super::{Target, command};
use crate::arch::Arch;
use crate::kernel::elf::Elf;
use crate::kernel::{self, Flavour, Kernel};
use crate::out::say;
use crate::paths;

/// Something to try: its name, and how.
type Trial = (&'static str, fn(&Path) -> Result<()>);

const TRIALS: [Trial; 9] = [
    ("a core of x86_64, also damaged", |dir| {
        panicked(dir, Arch::X86_64)
    }),
    ("a core of i386", |dir| panicked(dir, Arch::I386)),
    ("a core of aarch64", |dir| panicked(dir, Arch::Aarch64)),
    ("a core of one CPU", alone),
    ("a core of x86_64 that runs", |dir| running(dir, Arch::X86_64)),
    ("a core of i386 that runs", |dir| running(dir, Arch::I386)),
    ("cores of exceptions", excepted),
    ("gdb on a machine", live),
    ("an ELF file of another build", mistaken),
];

/// Tries everything, and says how it went: how many passed, how many failed.
///
/// # Errors
/// When there is no room for cores.
pub fn run() -> Result<(u64, u64)> {
    let dir = paths::out().join(format!("cores-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut tally = (0, 0);
    for (name, trial) in TRIALS {
        let started = Instant::now();
        let result = trial(&dir);
        let seconds = started.elapsed().as_secs_f32();
        match result {
            Ok(()) => {
                tally.0 += 1;
                say!("ok    {name:<34} {seconds:5.1} s");
            }
            Err(error) => {
                tally.1 += 1;
                say!("FAIL  {name:<34} {seconds:5.1} s\n{error:#}");
            }
        }
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(tally)
}

const fn flavour(arch: Arch, smp: bool) -> Flavour {
    Flavour {
        arch,
        smp,
        release: false,
        faults: false,
    }
}

fn panicked(dir: &Path, arch: Arch) -> Result<()> {
    let kernel = kernel::build(flavour(arch, true))?;
    let written = boot(dir, &kernel, r#"run="busy 1-3;sleep 50;panic""#, None)?;
    let facts = written.check()?;
    ensure!(facts.cpus == CPUS, "{} CPUs", facts.cpus);
    ensure!(facts.trace.len() > 12, "hardly a trace: {:?}", facts.trace);
    ensure!(facts.log.len() > 8, "hardly a log: {:?}", facts.log);
    ensure!(
        written.console.contains("\n       inlined into "),
        "no frame on the console says what it was inlined into:\n{}",
        written.console
    );
    if arch == Arch::X86_64 {
        damaged(&written, &facts)?;
    }
    Ok(std::fs::remove_file(&written.path)?)
}

/// A core that lacks a CPU does not pass.
fn damaged(written: &Written, facts: &Facts) -> Result<()> {
    // The program headers begin behind the file header of 64 bytes, the first is the notes'; its size is at 32. The last note
    // is that of the last CPU: header, name, and 336 bytes.
    const SIZE_AT: u64 = 64 + 32;
    const NOTE: u64 = 12 + 8 + 336;
    let file = OpenOptions::new().read(true).write(true).open(&written.path)?;
    let mut size = [0; 8];
    file.read_exact_at(&mut size, SIZE_AT)?;
    file.write_all_at(&(u64::from_le_bytes(size) - NOTE).to_le_bytes(), SIZE_AT)?;
    let wrong = facts.judge(&written.ask(facts.cpus)?);
    for said in [
        "info threads: 3 of 4 CPUs",
        "the backtrace of CPU 3 lacks",
        "ss cpus: not",
    ] {
        ensure!(
            wrong.iter().any(|wrong| wrong.contains(said)),
            "a core without its last CPU passes as {wrong:?}, where {said:?} was due"
        );
    }
    Ok(())
}

fn alone(dir: &Path) -> Result<()> {
    let kernel = kernel::build(flavour(Arch::I386, false))?;
    let written = boot(dir, &kernel, "run=panic", None)?;
    let facts = written.check()?;
    ensure!(facts.cpus == 1, "{} CPUs in a UP kernel", facts.cpus);
    cut_off(&written)?;
    Ok(std::fs::remove_file(&written.path)?)
}

/// A core that is cut off is called so: what is missing, gdb reads from the ELF file, as if the kernel had not booted.
fn cut_off(written: &Written) -> Result<()> {
    let file = OpenOptions::new().write(true).open(&written.path)?;
    file.set_len(file.metadata()?.len() / 2)?;
    let said = written.say("ss cpus")?;
    ensure!(said.contains(" is cut off: "), "half a core passes as:\n{said}");
    Ok(())
}

/// On request: nothing has stopped, the CPUs' registers are QEMU's. CPU 3 is idle, on the stack that it came up on.
fn running(dir: &Path, arch: Arch) -> Result<()> {
    let kernel = kernel::build(flavour(arch, true))?;
    let after = Some(Duration::from_secs(1));
    let written = boot(dir, &kernel, r#"run="busy 1-2""#, after)?;
    let facts = written.facts()?;
    ensure!(facts.report[0] == "stop: none", "{}", facts.report[0]);
    // A CPU may just be in its timer's interrupt.
    let busy = facts.functions.iter().filter(|names| names[0] != "#0 ").count();
    ensure!(busy == 3, "{busy} CPUs were to be started");
    let answers = written.ask(facts.cpus)?;
    let wrong = facts.judge(&answers);
    let elsewhere = wrong
        .iter()
        .filter(|wrong| wrong.contains("lacks kernel::monitor::commands::busy"));
    ensure!(elsewhere.count() < busy, "no CPU is busy: {}", wrong.join("\n"));
    let wrong: Vec<String> = wrong
        .into_iter()
        .filter(|wrong| !wrong.contains("lacks kernel::monitor::commands::busy"))
        .collect();
    satisfied(&wrong)?;
    Ok(std::fs::remove_file(&written.path)?)
}

/// Of a kernel that failed in the handler of an exception: the backtrace goes on in what that broke into.
fn excepted(dir: &Path) -> Result<()> {
    for arch in Arch::ALL {
        let kernel = kernel::build(flavour(arch, true))?;
        let written = boot(dir, &kernel, r#"run="fault undef""#, None)?;
        let answers = written.ask(CPUS)?;
        let backtraces = answers.get("thread apply all bt");
        let through = [
            "kernel::monitor::faults::fault",
            "kernel::monitor::main",
            "kernel::sched::thread_entry",
        ];
        let missing = through.into_iter().find(|name| !backtraces.contains(name));
        ensure!(
            missing.is_none() && astray(backtraces).is_none(),
            "{arch}: lacks {missing:?}, ends at {:?}: {backtraces}",
            astray(backtraces)
        );
        std::fs::remove_file(&written.path)?;
    }
    Ok(())
}

/// `cargo xtask gdb` as a person types it. The kernel is at its monitor when it is asked.
fn live(_dir: &Path) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["gdb", "--arch", "aarch64", "--memory", "64", "--batch", "ss boot"]);
    for line in answers::script(CPUS) {
        command.args(["--batch", &line]);
    }
    let output = output(command)?;
    let row = |cpu: u32| format!("{cpu:>5} {:>12} {:14} {:12}", format!("{cpu:#x}"), "online", "-");
    let head = ["stop: none".to_owned(), "  cpu".to_owned()];
    let facts = Facts {
        cpus: CPUS,
        report: head.into_iter().chain((0..CPUS).map(row)).collect(),
        trace: Vec::new(),
        log: [
            "Standstill ",
            "build-id ",
            "command line: panic=-1",
            "cpu: 4 listed by FDT, 4 possible",
        ]
        .map(str::to_owned)
        .to_vec(),
        functions: vec![
            vec!["kernel::monitor::main"],
            vec!["kernel::"],
            vec!["kernel::"],
            vec!["kernel::"],
        ],
        phase: "running threads",
    };
    let answers = Answers::of(&output);
    let wrong = facts.judge(&answers);
    ensure!(output.contains("boot: first thread"), "no trace:\n{output}");
    ensure!(wrong.is_empty(), "{}\n{output}", wrong.join("\n"));
    Ok(())
}

/// The ELF file is another's: the console gets no names, there is no core, and a core is not opened.
fn mistaken(dir: &Path) -> Result<()> {
    let arch = Arch::Aarch64;
    let (smp, up) = (
        kernel::build(flavour(arch, true))?,
        kernel::build(flavour(arch, false))?,
    );
    let id = |kernel: &Kernel| -> Result<String> {
        Elf::parse(&kernel.elf.read()?)?.build_id.context("no build id")
    };
    let (running, other) = (id(&smp)?, id(&up)?);
    let other_path = up.elf.path.clone();
    let right = boot(dir, &smp, "run=panic", None)?;
    ensure!(right.path.is_file(), "no core:\n{}", right.console);
    ensure!(
        frames(&right.console).any(|words| words > 2),
        "no names:\n{}",
        right.console
    );
    let core = dir.join("right.core");
    std::fs::rename(&right.path, &core)?;

    let wrong = boot(dir, &smp.mistaken_for(up), "quiet run=panic", None)?;
    let text = &wrong.console;
    for said in [
        format!("xtask: the running kernel is build {running}, the ELF file "),
        format!(" is build {other}: no names"),
        format!("xtask: no core: the kernel in memory is build {running}, the ELF file is build {other}"),
    ] {
        ensure!(text.contains(&said), "{said:?} is not said:\n{text}");
    }
    ensure!(
        frames(text).all(|words| words == 2),
        "names of another kernel:\n{text}"
    );
    ensure!(frames(text).count() > 2, "no backtrace:\n{text}");
    ensure!(!wrong.path.exists(), "a core of a kernel that is not known");

    let refusal = format!(
        "is of build {running}, the ELF file {} is build {other}",
        other_path.display()
    );
    let asked = [
        "ss cpus",
        "ss trace",
        "ss log",
        "ss stop-report",
        "ss percpu kernel::cpu::CPU_NUMBER 0",
    ];
    let script = asked.map(str::to_owned);
    let gdb = output(command(arch, &other_path, Target::Core(&core), &script)?)?;
    ensure!(
        gdb.matches(&refusal).count() == asked.len(),
        "not refused by each command:\n{gdb}"
    );
    let mut open = Command::new(std::env::current_exe()?);
    open.arg("open")
        .arg(&core)
        .arg("--elf")
        .arg(&other_path)
        .args(["--batch", "info threads"]);
    let opened = output(open)?;
    ensure!(opened.contains(&refusal), "opened all the same:\n{opened}");
    let mut open = Command::new(std::env::current_exe()?);
    open.arg("open").arg(&core).args(["--batch", "ss cpus"]);
    let opened = output(open)?;
    ensure!(
        opened.contains(&running) && opened.contains("panicking"),
        "its own kernel is not found:\n{opened}"
    );
    Ok(())
}

/// Of each line of a backtrace, how many words it has: two are number and address.
fn frames(console: &str) -> impl Iterator<Item = usize> {
    let lines = console.lines().filter(|line| line.starts_with("  #"));
    lines.map(|line| line.split_whitespace().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_without_names_have_two_words() {
        let text = "backtrace:\n  #0 0x10 f (a.rs:1)\n       inlined into g\n  #1 0x20\n";
        assert_eq!(frames(text).collect::<Vec<_>>(), [4, 2]);
    }
}
