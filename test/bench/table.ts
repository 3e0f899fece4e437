import { cpuRatio, spread, spreadOf, throughputRatio, type Row } from './rounds.ts';
import { titleOf, type Scene } from './scenes.ts';

const head = [
  'peer'.padEnd(20),
  'requests/s'.padStart(10),
  'core'.padStart(6),
  'CPU us/request'.padStart(14),
  '[min..max]'.padEnd(18),
  'CPU x nginx'.padStart(11),
  'rps x nginx'.padStart(11),
].join('  ');

const othersBusyMax = 0.1;

/** Lines of one scene's rows: medians, with the spread of the CPU, beside nginx in the same rounds. */
export function tableOf(scene: Scene, rows: readonly Row[]): readonly string[] {
  const nginx = rows.find((row) => row.peer === 'nginx');
  const others = spread(rows.flatMap((row) => row.runs.map((run) => run.othersBusy)));
  return [
    '',
    titleOf(scene),
    head,
    ...rows.map((row) => lineOf(row, nginx)),
    ...(others.median > othersBusyMax
      ? [`others used ${(100 * others.median).toFixed(0)} % of the proxies' core: throughput says little`]
      : []),
  ];
}

function lineOf(row: Row, nginx: Row | undefined): string {
  const cpu = spreadOf(row, 'cpuUsPerRequest');
  const failures = row.runs.reduce((sum, run) => sum + run.failures, 0);
  return [
    row.peer.padEnd(20),
    String(Math.round(spreadOf(row, 'requestsPerSecond').median)).padStart(10),
    `${(100 * spreadOf(row, 'busy').median).toFixed(0)} %`.padStart(6),
    cpu.median.toFixed(1).padStart(14),
    `[${cpu.min.toFixed(1)}..${cpu.max.toFixed(1)}]`.padEnd(18),
    (nginx === undefined ? '' : cpuRatio(row, nginx).median.toFixed(2)).padStart(11),
    (nginx === undefined ? '' : throughputRatio(row, nginx).median.toFixed(2)).padStart(11),
    failures === 0 ? '' : `${failures} FAILED`,
  ]
    .join('  ')
    .trimEnd();
}
