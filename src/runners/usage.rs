//! What runs use of the machine.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::unistd::{Pid, SysconfVar, sysconf};

use super::subprocess::{marks_of, processes};
use crate::domain::ids::FlowRunId;
use crate::domain::usage::Usage;

/// What each run's processes on this machine use together, by the run that their environment
/// names; those of standalone agents of the same daemon included.
pub fn of_processes(instance: &str) -> HashMap<FlowRunId, Usage> {
    let is_ours = |mark: &str| mark.split('/').next() == Some(instance);
    let mut used: HashMap<FlowRunId, Usage> = HashMap::new();
    for pid in processes() {
        if let Some(run) = marks_of(pid, is_ours)
            && let Some(one) = of_process(pid)
        {
            let sum = used.entry(run).or_default();
            sum.cpu += one.cpu;
            sum.memory += one.memory;
        }
    }
    used
}

/// What the kernel tells of a process; its children that have ended are counted to it.
fn of_process(pid: Pid) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    read(&stat, per_second()?, page_size()?)
}

fn read(stat: &str, ticks: u64, page: u64) -> Option<Usage> {
    // The program's name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let spent = number(11)? + number(12)? + number(13)? + number(14)?;
    Some(Usage {
        cpu: Duration::from_millis(spent.saturating_mul(1000) / ticks.max(1)),
        memory: number(21)?.saturating_mul(page),
    })
}

fn per_second() -> Option<u64> {
    sysconf(SysconfVar::CLK_TCK).ok()??.try_into().ok()
}

fn page_size() -> Option<u64> {
    sysconf(SysconfVar::PAGE_SIZE).ok()??.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 100 0 20 0 1 0 99 1000 25 18";
        let used = read(stat, 100, 4096).unwrap();
        assert_eq!(used.cpu, Duration::from_secs(3));
        assert_eq!(used.memory, 25 * 4096);
        assert_eq!(read("7 (x", 100, 4096), None);
    }

    #[test]
    fn this_process_uses_something() {
        let used = of_process(Pid::this()).unwrap();
        assert!(used.memory > 0);
    }
}
