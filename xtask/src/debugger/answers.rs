//! What gdb is asked, and its answers.

use std::collections::HashMap;

/// Asked in every session. What is wrong in these gets a line of explanation, never a traceback of the script.
pub const BLUNDERS: [(&str, &str); 9] = [
    ("ss percpu", "usage: ss percpu VAR CPU"),
    (
        "ss percpu kernel::cpu::CPU_NUMBER 4000",
        "not CPU 4000|CPU 4000 has no area",
    ),
    ("ss percpu kernel::cpu::CPU_NUMBER -1", "-1 is no number of a CPU"),
    ("ss percpu no::such 0", "no variable is called no::such"),
    ("ss percpu ] 0", "no variable is called ]"),
    (
        "ss percpu kernel::account::STOP 0",
        "kernel::account::STOP is one for all CPUs",
    ),
    ("ss trace 4000", "there is no CPU 4000"),
    ("ss cpus now", "usage: ss cpus"),
    ("ss nonsense", "Undefined ss command"),
];

/// Asks for a `&str` by way of Rust's printers.
pub const PRETTY: &str = "print *kernel::phase::PHASE[0].p.value";
const QUESTIONS: [&str; 7] = [
    PRETTY,
    "info threads",
    "thread apply all bt",
    "ss cpus",
    "ss stop-report",
    "ss trace",
    "ss log",
];

/// gdb's answers, by question.
#[derive(Debug, Default)]
pub struct Answers(HashMap<String, String>);

/// What to tell gdb, so that its answers can be told apart.
pub fn script(cpus: u32) -> Vec<String> {
    let blunders = BLUNDERS.iter().map(|(question, _)| (*question).to_owned());
    let questions = QUESTIONS.into_iter().map(str::to_owned);
    let all = questions.chain((0..cpus).map(percpu)).chain(blunders);
    all.flat_map(|question| [format!("echo \\n== {question}\\n"), question])
        .collect()
}

/// Asks a CPU for its number.
pub fn percpu(cpu: u32) -> String {
    format!("ss percpu kernel::cpu::CPU_NUMBER {cpu}")
}

impl Answers {
    /// Takes gdb's output apart.
    pub fn of(output: &str) -> Self {
        let parts = output.split("\n== ").skip(1);
        Self(
            parts
                .filter_map(|part| part.split_once('\n'))
                .map(|(question, answer)| (question.to_owned(), answer.to_owned()))
                .collect(),
        )
    }

    /// To this question; empty if there is none.
    pub fn get(&self, question: &str) -> &str {
        self.0.get(question).map_or("", String::as_str)
    }

    /// All, by question.
    pub fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}
