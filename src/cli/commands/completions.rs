//! Completions for shells: those of the command line itself, and names that the daemon knows.

use clap::CommandFactory;
use clap_complete::Shell;

use super::super::args::Args;
use super::super::failure::Result;
use super::super::render;

/// What is asked first in a shell, and the daemon answers; where it knows nothing, the shell
/// goes on with the words of the command line.
const BASH: &str = r#"
_prefectctl_names() {
    local IFS=$'\n' names
    names=$(prefectctl __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ -n $names ]]; then
        COMPREPLY=($names)
    else
        IFS=$' \t\n'
        _prefectctl "$@"
    fi
}
complete -F _prefectctl_names -o nosort -o bashdefault -o default prefectctl
"#;
const ZSH: &str = r#"
_prefectctl_names() {
    local -a names
    names=("${(@f)$(prefectctl __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n ${names[1]} ]]; then
        compadd -a names
    else
        _prefectctl "$@"
    fi
}
compdef _prefectctl_names prefectctl
"#;
const FISH: &str = r#"
complete -c prefectctl -f -a '(prefectctl __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
"#;

/// Prints the script for a shell.
pub fn print(shell: Shell) -> Result<()> {
    let mut command = Args::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "prefectctl", &mut script);
    let names = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        _ => "",
    };
    script.extend(names.as_bytes());
    render::bytes_out(&script)
}
