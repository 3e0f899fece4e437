import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Engine } from '../exchange.ts';
import { answerThemes } from './cases/answers.ts';
import { requestThemes } from './cases/requests.ts';
import { AnswerLane } from './answer-lane.ts';
import { describeCut, type WaysToCut } from './cuts.ts';
import { judgeAnswer, outcomeOfAnswer } from './judge-answer.ts';
import { judgeRequest, outcomeOf } from './judge-request.ts';
import { type Lane, LanePool } from './lanes.ts';
import { RequestLane } from './request-lane.ts';

/** Cases that run side by side, so that the slow way (byte by byte) of one does not keep the others waiting. */
const casesAtOnce = 6;
/** After so many wrong ways to cut a case the others are not tried. */
const wrongMax = 3;

/** The request tables: every case cut in these ways, over real connections on both sides. */
export function describeRequestTables(name: string, create: () => Engine, waysToCut: WaysToCut): void {
  const engine = create();
  describeTables(`${name}: requests`, requestThemes, {
    waysToCut,
    makeLane: (requestCase) => RequestLane.start(engine, requestCase.settings),
    async play(lane, requestCase, places) {
      const observed = await lane.play(requestCase, places);
      return { faults: judgeRequest(requestCase, observed), outcome: outcomeOf(observed) };
    },
  });
}

/** The answer tables: every answer of a backend, cut in these ways. */
export function describeAnswerTables(name: string, create: () => Engine, waysToCut: WaysToCut): void {
  const engine = create();
  describeTables(`${name}: answers`, answerThemes, {
    waysToCut,
    makeLane: (answerCase) => AnswerLane.start(engine, answerCase.settings.limits),
    async play(lane, answerCase, places) {
      const observed = await lane.play(answerCase, places);
      return { faults: judgeAnswer(answerCase, observed), outcome: outcomeOfAnswer(observed) };
    },
  });
}

interface TableCase {
  readonly name: string;
  readonly section: string;
  readonly bytes: string;
  readonly settings: object;
}

interface Stage<C extends TableCase, L extends Lane> {
  readonly waysToCut: WaysToCut;
  makeLane(tableCase: C): Promise<L>;
  play(lane: L, tableCase: C, places: readonly number[]): Promise<Played>;
}

interface Played {
  readonly faults: readonly string[];
  readonly outcome: string;
}

// oxlint-disable-next-line max-params -- a name, its tables, and where they are played
function describeTables<C extends TableCase, L extends Lane>(
  name: string,
  themes: Readonly<Record<string, readonly C[]>>,
  stage: Stage<C, L>,
): void {
  describe(name, { concurrency: 1 }, () => {
    const pools = new Map<string, LanePool<L>>();
    after(() => Promise.all([...pools.values()].map((pool) => pool.close())));
    const poolOf = (tableCase: C): LanePool<L> => {
      const key = JSON.stringify(
        'limits' in tableCase.settings || 'target' in tableCase.settings ? tableCase.settings : {},
      );
      const pool = pools.get(key) ?? new LanePool(() => stage.makeLane(tableCase));
      pools.set(key, pool);
      return pool;
    };
    for (const [theme, cases] of Object.entries(themes)) {
      describe(theme, { concurrency: casesAtOnce }, () => {
        for (const tableCase of cases) {
          test(`${tableCase.section}: ${tableCase.name}`, async () => {
            const pool = poolOf(tableCase);
            const play = (places: readonly number[]): Promise<Played> =>
              pool.run((lane) => stage.play(lane, tableCase, places));
            const [whole = [], ...others] = stage.waysToCut(tableCase.bytes);
            const first = await play(whole);
            assert.deepEqual(first.faults, [], `whole: ${JSON.stringify(tableCase.bytes.slice(0, 500))}`);
            const wrong: string[] = [];
            const judge = async (lane: L, places: readonly number[]): Promise<void> => {
              // A fault is often one of patience: some tell enough, all of them would take minutes.
              if (wrong.length >= wrongMax) return;
              const { faults, outcome } = await stage.play(lane, tableCase, places);
              if (faults.length > 0) wrong.push(`${describeCut(places)}: ${faults.join('; ')}`);
              else if (outcome !== first.outcome)
                wrong.push(`${describeCut(places)}: ${outcome}, whole: ${first.outcome}`);
            };
            await Promise.all(others.map((places) => pool.run((lane) => judge(lane, places))));
            assert.deepEqual(wrong, [], 'ways to cut it that matter');
          });
        }
      });
    }
  });
}
