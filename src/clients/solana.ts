/**
 * A wallet as a signer of @solana/kit: a partial signer of transactions and messages, so that it signs beside others.
 *
 *   const signer = await solanaSigner(countersign(createClient(credentials)), walletId);
 *   const message = setTransactionMessageFeePayerSigner(signer, createTransactionMessage({ version: 0 }));
 *
 * @solana/kit is the caller's own. What comes back is checked to be by the wallet before it is given on.
 * @module
 */

import {
  address,
  getPublicKeyFromAddress,
  getTransactionEncoder,
  type MessagePartialSigner,
  type SignatureBytes,
  signatureBytes,
  type TransactionPartialSigner,
  verifySignature,
} from '@solana/kit';
import { fromHex, to0x } from '../base/bytes.ts';
import { signatureOf } from './signed.ts';
import type { Countersign } from './typed.ts';

export type SolanaSigner = TransactionPartialSigner & MessagePartialSigner;

/** @throws {Error} unless the wallet is active and of a Solana network */
export async function solanaSigner({ wallets }: Pick<Countersign, 'wallets'>, walletId: string): Promise<SolanaSigner> {
  const params = { walletId };
  const wallet = await wallets.getWallet({ params });
  if (wallet.status !== 'Active' || wallet.signingKey.scheme !== 'EdDSA' || wallet.address === undefined) {
    throw new Error(`wallet ${wallet.id} is ${wallet.status} and of ${wallet.network}: a signer takes an active one of a Solana network`);
  }
  const own = address(wallet.address);
  const publicKey = await getPublicKeyFromAddress(own);
  type Request = Parameters<typeof wallets.createWalletSignature>[0]['body'];

  async function sign(body: Request, signedBytes: Uint8Array): Promise<Readonly<Record<typeof own, SignatureBytes>>> {
    const { encoded } = signatureOf(await wallets.createWalletSignature({ params, body }));
    const signature = signatureBytes(fromHex(encoded) ?? new Uint8Array());
    if (!(await verifySignature(publicKey, signature, signedBytes)))
      throw new Error(`the service answered a signature that is not by ${own}`);
    return { [own]: signature } as Record<typeof own, SignatureBytes>; // a computed name
  }

  return {
    address: own,
    signTransactions: (transactions) =>
      Promise.all(
        transactions.map((transaction) => {
          const bytes = new Uint8Array(getTransactionEncoder().encode(transaction));
          return sign({ kind: 'Transaction', transaction: to0x(bytes) }, new Uint8Array(transaction.messageBytes));
        }),
      ),
    signMessages: (messages) => Promise.all(messages.map(({ content }) => sign({ kind: 'Message', message: to0x(content) }, content))),
  };
}
