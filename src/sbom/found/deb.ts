import type { Declared } from '../component.ts';

export const dpkgStatus = '/var/lib/dpkg/status';

/** readDpkgStatus lists the installed packages of a dpkg status file (deb822 stanzas). */
export function readDpkgStatus(text: string): Declared[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim();
    const name = field('Package');
    const version = field('Version');
    const isInstalled = field('Status')?.endsWith(' installed') ?? false;
    if (name === undefined || version === undefined || !isInstalled) return [];
    const arch = field('Architecture');
    return [
      {
        ecosystem: 'deb' as const,
        name,
        version,
        purl: {
          type: 'deb' as const,
          namespace: 'debian',
          name,
          version,
          qualifiers: arch === undefined ? undefined : { arch },
        },
      },
    ];
  });
}
