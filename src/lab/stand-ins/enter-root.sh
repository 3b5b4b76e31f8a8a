#!/bin/sh
# enter-root.sh ROOT DIRECTORY DIRECTORY COMMAND...: runs COMMAND with ROOT as its root file system,
# in a mount namespace that the caller made (unshare --mount). pivot_root and not chroot, since
# runc's own pivot_root fails inside a chroot ("mount /: invalid argument"). The two directories
# are seen at the same paths inside.
set -eu
root=$1 run=$2 data=$3
shift 3
mount --bind "$root" "$root"
for directory in proc sys dev; do mount --rbind "/$directory" "$root/$directory"; done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for directory in "$run" "$data"; do
  mkdir -p "$root$directory"
  mount --bind "$directory" "$root$directory"
done
cat /etc/resolv.conf >"$root/run/resolv.conf" 2>/dev/null || true
ln -sfn /run/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts" 2>/dev/null || true
cd "$root"
pivot_root . old
umount -l /old
exec "$@"
