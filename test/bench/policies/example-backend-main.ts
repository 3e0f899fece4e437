import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import type { PolicyExample } from '../../../proto/policies/reference/example.ts';
import { backendOf } from '../../kit/policy-examples.ts';

/** The backends of all examples on one port, each below the id of its policy. Arguments: the port, and a file with their answers by id. */
const [port = '', file = ''] = process.argv.slice(2);
const written = JSON.parse(readFileSync(file, 'utf8')) as Record<string, PolicyExample['backend']>;
const backends = new Map(
  Object.entries(written).map(([id, backend]) => [id, backendOf(backend === undefined ? {} : { backend })]),
);
createServer((incoming, outgoing) => {
  const [, id = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(incoming.url ?? '') ?? [];
  const answer = backends.get(id)?.(rest);
  incoming.resume();
  incoming.on('end', () => {
    if (answer === undefined) outgoing.writeHead(404).end();
    else outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
}).listen(Number(port), '127.0.0.1');
