import proxy from '@fastify/http-proxy';
import { fastify } from 'fastify';

// Started by peers.ts: upstream URL and port come as arguments.
const [upstream = '', port = '0'] = process.argv.slice(2);
const server = fastify({ logger: false });
await server.register(proxy, { upstream, undici: { connections: 512, pipelining: 1 } });
await server.listen({ port: Number(port), host: '127.0.0.1' });
