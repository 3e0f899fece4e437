import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { loadConfig, settingsOf } from '../../proto/process/config.ts';
import { skipWithout } from '../../test/kit/require.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startPlatform, type Platform } from '../../test/kit/processes/up.ts';
import { processNames, processSchemas } from '../processes.ts';

const here = import.meta.dirname;
const root = join(here, '../..');
const textOf = (file: string): string => readFileSync(join(here, file), 'utf8');
const skip = skipWithout('prometheus', spawnSync('promtool', ['--version']).error === undefined);

const Alert = z.strictObject({
  alert: z.string().regex(/^Isthmus[A-Z]\w+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), action: z.string() }),
});
const alerts = z
  .object({ groups: z.array(z.object({ rules: z.array(Alert) })) })
  .parse(parse(textOf('alerts.yaml')))
  .groups.flatMap(({ rules }) => rules);

const Panel = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
});
const { panels } = z.object({ panels: z.array(Panel) }).parse(JSON.parse(textOf('dashboard.json')));

/** What Prometheus itself adds to every series. */
const targetLabels = ['instance', 'job'];

test('promtool accepts the rules and the scrape configuration', { skip }, () => {
  promtool('check', 'rules', join(here, 'alerts.yaml'));
  promtool('check', 'config', join(here, 'prometheus.yaml'));
});

test('each alert fires at what it is for, and none at an installation that is well', { skip }, () => {
  promtool('test', 'rules', join(here, 'alerts.test.yaml'));
  const cases = textOf('alerts.test.yaml');
  for (const { alert } of alerts) assert.match(cases, new RegExp(`alertname="${alert}"`), alert);
});

test('promtool accepts every query of the dashboard', { skip }, (t) => {
  const rules = queriesOfPanels().map(({ expr }, n) => ({ record: `panel:${n}`, expr: plain(expr) }));
  const file = join(tempDir(t), 'panels.yaml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  promtool('check', 'rules', file);
});

test('every metric, label and address that alerts and dashboard name is one that the processes show', async (t) => {
  const up = await startPlatform(t);
  for (const [path] of textOf('alerts.yaml').matchAll(/(?<=\s)\/health[\w/]*/g))
    assert.notEqual((await fetch(`${up.nodeApi}${path}`)).status, 404, path);
  const known = await shownMetrics(up);
  const queries = [
    ...queriesOfPanels(),
    ...alerts.map(({ expr, annotations }) => ({ expr, said: JSON.stringify(annotations) })),
  ];
  assert.ok(queries.length > alerts.length);
  for (const { expr, said } of queries) {
    const names = [...plain(expr).matchAll(/\b((?:isthmus|nodejs|process)_\w+)/g)].map(
      ([, name = '']) => name,
    );
    for (const name of names) assert.ok(known.has(name), `no process shows ${name}: ${expr}`);
    const labels = new Set([...targetLabels, ...names.flatMap((name) => [...(known.get(name) ?? [])])]);
    const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */));
    const matched = [...expr.matchAll(/[{,]\s*(\w+)(?:=|!)/g)].map(([, label = '']) => label);
    const shown = [...said.matchAll(/\{\{\s*\$labels\.(\w+)|\{\{(\w+)\}\}/g)].map(
      ([, ofAlert, ofLegend]) => ofAlert ?? ofLegend ?? '',
    );
    for (const label of [...kept, ...matched, ...shown])
      assert.ok(labels.has(label), `${names.join(', ')} has no label ${label}: ${expr}`);
    for (const label of shown)
      assert.ok(kept.length === 0 || kept.includes(label), `${label} is summed away: ${expr}`);
  }
});

test('Prometheus asks every process, at the port of its node API', () => {
  const Scrape = z.object({
    scrape_configs: z.array(
      z.object({ job_name: z.string(), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
    ),
  });
  const { scrape_configs: jobs } = Scrape.parse(parse(textOf('prometheus.yaml')));
  assert.deepEqual(
    jobs.map((job) => [job.job_name, job.static_configs.flatMap(({ targets }) => targets)]),
    processNames.map((name) => {
      const { admin } = loadConfig(processSchemas[name], { process: name }).config;
      return [`isthmus-${name}`, [`localhost:${admin.port}`]];
    }),
  );
});

test('every setting and document that an alert or a panel names is there', () => {
  const settings = new Set(
    processNames.flatMap((name) => settingsOf(processSchemas[name]).map((s) => s.path)),
  );
  const said = [textOf('alerts.yaml'), textOf('prometheus.yaml'), ...panels.map((p) => p.description ?? '')];
  const words = said.flatMap((text) => text.match(/\b[a-z][\w-]*(?:[./][\w-]+)+/g) ?? []);
  const files = words.filter((word) => /\.(md|yaml)$/.test(word));
  for (const file of files)
    assert.ok(
      [root, here, join(here, '..')].some((base) => existsSync(join(base, file))),
      file,
    );
  const named = words.filter((word) => /^[a-z]+[A-Za-z]*\.[a-z]+[A-Z]\w*$/.test(word));
  assert.ok(named.length > 3);
  for (const setting of named) assert.ok(settings.has(setting), setting);
});

test('the spool alert warns at three quarters of what the production file allows', () => {
  const file = join(here, '../production/gateway.yaml');
  const { config } = loadConfig(gatewayConfigSchema, { process: 'gateway', file });
  const spool = alerts.find(({ alert }) => alert === 'IsthmusSpoolFills');
  assert.equal(spool?.expr, `isthmus_report_spool_bytes > ${config.report.diskBytesMax * 0.75}`);
});

test('no panel of the dashboard covers another one, and each says what it is for', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
  );
  assert.equal(new Set(cells).size, cells.length);
  for (const { type, title, description, targets } of panels)
    assert.ok(type === 'row' || (description !== undefined && targets.length > 0), title);
});

/** The queries of all panels, with the legend that shows their labels. */
function queriesOfPanels(): readonly { readonly expr: string; readonly said: string }[] {
  return panels.flatMap(({ targets }) => targets.map(({ expr, legendFormat: said }) => ({ expr, said })));
}

/** A query without what Grafana puts in. */
const plain = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');

/** Names and units as Prometheus wants them; what Node's own figures are called is not ours to choose. */
function lintMetrics(text: string): void {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  const found = (stdout + stderr)
    .split('\n')
    .filter((line) => line !== '' && !/^(nodejs|process)_/.test(line));
  assert.deepEqual(found, []);
}

function promtool(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

/**
 * Every metric that running processes show, with its labels. Of a counter that has not counted yet they show no labels; those
 * stand where it is made.
 */
async function shownMetrics(up: Platform): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
  const texts = await Promise.all(
    [
      up.nodeApi,
      ...['controlPlaneNode', 'bridgeNode', 'shipperNode'].map((key) => addressOf(up.dir, key)),
    ].map(async (node) => (await fetch(`${node}/metrics`)).text()),
  );
  if (skip === false) for (const text of texts) lintMetrics(text);
  const shown = new Map<string, Set<string>>();
  for (const text of texts) {
    for (const [, name = '', type] of text.matchAll(/^# TYPE (\w+) (\w+)/gm))
      for (const end of type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        shown.set(name + end, shown.get(name + end) ?? new Set());
    for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)\{(.*)\} /gm))
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) shown.get(name)?.add(label);
  }
  const made = /(?:counter|gauge|histogram)\(\s*'(\w+)',\s*(?:'[^']*'|"[^"]*"),\s*\[([^\]]*)\]/g;
  for (const file of globSync('{data-plane,control-plane,bridge,shipper}/**/*.ts', { cwd: root }))
    for (const [, name = '', labels = ''] of readFileSync(join(root, file), 'utf8').matchAll(made))
      for (const [, label = ''] of labels.matchAll(/'(\w+)'/g)) shown.get(name)?.add(label);
  return shown;
}

function addressOf(dir: string, key: string): string {
  const addresses = JSON.parse(readFileSync(join(dir, 'addresses.json'), 'utf8')) as Record<string, string>;
  return addresses[key] ?? '';
}
