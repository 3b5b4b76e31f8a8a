import type * as z from 'zod';
import { patiently } from '../core/retry.ts';
import { AppError, type ErrorFacts } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { attempt, type Answer, type Failure, type Question } from './attempt.ts';
import { scrub } from './scrub.ts';
import type { Patience } from './services.ts';

export type { Question } from './attempt.ts';

/** A certificate holds for ten minutes: a service that asks for a longer wait is as good as down. */
const policyOf = ({ retries = 3, backoff: base = 1000 }: Patience) =>
  ({ attempts: retries + 1, base, max: 20_000, longestWait: 60_000 }) as const;

/** unanswered is the one error of a question; what was found is scrubbed. */
export function unanswered(question: Question, { found, ...facts }: ErrorFacts): AppError {
  const { origin, pathname } = new URL(question.url);
  return new AppError(question.code, 'upstream', question.failed, {
    where: { file: `${origin}${pathname}` },
    hint: question.hint ?? 'nothing was attached to the image; run it again, what is signed already is kept',
    ...facts,
    found: scrub(found ?? 'a refusal without a reason', question.secret),
  });
}

/**
 * ask gives the answer to a question, tried again with growing waits while the service is busy, broken or cut off.
 * Throws the question's own error for everything else, and the host's when it is aborted.
 */
export async function ask(host: Host, patience: Patience, question: Question): Promise<Answer> {
  if (!/^https?:\/\//i.test(question.url) || !URL.canParse(question.url))
    throw new AppError(question.code, 'usage', question.failed, {
      expected: 'an http(s) address',
      found: question.url,
    });
  const timeout = patience.timeout ?? 30_000;
  const giveUp = ({ facts }: Failure, tried: number): AppError => {
    const attempts = tried === 1 ? '1 attempt' : `${tried} attempts`;
    return unanswered(question, { ...facts, found: `${facts.found ?? ''} (${attempts})` });
  };
  const wait = async ({ facts }: Failure, milliseconds: number): Promise<void> => {
    const found = scrub(facts.found ?? '', question.secret);
    host.story.say(`${new URL(question.url).host}: ${found}; trying again in ${(milliseconds / 1000).toFixed(1)} s`);
    await host.clock.sleep(milliseconds, host.signal);
  };
  return await patiently(policyOf(patience), { giveUp, wait }, () => attempt(host, timeout, question));
}

/** readAs gives the JSON of an answer in the form that it must have. Throws the question's error. */
export function readAs<T>(question: Question, bytes: Buffer, schema: z.ZodType<T>, expected: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    const found = /^\s*</.test(bytes.subarray(0, 100).toString()) ? 'an HTML page' : `${bytes.length} bytes of no JSON`;
    throw unanswered(question, { expected, found });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw unanswered(question, {
    expected,
    found: `${place === '' ? '' : `${place}: `}${issue?.message ?? 'another form'}`,
  });
}
