/**
 * What left all signers, ever: that nothing that serves once served twice. Looks at questions and answers as they pass over the wire, and
 * knows nothing of how signers keep their books.
 * @module
 */

interface Question {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export interface OnceOnly {
  /** An answer with a share, a commitment or a presignature has left a signer. @throws {Error} if it must not have */
  left(signer: number, question: unknown, answer: unknown): void;
  /** A signature was made, of something that was never signed before. @throws {Error} if its R was there before */
  signed(R: string): void;
  /** How many shares left, by method. */
  readonly shares: ReadonlyMap<string, number>;
}

export function onceOnly(): OnceOnly {
  /** By signer and what it used up: the question it was used for. */
  const used = new Map<string, string>();
  /** By presignature, or commitment: what it was used for by anybody. */
  const purposes = new Map<string, string>();
  const made = new Set<string>();
  const shares = new Map<string, number>();

  const first = (name: string): void => {
    if (made.has(name)) throw new Error(`made twice: ${name}`);
    made.add(name);
  };
  const spend = (signer: number, name: string, use: string): void => {
    const before = used.get(`${signer}/${name}`);
    if (before !== undefined) throw new Error(`signer ${signer} used ${name} twice: for ${before}, and for ${use}`);
    used.set(`${signer}/${name}`, use);
  };
  const agree = (name: string, purpose: string): void => {
    const before = purposes.get(name);
    if (before !== undefined && before !== purpose) throw new Error(`${name} was used for ${before}, and for ${purpose}`);
    purposes.set(name, purpose);
  };

  return {
    shares,
    signed: (R) => first(`the R of a signature ${R}`),
    left(signer, asked, said) {
      const { method, params } = asked as Question;
      const { result } = said as { result?: Record<string, unknown> };
      if (result === undefined) return;
      const use = JSON.stringify([params.keyId, params.payload]);
      if ('share' in result || 'partial' in result) shares.set(method, (shares.get(method) ?? 0) + 1);
      switch (method) {
        case 'signEcdsa': {
          const name = `presignature ${params.batch}/${params.number}`;
          spend(signer, name, use);
          agree(name, use);
          spend(signer, `share ${result.share}`, use);
          break;
        }
        case 'signFrost': {
          const commitments = params.commitments as Record<string, { batch: string; number: number; hiding: string; binding: string }>;
          const list = JSON.stringify(Object.entries(commitments).sort());
          const own = commitments[signer];
          if (own === undefined) throw new Error(`signer ${signer} signed a list without its own commitment`);
          spend(signer, `nonces ${own.batch}/${own.number}`, use);
          spend(signer, `commitment ${own.hiding}`, use);
          for (const { hiding, binding } of Object.values(commitments)) {
            agree(`commitment ${hiding}`, `${list} ${use}`);
            agree(`commitment ${binding}`, `${list} ${use}`);
          }
          break;
        }
        case 'commit': {
          first(`nonces of signer ${signer} ${result.batch}`);
          for (const { hiding, binding } of result.commitments as { hiding: string; binding: string }[]) {
            first(`commitment ${hiding}`);
            first(`commitment ${binding}`);
          }
          break;
        }
        default: {
          const { outcome } = result as { outcome?: { kind: string; batch: string; commitments: string[] } };
          if (outcome?.kind !== 'presign') return;
          first(`presignatures of signer ${signer} ${outcome.batch}`);
          for (const [number, R] of outcome.commitments.entries()) {
            first(`R at signer ${signer} ${R}`);
            agree(`R ${R}`, `${outcome.batch}/${number}`);
          }
        }
      }
    },
  };
}
