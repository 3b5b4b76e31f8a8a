import {
  expandGlobals,
  globalArguments,
  imageReferences,
  platformArguments,
  splitReference,
  type Model,
} from '../../dockerfile/index.ts';
import { inStages, type Rule } from '../rule.ts';

const digest = /^sha256:[0-9a-f]{64}$/;

/** Every image from outside; `# syntax=…` names one, too: the frontend that reads the whole file. */
function* everyImage(model: Model): Generator<{ place: string; text: string; offset: number; firstLine: number }> {
  for (const { name, value, offset } of model.directives)
    if (name === 'syntax') yield { place: '# syntax', text: value, offset, firstLine: model.position(offset).line };
  for (const { place, word, instruction } of imageReferences(model))
    yield { place, text: expandGlobals(model, word), offset: word.offset, firstLine: instruction.firstLine };
}

const isLatest = (tag: string | undefined): boolean => tag === undefined || tag === 'latest';

const latestTag: Rule = {
  info: {
    id: 'dockerfile/latest-tag',
    severity: 'error',
    section: 'D1',
    summary: 'No image is taken by the tag latest.',
    remediation: 'name a version and its digest: repository:version@sha256:…',
  },
  *check({ model }) {
    for (const { place, text, offset } of everyImage(model)) {
      const { tag, digest: found } = splitReference(text);
      if (tag === 'latest' && found === undefined)
        yield {
          offset,
          subject: text,
          message: `${place} takes ${text}: expected a version and a digest, found the tag latest`,
        };
    }
  },
};

const unpinnedImage: Rule = {
  info: {
    id: 'dockerfile/unpinned-image',
    severity: 'error',
    section: 'D1',
    summary: 'Every image from outside is named by digest: FROM, COPY --from, RUN --mount from and # syntax.',
    remediation: 'append the index digest: repository:version@sha256:…',
  },
  *check({ model }) {
    for (const { place, text, offset } of everyImage(model)) {
      const parts = splitReference(text);
      if (parts.digest === undefined ? parts.tag === 'latest' : digest.test(parts.digest)) continue;
      const found = parts.digest ?? (parts.tag === undefined ? 'neither tag nor digest' : `only the tag ${parts.tag}`);
      yield { offset, subject: text, message: `${place} takes ${text}: expected a sha256 digest, found ${found}` };
    }
  },
};

const versionLike = /(?:^|[^0-9a-f.])v?\d+(?:\.\d+)+|\b\d{4}-\d{2}-\d{2}\b|\bversion\b/i;

/** A comment above the instruction, or anywhere beside the digest, or a label may record the version. */
function recorded(model: Model, text: string, firstLine: number): boolean {
  const { name, digest: found } = splitReference(text);
  const short = found?.slice('sha256:'.length, 'sha256:'.length + 12) ?? '';
  const last = name.slice(name.lastIndexOf('/') + 1);
  const above = new Map(model.comments.map((comment) => [comment.line, comment.text]));
  for (let line = firstLine - 1; above.has(line); line--) if (versionLike.test(above.get(line) ?? '')) return true;
  const named = (note: string): boolean => note.includes(short) || note.includes(name);
  if (model.comments.some((comment) => named(comment.text) && versionLike.test(comment.text))) return true;
  return [...inStages(model, 'LABEL')].some(({ instruction }) =>
    instruction.words.some(
      ({ text: { value } }) => value.includes(`${name}:`) || (value.includes(`/${last}:`) && last !== ''),
    ),
  );
}

const imageWithoutVersion: Rule = {
  info: {
    id: 'dockerfile/image-without-version',
    severity: 'warning',
    section: 'D1',
    summary: 'A digest stands beside the version it was taken for, as a tag, a comment above or a label.',
    remediation: 'write repository:version@sha256:…, or record the version in a comment directly above',
  },
  *check({ model }) {
    for (const { place, text, offset, firstLine } of everyImage(model)) {
      const { tag, digest: found } = splitReference(text);
      if (found === undefined || !digest.test(found) || !isLatest(tag) || recorded(model, text, firstLine)) continue;
      yield {
        offset,
        subject: text,
        message: `${place} takes ${text}: expected the version beside the digest, found ${tag === undefined ? 'no tag' : 'the tag latest'}`,
      };
    }
  },
};

const overridableImage: Rule = {
  info: {
    id: 'dockerfile/overridable-image',
    severity: 'error',
    section: 'D1',
    summary: 'No build argument can replace a pinned image unnoticed.',
    remediation: 'write the reference out; a mirror or another version is a new Dockerfile, not an argument',
  },
  *check({ model }) {
    const globals = globalArguments(model);
    for (const { place, word } of imageReferences(model)) {
      // Where nothing is pinned there is nothing to replace: that is unpinned-image's finding.
      if (!expandGlobals(model, word).includes('@sha256:')) continue;
      for (const { name, offset } of word.variables)
        if (!platformArguments.has(name) && globals.has(name))
          yield {
            offset,
            subject: name,
            message: `${place} depends on the build argument ${name}: --build-arg ${name}=… replaces the pinned image`,
          };
    }
  },
};

export const pinRules: readonly Rule[] = [unpinnedImage, latestTag, imageWithoutVersion, overridableImage];
