/** scrub makes foreign words fit for an error: no token in them, no control characters, one line, not too long. */
export function scrub(text: string, secret?: string): string {
  const clean = (secret === undefined || secret === '' ? text : text.replaceAll(secret, '…'))
    .replaceAll(/eyJ[\w-]*\.[\w-]*\.[\w-]*/g, '…')
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return clean.length > 400 ? `${clean.slice(0, 400)}…` : clean;
}
