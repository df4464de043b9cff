import { generateKeyPairSync } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { pinOf } from '../src/crypto/certificate.ts';
import { transportTo } from '../src/transport/create.ts';
import { parseAddress } from '../src/base/address.ts';
import { openLink } from '../src/coordinator/link.ts';
const a = generateKeyPairSync('ed25519').privateKey, b = generateKeyPairSync('ed25519').privateKey;
const child = fork(new URL('./zz_server.ts', import.meta.url).pathname, { env: { ...process.env, K: a.export({ type: 'pkcs8', format: 'pem' }).toString(), PIN: pinOf(b) } });
await once(child, 'message');
const cpu = async () => { child.send('cpu'); const [c] = await once(child, 'message') as any; const m = process.cpuUsage(); return [(m.user + m.system), (c.user + c.system)]; };
for (const text of ['unix:/tmp/zz.sock', 'tls://127.0.0.1:7399', 'unix:/tmp/zz.sock', 'tls://127.0.0.1:7399']) {
  const t = transportTo(parseAddress(text), () => ({ key: b, peers: new Map([[pinOf(a), 's']]) }));
  const measure = async (name: string, n: number, work: () => Promise<void>) => {
    const c0 = await cpu(); const t0 = performance.now(); await work(); const ms = performance.now() - t0; const c1 = await cpu();
    console.log(text.slice(0, 4), name, (1000 * ms / n).toFixed(1), 'µs wall each; CPU µs each: service', ((c1[0] - c0[0]) / n).toFixed(1), 'signer', ((c1[1] - c0[1]) / n).toFixed(1));
  };
  const connects = async (n: number) => { for (let i = 0; i < n; i++) { const l = openLink({ index: 1, transport: t }); await l.ask('hello', {}); l.close(); } };
  await connects(100);
  await measure('connect and first answer', 500, () => connects(500));
  const l = openLink({ index: 1, transport: t });
  for (let i = 0; i < 3000; i++) await l.ask('hello', {});
  await measure('round trip, one at a time', 10000, async () => { for (let i = 0; i < 10000; i++) await l.ask('hello', {}); });
  await measure('round trip, 64 at a time', 64000, async () => { await Promise.all(Array.from({ length: 64 }, async () => { for (let i = 0; i < 1000; i++) await l.ask('hello', {}); })); });
  l.close();
}
child.kill(); process.exit();
