#!/bin/sh
# run.sh [--again] RELEASE [COMMAND...]: runs the project's commands in a bare Debian root, as on a fresh machine:
# RELEASE is 12 or 13, the commands are `make demo` and `make test` unless others are given. Prints the closing line of
# each. Exits 0 only when every command did, and no closing line counts a failed or a skipped test.
#
# Needs root, mmdebstrap, and a Debian mirror in apt's sources. The root is made anew each time under BARE_ROOTS
# (default /var/tmp/bare-roots); --again keeps what an earlier run installed and cached. What runs there is the
# last commit of the repository that this script stands in. Network, certificates, npm's registry and proxies are the
# machine's; nothing else of it is seen inside.
set -eu

again=no
if [ "${1-}" = --again ]; then again=yes && shift; fi
# What a user needs to clone and to type make; Node as the release packages it. Debian 12 packages Node 18, which the
# project does not run on: it gets the machine's own node and npm, as somebody with an older release installs one.
case ${1-} in
  12) suite=bookworm packages=ca-certificates,git,make,libstdc++6 node=machine ;;
  13) suite=trixie packages=ca-certificates,git,make,nodejs,npm node=release ;;
  *) echo "usage: $0 [--again] 12|13 [COMMAND...]" >&2 && exit 2 ;;
esac
release=$1
shift
[ "$#" -gt 0 ] || set -- 'make demo' 'make test'

here=$(cd "$(dirname "$0")" && pwd)
repository=$(git -C "${here}" rev-parse --show-toplevel)
roots=${BARE_ROOTS:-/var/tmp/bare-roots}
root=${roots}/debian-${release}
logs=${roots}/logs-${release}
# Each release has a path of its own: the lab's bridges are named by it, and two roots share one network.
project=/srv/debian-${release}/$(basename "${repository}")

say() { printf '\n== Debian %s: %s\n' "${release}" "$*"; }

make_root() {
  # shellcheck disable=SC2016 # apt's own variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$')
  say "mmdebstrap ${suite} into ${root}"
  mkdir -p "${roots}"
  if [ -d "${root}" ]; then
    # Minutes for an old root on a busy disk, which need not be waited for.
    old=$(mktemp -d "${roots}/old-XXXXXX")
    mv "${root}" "${old}"
    rm -rf --one-file-system "${old}" &
  fi
  mmdebstrap --quiet --variant=minbase --include="${packages}" "${suite}" "${root}" "${mirror}"
  apt-config dump | grep -E '^Acquire::(https?|Retries)(::| )' >"${root}/etc/apt/apt.conf.d/99machine" || true
}

# The machine's certificates, for a proxy that opens TLS, and where its npm fetches from.
share_network() {
  cp /etc/resolv.conf /etc/hosts "${root}/etc/"
  cp /usr/local/share/ca-certificates/*.crt "${root}/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "${root}" update-ca-certificates >/dev/null 2>&1
  [ -z "${NODE_EXTRA_CA_CERTS-}" ] || cp "${NODE_EXTRA_CA_CERTS}" "${root}/etc/ssl/machine-ca.pem"
  # npm's own list of certificates takes no note of the system's.
  echo cafile=/etc/ssl/certs/ca-certificates.crt >"${root}/root/.npmrc"
  for setting in registry proxy https-proxy noproxy; do
    value=$(npm config get "${setting}")
    case ${value} in '' | null | undefined) ;; *) echo "${setting}=${value}" >>"${root}/root/.npmrc" ;; esac
  done
}

# node must need no newer C library than the root's, and none of Debian's own files: one from nodejs.org or NodeSource.
copy_node() {
  modules=${root}/usr/local/lib/node_modules
  npm=$(readlink -f "$(command -v npm)")
  mkdir -p "${modules}"
  rm -rf "${modules}/npm"
  cp -r "$(dirname "$(dirname "${npm}")")" "${modules}/npm"
  cp "$(readlink -f "$(command -v node)")" "${root}/usr/local/bin/node"
  for name in npm npx; do ln -sfn "../lib/node_modules/npm/bin/${name}-cli.js" "${root}/usr/local/bin/${name}"; done
}

clone() {
  mkdir -p "${root}$(dirname "${project}")"
  [ -d "${root}${project}" ] || git clone --quiet --no-hardlinks "${repository}" "${root}${project}"
  git -C "${root}${project}" fetch --quiet "${repository}" HEAD
  git -C "${root}${project}" checkout --quiet --force --detach FETCH_HEAD
  say "$(git -C "${root}${project}" log -1 --format='%h %s'), Node $(chroot "${root}" node --version)"
}

# enter COMMAND: a mount and a process namespace of its own, so that all that the command started ends with it.
enter() {
  env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/machine-ca.pem} \
    ${http_proxy:+"http_proxy=${http_proxy}"} ${https_proxy:+"https_proxy=${https_proxy}"} \
    ${no_proxy:+"no_proxy=${no_proxy}"} \
    unshare --mount --propagation private --pid --fork --kill-child \
    sh "${here}/enter.sh" "${root}" "${project}" "$1" </dev/null
}

# judge COMMAND CODE LOG: prints the command's closing line, and fails unless everything ran and passed.
judge() {
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$3" | tail -n 1)
  closing=${counts:-$(sed '$d' "$3" | grep -v '^ *$' | tail -n 1)}
  result=ok
  # A run of the tests that counted nothing has shown nothing.
  if [ "$1" = 'make test' ] && [ -z "${counts}" ]; then result='no closing line'; fi
  case ${counts} in '' | *' passed, 0 failed, 0 skipped') ;; *) result='not clean' ;; esac
  [ "$2" = 0 ] || result="exit $2"
  printf '  %s: %s: %s\n' "$1" "${result}" "${closing}"
  [ "${result}" = ok ]
}

if [ "${again}" = no ] || [ ! -d "${root}" ]; then make_root; fi
share_network
[ "${node}" = release ] || copy_node
clone
rm -rf "${logs}"
mkdir -p "${logs}"
status=0
number=0
for command in "$@"; do
  number=$((number + 1))
  say "${command}"
  # The code goes through the log: a pipeline ends with its last command's.
  { enter "${command}" 2>&1 && printf '\nexit code 0\n' || printf '\nexit code %s\n' "$?"; } | tee "${logs}/${number}"
done
# The engines ended with their namespaces; what is left of them in the machine's kernel goes now.
enter 'node bin/runner-image.mjs lab down --quiet' >/dev/null 2>&1 || true
say 'closing lines'
number=0
for command in "$@"; do
  number=$((number + 1))
  code=$(sed -n '$s/^exit code //p' "${logs}/${number}")
  judge "${command}" "${code}" "${logs}/${number}" || status=1
done
exit "${status}"
