/** The table of attacks: every protocol's cases. @module */

import type { Case } from './cases.ts';
import { derivations } from './derivations.ts';
import { dh } from './dh.ts';
import { ecdsa } from './ecdsa.ts';
import { keyExport } from './export.ts';
import { frost } from './frost.ts';
import { keyImport } from './import.ts';
import { importRequests } from './importRequests.ts';
import { keyGeneration } from './keygen.ts';
import { lists } from './lists.ts';
import { signQuestions } from './questions.ts';
import { redealing } from './reshare.ts';
import { seeds } from './seeds.ts';
import { sessions } from './sessions.ts';

export const table: readonly Case[] = [
  ...keyGeneration,
  ...seeds,
  ...redealing,
  ...keyImport,
  ...ecdsa,
  ...frost,
  ...dh,
  ...sessions,
  ...signQuestions,
  ...lists,
  ...derivations,
  ...keyExport,
  ...importRequests,
];
