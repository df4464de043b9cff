/** The bounds of what a caller may send, and of how long anything takes. */
export const limits = {
  /** Bytes of a request's body. */
  bodyBytes: 1024 * 1024,
  /** Bytes of all headers together: a user action token carries an assertion. */
  headerBytes: 32 * 1024,
  /** Characters of a path parameter; ids have at most 64 (contract §1.1). */
  pathParameter: 64,
  /** A request must have come in whole by then, */
  requestMs: 30_000,
  /** and its headers by then. */
  headersMs: 10_000,
  /** From the arrival of the headers, the answer must have left by then. */
  answerMs: 60_000,
  /** An idle connection is kept that long: longer than the minute usual with load balancers, so that they close first. */
  keepAliveMs: 65_000,
  connections: 10_000,
  /** At a stop, requests under way have that long to finish. */
  drainMs: 10_000,
} as const;

/** Those that a server can be given otherwise. */
export type Limits = { readonly [Name in keyof typeof limits]: number };
