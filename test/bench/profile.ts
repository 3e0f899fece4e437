/**
 * `npm run bench:profile`: where the gateway's time goes. Runs one role under wrk with V8's sampling profiler and prints the functions
 * by self time. The .cpuprofile stays, for the flame graph of a browser's developer tools.
 */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readProfile, type ThreadProfile } from './cpu-profile.ts';
import { issueCertificate } from './certificate.ts';
import { gatewayRoles, startGatewayPeer } from './gateway-peer.ts';
import { measure, threadTimes, type ThreadTime } from './measure.ts';
import { startNginxUpstream } from './nginx.ts';
import { paths } from './peer.ts';
import { openStage } from './stage.ts';

const help = `npm run bench:profile -- [options]

  --role <${gatewayRoles.join(' | ')}>   what the gateway does; default bare
  --path <${paths.join(' | ')}>   0.3 KiB, 10 KiB or 1 MiB; default /small
  --seconds <n>        measured time after 2 s of warming up; default 5
  --connections <n>    default 64
  --new-connections    one connection per request
  --tls                HTTPS with a self-made certificate
  --node-flag <f>      a flag of Node, e.g. --node-flag=--max-semi-space-size=32; may be repeated
  --top <n>            functions to print per thread; default 30
  --by <self | total>  what to sort by; total counts what a function calls; default self
`;

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'bare' },
    path: { type: 'string', default: '/small' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    'new-connections': { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    'node-flag': { type: 'string', multiple: true, default: [] },
    top: { type: 'string', default: '30' },
    by: { type: 'string', default: 'self' },
    help: { type: 'boolean', default: false },
  },
});
const role = gatewayRoles.find((name) => name === values.role);
const path = paths.find((name) => name === values.path);
if (values.help || role === undefined || path === undefined) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 2);
}

const profiles = mkdtempSync(join(tmpdir(), 'isthmus-profile-'));
const stage = openStage();
const upstream = await startNginxUpstream(stage);
const gateway = await startGatewayPeer(stage, {
  role,
  upstreamUrl: upstream.url,
  tls: values.tls ? issueCertificate(stage) : undefined,
  nodeFlags: [...values['node-flag'], '--cpu-prof', '--cpu-prof-interval=250', `--cpu-prof-dir=${profiles}`],
});
const load = {
  path,
  connections: Number(values.connections),
  isNewConnections: values['new-connections'],
};
await measure(stage, gateway, { ...load, seconds: 2 });
const before = threadTimes(gateway.child.pid);
const fromUs = monotonicUs();
const run = await measure(stage, gateway, { ...load, seconds: Number(values.seconds) });
const toUs = monotonicUs();
const after = threadTimes(gateway.child.pid);
// The profile is written when the process ends in order.
gateway.child.kill('SIGTERM');
await gateway.child.ended;
stage.close();

print(
  `${gateway.name}, ${path}, ${load.connections} connections${values.tls ? ', TLS' : ''}${load.isNewConnections ? ', one per request' : ''}: ${Math.round(run.requestsPerSecond)}/s, ${run.cpuUsPerRequest.toFixed(1)} us CPU a request (the profiler's own included), ${run.failures} failed`,
);
printThreadTimes(before, after);
for (const file of readdirSync(profiles).toSorted())
  printThread(readProfile(join(profiles, file), fromUs, toUs));

/** What the kernel counted: system calls and native threads too, which the samples do not tell apart. */
function printThreadTimes(from: readonly ThreadTime[], to: readonly ThreadTime[]): void {
  const requests = run.requestsPerSecond * Number(values.seconds);
  print('\n  user us  system us  a request, by thread');
  for (const { id, name, userUs, systemUs } of to) {
    const earlier = from.find((time) => time.id === id);
    const user = (userUs - (earlier?.userUs ?? 0)) / requests;
    const system = (systemUs - (earlier?.systemUs ?? 0)) / requests;
    if (user + system >= 0.05)
      print(`${user.toFixed(1).padStart(9)}  ${system.toFixed(1).padStart(9)}  ${name}`);
  }
}

function printThread(thread: ThreadProfile): void {
  print(
    `\n${thread.file}\nbusy ${((100 * thread.busyUs) / thread.windowUs).toFixed(0)} % of ${(thread.windowUs / 1e6).toFixed(1)} s`,
  );
  if (thread.busyUs === 0) return;
  print('   self   total  function');
  const sorted =
    values.by === 'total' ? thread.functions.toSorted((a, b) => b.total - a.total) : thread.functions;
  const shown = sorted.filter((entry) => entry.self >= 0.0005 || values.by === 'total');
  for (const { name, place, self, total } of shown.slice(0, Number(values.top)))
    print(`${percent(self)} ${percent(total)}  ${name}${place === '' ? '' : `  ${place}`}`);
  print('   self          file');
  for (const [file, share] of selfByFile(thread).slice(0, 15)) print(`${percent(share)}          ${file}`);
}

function selfByFile(thread: ThreadProfile): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const { name, place, self } of thread.functions) {
    const file = place === '' ? name : place.replace(/:\d+$/, '');
    sums.set(file, (sums.get(file) ?? 0) + self);
  }
  return [...sums].toSorted((a, b) => b[1] - a[1]);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1).padStart(5)} %`;
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
