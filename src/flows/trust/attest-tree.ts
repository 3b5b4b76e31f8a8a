import { formatImageRef, isPlatform, labelNames, type Digest, type ImageRef, type Platform } from '../../core/index.ts';
import { AppError, throwAll } from '../../errors/index.ts';
import { checkProvenance, makeStatement, maxStatementBytes, type Provenance } from '../../sigstore/index.ts';
import { attachAll, treeEvidence, type SigningContext, type TreeEvidence, type Wanted } from './attach.ts';
import { attestLegacyTags } from './legacy-write.ts';
import type { Observed } from './provenance.ts';
import type { Signed } from './sign-tree.ts';
import { treeOf } from './sign-tree.ts';
import { labelsOf, nameOf, type Tree, type TreeNode } from './tree.ts';

export interface Attestable {
  /** Made when it is known what the images say of their own build. */
  readonly provenance: (observed: Observed) => Provenance;
  /** CycloneDX JSON by the digest of the image it describes; every image of the tree needs one. */
  readonly sboms: ReadonlyMap<Digest, string>;
  /** Held against the images' own label, so that a plan cannot be attested for another build. */
  readonly inputDigest?: Digest | undefined;
}

/** Characters of an SBOM as a file, with its indentation. */
const maxSbom = 4 * maxStatementBytes;

function readSbom(name: string, text: string): Record<string, unknown> {
  if (text.length > maxSbom)
    throw new AppError('sigstore/too-large', 'usage', `the SBOM of ${name} is too large for the transparency log`, {
      expected: `at most ${maxStatementBytes} bytes without indentation`,
      found: `${text.length} characters`,
      hint: 'keep its components at the level of packages',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('trust/sbom', 'usage', `the SBOM of ${name} is not JSON`, { cause });
  }
  if (typeof value === 'object' && value !== null && (value as { bomFormat?: unknown }).bomFormat === 'CycloneDX')
    return value as Record<string, unknown>;
  throw new AppError('trust/sbom', 'usage', `the SBOM of ${name} is no CycloneDX document`);
}

/** What all images of one build say in the same words. */
const shared = [labelNames.revision, labelNames.created, labelNames.version] as const;

/** observe reads what the images say of their build, and holds their inputs against the plan's. */
async function observe({ registry }: SigningContext, tree: Tree, wanted: Digest | undefined): Promise<Observed> {
  const images = tree.nodes.filter(({ role }) => role === 'image');
  const all = await Promise.all(images.map((node) => labelsOf(registry, tree, node)));
  const [labels = {}] = all;
  throwAll(
    images.flatMap((node, at) => {
      const own = all[at] ?? {};
      const inputs = own[labelNames.inputDigest];
      const errors: AppError[] = [];
      if (wanted !== undefined && inputs !== wanted)
        errors.push(
          new AppError('trust/other-inputs', 'usage', `${nameOf(node)} was not built from this plan`, {
            expected: wanted,
            found: inputs ?? `no label ${labelNames.inputDigest}`,
            hint: 'check out the commit that built it, or build it again',
          }),
        );
      if ((own[labelNames.revision] ?? '') === '')
        errors.push(
          new AppError('trust/no-revision', 'usage', `${nameOf(node)} does not say which commit it was built from`, {
            expected: `the label ${labelNames.revision}`,
            found: 'none',
            hint: 'build it again: `build` writes the label from the commit',
          }),
        );
      for (const name of shared)
        if (own[name] !== labels[name])
          errors.push(
            new AppError(
              'trust/other-build',
              'usage',
              `${nameOf(node)} is of another build than the images beside it`,
              {
                expected: `${name} ${labels[name] ?? 'absent'}`,
                found: own[name] ?? 'absent',
              },
            ),
          );
      return errors;
    }),
  );
  const named = images.map((node) => {
    const platform = ourPlatform(node);
    return { digest: node.descriptor.digest, platform };
  });
  return { labels, images: named };
}

/** `linux/arm64` of `linux/arm64/v8`, too. */
function ourPlatform({ platform }: TreeNode): Platform | undefined {
  const text = platform?.split('/').slice(0, 2).join('/') ?? '';
  return isPlatform(text) ? text : undefined;
}

/** Nothing is attached to what carries no image signature: cosign takes any verified bundle for one. */
export function demandSigned(evidence: TreeEvidence, tree: Tree): void {
  const bare: string[] = [];
  let refusals = 0;
  for (const node of tree.nodes) {
    const attestations = evidence.get(node.descriptor.digest) ?? [];
    const signed = attestations.some(({ result }) => result.$case === 'verified' && result.attestation === 'signature');
    if (signed) continue;
    const refused = attestations.flatMap(({ result }) =>
      result.$case === 'refused' ? [`${result.code}: ${result.detail}`] : [],
    );
    refusals += refused.length;
    const why = refused.length === 0 ? '' : ` (refused: ${refused.slice(0, 3).join('; ')})`;
    bare.push(`${nameOf(node)} ${node.descriptor.digest}${why}`);
  }
  if (bare.length === 0) return;
  // Nothing attached: a step was left out. Something that does not count: that is what was found.
  const exit = refusals === 0 ? 'usage' : 'findings';
  throw new AppError('trust/unsigned', exit, 'an image is signed before anything is attested about it', {
    expected: 'an image signature of the policy’s signer on every node',
    found: `none on ${bare.join(', ')}`,
    hint: 'run `runner-image sign` with the same digest first',
  });
}

/**
 * attestTree attaches provenance to the index and every image, and to each image its SBOM. A second
 * run adds nothing. Throws `trust/*`, `sigstore/*` and RegistryError, before anything is attached
 * wherever the fault can be known before.
 */
export async function attestTree(
  signing: SigningContext,
  image: ImageRef | Tree,
  { provenance, sboms, inputDigest }: Attestable,
  options: { readonly legacy?: boolean | undefined } = {},
): Promise<Signed> {
  const tree = await treeOf(signing, image);
  const observed = await observe(signing, tree, inputDigest);
  const images = tree.nodes.filter(({ role }) => role === 'image');
  throwAll(
    images
      .filter(({ descriptor }) => !sboms.has(descriptor.digest))
      .map(
        (node) => new AppError('trust/sbom', 'usage', `there is no SBOM for ${nameOf(node)} ${node.descriptor.digest}`),
      ),
  );
  const evidence = await treeEvidence(signing, tree);
  demandSigned(evidence, tree);
  const predicate = checkProvenance(provenance(observed));
  const repository = `${tree.repo.registry}/${tree.repo.repository}`;
  const wanted: Wanted[] = [
    ...tree.nodes.map((node) => ({
      node,
      statement: makeStatement('provenance', node.descriptor.digest, { ...predicate }, repository),
    })),
    ...images.map((node) => {
      const bom = readSbom(nameOf(node), sboms.get(node.descriptor.digest) ?? '');
      return { node, statement: makeStatement('sbom', node.descriptor.digest, bom, repository) };
    }),
  ];
  const bundles = await attachAll(signing, tree, wanted, evidence);
  const legacy = options.legacy === true ? await attestLegacyTags(signing, tree) : [];
  return { reference: formatImageRef({ ...tree.repo, digest: tree.digest }), bundles, legacy };
}
