#!/bin/bash
# Claude Code of the standard image: inside the OpenShell supervisor's sandbox where the pod asks
# for it (file mode), plain otherwise. The runner's bridge calls this file instead of `claude`.
# Functions are called in conditions on purpose: each failure there is handled where it happens.
# shellcheck disable=SC2310
set -euo pipefail

say() { printf 'standard-claude-wrapper: %s\n' "$1" >&2; }

fail() {
  say "error: $2"
  exit "$1"
}

# The caller's environment may be empty, and claude must get the caller's own PATH: so only this
# script's own tools are looked up in the system's directories.
system() { PATH=/usr/sbin:/usr/bin:/sbin:/bin command "$@"; }

readonly supervisor=/openshell-sandbox
readonly claude=${CLAUDE_CLI_PATH:-/usr/local/bin/claude}

# A bare name would be looked up on PATH, where this wrapper may come first, and so on for ever.
[[ ${claude} == /* ]] || fail 64 "CLAUDE_CLI_PATH must be an absolute path, found '${claude}'"
[[ -x ${claude} ]] || fail 127 "${claude} is missing or not executable"
[[ ! ${claude} -ef ${BASH_SOURCE[0]} ]] || fail 64 "CLAUDE_CLI_PATH names this wrapper: ${claude}"

supervisor_runs() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    # -ef compares the files themselves, so a supervisor is known however it was started.
    [[ ${exe} -ef ${supervisor} ]] && return 0
  done
  return 1
}

# A supervisor that was killed leaves its namespace and its veth pair. Every supervisor uses
# 10.200.0.0/24, and the leftover route keeps the next one's proxy in SYN-SENT.
remove_stale_namespaces() {
  local file name pids
  for file in /var/run/netns/sandbox-*; do
    [[ -e ${file} ]] || continue
    name=${file##*/}
    if supervisor_runs; then
      pids=$(system ip netns pids "${name}" 2>/dev/null) || pids=
      if [[ -n ${pids} ]]; then
        say "network namespace ${name} is in use by a running supervisor: left alone"
        continue
      fi
    fi
    # The peer usually goes with its namespace; the host's end is named so that it goes in any case.
    system ip link delete "veth-h-${name#sandbox-}" 2>/dev/null || true
    if system ip netns delete "${name}" 2>/dev/null; then
      say "removed stale network namespace ${name}"
    else
      say "could not remove stale network namespace ${name}: the sandbox's network may hang"
    fi
  done
}

write_zero() { { printf '0' >"$1"; } 2>/dev/null; }

# With reverse-path filtering the kernel drops what comes from the sandbox's end of the veth pair.
# New interfaces take `default`; the effective value is the larger of theirs and that of `all`.
relax_reverse_path_filter() {
  local key file value remounted=no
  for key in default all; do
    file=/proc/sys/net/ipv4/conf/${key}/rp_filter
    [[ -r ${file} ]] && read -r value <"${file}" && [[ ${value} == 0 ]] && continue
    if write_zero "${file}"; then continue; fi
    # Container runtimes mount /proc/sys read-only; SYS_ADMIN may open it for the moment.
    if [[ ${remounted} == no ]] && system mount -o remount,rw /proc/sys 2>/dev/null; then remounted=yes; fi
    write_zero "${file}" || say "could not set ${file} to 0: the sandbox's network may not answer"
  done
  [[ ${remounted} == no ]] || system mount -o remount,ro /proc/sys 2>/dev/null ||
    say "could not mount /proc/sys read-only again"
}

case ${OPENSHELL_ENABLED:-false} in
  false) exec "${claude}" "$@" ;;
  true) ;;
  # A value that only looks like yes must not end in running without the sandbox.
  *) fail 64 "OPENSHELL_ENABLED must be true or false, found '${OPENSHELL_ENABLED}'" ;;
esac

rules=${OPENSHELL_POLICY_RULES:-/etc/openshell/policy.rego}
data=${OPENSHELL_POLICY_DATA:-/etc/openshell/policy.yaml}
[[ -x ${supervisor} ]] ||
  fail 127 "${supervisor} is missing or not executable, and OPENSHELL_ENABLED=true forbids running without it"
for file in "${rules}" "${data}"; do
  [[ -r ${file} ]] || fail 66 "policy file ${file} is missing or not readable"
done

remove_stale_namespaces
relax_reverse_path_filter

exec "${supervisor}" \
  --policy-rules "${rules}" \
  --policy-data "${data}" \
  --log-level "${OPENSHELL_LOG_LEVEL:-warn}" \
  -- "${claude}" "$@"
