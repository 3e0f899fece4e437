import { isDeepStrictEqual } from 'node:util';

import type { Log, LogLevel } from './log.ts';
import { isPlain } from './settings.ts';

/** What a process reads again when it is asked to. */
export interface SettingsReload<Settings extends ReloadableSettings> {
  readonly log: Log;
  /** As they were read at the start. */
  readonly settings: Settings;
  /** Reads them from the same file, variables and flags. */
  readonly read: () => Settings;
}

/** Of all settings only the log level is taken over while a process runs. */
export interface ReloadableSettings {
  readonly log: { readonly level: LogLevel };
}

/**
 * Makes what reads the settings again: a changed log level is in use at once, every other change is named as waiting for the next start.
 *
 * Settings that do not hold are an ERROR in the log and change nothing. Says whether something was taken over.
 */
export function createSettingsReload<Settings extends ReloadableSettings>({
  log,
  settings,
  read,
}: SettingsReload<Settings>): () => boolean {
  let inUse: Settings = settings;
  return () => {
    let next: Settings;
    try {
      next = read();
    } catch (error) {
      log.error({ err: error }, 'the settings cannot be read again; those before stay in use');
      return false;
    }
    const changed = changedPaths(inUse, next);
    const waiting = changed.filter((path) => path !== 'log.level');
    if (waiting.length > 0)
      log.warn({ settings: waiting }, 'these settings have changed and are in use from the next start on');
    if (waiting.length === changed.length) return false;
    inUse = { ...inUse, log: next.log };
    log.level = next.log.level;
    log.warn({ logLevel: next.log.level }, 'the log level has changed');
    return true;
  };
}

/** Dotted paths of the values that differ, without the values: there are secrets among them. */
function changedPaths(before: unknown, after: unknown, path = ''): readonly string[] {
  if (!isPlain(before) || !isPlain(after)) return isDeepStrictEqual(before, after) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const own = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
    Object.hasOwn(value, key) ? value[key] : undefined;
  return [...keys].flatMap((key) =>
    changedPaths(own(before, key), own(after, key), path === '' ? key : `${path}.${key}`),
  );
}
