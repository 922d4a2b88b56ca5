//! What the example kernel says and how it ends, story by story; and what `stop-report` finds in the memory it leaves.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::contents::succeed;
use super::{Count, folder};
use crate::host;
use crate::needs::tool::QEMU_RISCV64;

/// One run of the example, and what must come of it.
struct Story {
    number: u32,
    name: &'static str,
    code: i32,
    says: &'static [&'static str],
}

const STORIES: [Story; 4] = [
    Story {
        number: 0,
        name: "all stand",
        code: 0,
        says: &[
            "panic of CPU 1: out of cheese",
            "stop: panic by CPU 1: stopped after",
        ],
    },
    Story {
        number: 1,
        name: "one has its interrupts off",
        code: 3,
        says: &["partial: CPUs 3 silent", " IRQ_OFF "],
    },
    Story {
        number: 2,
        name: "each starts itself, one has an exception",
        code: 0,
        says: &[
            "panic of CPU 2: exception 2 at 0x",
            "stop: panic by CPU 2: stopped after",
        ],
    },
    Story {
        number: 3,
        name: "the owner dies, another speaks for it",
        code: 3,
        says: &[
            "the CPU that stopped the others died of it",
            "panic of CPU 1: CPU 1 is out of cheese",
            ", taken from CPU 1",
            " OWNER_DIED ",
        ],
    },
];

/// Four CPUs of an emulator's take turns on a host that builds other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nothing of the console's is longer.
const MOST: u64 = 1 << 20;

pub fn play(kernel: &Path, count: &mut Count) {
    let memory = folder().join("memory");
    for story in &STORIES {
        let outcome = run(kernel, &memory, story.number).and_then(|(code, text)| judge(story, code, &text));
        count.add(&format!("riscv64: {}", story.name), outcome);
    }
    // Of the last story, whose machine is gone.
    count.add("stop-report reads the memory that is left", read_back(&memory));
    let _ = fs::remove_file(memory);
}

fn judge(story: &Story, code: Option<i32>, text: &str) -> Result<()> {
    if let Some(missing) = story.says.iter().find(|says| !text.contains(*says)) {
        bail!("it does not say {missing:?} but\n{text}");
    }
    ensure!(
        code == Some(story.code),
        "it ends with {code:?}, not {}\n{text}",
        story.code
    );
    Ok(())
}

/// The exit code, `None` if QEMU had to be ended, and what stood on the console.
fn run(kernel: &Path, memory: &Path, story: u32) -> Result<(Option<i32>, String)> {
    let _ = fs::remove_file(memory);
    let backend = format!(
        "memory-backend-file,id=ram,size=16M,share=on,mem-path={}",
        memory.display()
    );
    let mut child = Command::new(QEMU_RISCV64)
        .args([
            "-machine",
            "virt,memory-backend=ram",
            "-smp",
            "4",
            "-m",
            "16M",
            "-object",
            &backend,
        ])
        .args([
            "-bios", "none", "-display", "none", "-serial", "stdio", "-monitor", "none", "-kernel",
        ])
        .arg(kernel)
        .args([
            "-device",
            &format!("loader,addr=0x80400000,data={story},data-len=4"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("cannot run {QEMU_RISCV64}"))?;
    let console = child.stdout.take().context("no console")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = console.take(MOST).read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let start = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let text = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the console's reader failed"))?;
    Ok((code, text))
}

fn read_back(memory: &Path) -> Result<()> {
    let mut command = host::cargo()?;
    command
        .args([
            "run",
            "--quiet",
            "--package",
            "smp-stop",
            "--features",
            "cli",
            "--bin",
            "stop-report",
            "--",
        ])
        .arg(memory);
    let output = command.output().context("cannot run cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let expected = [
        ", offset 0x",
        "taken from CPU 1",
        "CPU 1 said: CPU 1 is out of cheese",
        "pc=0x",
    ];
    for says in expected {
        ensure!(text.contains(says), "it does not say {says:?} but\n{text}");
    }
    ensure!(output.status.success(), "it ends with {}", output.status);
    // The control: the same without the report.
    let bytes = fs::read(memory)?.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>();
    fs::write(memory, bytes)?;
    ensure!(
        succeed(&mut command).is_err(),
        "it finds a report where there is none"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_that_ends_otherwise_is_seen() {
        let story = &STORIES[0];
        let text = story.says.join("\n");
        judge(story, Some(0), &text).unwrap();
        assert!(judge(story, Some(3), &text).is_err(), "another end");
        assert!(judge(story, None, &text).is_err(), "no end");
        for missing in story.says {
            assert!(
                judge(story, Some(0), &text.replace(missing, "")).is_err(),
                "{missing}"
            );
        }
    }
}
