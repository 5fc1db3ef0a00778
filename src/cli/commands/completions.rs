//! Completions for shells: those of the command line itself, and names that the daemon knows.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Args;
use crate::cli::failure::Result;
use crate::cli::render;

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

if [ "$funcstack[1]" = "_prefectctl" ]; then
    _prefectctl_names "$@"
fi
compdef _prefectctl_names prefectctl
"#;
/// The end of the script for zsh, which is carried out at the first completion where the script
/// lies in a folder of `fpath`; names have to be known by then.
const ZSH_END: &str = r#"if [ "$funcstack[1]" = "_prefectctl" ]; then"#;
const FISH: &str = r#"
function __prefectctl_names
    prefectctl __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c prefectctl -n 'test (count (__prefectctl_names)) -gt 0' -f -a '(__prefectctl_names)'
"#;

/// Prints the script for a shell.
pub fn print(shell: Shell) -> Result<()> {
    let mut command = Args::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "prefectctl", &mut script);
    let names = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => {
            let text = String::from_utf8_lossy(&script);
            let whole = text.rsplit_once(ZSH_END).map(|(whole, _)| whole.to_owned());
            script = whole.map_or(script, String::into_bytes);
            ZSH
        }
        Shell::Fish => FISH,
        _ => "",
    };
    script.extend(names.as_bytes());
    render::bytes_out(&script)
}
