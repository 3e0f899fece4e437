import type { HelloFrame } from '../../proto/wire/frames.ts';
import type { AppliedState, GatewayIdentity, GatewayReport } from '../../proto/wire/published.ts';
import type { Services } from '../services.ts';

/** Keeps the newest report of one stream and saves it, one write at a time; what comes meanwhile is joined. */
export interface Reports {
  applied(state: AppliedState): void;
  heartbeat(report: GatewayReport): void;
  /** Saves what is left and marks the gateway as disconnected; never rejects. */
  close(): Promise<void>;
}

/** Starts from the hello: what the gateway holds and refuses is known before it applies anything. */
export function createReports(
  { id: gateway, grant }: GatewayIdentity,
  hello: HelloFrame,
  { repository, clock, log, config, signal, events }: Services,
): Reports {
  // What is not granted is neither kept nor saved: names are invented at no cost, and a list of them grows for ever.
  const isGranted = ({ environment }: { readonly environment: string }): boolean => {
    if (grant.environments.includes(environment)) return true;
    const detail = 'reported of an environment that is not granted';
    events.report({ gateway, kind: 'grant.environment_refused', detail });
    return false;
  };
  let report: GatewayReport = {
    instance: hello.instance,
    version: hello.version,
    hostname: hello.hostname,
    startedAtMs: hello.startedAtMs,
    policies: hello.policies,
    environments: hello.environments
      .filter((each) => grant.environments.includes(each.environment))
      .map(({ environment, epoch, seq, refused }) => ({
        environment,
        epoch,
        seq,
        nacks: refused,
      })),
    counters: {},
  };
  let saved: GatewayReport | undefined;
  let isClosed = false;
  let saving: Promise<void> | undefined;

  const save = async (): Promise<void> => {
    while (saved !== report) {
      const current = report;
      try {
        await repository.saveReport(gateway, current);
        saved = current;
      } catch (error) {
        log.warn({ err: error, gateway }, 'the report of a gateway could not be saved');
        if (isClosed) return;
        await clock.delay(config.limits.pollEveryMs, signal);
        if (signal.aborted) return;
      }
    }
  };
  const changed = (): void => {
    saving ??= save().finally(() => (saving = undefined));
  };
  changed();

  return {
    applied({ environment, epoch, seq, nacks }) {
      if (!isGranted({ environment })) return;
      const others = report.environments.filter((one) => one.environment !== environment);
      report = { ...report, environments: [...others, { environment, epoch, seq, nacks }] };
      changed();
    },
    heartbeat(next) {
      // The instance is the one that the assertion proved, whatever the report says.
      report = { ...next, instance: hello.instance, environments: next.environments.filter(isGranted) };
      changed();
    },
    async close() {
      isClosed = true;
      await saving;
      await repository.saveDisconnected(gateway, hello.instance).catch((error: unknown) => {
        log.warn({ err: error, gateway }, 'a closed stream could not be noted');
      });
    },
  };
}
