/**
 * A wallet as an account of viem: whatever takes a local account (wallet clients, smart accounts) signs with it, over the API.
 *
 *   const account = await viemAccount(countersign(createClient(credentials)), walletId);
 *   const wallet = createWalletClient({ account, chain: sepolia, transport: http() });
 *
 * viem is the caller's own. What comes back is checked to be by the account before it is given on.
 * @module
 */

import {
  type Address,
  getAddress,
  type Hex,
  hashMessage,
  hashTypedData,
  isAddressEqual,
  recoverAddress,
  recoverTransactionAddress,
  serializeTransaction,
  stringToHex,
  toHex,
} from 'viem';
import { type LocalAccount, toAccount } from 'viem/accounts';
import { hashAuthorization } from 'viem/utils';
import { signatureOf, signedDataOf } from './signed.ts';
import type { Countersign } from './typed.ts';
import { eip712Of } from './typedData.ts';

/** @throws {Error} unless the wallet is active and of an EVM network */
export async function viemAccount({ wallets }: Pick<Countersign, 'wallets'>, walletId: string): Promise<LocalAccount<'countersign'>> {
  const params = { walletId };
  const address = addressOf(await wallets.getWallet({ params }));
  type Request = Parameters<typeof wallets.createWalletSignature>[0]['body'];
  const ask = (body: Request) => wallets.createWalletSignature({ params, body });

  async function checked(hash: Hex, signature: Hex): Promise<Hex> {
    requireOwn(await recoverAddress({ hash, signature }), address);
    return signature;
  }

  const account = toAccount({
    address,

    async sign({ hash }) {
      return checked(hash, signatureOf(await ask({ kind: 'Hash', hash })).encoded);
    },

    async signMessage({ message }) {
      const bytes = typeof message === 'string' ? stringToHex(message) : typeof message.raw === 'string' ? message.raw : toHex(message.raw);
      return checked(hashMessage(message), signatureOf(await ask({ kind: 'Message', message: bytes })).encoded);
    },

    async signTransaction(transaction, { serializer = serializeTransaction } = {}) {
      const unsigned = await serializer(transaction);
      const signed = signedDataOf(await ask({ kind: 'Transaction', transaction: unsigned }));
      requireOwn(
        await recoverTransactionAddress({
          serializedTransaction: signed as Parameters<typeof recoverTransactionAddress>[0]['serializedTransaction'],
        }),
        address,
      );
      return signed;
    },

    async signTypedData(typedData) {
      const { domain = {}, types, primaryType, message } = typedData as LooseTypedData;
      const body = eip712Of({ domain, types, primaryType: String(primaryType), message });
      return checked(hashTypedData(typedData), signatureOf(await ask(body)).encoded);
    },

    async signAuthorization({ chainId, nonce, ...code }) {
      const contract = 'contractAddress' in code ? code.contractAddress : code.address;
      if (contract === undefined) throw new Error('an authorization names a contract');
      const { r, s, recid = 0, encoded } = signatureOf(await ask({ kind: 'Eip7702', address: contract, nonce, chainId }));
      await checked(hashAuthorization({ address: contract, chainId, nonce }), encoded);
      return { address: contract, chainId, nonce, r: r as Hex, s: s as Hex, yParity: recid }; // 0x hex, as the contract says
    },
  });
  return { ...account, source: 'countersign' } as LocalAccount<'countersign'>; // the name of the source, which viem types by it
}

/** What viem's generic types come down to here. */
interface LooseTypedData {
  readonly domain?: Readonly<Record<string, unknown>>;
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

function addressOf({ id, status, network, address, signingKey }: Awaited<ReturnType<Countersign['wallets']['getWallet']>>): Address {
  const isEvm =
    address !== undefined && /^0x[0-9a-f]{40}$/i.test(address) && signingKey.scheme === 'ECDSA' && signingKey.curve === 'secp256k1';
  if (status !== 'Active' || !isEvm)
    throw new Error(`wallet ${id} is ${status} and of ${network}: an account takes an active one of an EVM network`);
  return getAddress(address);
}

function requireOwn(by: Address, address: Address): void {
  if (!isAddressEqual(by, address)) throw new Error(`the service answered a signature by ${by}, not by ${address}`);
}
