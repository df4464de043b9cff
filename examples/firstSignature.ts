/**
 * The first signature: makes an ECDSA key and signs a hash with it, by the official client. Its credentials are those of admin.env:
 *
 *   npm run example
 */

import { DfnsApiClient } from '@dfns/sdk';
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner';

const { DFNS_API_URL, DFNS_ORG_ID, DFNS_AUTH_TOKEN, DFNS_CRED_ID, DFNS_PRIVATE_KEY } = process.env;
if (!DFNS_API_URL || !DFNS_ORG_ID || !DFNS_AUTH_TOKEN || !DFNS_CRED_ID || !DFNS_PRIVATE_KEY) {
  throw new Error('run it with the variables of admin.env: node --env-file=data/admin.env examples/firstSignature.ts');
}

const client = new DfnsApiClient({
  baseUrl: DFNS_API_URL,
  orgId: DFNS_ORG_ID,
  authToken: DFNS_AUTH_TOKEN,
  signer: new AsymmetricKeySigner({ credId: DFNS_CRED_ID, privateKey: DFNS_PRIVATE_KEY }),
});

const key = await client.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1', name: 'first' } });
console.log(`key ${key.id}, public key ${key.publicKey}`);

const request = await client.keys.generateSignature({
  keyId: key.id,
  body: { kind: 'Hash', hash: '0x031edd7d41651593c5fe5c006fa5752b37fddff7bc4e843aa6af0c950f4b9406' },
});
console.log(request);
