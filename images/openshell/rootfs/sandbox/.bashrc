# shellcheck shell=bash
# Interactive shells in the sandbox. Their environment arrives cleared, so PATH is rebuilt here.
export VIRTUAL_ENV=/sandbox/.venv
case ":${PATH}:" in
  *":${VIRTUAL_ENV}/bin:"*) ;;
  *) export PATH="${VIRTUAL_ENV}/bin:/usr/local/bin:/usr/bin:/bin${PATH:+:${PATH}}" ;;
esac
umask 0022
