import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { loadConfig } from '../../proto/process/config.ts';
import { runIsthmus } from '../../test/kit/processes/processes.ts';
import { processNames, processSchemas } from '../processes.ts';
import { closeMsMax } from '../run-process.ts';

const here = import.meta.dirname;
const text = readFileSync(join(here, 'compose.yaml'), 'utf8');
const readme = readFileSync(join(here, 'README.md'), 'utf8');

const Service = z.strictObject({
  image: z.string(),
  build: z
    .strictObject({ context: z.string(), dockerfile: z.string(), target: z.enum(processNames) })
    .optional(),
  profiles: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  extra_hosts: z.array(z.string()).default([]),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  healthcheck: z.looseObject({}).optional(),
  restart: z.string().optional(),
  read_only: z.boolean().default(false),
  tmpfs: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  stop_grace_period: z.string().optional(),
});
const named = z.record(z.string(), z.record(z.string(), z.string()));
const compose = z
  .object({ services: z.record(z.string(), Service), networks: named, volumes: named, secrets: named })
  .parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const serviceOf = (name: string): z.output<typeof Service> => {
  const found = compose.services[name];
  assert.ok(found !== undefined, name);
  return found;
};
/** The services that run a process of ours, by its name. */
const processes = processNames.map((name) => [name, serviceOf(name)] as const);

test('no container is on both sides of the border, and the site takes connections of clients only', () => {
  for (const [name, { networks }] of services) assert.equal(networks.length, 1, name);
  const site = services.filter(([, { networks }]) => networks.includes('site'));
  assert.deepEqual(
    site.map(([name, { ports }]) => [name, ports]),
    [
      ['gateway', ['8082:8082']],
      ['shipper', []],
    ],
  );
  // What the site needs of the cloud it dials by the bridge's public name, through the machine.
  for (const [name, { extra_hosts: hosts }] of site)
    assert.deepEqual(hosts, ['${BRIDGE_NAME:?see env.example}:host-gateway'], name);
  assert.deepEqual(serviceOf('bridge').ports, ['18092:18092']);
  assert.deepEqual(serviceOf('control-plane').ports, ['127.0.0.1:8083:8083']);
});

test('every variable of a process is a setting of it, and its value is one that holds', () => {
  for (const [name, { environment }] of services) {
    const process = name === 'migrate' ? 'control-plane' : processNames.find((each) => each === name);
    const ours = Object.entries(environment).filter(([key]) => key.startsWith('ISTHMUS_'));
    if (process === undefined) assert.deepEqual(ours, [], name);
    else {
      const env = Object.fromEntries(ours.map(([key, value]) => [key, filledIn(value)]));
      const prefix = `ISTHMUS_${process.toUpperCase().replace('-', '_')}__`;
      for (const key of Object.keys(env))
        assert.ok(key.startsWith(prefix) || key === 'ISTHMUS_ADMIN_PASSWORD', key);
      // A migration needs no bucket, which the process itself asks for.
      const bucket = name === 'migrate' ? { 'blobs.dir': '/nowhere' } : {};
      loadConfig(processSchemas[process], { process, env, flags: bucket });
    }
  }
});

test('ports that are published are those on which the processes listen', () => {
  for (const [name, { ports }] of processes) {
    const { config } = loadConfig(processSchemas[name], { process: name });
    const inside = ports.map((port) => Number(port.split(':').at(-1)));
    assert.deepEqual(inside, 'listen' in config ? [config.listen.port] : []);
  }
});

test('containers have no rights, write only to their volumes, and have the time to end', () => {
  const { lameDuckMs } = gatewayConfigSchema.parse({});
  for (const [name, service] of processes) {
    assert.equal(service.build?.target, name);
    assert.ok(existsSync(join(here, service.build.context, service.build.dockerfile)));
    assert.deepEqual(
      [service.read_only, service.cap_drop, service.security_opt],
      [true, ['ALL'], ['no-new-privileges:true']],
      name,
    );
    assert.ok(Number.parseInt(service.stop_grace_period ?? '', 10) * 1_000 > closeMsMax + lameDuckMs, name);
  }
});

test('what a service names is declared, and nothing is declared that no service names', () => {
  const volumes = services.flatMap(([, service]) =>
    service.volumes.map((volume) => volume.split(':')[0] ?? ''),
  );
  assert.deepEqual(new Set(volumes), new Set(Object.keys(compose.volumes)));
  const secrets = services.flatMap(([, service]) => service.secrets);
  assert.deepEqual(new Set(secrets), new Set(Object.keys(compose.secrets)));
  const networks = services.flatMap(([, service]) => service.networks);
  assert.deepEqual(new Set(networks), new Set(Object.keys(compose.networks)));
  for (const [, { depends_on: needed, environment }] of services) {
    for (const other of Object.keys(needed)) serviceOf(other);
    for (const path of Object.values(environment).filter((value) => value.startsWith('/run/secrets/')))
      assert.ok(secrets.includes(path.replace('/run/secrets/', '')), path);
  }
  assert.deepEqual(serviceOf('shipper').volumes, serviceOf('gateway').volumes, 'they share a folder');
});

test('no password has a default: what is to be filled in stands in env.example, all of it', () => {
  const asked = [...text.matchAll(/\$\{(\w+)([^}]*)\}/g)];
  assert.ok(asked.every(([, , otherwise]) => otherwise === ':?see env.example'));
  const example = readFileSync(join(here, 'env.example'), 'utf8');
  const offered = [...example.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(offered), new Set(asked.map(([, name]) => name)));
});

test('images of others are pinned to a version', () => {
  for (const [name, { image, build }] of services)
    assert.ok(build !== undefined || /:v?\d+\.\d+(\.\d+)?(-\w+)?$/.test(image), name);
});

test('commands and flags in compose file and steps are those of the program', async (t) => {
  const calls = [
    ...services.flatMap(([, { command = [] }]) => command.join(' ').match(/isthmus [a-z][^|&>]*/g) ?? []),
    ...(readme.match(/(?<=run --rm -T gateway )[a-z][^|&<>\n]*/g) ?? []).map((call) => `isthmus ${call}`),
  ];
  assert.equal(calls.length, 3);
  for (const call of calls) {
    const [, command = '', ...words] = call.trim().split(/\s+/);
    const help = await runIsthmus(t, [command, '--help']);
    for (const flag of words.filter((word) => word.startsWith('--')))
      assert.match(help, new RegExp(`${flag}(?![\\w-])`), call);
  }
});

test('shell commands of the compose file and the steps are such to a shell', () => {
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  const scripts = services.flatMap(([, { command = [], entrypoint = [] }]) =>
    entrypoint[0] === 'sh' ? command : [],
  );
  assert.ok(blocks.length > 0 && scripts.length === 2);
  for (const script of [...blocks, ...scripts.map((each) => each.replaceAll('$$', '$'))])
    execFileSync('sh', ['-n', '-c', script]);
});

/** A value as Docker fills it in from `.env`. */
function filledIn(value: string): string {
  const example: Readonly<Record<string, string>> = { BRIDGE_NAME: 'bridge.example.com' };
  return value.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, name: string) =>
    Object.hasOwn(example, name) ? (example[name] ?? '') : '0123456789abcdef',
  );
}
