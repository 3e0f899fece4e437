import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A few callers with pauses: what is asked is how long one waits, not how many fit. */
const callers = 4;
const pauseMs = 10;

/** How long answers took, in milliseconds. */
export interface Waits {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Asks for a while (ms) over kept connections; each answer is a 200. */
export async function waitsOf(url: string, forMs: number): Promise<Waits> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const times: number[] = [];
  const untilMs = performance.now() + forMs;
  const call = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      assert.equal(await ask(agent, url), 200);
      times.push(performance.now() - startedMs);
      await delay(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The same in words. */
export const sayWaits = ({ p50, p99, max }: Waits): string =>
  `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(0)} ms`;

function ask(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
