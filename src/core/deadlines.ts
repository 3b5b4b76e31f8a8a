/**
 * How long and how often a server is waited for, in milliseconds, bytes and numbers. A server may be slow, or break
 * now and then; none of them may keep a command for ever, whatever it sends.
 */
export const deadlines = {
  /** Until an answer's headers, while nothing is being sent: no registry thinks longer about a question. */
  headers: 30_000,
  /** In each of these stretches of time a body has to bring `pace` bytes, or its end. */
  stretch: 60_000,
  /** 16 KiB a minute: a twentieth of what a telephone line brought. One byte every few seconds is no progress. */
  pace: 16 * 1024,
  /** For one of the origin's connections, which may be in the middle of an image. */
  queue: 600_000,
  /** For one whole request about a document (manifest, list, token, session): 16 MiB at most. */
  document: 300_000,
  /** For one whole request that carries a blob, and for all requests for one blob together: a CI job's longest life. */
  transfer: 6 * 3_600_000,
} as const;

/** bounds are counts and bytes past which a server is no longer asked. */
export const bounds = {
  /** A connection that breaks again after more bytes than this has helped: its attempts count anew. */
  resumeBytes: 1024 * 1024,
  /** Connections for one blob, however much each of them brought: a gigabyte over a line that breaks every 10 MB. */
  resumes: 100,
  /** Pages of one list. Quay and Docker Hub send 100 names a page: 100,000 in all. */
  pages: 1_000,
  /** Pages without an entry that name a next one all the same, as a server does that filters after it has cut. */
  emptyPages: 10,
} as const;
