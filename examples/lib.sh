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

# client_is 2.0a7|3: which client is meant, as `client`, and the minor versions of Python that it
# runs on, as `minors`. A client of 3 is the newest that was tried.
client_is() {
  case $1 in
    2.0a7) client=2.0a7 minors='3.11 3.9 3.10' ;;
    3 | 3.9.1) client=3.9.1 minors='3.11 3.13 3.12 3.10' ;;
    *) say "--client is 2.0a7 or 3"; exit 2 ;;
  esac
}
client_is 2.0a7

# The Debian release that carries a Python, so that an image with it can be built here.
suite_of() {
  case $1 in
    3.9) echo bullseye ;;
    3.11) echo bookworm ;;
    3.13) echo trixie ;;
  esac
}

# The Python for the client, and its minor version, which decides the image in which a
# deployment runs; one whose image can also be built here, where there is one.
find_python() {
  local candidate minor fallback=''
  # shellcheck disable=SC2086
  for candidate in python3 $(printf 'python%s ' $minors); do
    minor=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case " $minors " in
      *" $minor "*) ;;
      *) continue ;;
    esac
    if [ -n "$(suite_of "$minor")" ]; then echo "$candidate $minor"; return; fi
    fallback=${fallback:-$candidate $minor}
  done
  if [ -n "$fallback" ]; then echo "$fallback"; return; fi
  fail "Prefect $client needs one of Python ${minors// /, }, and none is on PATH. On Debian: apt-get install python3 python3-venv"
}
