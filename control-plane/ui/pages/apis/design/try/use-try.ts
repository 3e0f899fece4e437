import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, answerOf, type Schemas } from '../../../../api/client.ts';
import type { Design } from '../flows.ts';
import type { DesignAt } from '../questions.ts';
import { headersOf, type Light, lightsOf, type Run } from './rows.ts';

/** A request as somebody writes it. */
export interface Wish {
  readonly method: string;
  readonly path: string;
  /** A line for each. */
  readonly headers: string;
  readonly body: string;
  /** Empty: whichever the API takes first. */
  readonly plan: string;
}

/** A request that is tried, and what came of it. */
export interface Trying {
  readonly wish: Wish;
  readonly set: (part: Partial<Wish>) => void;
  /** What is wrong with the headers. */
  readonly problem: string | undefined;
  readonly run: () => void;
  readonly isRunning: boolean;
  readonly error: unknown;
  readonly result: Schemas['DebugEvent'] | undefined;
  /** The design was changed since: what came of it says nothing of the steps as they are now. */
  readonly isStale: boolean;
  /** Of the steps of the design; empty where none are known. */
  readonly lights: ReadonlyMap<string, Light>;
}

const dark: ReadonlyMap<string, Light> = new Map();

/** Tries requests on a design as it is kept. */
export function useTry(at: DesignAt, design: Design): Trying {
  const [wish, setWish] = useState<Wish>({ method: 'GET', path: '/', headers: '', body: '', plan: '' });
  const parsed = headersOf(wish.headers);
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: async () => {
      const { method, path, body, plan } = wish;
      const event = await answerOf(
        api.POST('/management/v2/environments/{envId}/apis/{apiId}/debug', {
          params: { path: { envId: at.env, apiId: at.id } },
          body: {
            method,
            path: path === '' ? '/' : path,
            headers: 'headers' in parsed ? parsed.headers : {},
            ...(body !== '' && { body }),
            ...(plan !== '' && { plan }),
          },
        }),
      );
      return { event, design };
    },
  });
  const run: Run | undefined = data?.event.run;
  const isStale = data !== undefined && data.design !== design;
  const lights = useMemo(() => (run === undefined || isStale ? dark : lightsOf(run)), [run, isStale]);
  return {
    wish,
    set: (part) => setWish((before) => ({ ...before, ...part })),
    problem: 'problem' in parsed ? parsed.problem : undefined,
    run: () => mutate(),
    isRunning: isPending,
    error,
    result: data?.event,
    isStale,
    lights,
  };
}
