/** Account is one line of /etc/passwd (passwd(5)), numbers parsed. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export interface Accounts {
  readonly users: readonly Account[];
  readonly groups: readonly Group[];
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;

function lines(bytes: Uint8Array | undefined): string[][] {
  if (bytes === undefined) return [];
  const text = Buffer.from(bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

/** parseAccounts leaves out lines that are not well-formed, as the C library does. */
export function parseAccounts(passwd: Uint8Array | undefined, group: Uint8Array | undefined): Accounts {
  const users = lines(passwd).flatMap(([name = '', , uid, gid, , home = '']) => {
    const [u, g] = [number(uid), number(gid)];
    return name === '' || u === undefined || g === undefined ? [] : [{ name, uid: u, gid: g, home }];
  });
  const groups = lines(group).flatMap(([name = '', , gid, members = '']) => {
    const g = number(gid);
    return name === '' || g === undefined
      ? []
      : [{ name, gid: g, members: members.split(',').filter((member) => member !== '') }];
  });
  return { users, groups };
}

export type ResolvedUser =
  | { readonly $case: 'ok'; readonly uid: number; readonly gids: readonly number[]; readonly how: string }
  | { readonly $case: 'bad'; readonly why: string };

/** The kernel's limit; 2^32-1 means "no change" and is no id. */
const maxId = 4_294_967_294;

function groupOf(text: string, accounts: Accounts): number | string {
  const group = accounts.groups.find(({ name }) => name === text);
  if (group !== undefined) return group.gid;
  const gid = number(text);
  if (gid === undefined) return `no group ${JSON.stringify(text)} in the image's /etc/group`;
  return gid > maxId ? `group id ${text} is out of range` : gid;
}

/**
 * resolveUser reads the config's `User` as the runtimes do: `name|uid[:group|gid]`, names through
 * the image's own /etc/passwd and /etc/group, empty means root, a UID that passwd does not know
 * has group 0 (image-spec config.md, `User`).
 */
export function resolveUser(text: string, accounts: Accounts): ResolvedUser {
  if (text === '') return { $case: 'ok', uid: 0, gids: [0], how: 'no USER is set, so it is root' };
  const [userText = '', groupText, more] = text.split(':');
  if (userText === '' || groupText === '' || more !== undefined)
    return { $case: 'bad', why: `${JSON.stringify(text)} is not user[:group]` };
  const numeric = number(userText);
  const account = accounts.users.find(({ name, uid }) => name === userText || uid === numeric);
  const uid = account?.uid ?? numeric;
  if (uid === undefined) return { $case: 'bad', why: `no user ${JSON.stringify(userText)} in the image's /etc/passwd` };
  if (uid > maxId) return { $case: 'bad', why: `user id ${userText} is out of range` };
  const how = numeric === uid ? `UID ${uid}` : `${userText} is UID ${uid} in the image's /etc/passwd`;
  if (groupText !== undefined) {
    const gid = groupOf(groupText, accounts);
    return typeof gid === 'string' ? { $case: 'bad', why: gid } : { $case: 'ok', uid, gids: [gid], how };
  }
  const supplementary = accounts.groups
    .filter(({ members }) => account !== undefined && members.includes(account.name))
    .map(({ gid }) => gid);
  return { $case: 'ok', uid, gids: [account?.gid ?? 0, ...supplementary], how };
}
