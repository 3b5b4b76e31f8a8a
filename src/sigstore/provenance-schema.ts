import * as z from 'zod';

export const digestSet = z.record(z.string().min(1), z.string().regex(/^[0-9a-f]{40,128}$/, 'not a hex digest'));

/** ResourceDescriptor (in-toto, spec/v1/resource_descriptor.md): at least one way to say what it is. */
export const resource = z
  .strictObject({
    name: z.string().optional(),
    uri: z.url().optional(),
    digest: digestSet.optional(),
    content: z.string().optional(),
    downloadLocation: z.url().optional(),
    mediaType: z.string().optional(),
    annotations: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(({ uri, digest, content }) => uri !== undefined || digest !== undefined || content !== undefined, {
    error: 'a resource needs a uri, a digest or content',
  });

const timestamp = z.iso.datetime({ offset: true });

/**
 * SLSA provenance v1 (slsa.dev/spec/v1.0/provenance). Unknown members are allowed where the spec lets
 * builders extend it; what the spec requires must be there.
 */
export const provenanceSchema = z.object({
  buildDefinition: z.object({
    buildType: z.url(),
    externalParameters: z.record(z.string(), z.unknown()),
    internalParameters: z.record(z.string(), z.unknown()).optional(),
    resolvedDependencies: z.array(resource).optional(),
  }),
  runDetails: z.object({
    builder: z.object({
      id: z.url(),
      version: z.record(z.string(), z.string()).optional(),
      builderDependencies: z.array(resource).optional(),
    }),
    metadata: z
      .object({
        invocationId: z.string().optional(),
        startedOn: timestamp.optional(),
        finishedOn: timestamp.optional(),
      })
      .optional(),
    byproducts: z.array(resource).optional(),
  }),
});
export type Provenance = Readonly<z.infer<typeof provenanceSchema>>;
export type ResourceDescriptor = Readonly<z.infer<typeof resource>>;
