import { sliceText, trimText, type Text } from './text.ts';
import { jsonArray, splitBlanks, splitQuoted, takeFlags, type JsonArray } from './words.ts';

/** Split is an instruction's keyword, flags and the rest, as BuildKit's parser separates them. */
export interface Split {
  /** Upper case. For ONBUILD this is the trigger's keyword; a bare ONBUILD stays ONBUILD. */
  readonly keyword: string;
  readonly onbuild: boolean;
  /** Without quotes, `--` included; those of an ONBUILD and of its trigger. */
  readonly flags: readonly Text[];
  readonly onbuildFlags: readonly Text[];
  readonly rest: Text;
  readonly json: JsonArray;
  /** The first word of HEALTHCHECK in upper case, which is no part of `rest`. */
  readonly type: string;
  readonly takesHeredocs: boolean;
}

const withJson = new Set(['ADD', 'COPY', 'VOLUME', 'RUN', 'CMD', 'ENTRYPOINT', 'SHELL', 'HEALTHCHECK']);
const withHeredocs = new Set(['ADD', 'COPY', 'RUN']);

function keywordOf(text: Text, escape: string): { keyword: string; flags: readonly Text[]; rest: Text } {
  const trimmed = trimText(text);
  const [keyword = ''] = /^[^\t\v\f\r ]+/.exec(trimmed.value) ?? [];
  const { flags, rest } = takeFlags(sliceText(trimmed, keyword.length, trimmed.value.length), escape);
  return { keyword: keyword.toUpperCase(), flags, rest };
}

export function splitInstruction(head: Text, escape: string): Split {
  const outer = keywordOf(head, escape);
  const onbuild = outer.keyword === 'ONBUILD';
  const inner = onbuild && outer.rest.value !== '' ? keywordOf(outer.rest, escape) : outer;
  const { keyword, flags } = inner;
  let { rest } = inner;
  let type = '';
  if (keyword === 'HEALTHCHECK') {
    [type = ''] = /^\S+/.exec(rest.value) ?? [];
    rest = trimText(sliceText(rest, type.length, rest.value.length));
  }
  const json = withJson.has(keyword) ? jsonArray(rest) : undefined;
  return {
    keyword,
    onbuild,
    flags,
    onbuildFlags: onbuild && inner !== outer ? outer.flags : [],
    rest,
    json,
    type: type.toUpperCase(),
    takesHeredocs: withHeredocs.has(keyword) && !Array.isArray(json),
  };
}

/** argumentsOf returns the arguments with their quotes: of ARG, ENV and LABEL the pairs. */
export function argumentsOf(
  { keyword, rest, json }: Pick<Split, 'keyword' | 'rest' | 'json'>,
  escape: string,
): readonly Text[] {
  if (json !== undefined && json !== 'mixed') return json;
  if (rest.value === '') return [];
  switch (keyword) {
    case 'FROM':
    case 'EXPOSE':
    case 'ADD':
    case 'COPY':
    case 'VOLUME':
      return splitBlanks(rest);
    case 'ARG':
    case 'ENV':
    case 'LABEL':
      return splitQuoted(rest, escape);
    default:
      return [rest];
  }
}
