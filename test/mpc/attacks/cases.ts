/**
 * What can be attacked, and how: the messages of all protocols, and the names of attacks. A case is one attack on one message.
 * @module
 */

/** `round`: of a session, from each to each. `question`: of the coordinator to a signer. `answer`: of a signer, to be combined with others. */
type Kind = 'round' | 'question' | 'answer';
type Content = 'points' | 'ed25519 points' | 'scalars';

interface MessageForm {
  readonly protocol: string;
  readonly kind: Kind;
  /** What of it is decoded by who receives it. */
  readonly carries: readonly Content[];
}

export const messages = {
  'dkg/package': { protocol: 'key generation', kind: 'round', carries: ['points', 'ed25519 points', 'scalars'] },
  'dkg/share': { protocol: 'key generation', kind: 'round', carries: ['scalars'] },
  'dkg/confirm': { protocol: 'key generation', kind: 'round', carries: [] },

  'seeds/contribute': { protocol: 'seeds', kind: 'round', carries: [] },
  'seeds/confirm': { protocol: 'seeds', kind: 'round', carries: [] },

  'reshare/deal': { protocol: 're-dealing', kind: 'round', carries: ['points', 'ed25519 points', 'scalars'] },
  'reshare/confirm': { protocol: 're-dealing', kind: 'round', carries: [] },

  'import/share': { protocol: 'import', kind: 'question', carries: ['points', 'ed25519 points', 'scalars'] },
  'import/commit': { protocol: 'import', kind: 'round', carries: [] },
  'import/reveal': { protocol: 'import', kind: 'round', carries: [] },

  'presign/nonce': { protocol: 'ECDSA, presigning', kind: 'round', carries: [] },
  'presign/R': { protocol: 'ECDSA, presigning', kind: 'round', carries: ['points'] },
  'ecdsa/question': { protocol: 'ECDSA, signing', kind: 'question', carries: [] },
  'ecdsa/share': { protocol: 'ECDSA, signing', kind: 'answer', carries: ['scalars'] },

  'frost/commitments': { protocol: 'FROST, nonces ahead', kind: 'answer', carries: ['points', 'ed25519 points'] },
  'frost/question': { protocol: 'FROST, signing', kind: 'question', carries: ['points', 'ed25519 points'] },
  'frost/share': { protocol: 'FROST, signing', kind: 'answer', carries: ['scalars'] },

  'dh/question': { protocol: 'DH', kind: 'question', carries: [] },
  'dh/partial': { protocol: 'DH', kind: 'answer', carries: ['points', 'scalars'] },

  'export/question': { protocol: 'export', kind: 'question', carries: [] },
  'export/box': { protocol: 'export', kind: 'answer', carries: [] },
} as const satisfies Record<string, MessageForm>;

export type Message = keyof typeof messages;

/** Of any message there is. */
const ofAll = ['dropped', 'duplicated', 'reordered', 'replayed', 'wrong sender', 'bit flipped', 'wrong length'] as const;
/** Of what a signer keeps something for: it is started again in between. */
const ofState = ['restart'] as const;
const ofContent = {
  points: ['point at infinity', 'point off the curve'],
  'ed25519 points': ['point of small order'],
  scalars: ['scalar out of range'],
} as const satisfies Record<Content, readonly string[]>;
/** Of some, by what they are for. */
const others = [
  'wrong value',
  'altered relay',
  'split view',
  'repeated id',
  'used again',
  'restored backup',
  'stale share',
  'another signer’s',
  'another key’s',
] as const;

export type Attack = (typeof ofAll)[number] | (typeof ofState)[number] | (typeof ofContent)[Content][number] | (typeof others)[number];

export interface Case {
  readonly message: Message;
  readonly attack: Attack;
  /** What exactly is done; empty where the attack's name says it. */
  readonly name: string;
  /** Attacks, and asserts that nothing came of it. */
  readonly run: () => Promise<void>;
}

/** Which attacks a message must have cases of. */
export function attacksDue(message: Message): readonly Attack[] {
  const { kind, carries }: MessageForm = messages[message];
  return [...ofAll, ...(kind === 'answer' ? [] : ofState), ...carries.flatMap((content) => ofContent[content])];
}
