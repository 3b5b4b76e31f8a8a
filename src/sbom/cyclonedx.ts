import { createHash } from 'node:crypto';
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import parseSpdxExpression from 'spdx-expression-parse';
import { hexOf, type Picture } from '../core/index.ts';
import type { Package } from './component.ts';

/** About is what the document says of the image itself. */
export interface About {
  /** `host/repository`, without tag. */
  readonly repository: string;
  readonly version?: string | undefined;
  /** Seconds since 1970: the document's timestamp, so that it is the same each time. */
  readonly sourceDateEpoch: number;
  readonly toolVersion: string;
}

/**
 * toCycloneDx writes a CycloneDX 1.6 document, byte for byte the same for the same image: components by
 * purl, bom-refs from purl and path, a serial number (UUID, version 5 form) from the manifest's digest.
 */
export function toCycloneDx(picture: Picture, packages: readonly Package[], about: About): string {
  // An SPDX id or expression is written as such; anything else is kept as the publisher's own words.
  const licenses = new Contrib.License.Factories.LicenseFactory((text) => void parseSpdxExpression(text));
  const bom = new Models.Bom({
    version: 1,
    serialNumber: serialNumber(picture.manifestDigest),
    metadata: new Models.Metadata({
      timestamp: new Date(about.sourceDateEpoch * 1000),
      component: new Models.Component(Enums.ComponentType.Container, about.repository, {
        bomRef: `image:${picture.manifestDigest}`,
        version: about.version ?? picture.manifestDigest,
        purl: `pkg:oci/${about.repository.split('/').at(-1) ?? ''}@${encodeURIComponent(picture.manifestDigest)}?arch=${picture.config.architecture}&repository_url=${encodeURIComponent(about.repository)}`,
        hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], hexOf(picture.manifestDigest)]]),
      }),
      tools: new Models.Tools({
        components: new Models.ComponentRepository([
          new Models.Component(Enums.ComponentType.Application, 'openshell-runner-images', {
            version: about.toolVersion,
          }),
        ]),
      }),
    }),
  });
  for (const found of packages) {
    bom.components.add(
      new Models.Component(Enums.ComponentType.Library, found.name, {
        bomRef: `${found.purl}#${found.path}`,
        version: found.version,
        purl: found.purl,
        licenses: new Models.LicenseRepository(
          found.license === undefined ? [] : [licenses.makeFromString(found.license)],
        ),
        hashes: new Models.HashDictionary(
          found.sha256 === undefined ? [] : [[Enums.HashAlgorithm['SHA-256'], found.sha256]],
        ),
        externalReferences: new Models.ExternalReferenceRepository(
          found.origin === undefined
            ? []
            : [
                new Models.ExternalReference(
                  found.origin.url,
                  found.origin.kind === 'vcs'
                    ? Enums.ExternalReferenceType.VCS
                    : Enums.ExternalReferenceType.Distribution,
                  {
                    hashes: new Models.HashDictionary(
                      found.origin.sha256 === undefined ? [] : [[Enums.HashAlgorithm['SHA-256'], found.origin.sha256]],
                    ),
                  },
                ),
              ],
        ),
        properties: new Models.PropertyRepository(
          propertiesOf(found).map(([name, value]) => new Models.Property(name, value)),
        ),
      }),
    );
  }
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 1 })}\n`;
}

function propertiesOf(found: Package): [string, string][] {
  return [
    ['openshell-runner-images:layer', found.layer.digest],
    ['openshell-runner-images:path', found.path],
    ...(found.pin === undefined ? [] : [['openshell-runner-images:pin', found.pin] as [string, string]]),
  ];
}

/** The digest's first 16 bytes with the version and variant bits of RFC 9562 set. */
function serialNumber(digest: string): string {
  const bytes = createHash('sha256').update(`openshell-runner-images ${digest}`).digest().subarray(0, 16);
  bytes.writeUInt8(((bytes[6] ?? 0) & 0x0f) | 0x50, 6);
  bytes.writeUInt8(((bytes[8] ?? 0) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
