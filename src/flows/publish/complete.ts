import { fromOciPlatform, parseIndex, type Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout } from '../../oci/layout/index.ts';

/**
 * requirePlatforms refuses a layout that was built for fewer platforms than the plan has, as a trial is: under a
 * tag it would take the image away from whoever runs the others. Throws `publish/incomplete` (exit 2).
 */
export async function requirePlatforms(host: Host, directory: string, plan: Plan): Promise<void> {
  const layout = await openLayout(host, directory);
  const root = await layout.root();
  if (root === undefined) return;
  const { manifests } = parseIndex(await layout.read(root));
  const there = manifests.map((child) => fromOciPlatform(child.platform));
  const missing = plan.platforms.filter((platform) => !there.includes(platform));
  if (missing.length === 0) return;
  throw new AppError('publish/incomplete', 'usage', `the layout has no ${missing.join(', ')}`, {
    expected: plan.platforms.join(', '),
    found: there.join(', '),
    where: { file: directory },
    hint: `runner-image build ${plan.variant}; for a trial say which platforms are meant: --platform ${there.join(',')}`,
  });
}
