// payOS's own client for Node, asked by a test: signs data, and says whether webhooks hold.
// In, on standard input: {"key", "data": [...], "webhooks": [...]}. Out: {"signatures", "holds"}.
import { readFileSync } from 'node:fs';
import { PayOS } from '@payos/node';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const client = new PayOS({ clientId: 'c', apiKey: 'k', checksumKey: asked.key });
const holds = async (webhook) => {
  try {
    await client.webhooks.verify(webhook);
    return true;
  } catch {
    return false;
  }
};
const signatures = [];
for (const data of asked.data) {
  signatures.push(await client.crypto.createSignatureFromObj(data, asked.key));
}
const verdicts = [];
for (const webhook of asked.webhooks) verdicts.push(await holds(webhook));
process.stdout.write(JSON.stringify({ signatures, holds: verdicts }));
