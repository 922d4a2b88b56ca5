//! The files for VS Code, held against what xtask takes: a stale one says nothing until somebody presses F5.

use clap::Parser;
use serde_json::Value;

use crate::arch::Arch;
use crate::kernel::Flavour;
use crate::verbs::qemu::Qemu;
use crate::{Cli, Verb, paths};

fn file(name: &str) -> Value {
    let text = std::fs::read_to_string(paths::root().join(".vscode").join(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(file: &Value, name: &str) -> Vec<Value> {
    let list = file[name].as_array().cloned().unwrap_or_default();
    assert!(!list.is_empty(), "no {name}");
    list
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// What a task has xtask do.
fn parsed(task: &Value) -> Result<Cli, clap::Error> {
    assert_eq!(text(task, "command"), "cargo");
    let mut args: Vec<&str> = task["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap())
        .collect();
    assert_eq!(args.remove(0), "xtask");
    Cli::try_parse_from([&["cargo xtask"], &args[..]].concat())
}

/// The task of this name, if it is one that leaves a machine waiting.
fn waits(tasks: &[Value], label: &str) -> Option<Qemu> {
    let task = tasks.iter().find(|task| text(task, "label") == label)?;
    let end = text(&task["problemMatcher"]["background"], "endsPattern");
    assert!(end.starts_with("^in another terminal: "), "{end}");
    match parsed(task).ok()?.verb {
        Verb::Qemu(qemu) => Some(qemu),
        _ => None,
    }
}

#[test]
fn every_task_is_a_command_line_that_is_taken() {
    for task in list(&file("tasks.json"), "tasks") {
        parsed(&task).unwrap_or_else(|error| panic!("{}: {error}", text(&task, "label")));
    }
    let stale = serde_json::json!({ "command": "cargo", "args": ["xtask", "qemu", "--arch", "arm64"] });
    assert!(parsed(&stale).is_err());
}

#[test]
fn each_architecture_can_be_debugged() {
    let (tasks, launch) = (list(&file("tasks.json"), "tasks"), file("launch.json"));
    let mut ports = Vec::new();
    for (arch, one) in Arch::ALL.into_iter().zip(list(&launch, "configurations")) {
        let flavour = Flavour {
            arch,
            smp: true,
            release: false,
            faults: false,
        };
        let name = flavour.dir().file_name().unwrap().to_string_lossy().into_owned();
        let elf = format!("${{workspaceFolder}}/target/standstill/{name}/standstill.elf");
        assert_eq!(text(&one, "program"), elf);
        let qemu = waits(&tasks, text(&one, "preLaunchTask")).expect("no machine is started");
        assert_eq!(qemu.choice.flavour(), flavour);
        let port = qemu.gdb.expect("it does not wait");
        assert_eq!(text(&one, "miDebuggerServerAddress"), format!("127.0.0.1:{port}"));
        ports.push(port);
        let setup = one["setupCommands"].as_array().unwrap();
        let commands: Vec<&str> = setup.iter().map(|command| text(command, "text")).collect();
        assert_eq!(commands[0], format!("set architecture {}", arch.gdb_name()));
        let script = commands[1].strip_prefix("source ${workspaceFolder}/").unwrap();
        assert!(paths::root().join(script).is_file(), "{script}");
    }
    ports.dedup();
    assert_eq!(ports.len(), 3);
}
