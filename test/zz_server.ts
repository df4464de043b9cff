import { createPrivateKey } from 'node:crypto';
import { listen } from '../src/signer/listen.ts';
import { transportTo } from '../src/transport/create.ts';
import { parseAddress } from '../src/base/address.ts';
const [key, pin] = [createPrivateKey(process.env.K!), process.env.PIN!];
for (const a of ['unix:/tmp/zz.sock', 'tls://127.0.0.1:7399'])
  await listen(transportTo(parseAddress(a), () => ({ key, peers: new Map([[pin, 's']]) })), async (q: any) => ({ number: q.number, result: { clusterId: 'c', index: 1, signerId: 'x', seeds: '' } }), () => {});
process.on('message', () => process.send!(process.cpuUsage()));
process.send!('ready');
