#!/bin/bash
# Start script of the openshell runner image. The gateway's supervisor execs it in the sandbox
# with a cleared environment, so nothing that an image's ENV says can be relied on here.
#
# Functions are called in conditions on purpose: each failure there is handled where it happens.
# shellcheck disable=SC2310
set -euo pipefail

say() { printf 'entrypoint: %s\n' "$1" >&2; }

fail() {
  say "error: $2"
  exit "$1"
}

# The supervisor is static musl, whose resolver sends the A and the AAAA query on one socket. With
# Kubernetes' ndots:5 and its search domains an external name becomes a dozen queries or more, the
# answers get mixed up, and every inference call ends in 503. With ndots:1 a name with a dot in it
# is asked for as it stands first.
want_one_dot() {
  local -r file=/etc/resolv.conf
  local -a lines=() kept=() words=()
  local line word wrong=no right=no after

  if [[ ! -e ${file} ]]; then
    say "${file} is absent, so there is no ndots to set"
    return 0
  fi
  if [[ ! -r ${file} ]]; then
    say "${file} cannot be read: ndots is left as it is"
    return 0
  fi
  mapfile -t lines <"${file}"

  for line in "${lines[@]}"; do
    # read splits without expanding globs, which an unquoted word list would do.
    read -r -a words <<<"${line}" || true
    if [[ ${words[0]:-} != options ]]; then
      kept+=("${line}")
      continue
    fi
    local -a options=()
    for word in "${words[@]:1}"; do
      case ${word} in
        # The whole word is compared: ndots:15 is not ndots:1.
        ndots:1) right=yes ;;
        ndots:*) wrong=yes ;;
        *) options+=("${word}") ;;
      esac
    done
    # An options line that held nothing but ndots is dropped; the new one below replaces it.
    ((${#options[@]} == 0)) || kept+=("options ${options[*]}")
  done

  # A file that already says ndots:1, and nothing else about ndots, is left byte for byte alone.
  [[ ${right} == yes && ${wrong} == no ]] && return 0

  printf -v after '%s\n' "${kept[@]}" 'options ndots:1'
  # In place and never by rename: in a pod this file is a bind mount, over which rename fails with
  # EBUSY. The braces keep bash's own message about a failed redirection from the log.
  if { printf '%s' "${after}" >"${file}"; } 2>/dev/null; then
    say "set ndots:1 in ${file}"
  else
    say "${file} cannot be written (read-only mount or non-root user): ndots is left as it is"
  fi
}

port_or_fail() {
  local -r port=${AGUI_PORT:-8001}
  if [[ ! ${port} =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
    fail 64 "AGUI_PORT must be a port number from 1 to 65535, found '${port}'"
  fi
  printf '%s' "${port}"
}

want_one_dot
port=$(port_or_fail)

readonly venv=/sandbox/.venv
readonly source=/runner/ambient-runner
[[ -x ${venv}/bin/uvicorn ]] || fail 127 "${venv}/bin/uvicorn is missing or not executable"
[[ -d ${source} ]] || fail 66 "${source}, the runner's source directory, is missing"

# exported tells a variable of the environment from one that bash made up for itself: in a cleared
# environment it sets PATH (with the working directory in it, on some distributions), SHELL and TERM.
exported() {
  local -n variable=$1
  [[ -v variable && ${variable@a} == *x* ]]
}

# What the control plane injected wins; the rest is what a cleared environment lost.
default() {
  local -r name=$1 value=$2
  exported "${name}" || export "${name}=${value}"
}

# The venv comes first, so that the agents' python is the runner's; what else was on PATH stays.
default PATH ''
[[ ${PATH} == "${venv}/bin" || ${PATH} == "${venv}/bin:"* ]] ||
  PATH="${venv}/bin:/usr/local/bin:/usr/bin:/bin${PATH:+:${PATH}}"
export VIRTUAL_ENV="${venv}"
default HOME /sandbox
default SHELL /bin/bash
default TERM xterm-256color
default PYTHONUNBUFFERED 1
default PYTHONDONTWRITEBYTECODE 1
default WORKSPACE_PATH /sandbox/workspace
export AGUI_PORT="${port}"

cd "${source}"
# exec, so that the runner keeps this process's id and gets its signals.
exec "${venv}/bin/uvicorn" main:app --host 0.0.0.0 --port "${port}"
