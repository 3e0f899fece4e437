import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import gateway from 'fast-gateway';
// Comes with fast-gateway, which is built on it.
import restana from 'restana';

// Started by node-proxies.ts: upstream, port, and for TLS the files of certificate and key come as arguments.
const [target = '', port = '0', certFile, keyFile] = process.argv.slice(2);
const routes = [{ prefix: '', target }];
const server =
  certFile === undefined || keyFile === undefined
    ? gateway({ routes })
    : gateway({
        routes,
        server: restana({
          server: createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }),
        }),
      });
await server.start(Number(port), '127.0.0.1');
