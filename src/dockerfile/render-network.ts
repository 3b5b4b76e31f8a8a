/**
 * What every RUN that uses the network starts with. `ca` is the bundle to trust: the base's own, or
 * that and build-ca/extra.pem where a build was given one (a proxy that intercepts TLS). The mount
 * ends with the step and the joined bundle lies in /tmp, so no layer keeps the extra certificate:
 * steps of the image's own stage remove it. `"$@"` hands the bundle to dnf in that case alone.
 */
export const networkPrelude = [
  '--mount=type=bind,source=build-ca,target=/run/build-ca \\',
  '    set -eu; \\',
  '    ca=/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem; \\',
  '    if [ -f /run/build-ca/extra.pem ]; then \\',
  '        cat "$ca" /run/build-ca/extra.pem > /tmp/build-ca.pem; \\',
  '        ca=/tmp/build-ca.pem; \\',
  '        set -- "--setopt=sslcacert=$ca"; \\',
  '    fi; \\',
].join('\n');
