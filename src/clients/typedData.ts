/** EIP-712 documents as the API takes them. @module */

export interface Eip712Document {
  readonly domain: Readonly<Record<string, unknown>>;
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

interface Eip712Body {
  kind: 'Eip712';
  types: Record<string, { name: string; type: string }[]>;
  domain: Record<string, unknown>;
  message: Record<string, unknown>;
}

/**
 * The service infers the primary type: it is the one that no other refers to. So only what the primary type needs is sent, and numbers that
 * JSON does not know go as decimal texts.
 * @throws {Error} when another type refers to the primary one, so that it could not be inferred
 */
export function eip712Of({ domain, types, primaryType, message }: Eip712Document): Eip712Body {
  const needed = new Map<string, { name: string; type: string }[]>();
  const add = (type: string): void => {
    const name = type.replace(/\[.*$/, '');
    const members = types[name];
    if (members === undefined || needed.has(name)) return;
    needed.set(
      name,
      members.map((member) => ({ name: member.name, type: member.type })),
    );
    for (const member of members) add(member.type);
  };
  add(primaryType);
  const refersBack = [...needed.values()].flat().some(({ type }) => type.replace(/\[.*$/, '') === primaryType);
  if (refersBack) throw new Error(`${primaryType} refers to itself: sign the hash of the typed data instead`);
  return { kind: 'Eip712', types: Object.fromEntries(needed), domain: plain(domain), message: plain(message) };
}

function plain(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? member.toString() : member)));
}
