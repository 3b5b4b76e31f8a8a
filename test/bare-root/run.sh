#!/bin/sh
# run.sh [--again] RELEASE [COMMAND...]: runs the project's commands in a bare Debian root, as a user would on a
# fresh machine: 12 or 13, `make demo` and `make test` unless others are given. Exits 0 only when every command
# did, and no closing line counts a failed or a skipped test.
#
# Needs root, mmdebstrap, and a Debian mirror in apt's sources. The root is made anew each time under BARE_ROOTS
# (default /var/tmp/bare-roots); --again keeps what an earlier run installed and cached. What runs there is the
# last commit of the repository that this script stands in. Network, certificates, npm's registry and proxies are the
# machine's; nothing else of it is seen inside.
set -eu

again=no
if [ "${1-}" = --again ]; then again=yes && shift; fi
case ${1-} in
  12) suite=bookworm ;;
  13) suite=trixie ;;
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
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$')
  say "mmdebstrap ${suite} into ${root}"
  rm -rf --one-file-system "${root}"
  mkdir -p "${roots}"
  # What a user needs to clone and to type make; Node as the release packages it.
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,git,make,nodejs,npm \
    "${suite}" "${root}" "${mirror}"
  apt-config dump | grep -E '^Acquire::(https?|Retries)(::| )' >"${root}/etc/apt/apt.conf.d/99machine" || true
}

# The machine's certificates, for a proxy that opens TLS, and where its npm fetches from.
share_network() {
  cp /etc/resolv.conf /etc/hosts "${root}/etc/"
  cp /usr/local/share/ca-certificates/*.crt "${root}/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "${root}" update-ca-certificates >/dev/null 2>&1
  [ -z "${NODE_EXTRA_CA_CERTS-}" ] || cp "${NODE_EXTRA_CA_CERTS}" "${root}/etc/ssl/machine-ca.pem"
  : >"${root}/root/.npmrc"
  for setting in registry proxy https-proxy noproxy; do
    value=$(npm config get "${setting}")
    case ${value} in '' | null | undefined) ;; *) echo "${setting}=${value}" >>"${root}/root/.npmrc" ;; esac
  done
  # npm's own list of certificates takes no note of the system's.
  echo cafile=/etc/ssl/certs/ca-certificates.crt >>"${root}/root/.npmrc"
}

# Debian 12 packages Node 18, which the project does not run on: it gets the machine's own node and npm instead, as
# somebody with an older release would install one. node must not be newer than the root's C library.
ensure_node() {
  if chroot "${root}" node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    return
  fi
  say "Node $(chroot "${root}" node --version) is too old; taking the machine's $(node --version)"
  chroot "${root}" apt-get -qq install -y --no-install-recommends libstdc++6 >/dev/null
  mkdir -p "${root}/usr/local/lib/node_modules"
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  rm -rf "${root}/usr/local/lib/node_modules/npm"
  cp "$(readlink -f "$(command -v node)")" "${root}/usr/local/bin/node"
  cp -r "${npm}" "${root}/usr/local/lib/node_modules/npm"
  for name in npm npx; do ln -sfn "../lib/node_modules/npm/bin/${name}-cli.js" "${root}/usr/local/bin/${name}"; done
  chroot "${root}" /usr/local/bin/node --version
}

clone() {
  mkdir -p "${root}$(dirname "${project}")"
  [ -d "${root}${project}" ] || git clone --quiet --no-hardlinks "${repository}" "${root}${project}"
  git -C "${root}${project}" fetch --quiet "${repository}" HEAD
  git -C "${root}${project}" checkout --quiet --force --detach FETCH_HEAD
  say "$(git -C "${root}${project}" log -1 --format='%h %s')"
}

# enter COMMAND: a mount and a process namespace of its own, so that all that the command started ends with it.
enter() {
  # shellcheck disable=SC2086 # the names of proxy variables are one word each
  env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/machine-ca.pem} \
    ${http_proxy:+http_proxy="${http_proxy}"} ${https_proxy:+https_proxy="${https_proxy}"} \
    ${no_proxy:+no_proxy="${no_proxy}"} \
    unshare --mount --propagation private --pid --fork --kill-child \
    sh "${here}/enter.sh" "${root}" "${project}" "$1" </dev/null
}

[ "${again}" = yes ] && [ -d "${root}" ] || make_root
share_network
ensure_node
clone
mkdir -p "${logs}"
status=0
verdicts=
for command in "$@"; do
  log=${logs}/$(printf '%.40s' "${command}" | tr -c 'a-zA-Z0-9' -).log
  say "${command}"
  { enter "${command}" 2>&1 && echo 0 >"${log}.code" || echo "$?" >"${log}.code"; } | tee "${log}"
  code=$(cat "${log}.code")
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "${log}" | tail -n 1)
  closing=${counts:-$(grep -v '^ *$' "${log}" | tail -n 1)}
  result=ok
  [ "${code}" = 0 ] || result="exit ${code}"
  case ${counts} in '' | *' passed, 0 failed, 0 skipped') ;; *) [ "${code}" != 0 ] || result='not clean' ;; esac
  # A run of the tests that counted nothing has shown nothing.
  [ "${command}" != 'make test' ] || [ -n "${counts}" ] || result='no closing line'
  [ "${result}" = ok ] || status=1
  verdicts="${verdicts}  ${command}: ${result}: ${closing}
"
done
enter 'node bin/runner-image.mjs lab down --quiet' >/dev/null 2>&1 || true
say "closing lines"
printf '%s' "${verdicts}"
exit "${status}"
