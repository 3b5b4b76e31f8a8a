import type { Picture } from '../../core/index.ts';
import { maxShadowed } from './limits.ts';
import { alive, type Nodes } from './nodes.ts';

export interface Sealed {
  /** Nodes that are part of the final tree, the root included. */
  readonly live: number;
  readonly shadowed: Picture['shadowed'];
  /** Of all hidden files, also those that are not listed. */
  readonly count: number;
  readonly bytes: number;
}

/** seal ends a tree: what lies below something hidden is hidden, too. Returns what was hidden, and by which layer. */
export function seal(nodes: Nodes, opaqueIn: ReadonlyMap<number, number>): Sealed {
  const floors = new Uint16Array(nodes.count);
  floors[0] = opaqueIn.get(0) ?? 0;
  const shadowed: { path: string; layer: number; by: number; size: number }[] = [];
  let live = 1;
  let count = 0;
  let bytes = 0;
  // A parent's number is always lower than its children's.
  for (let node = 1; node < nodes.count; node++) {
    const parent = nodes.parent.get(node);
    const floor = floors[parent] ?? 0;
    let death = Math.min(nodes.diedIn.get(node), nodes.diedIn.get(parent));
    const newest = Math.max(nodes.writtenIn.get(node), nodes.touchedIn.get(node));
    if (newest < floor) death = Math.min(death, floor);
    nodes.diedIn.set(node, death);
    floors[node] = Math.max(floor, opaqueIn.get(node) ?? 0);
    if (death === alive) {
      live++;
    } else if (nodes.kind(node) === 'file') {
      const size = nodes.size(node);
      count++;
      bytes += size;
      if (shadowed.length < maxShadowed)
        shadowed.push({ path: nodes.path(node), layer: nodes.writtenIn.get(node), by: death, size });
    }
  }
  return { live, shadowed, count, bytes };
}
