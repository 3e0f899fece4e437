import { readFileSync } from 'node:fs';
import proxy from '@fastify/http-proxy';
import { fastify } from 'fastify';

// Started by node-proxies.ts: upstream, port, and for TLS the files of certificate and key come as arguments.
const [upstream = '', port = '0', certFile, keyFile] = process.argv.slice(2);
const https =
  certFile === undefined || keyFile === undefined
    ? null
    : { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const server = fastify({ logger: false, https });
await server.register(proxy, {
  upstream,
  undici: { connections: 512, pipelining: 1 },
  replyOptions: {
    // It would pass on the upstream's "Connection: keep-alive" and close all the same, which wrk counts as a failure.
    rewriteHeaders: (headers) => {
      const kept = { ...headers };
      delete kept.connection;
      return kept;
    },
  },
});
await server.listen({ port: Number(port), host: '127.0.0.1' });
