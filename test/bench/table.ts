import { cpuRatio, spread, spreadOf, tailOf, throughputRatio, type Row } from './rounds.ts';
import { titleOf, type Scene } from './scenes.ts';

const head = [
  'peer'.padEnd(20),
  'requests/s'.padStart(10),
  'core'.padStart(6),
  'CPU us/request'.padStart(14),
  '[min..max]'.padEnd(18),
  'CPU x nginx'.padStart(11),
  'CPU x floor'.padStart(11),
  'rps x nginx'.padStart(11),
  'p99/mean'.padStart(8),
  'MiB'.padStart(5),
].join('  ');

const othersBusyMax = 0.1;

/** Lines of one scene's rows: medians, with the spread of the CPU, beside nginx and the floor in the same rounds. */
export function tableOf(scene: Scene, rows: readonly Row[]): readonly string[] {
  const bases = {
    nginx: rows.find((row) => row.peer === 'nginx'),
    floor: rows.find((row) => row.peer === 'floor'),
  };
  const others = spread(rows.flatMap((row) => row.runs.map((run) => run.othersBusy)));
  return [
    '',
    titleOf(scene),
    head,
    ...rows.map((row) => lineOf(row, bases)),
    ...(others.median > othersBusyMax
      ? [`others used ${(100 * others.median).toFixed(0)} % of the proxies' core: throughput says little`]
      : []),
  ];
}

interface Bases {
  readonly nginx: Row | undefined;
  readonly floor: Row | undefined;
}

function lineOf(row: Row, { nginx, floor }: Bases): string {
  const cpu = spreadOf(row, 'cpuUsPerRequest');
  const failures = row.runs.reduce((sum, run) => sum + run.failures, 0);
  return [
    row.peer.padEnd(20),
    String(Math.round(spreadOf(row, 'requestsPerSecond').median)).padStart(10),
    `${(100 * spreadOf(row, 'busy').median).toFixed(0)} %`.padStart(6),
    cpu.median.toFixed(1).padStart(14),
    `[${cpu.min.toFixed(1)}..${cpu.max.toFixed(1)}]`.padEnd(18),
    (nginx === undefined ? '' : cpuRatio(row, nginx).median.toFixed(2)).padStart(11),
    (floor === undefined ? '' : cpuRatio(row, floor).median.toFixed(2)).padStart(11),
    (nginx === undefined ? '' : throughputRatio(row, nginx).median.toFixed(2)).padStart(11),
    tailOf(row).median.toFixed(1).padStart(8),
    spreadOf(row, 'residentMib').median.toFixed(0).padStart(5),
    failures === 0 ? '' : `${failures} FAILED`,
  ]
    .join('  ')
    .trimEnd();
}
