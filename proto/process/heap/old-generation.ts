import { setFlagsFromString } from 'node:v8';

/** How much the room for old objects may grow until they are collected too; V8 would let it double, and more. */
const growthPercent = 20;

/** Collects old objects sooner than V8 would by itself: some more work for much less memory. To be called once a process has started. */
export function collectOldSooner(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
