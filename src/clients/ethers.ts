/**
 * A wallet as a signer of ethers v6: contracts, providers and libraries that take a signer sign with it, over the API.
 *
 *   const signer = await EthersSigner.of(countersign(createClient(credentials)), walletId, provider);
 *   await signer.sendTransaction({ to, value });
 *
 * ethers is the caller's own. What comes back is checked to be by the wallet before it is given on.
 * @module
 */

import {
  AbstractSigner,
  type Authorization,
  type AuthorizationRequest,
  copyRequest,
  getAddress,
  hashAuthorization,
  hashMessage,
  hexlify,
  type Provider,
  recoverAddress,
  Signature,
  Transaction,
  type TransactionLike,
  type TransactionRequest,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  toUtf8Bytes,
} from 'ethers';
import { signatureOf, signedDataOf } from './signed.ts';
import type { Countersign } from './typed.ts';
import { eip712Of } from './typedData.ts';

type Wallets = Countersign['wallets'];

export class EthersSigner extends AbstractSigner<Provider | null> {
  readonly walletId: string;
  readonly address: string;
  readonly #wallets: Wallets;

  private constructor(wallets: Wallets, wallet: { id: string; address: string }, provider: Provider | null) {
    super(provider);
    this.#wallets = wallets;
    this.walletId = wallet.id;
    this.address = wallet.address;
  }

  /** @throws {Error} unless the wallet is active and of an EVM network */
  static async of({ wallets }: Pick<Countersign, 'wallets'>, walletId: string, provider: Provider | null = null): Promise<EthersSigner> {
    const { id, status, network, address, signingKey } = await wallets.getWallet({ params: { walletId } });
    const isEvm = address !== undefined && /^0x[0-9a-f]{40}$/i.test(address) && signingKey.curve === 'secp256k1';
    if (status !== 'Active' || !isEvm)
      throw new Error(`wallet ${id} is ${status} and of ${network}: a signer takes an active one of an EVM network`);
    return new EthersSigner(wallets, { id, address: getAddress(address) }, provider);
  }

  override connect(provider: Provider | null): EthersSigner {
    return new EthersSigner(this.#wallets, { id: this.walletId, address: this.address }, provider);
  }

  override async getAddress(): Promise<string> {
    return this.address;
  }

  override async signTransaction(request: TransactionRequest): Promise<string> {
    const { from, ...rest } = await resolved(copyRequest(request));
    if (typeof from === 'string' && getAddress(from) !== this.address) {
      throw new Error(`the transaction is from ${from}, this signer is ${this.address}`);
    }
    const unsigned = Transaction.from(rest as TransactionLike<string>).unsignedSerialized; // every address is a text now
    const answer = await this.#ask({ kind: 'Transaction', transaction: unsigned });
    const signed = Transaction.from(signedDataOf(answer));
    this.#requireOwn(signed.from);
    return signed.serialized;
  }

  override async signMessage(message: string | Uint8Array): Promise<string> {
    const bytes = hexlify(typeof message === 'string' ? toUtf8Bytes(message) : message);
    return this.#checked(hashMessage(message), await this.#ask({ kind: 'Message', message: bytes }));
  }

  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const { primaryType } = TypedDataEncoder.from(types);
    const body = eip712Of({ domain: { ...domain }, types, primaryType, message: value });
    return this.#checked(TypedDataEncoder.hash(domain, types, value), await this.#ask(body));
  }

  override async authorize(request: AuthorizationRequest): Promise<Authorization> {
    const { address, nonce, chainId } = await this.populateAuthorization(request);
    const wanted = { address: getAddress(String(address)), nonce: BigInt(nonce ?? 0), chainId: BigInt(chainId ?? 0) };
    const answer = await this.#ask({
      kind: 'Eip7702',
      address: wanted.address,
      nonce: Number(wanted.nonce),
      chainId: Number(wanted.chainId),
    });
    return { ...wanted, signature: Signature.from(this.#checked(hashAuthorization(wanted), answer)) };
  }

  #ask(body: Parameters<Wallets['createWalletSignature']>[0]['body']) {
    return this.#wallets.createWalletSignature({ params: { walletId: this.walletId }, body });
  }

  #checked(digest: string, answer: Awaited<ReturnType<Wallets['createWalletSignature']>>): string {
    const { encoded } = signatureOf(answer);
    this.#requireOwn(recoverAddress(digest, encoded));
    return encoded;
  }

  #requireOwn(by: string | null): void {
    if (by !== this.address) throw new Error(`the service answered a signature by ${by}, not by ${this.address}`);
  }
}

/** Whatever ethers takes for an address, as an address. */
async function resolved(request: TransactionRequest): Promise<TransactionRequest> {
  const [to, from] = await Promise.all([request.to, request.from].map(async (one) => addressOf(await one)));
  return { ...request, ...(to === undefined ? {} : { to }), ...(from === undefined ? {} : { from }) };
}

function addressOf(one: string | { getAddress(): Promise<string> } | null | undefined): Promise<string> | string | undefined {
  return typeof one === 'object' ? one?.getAddress() : one;
}
