"""`mlspec completion`: the shell finishes words."""

from __future__ import annotations

import argparse

SUMMARY: str = "print the script that lets bash, zsh or fish finish words"
SHELLS = ("bash", "zsh", "fish")
FORMS = """\
to use it:
  bash   echo 'eval "$(mlspec completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(mlspec completion zsh)"' >> ~/.zshrc     (after compinit)
  fish   mlspec completion fish > ~/.config/fish/completions/mlspec.fish

Verbs, options, specs, steps of pipelines/, slots and kinds are finished; keys of the language too where
`mlspec init` or `mlspec schema --write` has written .mlspec/spec.schema.json.
"""
# `_complete` is how the scripts below ask for words: the line up to the cursor is their only argument.
BASH = r"""
_mlspec() {
  local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" answer whole cut
  whole="${line##*[[:space:]]}"
  cut="${whole%"$word"}"
  if [[ "$word" == "=" || "$word" == ":" ]]; then cut="$whole"; fi
  COMPREPLY=()
  while IFS= read -r answer; do
    [[ -n "$answer" ]] && COMPREPLY+=("${answer#"$cut"}")
  done < <(command mlspec completion _complete --line "$line" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ( "${COMPREPLY[0]}" == *= || "${COMPREPLY[0]}" == */ ) ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -o default -o nosort -F _mlspec mlspec
"""
ZSH = r"""
_mlspec() {
  local -a answers
  answers=("${(@f)$(command mlspec completion _complete --line "$LBUFFER" 2>/dev/null)}")
  if [[ -z "$answers" ]]; then _files; return; fi
  compadd -Q -S '' -M 'r:|=*' -- ${(M)answers:#*[=/]}
  compadd -Q -- ${answers:#*[=/]}
}
compdef _mlspec mlspec
"""
FISH = r"""
complete -c mlspec -a '(command mlspec completion _complete --line (commandline -cp) 2>/dev/null)'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell; `_complete --line` is for the scripts."""
    parser.add_argument("shell", choices=(*SHELLS, "_complete"), metavar="{bash,zsh,fish}")
    parser.add_argument("--line", default="", help=argparse.SUPPRESS)
    parser.epilog = FORMS


def completion(arguments: argparse.Namespace) -> int:
    """Print a shell's script, or what may stand at the end of a line."""
    import sys

    if arguments.shell == "_complete":
        from mlspec.cli._candidates import candidates

        sys.stdout.write("".join(f"{word}\n" for word in candidates(arguments.line)))
        return 0
    scripts = {"bash": BASH, "zsh": ZSH, "fish": FISH}
    sys.stdout.write(scripts[arguments.shell].lstrip("\n"))
    return 0
