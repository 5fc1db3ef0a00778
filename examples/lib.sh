# Sourced by the scripts: their help, their steps, and a sign of life from what is silent.
# shellcheck shell=bash
set -euo pipefail

me=$(basename "$0")
cache=${PREFECTD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/prefectd}
begun=$SECONDS
# After so many seconds of silence a command is said to be still at it.
patience=${PREFECTD_PATIENCE:-5}

say() { echo "$me: $*" >&2; }
fail() { say "$@"; exit 1; }

# A heading with the time since the start.
step() { printf '\n==> [%d:%02d] %s\n' $(((SECONDS - begun) / 60)) $(((SECONDS - begun) % 60)) "$*" >&2; }

# The comment that a script begins with; it may have left the folder that it was called from.
help() {
  local file=$0
  if ! [ -e "$file" ]; then file=$OLDPWD/$file; fi
  sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$file"
}

# Ends the script for --help, and for a word that it does not know.
helped() {
  case $1 in
    -h | --help) help; exit 0 ;;
    *) say "$1 is not understood; $me --help tells what is"; exit 2 ;;
  esac
}

# What is to be done at the end, however that comes; the last one first.
endings=()
at_exit() { endings=("$1" "${endings[@]}"); trap end EXIT; }
end() { local one; for one in "${endings[@]}"; do "$one" || true; done; }

# watched WHAT COMMAND...: runs it and shows what it is at, a line every few seconds with the
# time that it has taken; all of its last lines if it fails.
watched() { _followed sparse "$@"; }

# shown WHAT COMMAND...: the same with each of its lines.
shown() { _followed all "$@"; }

_followed() {
  local how=$1 what=$2 log status=0
  shift 2
  log=$(mktemp)
  say "$what"
  "$@" 2>&1 </dev/null | tee "$log" | _signs "$how" >&2 || status=$?
  if [ "$status" != 0 ]; then
    if [ "$how" = sparse ]; then tail -20 "$log" >&2; fi
    say "$what: it failed"
  fi
  rm -f "$log"
  return "$status"
}

_signs() {
  local how=$1 line part='' last='' from=$SECONDS shown=$SECONDS status
  while true; do
    status=0
    IFS= read -r -t "$patience" line || status=$?
    if [ "$status" -gt 128 ]; then
      part=$part$line
      printf '    %4d s  still at it%s\n' $((SECONDS - from)) "${last:+: $last}"
      shown=$SECONDS
      continue
    fi
    line=$part$line
    part=''
    if [ -n "${line// /}" ]; then
      last=${line:0:100}
      if [ "$how" = all ]; then
        printf '    %4d s  %s\n' $((SECONDS - from)) "$line"
        shown=$SECONDS
      elif [ $((SECONDS - shown)) -ge 2 ]; then
        printf '    %4d s  %s\n' $((SECONDS - from)) "$last"
        shown=$SECONDS
      fi
    fi
    if [ "$status" != 0 ]; then break; fi
  done
}

# Whether the engine answers; says what to do otherwise.
needs_docker() {
  local problem
  if ! problem=$(docker version --format '{{.Server.Version}}' 2>&1); then
    say "the Docker engine is not reachable: $problem"
    fail "start it (systemctl start docker) or point DOCKER_HOST to it${1:+$1}, then try again"
  fi
}

# The Python for the client, and its minor version, which decides the image in which a
# deployment runs; 3.11 and 3.9 are those that a Debian release carries, so that the image can
# also be built here.
find_python() {
  local candidate minor fallback=''
  for candidate in python3 python3.11 python3.9 python3.10; do
    minor=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $minor in
      3.11 | 3.9) echo "$candidate $minor"; return ;;
      3.10) fallback="$candidate $minor" ;;
    esac
  done
  if [ -n "$fallback" ]; then echo "$fallback"; return; fi
  fail "Prefect 2.0a7 needs Python 3.9, 3.10 or 3.11, and none is on PATH. On Debian: apt-get install python3 python3-venv"
}
