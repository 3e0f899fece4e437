import type { TestContext } from 'node:test';

import { Sandbox, type SandboxOptions, type ScriptSettings } from '../../../data-plane/script/sandbox.ts';
import type { Scripts } from '../../../data-plane/script/script.ts';
import { scriptSettings } from '../../../data-plane/script/settings.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';

/** A sandbox with its real threads, which ends with the test. Scripts have ten seconds, so that a slow machine fails none. */
export function startSandbox(
  t: TestContext,
  settings: Partial<ScriptSettings> = {},
  log: SandboxOptions['log'] = createLog({ name: 'test', level: 'silent' }),
): Sandbox {
  const sandbox = new Sandbox({
    settings: { ...scriptSettings.parse({}), timeoutMs: 10_000, waitMsMax: 60_000, ...settings },
    clock: systemClock,
    log,
  });
  t.after(() => sandbox.close());
  return sandbox;
}

/** What one API has of it; held for as long as the test runs. */
export function startScripts(t: TestContext, settings: Partial<ScriptSettings> = {}): Scripts {
  const scripts = startSandbox(t, settings).of('a');
  t.after(scripts.hold());
  return scripts;
}
