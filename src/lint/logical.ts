import { offsetAt, sliceText, TextBuilder, type Text } from './text.ts';

/**
 * joinLines gives an instruction's text as Docker reads it: a line that ends in the escape character
 * goes on in the next one, and comment lines and empty lines in between do not count. Everything from
 * `rawFrom` on (bodies of here-documents) is kept as it is.
 */
export function joinLines(text: Text, escape: string, rawFrom: number): Text {
  const out = new TextBuilder();
  let continued = false;
  let i = 0;
  while (i < rawFrom) {
    const newline = text.value.indexOf('\n', i);
    const end = newline < 0 || newline >= rawFrom ? rawFrom : newline + 1;
    const line = text.value.slice(i, end);
    const body = line.replace(/[\r\n]+$/, '');
    const skip = continued && (/^\s*#/.test(body) || body.trim() === '');
    if (!skip) {
      const trimmed = body.replace(/[ \t]+$/, '');
      const more = trimmed.endsWith(escape) && end < text.value.length;
      const keep = more ? trimmed.length - 1 : body.length;
      out.copy(text, i, i + keep);
      if (!more) {
        if (line.length > body.length) out.push('\n', offsetAt(text, i + body.length));
        continued = false;
      } else continued = true;
    }
    i = end;
  }
  out.copy(text, rawFrom, text.value.length);
  return out.build(offsetAt(text, text.value.length));
}

/** trimText drops blanks on both sides. */
export function trimText(text: Text): Text {
  const from = text.value.length - text.value.trimStart().length;
  return sliceText(text, from, Math.max(from, text.value.trimEnd().length));
}
