#!/bin/sh
# enter.sh ROOT FOLDER COMMAND: runs COMMAND by a shell in FOLDER with ROOT as its root file system, as process 1 of
# the namespaces that the caller made. pivot_root and not chroot, since container runtimes pivot themselves, and
# cannot inside a chroot.
set -eu
root=$1 folder=$2 command=$3
mount --bind "${root}" "${root}"
mount -t proc proc "${root}/proc"
for directory in sys dev; do mount --rbind "/${directory}" "${root}/${directory}"; done
mount -t tmpfs -o mode=755 tmpfs "${root}/run"
mkdir -p "${root}/run/lock" "${root}/run/old"
cd "${root}"
pivot_root . run/old
umount -l /run/old
cd "${folder}"
sh -c "${command}" &
wait "$!"
