const parentsOf = (path: string): string[] => {
  const found: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) found.push(path.slice(0, at));
  return found;
};

/** Links are the symlinks of a stage while its instructions are followed; a stage beside it starts from a mark. */
export class Links {
  private readonly targets = new Map<string, string>();
  /** Of each directory the links below it. */
  private readonly below = new Map<string, Set<string>>();
  private readonly log: { path: string; target: string | undefined }[] = [];

  get size(): number {
    return this.targets.size;
  }

  get(path: string): string | undefined {
    return this.targets.get(path);
  }

  set(path: string, target: string): void {
    this.log.push({ path, target: this.targets.get(path) });
    this.put(path, target);
  }

  /** Removes a path and what lies below it. */
  remove(path: string): void {
    for (const link of [path, ...(this.below.get(path) ?? [])]) {
      const target = this.targets.get(link);
      if (target === undefined) continue;
      this.log.push({ path: link, target });
      this.put(link, undefined);
    }
  }

  mark(): number {
    return this.log.length;
  }

  /** Undoes everything since the mark. */
  restore(mark: number): void {
    while (this.log.length > mark) {
      const last = this.log.pop();
      if (last !== undefined) this.put(last.path, last.target);
    }
  }

  private put(path: string, target: string | undefined): void {
    if (target === undefined) this.targets.delete(path);
    else this.targets.set(path, target);
    for (const parent of parentsOf(path)) {
      const links = this.below.get(parent) ?? new Set();
      if (target === undefined) links.delete(path);
      else links.add(path);
      this.below.set(parent, links);
    }
  }
}
