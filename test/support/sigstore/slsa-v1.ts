/**
 * The form of an in-toto statement with SLSA provenance v1 as JSON Schema, written from the specification's own
 * protobuf definitions (in-toto attestation framework: v1/statement, v1/resource_descriptor,
 * predicates/provenance/v1/provenance; the same in slsa.dev/spec/v1.0/schema) and, for what is required, from
 * slsa.dev/spec/v1.0/provenance and in-toto's spec/v1. Independent of the schema that the project itself uses:
 * a protobuf reader knows no other members, so none are allowed.
 */
const text = { type: 'string', minLength: 1 };
const uri = { type: 'string', format: 'uri' };
const object = { type: 'object' };
const time = { type: 'string', format: 'date-time' };

const message = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** Algorithms and lengths of in-toto's spec/v1/digest_set.md, as far as this project writes any. */
const digestSet = {
  ...message({
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    sha384: { type: 'string', pattern: '^[0-9a-f]{96}$' },
    sha512: { type: 'string', pattern: '^[0-9a-f]{128}$' },
    gitCommit: { type: 'string', pattern: '^[0-9a-f]{40}$' },
    gitTree: { type: 'string', pattern: '^[0-9a-f]{40}$' },
  }),
  minProperties: 1,
};

const resource = {
  ...message({
    name: text,
    uri,
    digest: digestSet,
    content: text,
    downloadLocation: uri,
    mediaType: text,
    annotations: object,
  }),
  anyOf: [{ required: ['uri'] }, { required: ['digest'] }, { required: ['content'] }],
};
const resources = { type: 'array', items: resource };

const predicate = message(
  {
    buildDefinition: message(
      {
        buildType: uri,
        externalParameters: object,
        internalParameters: object,
        resolvedDependencies: resources,
      },
      ['buildType', 'externalParameters'],
    ),
    runDetails: message(
      {
        builder: message(
          {
            id: uri,
            version: { type: 'object', additionalProperties: { type: 'string' } },
            builderDependencies: resources,
          },
          ['id'],
        ),
        metadata: message({ invocationId: text, startedOn: time, finishedOn: time }),
        byproducts: resources,
      },
      ['builder'],
    ),
  },
  ['buildDefinition', 'runDetails'],
);

export const slsaStatement = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...message(
    {
      _type: { const: 'https://in-toto.io/Statement/v1' },
      subject: {
        type: 'array',
        minItems: 1,
        items: { ...resource, required: ['digest'] },
      },
      predicateType: { const: 'https://slsa.dev/provenance/v1' },
      predicate,
    },
    ['_type', 'subject', 'predicateType', 'predicate'],
  ),
};
