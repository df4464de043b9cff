/** The life of a key. An archived one stays, for the signatures it has made. @module */

export type KeyStatus = 'Active' | 'Archived';

export const lifecycle = {
  archive: { from: ['Active'], to: 'Archived', stamps: 'date_deleted' },
} as const satisfies Record<string, { from: readonly KeyStatus[]; to: KeyStatus; stamps: string }>;

export type KeyEvent = keyof typeof lifecycle;
