import { labelNames, type Finding, type RuleInfo } from '../../core/index.ts';
import type { Rule } from '../context.ts';
import { atConfig, finding } from '../finding.ts';
import { layerOrigin } from '../blame.ts';

const layers: RuleInfo = {
  id: 'contract/base-layers',
  severity: 'error',
  section: '3.9',
  summary: "The image's first layers are exactly those of the pinned base.",
  remediation: 'Build FROM the published base by digest, without squashing or flattening.',
};

export const baseLayers: Rule = {
  info: layers,
  check(context): Finding[] {
    const { base, picture } = context;
    if (base === undefined) {
      context.undecided(layers, 'the base image is not known');
      return [];
    }
    const theirs = base.config.rootfs.diff_ids;
    const differs = theirs.findIndex((diffId, index) => picture.layers[index]?.diffId !== diffId);
    if (differs < 0) return [];
    const name = base.reference ?? base.digest ?? 'the base';
    const own = picture.layers[differs];
    const found = own === undefined ? `the image has only ${picture.layers.length} layers` : `it is ${own.diffId}`;
    const message = `layer ${differs} must be ${theirs[differs] ?? ''} of ${name}; ${found}`;
    return [
      finding(layers, `layer ${differs}`, message, { $case: 'path', path: '/', layer: layerOrigin(picture, differs) }),
    ];
  },
};

const digest: RuleInfo = {
  id: 'contract/base-digest',
  severity: 'error',
  section: '3.9',
  summary: 'The label that names the base by digest names the base that it was built on.',
  remediation: `Set ${labelNames.baseDigest} to the digest in the FROM instruction.`,
};

export const baseDigest: Rule = {
  info: digest,
  check(context): Finding[] {
    const said = context.labels[labelNames.baseDigest];
    const wanted = context.base?.digest;
    if (wanted === undefined) {
      context.undecided(digest, 'the digest of the base image is not known');
      return [];
    }
    if (said === undefined || said === '' || said === wanted) return [];
    // A label that still carries the base's own base is the label-inherited rule's to report.
    if (said === context.base?.config.config?.Labels?.[labelNames.baseDigest]) return [];
    const message = `label ${labelNames.baseDigest} must be ${wanted}, the base that was given; it is ${said.slice(0, 100)}`;
    return [
      finding(
        digest,
        labelNames.baseDigest,
        message,
        atConfig(context, `Labels.${labelNames.baseDigest}`, 'LABEL', labelNames.baseDigest),
      ),
    ];
  },
};
