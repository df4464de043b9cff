import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry, entryAfter, headOf, maxEntryChars } from '../../src/authority/entry.ts';
import { genesisOf } from '../../src/authority/root.ts';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { createWorld, recoveryBy, refusalOf } from './world.ts';

const world = createWorld();
const authorisation = world.sign(world.admin, { method: 'POST', path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } });
const entry = entryAfter(world.registry.head, { authorisation });
const recovery = recoveryBy(world.signers.slice(0, 2), {
  root: world.root,
  head: world.registry.head,
  terms: { publicKey: world.admin.publicKey, at: 5 },
});
const text = encodeEntry(entry);

describe('the text of an entry', () => {
  it('is one line that gives the entry back', () => {
    expect(decodeEntry(text)).toEqual(entry);
    expect(text).not.toContain('\n');
    const recovered = entryAfter(world.registry.head, { recovery });
    expect(decodeEntry(encodeEntry(recovered))).toEqual(recovered);
  });

  it('is hashed as it stands: these values never change', () => {
    expect({ text, hash: toHex(headOf(entry).hash) }).toMatchInlineSnapshot(`
      {
        "hash": "889b2d7b7b9f9ddb7125fe687a9aa75053ec9fff78c015f096d6bd428da5c254",
        "text": "{"sequence":1,"previous":"9a55ec892da9d0c749ee30fc9c89f5f1444e075a4685471bf5bcb45e2473ff07","authorisation":{"binding":{"method":"POST","path":"/keys","payloadHash":"2ec35976cd0a489c194ef0e8314d219bb2458cac7bd39a448381819e3ce09f8e","organisationId":"or-rgezp-qyr3s-55bbb2lqcqa0yt1b","callerId":"us-5k2to-geed0-h3xepe1vnwwdqxp0","nonce":"xtuaorpxy3V7UbftZEgBvJpV7IktqdDHSe4w_JyJ9fE","expiresAt":1750000400},"body":"eyJzY2hlbWUiOiJFZERTQSIsImN1cnZlIjoiZWQyNTUxOSJ9","assertion":{"kind":"Key","credId":"I_IizQX7_9xNY3Ap8ioySDq51TepWs0V6pnGNSIjOH0","clientData":"eyJ0eXBlIjoia2V5LmdldCIsImNoYWxsZW5nZSI6Im9LT2RzZUluNUs5dTZURF9YaktoUFBxRzdDUXkwVDI1QlozLXRPUGZLclkifQ","signature":"F0miraaINZz9yxIDpS1cMSCx71iMI9bofvQ9oUKNzX9ghCf-s5wDZJBbfgWC2cYgoJ8q0VmeboBMESbsSbFFDA"}}}",
      }
    `);
  });

  it('takes the padding from what callers padded', () => {
    const { assertion } = authorisation;
    const padded = { ...authorisation, assertion: { ...assertion, signature: `${assertion.signature}==` } };
    expect(encodeEntry(entryAfter(world.registry.head, { authorisation: padded }))).toBe(text);
  });

  it('is bounded whatever a body holds', () => {
    const body = new Uint8Array(64 * 1024).fill(255);
    const largest = { ...authorisation, body, binding: { ...authorisation.binding, path: `/${'\u0001'.repeat(1023)}` } };
    const encoded = encodeEntry(entryAfter(world.registry.head, { authorisation: largest }));
    expect(decodeEntry(encoded)).toMatchObject({ authorisation: { body } });
    expect(refusalOf(() => decodeEntry(' '.repeat(maxEntryChars + 1)))).toBe(`BadRequest: an entry may have ${maxEntryChars} characters`);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['blanks', text.replace(',', ', ')],
    ['a blank before', ` ${text}`],
    ['a byte order mark', `\uFEFF${text}`],
    [
      'members in another order',
      JSON.stringify({ previous: toHex(entry.previous), sequence: 1, authorisation: JSON.parse(text).authorisation }),
    ],
    ['a member more', text.replace('{', '{"more":1,')],
    ['a member twice', text.replace('{', '{"sequence":2,')],
    ['a member more in the binding', text.replace('"method"', '"more":1,"method"')],
    ['upper-case hex', text.replace(/"previous":"[0-9a-f]+"/, (part) => part.toUpperCase().replace('PREVIOUS', 'previous'))],
    ['a short hash', text.replace(/"previous":"../, '"previous":"')],
    ['sequence 0', text.replace('"sequence":1', '"sequence":0')],
    ['a sequence that is no whole number', text.replace('"sequence":1', '"sequence":1.5')],
    ['a sequence in another notation', text.replace('"sequence":1', '"sequence":1e0')],
    ['a sequence beyond precision', text.replace('"sequence":1', '"sequence":9007199254740993')],
    ['a number as text', text.replace('"sequence":1', '"sequence":"1"')],
    ['padded base64url', text.replace(/"body":"([^"]+)"/, '"body":"$1="')],
    [
      'dangling bits in base64url',
      text.replace(/(\w)","assertion"/, (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}","assertion"`),
    ],
    ['neither action nor recovery', '{"sequence":1,"previous":"00"}'],
    ['action and recovery', `${text.slice(0, -1)},"recovery":{"publicKey":"x","at":1,"signatures":[]}}`],
    ['a Fido2 assertion', text.replace('"kind":"Key"', '"kind":"Fido2"')],
    ['escapes that need none', text.replace('/keys', '\\/keys')],
  ])('is refused with %s', (_, changed) => {
    expect(changed).not.toBe(text);
    expect(refusalOf(() => decodeEntry(changed))).toContain('BadRequest: ');
  });

  it('of any other form is refused, never more', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((value) => JSON.stringify({ sequence: 1, previous: 'aa'.repeat(32), authorisation: value })),
        ),
        (noise) => {
          expect(refusalOf(() => decodeEntry(noise))).toContain('BadRequest: ');
        },
      ),
    );
  });

  it('is one text for one entry', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        try {
          expect(encodeEntry(decodeEntry(changed))).toBe(changed);
        } catch (error) {
          expect(String(error)).toContain('Refusal');
        }
      }),
    );
  });
});

describe('the head', () => {
  it('before the first entry is of the root', () => {
    expect(genesisOf(world.root)).toEqual(world.registry.head);
    expect(genesisOf(createWorld('other').root)).not.toEqual(world.registry.head);
  });

  it('commits to every part of the entry', () => {
    const heads = [
      entry,
      { ...entry, sequence: 2 },
      { ...entry, previous: utf8('x'.repeat(32)) },
      entryAfter(world.registry.head, { authorisation: { ...authorisation, body: utf8('{}') } }),
      entryAfter(world.registry.head, {
        authorisation: { ...authorisation, assertion: { ...authorisation.assertion, algorithm: 'SHA256' } },
      }),
      entryAfter(world.registry.head, { recovery }),
    ].map((one) => toHex(headOf(one).hash));
    expect(new Set(heads).size).toBe(heads.length);
  });
});
