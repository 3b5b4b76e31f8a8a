/**
 * A SLSA verification summary v1 as JSON Schema, written from slsa.dev/spec/v1.0/verification_summary (model and field
 * descriptions) and in-toto's spec/v1/resource_descriptor: what the specification requires is required, and no member is
 * allowed that it does not define. Independent of the schema that the project itself uses.
 */
const text = { type: 'string', minLength: 1 };
const uri = { type: 'string', format: 'uri' };
const hex = { type: 'object', properties: { sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } } };
const digest = { ...hex, minProperties: 1, additionalProperties: false };
const level = { type: 'string', pattern: '^(FAILED|SLSA_BUILD_LEVEL_(UNEVALUATED|[0-3]))$' };

const message = (properties: object, required: readonly string[]): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

export const vsaStatement = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...message(
    {
      _type: { const: 'https://in-toto.io/Statement/v1' },
      subject: { type: 'array', minItems: 1, items: message({ name: text, digest }, ['digest']) },
      predicateType: { const: 'https://slsa.dev/verification_summary/v1' },
      predicate: message(
        {
          verifier: message({ id: uri, version: { type: 'object', additionalProperties: text } }, ['id']),
          timeVerified: { type: 'string', format: 'date-time' },
          resourceUri: uri,
          policy: message({ uri, digest }, ['uri']),
          inputAttestations: { type: 'array', items: message({ uri, digest }, ['digest']) },
          verificationResult: { enum: ['PASSED', 'FAILED'] },
          // At most one level of each track, and FAILED alone.
          verifiedLevels: { type: 'array', items: level, minItems: 1, maxItems: 1 },
          dependencyLevels: { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } },
          slsaVersion: { type: 'string', pattern: '^[0-9]+\\.[0-9]+$' },
        },
        ['verifier', 'resourceUri', 'policy', 'verificationResult', 'verifiedLevels'],
      ),
    },
    ['_type', 'subject', 'predicateType', 'predicate'],
  ),
};
