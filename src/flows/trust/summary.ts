import { formatImageRef, isDigest, type Digest, type ImageRef } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  makeSummary,
  predicateTypes,
  readStatement,
  subjectIs,
  summarySchema,
  type Statement,
  type SummaryFacts,
  type TrustPolicy,
} from '../../sigstore/index.ts';
import { attachAll, treeEvidence, type Pen } from './attach.ts';
import { demandSigned } from './attest-tree.ts';
import { treeToSign, type Signed } from './sign-tree.ts';
import type { TreeReport } from './verify-tree.ts';

const maxSummaryBytes = 1024 * 1024;

/** A referrer's digest, or that of the layer under a legacy tag. */
function digestIn(source: string): Digest[] {
  const last = source.split(' ').at(-1) ?? '';
  return isDigest(last) ? [last] : [];
}

/** summaryOf says what a verification found, and nothing about nodes that its policy did not ask about. */
export function summaryOf(
  { ok, nodes: all }: TreeReport,
  asked: TrustPolicy['nodes'],
  facts: Omit<SummaryFacts, 'subjects' | 'inputs' | 'passed' | 'provenance'>,
): Statement {
  const nodes = asked === 'root' ? all.slice(0, 1) : all;
  const accepted = nodes.flatMap(({ proofs }) => proofs.flatMap(({ source }) => digestIn(source)));
  return makeSummary({
    ...facts,
    subjects: [...new Set(nodes.map(({ digest }) => digest))],
    inputs: [...new Set(accepted)],
    passed: ok,
    provenance: nodes.every(({ proofs }) => proofs.some(({ attestation }) => attestation === 'provenance')),
  });
}

const refused = (message: string, file: string, expected: string, found?: string): AppError =>
  new AppError('trust/vsa', 'usage', message, {
    expected,
    found,
    where: { file },
    hint: 'write it with `runner-image verify --vsa FILE` in this job, then sign it',
  });

/** readSummary reads what `verify --vsa` wrote. Throws `trust/vsa`. */
export async function readSummary(host: Host, file: string): Promise<Statement> {
  const statement = readStatement(await host.files.read(file, maxSummaryBytes));
  if (statement?.predicateType !== predicateTypes.summary)
    throw refused('the file holds no verification summary', file, `an in-toto statement, ${predicateTypes.summary}`);
  const { error } = summarySchema.safeParse(statement.predicate);
  if (error === undefined) return statement;
  const [issue] = error.issues;
  throw refused(
    'the verification summary is malformed',
    file,
    'SLSA v1',
    `${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/**
 * attestSummary signs a summary and attaches it to the image that it is about. Its verifier is its signer: a summary in
 * the name of another is refused. Throws `trust/vsa`, `trust/unsigned`, and what attachAll throws.
 */
export async function attestSummary(pen: Pen, ref: ImageRef, file: string): Promise<Signed> {
  const statement = await readSummary(pen.host, file);
  const tree = await treeToSign(pen.registry, ref);
  const [root] = tree.nodes;
  if (root === undefined || !subjectIs(statement, tree.digest))
    throw refused('the verification summary is about another image', file, tree.digest);
  const self = await pen.signer.self();
  const { verifier } = summarySchema.parse(statement.predicate);
  if ('identity' in self && verifier.id !== self.identity.name)
    throw refused(
      'the verification summary names another verifier than its signer',
      file,
      self.identity.name,
      verifier.id,
    );
  const evidence = await treeEvidence(pen, tree);
  demandSigned(evidence, tree);
  const bundles = await attachAll(pen, tree, [{ node: root, statement }], evidence);
  return { reference: formatImageRef({ ...tree.repo, digest: tree.digest }), bundles, legacy: [] };
}
