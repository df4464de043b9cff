import { groupOf } from './crypto/groups/index.ts';
import { ecdsaOver } from './crypto/schemes/ecdsa.ts';
import { schnorrOver, verifyBip340, bip340Challenge } from './crypto/schemes/schnorr.ts';
import { tapTweak } from './crypto/schemes/taproot.ts';
import { secp256k1, schnorr } from '@noble/curves/secp256k1.js';
import { fromBigInt } from './base/bytes.ts';
function t(name: string, f: () => unknown) { let n = 0; const w = performance.now(); while (performance.now() - w < 300) f(); const a = performance.now(); while (performance.now() - a < 500) { f(); n++; } console.log(name.padEnd(44), ((performance.now() - a) * 1000 / n).toFixed(1), 'us'); }
const d = fromBigInt(123456789n, 32), key = fromBigInt(77n, 32), pub = secp256k1.getPublicKey(key);
const rec = secp256k1.sign(d, key, { prehash: false, format: 'recovered' }); const sig = { recid: rec[0]!, r: rec.slice(1, 33), s: rec.slice(33) };
const g = groupOf('secp256k1'); const s = ecdsaOver(g); t('ecdsa ' , () => s.verify(pub, { bytes: d }, { r: sig.r, s: sig.s })); t('ecdsa recid ', () => s.verify(pub, { bytes: d }, sig)); 
 const sc = schnorrOver(g), ss = schnorr.sign(d, key); const ok = { r: ss.slice(0, 32), s: ss.slice(32) }; t('schnorr (false sig)', () => sc.verify(pub, { bytes: d, taprootMerkleRoot: new Uint8Array(0) }, ok));
 t('bip340 ' , () => verifyBip340(g, pub.subarray(1), d, ok)); t('challenge', () => bip340Challenge(g, ok.r, pub.subarray(1), d));
 const P = g.decodePoint(pub), a = g.randomScalar(), b = g.randomScalar(); t('lin', () => g.linearCombination([a, b], [g.base, P])); t('tap', () => tapTweak(pub, new Uint8Array(0)));
