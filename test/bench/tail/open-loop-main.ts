/**
 * A load generator with a plan: request n is due at n / rate, whether or not earlier ones are answered, and its latency counts from then.
 *
 * wrk sends the next request when the last is answered, so that a proxy that stands still for 10 ms delays 64 requests there and, in the
 * real world, everything that would have come in that time. Time comes from a thread that sleeps a quarter of a millisecond, since timers
 * of the event loop know whole ones only. Writes an `OpenRun` as JSON.
 */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { pathBytes } from '../peer.ts';
import type { OpenLoad, OpenRun } from './open-loop.ts';
import { percentile } from '../../kit/percentile.ts';

/** The caller is open-loop.ts. */
const load = JSON.parse(process.argv[2] ?? '') as OpenLoad;
const tickMs = 0.25;
/** What is planned before is sent and not counted: connections are made and code is compiled. */
const warmMs = 1_000;
/** After the last planned request; who is not answered by then has failed. */
const graceMs = 2_000;

const url = new URL(load.url);
const headers = load.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
const request = `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n${headers}\r\n`;
const bodyBytes = pathBytes[load.path];
const planned = Math.round(load.perSecond * load.seconds);
const gapMs = 1_000 / load.perSecond;
const free: Connection[] = [];
/** When requests were due that found no free connection, first come first. */
const waiting: number[] = [];
let waited = 0;
const latenciesMs: number[] = [];
const latenessesMs: number[] = [];
let sent = 0;
let failures = 0;
let startMs = 0;

class Connection {
  readonly socket: Socket;
  #dueMs = 0;
  #text = '';

  constructor() {
    this.socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(64 * 1024),
        callback: (length, bytes) => {
          this.#read((bytes as Buffer).toString('latin1', 0, length));
          return true;
        },
      },
    });
    this.socket.on('error', () => (failures += 1));
    this.socket.once('connect', () => {
      free.push(this);
      if (free.length === load.connections) begin();
    });
  }

  send(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#text = '';
    this.socket.write(request, 'latin1');
  }

  #read(text: string): void {
    this.#text += text;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd === -1 || this.#text.length < headEnd + 4 + bodyBytes) return;
    if (!this.#text.startsWith('HTTP/1.1 200 ')) failures += 1;
    if (this.#dueMs >= startMs + warmMs) latenciesMs.push(performance.now() - this.#dueMs);
    const next = waiting[waited];
    if (next === undefined) free.push(this);
    else {
      waited += 1;
      this.send(next);
    }
  }
}

for (let n = 0; n < load.connections; n += 1) new Connection();

function begin(): void {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  // Says when time has passed, unless it was not yet heard.
  const metronome = `const { parentPort, workerData: { cells, tickMs } } = require('node:worker_threads');
    for (;;) { Atomics.wait(cells, 0, 0, tickMs); if (Atomics.exchange(cells, 1, 1) === 0) parentPort.postMessage(0); }`;
  startMs = performance.now();
  new Worker(metronome, { eval: true, workerData: { cells, tickMs } }).on('message', () => {
    Atomics.store(cells, 1, 0);
    sendDue();
  });
}

function sendDue(): void {
  const nowMs = performance.now();
  for (; sent < planned && startMs + sent * gapMs <= nowMs; sent += 1) {
    const dueMs = startMs + sent * gapMs;
    const connection = free.pop();
    if (connection === undefined) waiting.push(dueMs);
    else {
      latenessesMs.push(nowMs - dueMs);
      connection.send(dueMs);
    }
  }
  if (sent < planned) return;
  if (free.length < load.connections && nowMs < startMs + load.seconds * 1_000 + graceMs) return;
  report();
}

function report(): void {
  const run: OpenRun = {
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    maxMs: percentile(latenciesMs, 1),
    lateP99Ms: percentile(latenessesMs, 0.99),
    failures: failures + load.connections - free.length + waiting.length - waited,
  };
  process.stdout.write(JSON.stringify(run), () => process.exit());
}
