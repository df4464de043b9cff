/**
 * The process that speaks to a PKCS#11 module (`pkcs11.ts`): one question, one answer, the end. The binding, pkcs11js, has native code that
 * is compiled where it is installed, so it is not among our dependencies; it is required by name, from this project or from NODE_PATH.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { messageOf } from '../../base/errors.ts';
import type { TokenAnswer, TokenQuestion } from './pkcs11.ts';

/** Handles of sessions and objects, as the module gives them. */
type Handle = Buffer;
type Template = readonly { readonly type: number; readonly value: string | boolean | number }[];
interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: { type: number; iv: Buffer; aad: Buffer; ivBits: number; tagBits: number };
}

/** What of pkcs11js is used here. */
interface Pkcs11 {
  load(path: string): void;
  C_Initialize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: Template): void;
  C_FindObjects(session: Handle, count: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GenerateKey(session: Handle, mechanism: Mechanism, template: Template): Handle;
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Encrypt(session: Handle, input: Buffer, output: Buffer): Buffer;
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Decrypt(session: Handle, input: Buffer, output: Buffer): Buffer;
}
type Binding = { readonly PKCS11: new () => Pkcs11 } & Readonly<Record<string, number>>;

const ivBytes = 12;
const tagBits = 128;
const maxOutputBytes = 1024;

process.once('message', (question: TokenQuestion) => {
  process.send?.(answer(question));
});

function answer(question: TokenQuestion): TokenAnswer {
  try {
    return ask(question, load());
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

function load(): Binding {
  try {
    return createRequire(import.meta.url)('pkcs11js') as Binding; // as its own types have it
  } catch (cause) {
    throw new Error(`the package pkcs11js is not installed; docs/keys-at-rest.md says how (${messageOf(cause).split('\n')[0]})`);
  }
}

function ask(
  { module, token, key, pin, iv = new Uint8Array(randomBytes(ivBytes)), ...question }: TokenQuestion,
  binding: Binding,
): TokenAnswer {
  const constant = (name: string): number => {
    const value = binding[name];
    if (value === undefined) throw new Error(`pkcs11js has no ${name}`);
    return value;
  };
  const pkcs11 = new binding.PKCS11();
  pkcs11.load(module);
  pkcs11.C_Initialize();
  const slot = pkcs11.C_GetSlotList(true).find((one) => pkcs11.C_GetTokenInfo(one).label.trim() === token);
  if (slot === undefined) throw new Error(`${module} has no token labelled "${token}"`);
  const writes = question.action === 'encrypt' ? constant('CKF_RW_SESSION') : 0;
  const session = pkcs11.C_OpenSession(slot, constant('CKF_SERIAL_SESSION') | writes);
  said(`token "${token}" does not take the PIN`, () => pkcs11.C_Login(session, constant('CKU_USER'), new TextDecoder().decode(pin)));
  const handle = find() ?? (question.action === 'encrypt' ? generate() : undefined);
  if (handle === undefined) throw new Error(`token "${token}" has no AES key labelled "${key}"`);
  const parameter = {
    type: constant('CK_PARAMS_AES_GCM'),
    iv: Buffer.from(iv),
    aad: Buffer.from(question.additionalData),
    ivBits: ivBytes * 8,
    tagBits,
  };
  const mechanism = { mechanism: constant('CKM_AES_GCM'), parameter };
  const [input, room] = [Buffer.from(question.input), Buffer.alloc(maxOutputBytes)];
  const output = said(`token "${token}" does not ${question.action} with "${key}": another key, another signer's, or altered`, () => {
    if (question.action === 'encrypt') {
      pkcs11.C_EncryptInit(session, mechanism, handle);
      return pkcs11.C_Encrypt(session, input, room);
    }
    pkcs11.C_DecryptInit(session, mechanism, handle);
    return pkcs11.C_Decrypt(session, input, room);
  });
  return { output: new Uint8Array(output), iv };

  function find(): Handle | undefined {
    const template = [
      { type: constant('CKA_CLASS'), value: constant('CKO_SECRET_KEY') },
      { type: constant('CKA_KEY_TYPE'), value: constant('CKK_AES') },
      { type: constant('CKA_LABEL'), value: key },
    ];
    pkcs11.C_FindObjectsInit(session, template);
    const found = pkcs11.C_FindObjects(session, 2);
    pkcs11.C_FindObjectsFinal(session);
    if (found.length > 1) throw new Error(`token "${token}" has more than one AES key labelled "${key}"`);
    return found[0];
  }

  /** In the token, never to leave it. */
  function generate(): Handle {
    const template = [
      { type: constant('CKA_CLASS'), value: constant('CKO_SECRET_KEY') },
      { type: constant('CKA_KEY_TYPE'), value: constant('CKK_AES') },
      { type: constant('CKA_VALUE_LEN'), value: 32 },
      { type: constant('CKA_LABEL'), value: key },
      { type: constant('CKA_TOKEN'), value: true },
      { type: constant('CKA_PRIVATE'), value: true },
      { type: constant('CKA_SENSITIVE'), value: true },
      { type: constant('CKA_EXTRACTABLE'), value: false },
      { type: constant('CKA_ENCRYPT'), value: true },
      { type: constant('CKA_DECRYPT'), value: true },
    ];
    return said(`token "${token}" does not make a key`, () =>
      pkcs11.C_GenerateKey(session, { mechanism: constant('CKM_AES_KEY_GEN') }, template),
    );
  }
}

/** With what it was for. */
function said<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what} (${messageOf(error)})`);
  }
}
