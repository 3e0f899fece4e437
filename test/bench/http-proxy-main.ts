import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import httpProxy from 'http-proxy';

// Started by node-proxies.ts: upstream, port, and for TLS the files of certificate and key come as arguments.
const [target = '', port = '0', certFile, keyFile] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target,
  // Without an agent it opens a connection per request to the upstream, and passes the upstream's "Connection: close" on.
  ...(process.env['UPSTREAM_KEEP_ALIVE'] === 'yes' && {
    agent: new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512 }),
  }),
  ...(certFile !== undefined &&
    keyFile !== undefined && { ssl: { cert: readFileSync(certFile), key: readFileSync(keyFile) } }),
});
// A client that goes away in the middle of an answer, as wrk does at the end of a run, must not end the process.
proxy.on('error', () => undefined);
proxy.listen(Number(port), '127.0.0.1');
