# shellcheck shell=sh
# Login shells: the same environment as interactive ones. POSIX sh reads this file, too.
export HOME=/sandbox
if [ -r "${HOME}/.bashrc" ]; then
  # shellcheck source=images/openshell/rootfs/sandbox/.bashrc
  . "${HOME}/.bashrc"
fi
