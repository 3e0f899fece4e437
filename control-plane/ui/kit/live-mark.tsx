import type { LiveState } from '../api/live.ts';
import { Status, type Tone } from './status.tsx';

const words: Readonly<Record<LiveState, readonly [Tone, string]>> = {
  live: ['ok', 'Live'],
  connecting: ['info', 'Connecting'],
  reconnecting: ['warn', 'Reconnecting'],
  off: ['idle', 'Looked at again every few seconds'],
};

/** Whether what is shown follows what happens. */
export function LiveMark({
  state,
  isPaused = false,
  off,
}: {
  readonly state: LiveState;
  readonly isPaused?: boolean;
  /** What is said where nothing is followed. */
  readonly off?: string;
}) {
  const [tone, word] = isPaused ? (['idle', 'Paused'] as const) : words[state];
  return <Status tone={tone}>{state === 'off' && !isPaused ? (off ?? word) : word}</Status>;
}
