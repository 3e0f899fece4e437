import type { Log } from '../../../proto/process/log.ts';
import type { Metrics } from '../../../proto/process/metrics.ts';
import { HealthBoard, type ToldState } from './board.ts';
import { Checks, type ChecksOptions } from './checks.ts';
import { describeEndpoints, type EndpointState, HealthMeters, tellState } from './shown.ts';

/** What checking the endpoints of a gateway needs. */
export interface HealthOptions extends Omit<ChecksOptions, 'onPutOff'> {
  readonly metrics: Metrics;
  readonly log: Log;
  /** Endpoints with a series of their own. */
  readonly endpointsMax: number;
}

/** The endpoints of a gateway, checked by this process. */
export interface OpenHealth {
  readonly board: HealthBoard;
  /** From now on this one hears of each new state, to tell other processes. */
  onState(hear: (told: ToldState) => void): void;
  /** For the node API. */
  describe(): readonly EndpointState[];
  /** Carries the states over into the metrics. */
  publish(): void;
}

/** Begins: nothing is checked before a deployed API says so, and nothing after the last one has gone. */
export function openHealth({ metrics, log, endpointsMax, ...checks }: HealthOptions): OpenHealth {
  const board = new HealthBoard();
  const meters = new HealthMeters(board, metrics, endpointsMax);
  let hearing: (told: ToldState) => void = () => undefined;
  const onPutOff = (api: string): void =>
    log.warn(
      { api },
      'assertions of health checks of this API take too much of the process: its checks are put off',
    );
  board.checkBy(new Checks(board, { ...checks, onPutOff }), (watched) => {
    tellState(log, watched);
    hearing({ key: watched.key, state: watched.standing.state });
  });
  return {
    board,
    onState: (hear) => void (hearing = hear),
    describe: () => describeEndpoints(board),
    publish: () => meters.publish(),
  };
}
