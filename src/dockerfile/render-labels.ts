import { AppError } from '../errors/index.ts';
import { labelNames, type ImagePin, type Platform, type VariantDefinition } from '../core/index.ts';

/** Version of the runner-image contract that the images keep. */
export const contractVersion = '1';

// Labels that UBI sets and that would say of this image what is true of the base alone. A label
// cannot be removed, so those with no counterpart here are emptied.
function inherited(variant: VariantDefinition, vendor: string, url: string): Record<string, string> {
  return {
    name: variant.name,
    summary: variant.title,
    description: variant.description,
    maintainer: vendor,
    vendor,
    url,
    'vcs-type': 'git',
    // Counts rebuilds of one version, of which there are none: another build is another version.
    release: '1',
    cpe: '',
    'distribution-scope': 'public',
    'com.redhat.component': '',
    'com.redhat.license_terms': '',
    'com.redhat.build-host': '',
    'io.buildah.version': '',
    'io.k8s.description': variant.description,
    'io.k8s.display-name': variant.title,
    'io.openshift.expose-services': '8001:http',
    'io.openshift.tags': 'ambient,runner,ag-ui',
  };
}

/**
 * staticLabels returns the labels that a plan decides, by key order: OCI's own (image-spec
 * annotations.md), the contract's, and the base's where they would misdescribe the image.
 */
export function staticLabels(
  variant: VariantDefinition,
  labels: Readonly<Record<string, string>>,
  base: ImagePin,
  lab: boolean,
): Readonly<Record<string, string>> {
  const source = labels[labelNames.source] ?? '';
  const all: Record<string, string> = {
    ...inherited(variant, labels['org.opencontainers.image.vendor'] ?? '', source),
    'org.opencontainers.image.url': source,
    ...labels,
    ...variant.labels,
    [labelNames.contract]: contractVersion,
    [labelNames.variant]: variant.name,
    [labelNames.title]: variant.title,
    [labelNames.description]: variant.description,
    // The upstream's own name, also where the bytes come from a mirror: the digest is the same.
    [labelNames.baseName]: `${base.repository}:${base.version}`,
    [labelNames.baseDigest]: base.digest,
    ...(lab ? { [labelNames.lab]: 'true' } : {}),
  };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What an image is called that was built by hand, without arguments: Red Hat's preflight wants a version. */
export const unversioned = 'unversioned';

/** Labels of one build, from build arguments: none of them carries a pin. */
const dynamic: readonly (readonly [label: string, argument: string])[] = [
  ['architecture', 'TARGETARCH'],
  ['build-date', 'CREATED'],
  [labelNames.inputDigest, 'INPUT_DIGEST'],
  [labelNames.created, 'CREATED'],
  [labelNames.revision, 'GIT_COMMIT'],
  [labelNames.version, 'VERSION'],
  ['vcs-ref', 'GIT_COMMIT'],
  ['version', 'VERSION'],
];

function quoted(key: string, value: string): string {
  // The schema refuses these already; a Dockerfile is the wrong place to find out otherwise.
  if (/[\p{Cc}\p{Zl}\p{Zp}"\\$`]/u.test(value) || !/^[a-z0-9._/-]+$/.test(key))
    throw new AppError(
      'dockerfile/unsafe-label',
      'usage',
      `the label ${JSON.stringify(key)} cannot be written safely`,
      {
        found: JSON.stringify(value.slice(0, 120)),
      },
    );
  return `${key}="${value}"`;
}

/** renderLabels returns the LABEL and ARG instructions that end the image's stage. */
export function renderLabels(labels: Readonly<Record<string, string>>, platforms: readonly Platform[]): string {
  const literals = Object.entries(labels).map(([key, value]) => `    ${quoted(key, value)}`);
  const variables = dynamic.map(([label, argument]) => `    ${label}="\${${argument}}"`);
  return [
    '# --- labels: literals first. Inherited ones that would describe the base are overridden.',
    `LABEL \\\n${literals.join(' \\\n')}`,
    '',
    '# --- facts of one build. They come last, so that a new commit changes no layer, and no pin is',
    `# among them: a build argument cannot change what goes in. Platforms: ${platforms.join(', ')}.`,
    'ARG TARGETARCH',
    'ARG CREATED=""',
    'ARG GIT_COMMIT=""',
    'ARG INPUT_DIGEST=""',
    `ARG VERSION="${unversioned}"`,
    `LABEL \\\n${variables.join(' \\\n')}`,
    '',
  ].join('\n');
}
