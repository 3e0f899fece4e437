import type { Place, Tree } from './place.ts';

/** The health check of an API: the same for all of its groups. */
export function healthCheckOf(check: Place): Tree {
  if (check.isAbsent) return undefined;
  if (!check.field('enabled').flag(true)) {
    check.leave();
    return undefined;
  }
  return checkOf(check, false);
}

/** The health check of one endpoint, which counts only where it does not inherit. */
export function ownHealthCheckOf(check: Place): Tree {
  // In the oldest definitions it is a word: whether the API's check is for this endpoint.
  const isWord = typeof check.value === 'boolean';
  if (check.isAbsent || check.value === true) return undefined;
  const isEnabled = !isWord && check.field('enabled').flag(true);
  if (!isWord && check.field('inherit').flag(true)) {
    check.leave();
    return undefined;
  }
  if (isEnabled) return checkOf(check, true);
  check.leave();
  return check.made({ enabled: false, type: 'http-health-check', overrideConfiguration: true });
}

function checkOf(check: Place, isOwn: boolean): Tree {
  const steps = check.field('steps').items();
  check.leave('inherit');
  if (steps.length > 1)
    check.field('steps').note('idle', 'has more than one step: only the first runs, as in version 2');
  // Before there were steps, request and expectation stood here.
  const step = steps[0] ?? check;
  const request = step.field('request');
  const schedule = scheduleOf(check);
  for (const unused of steps.slice(1)) unused.leave();
  step.leave('name', 'response', 'expectation');
  if (request.isAbsent) {
    check.note('idle', 'has no step: nothing is checked');
    return undefined;
  }
  return check.made({
    enabled: true,
    type: 'http-health-check',
    overrideConfiguration: isOwn,
    configuration: {
      schedule,
      method: request.field('method'),
      target: request.field('path', 'uri'),
      overrideEndpointPath: request.field('fromRoot', 'from_root').flag(),
      headers: request.field('headers'),
      body: request.field('body'),
      assertion: assertionOf(step),
      successThreshold: 2,
      failureThreshold: 2,
    },
  });
}

/** All must hold; they are written without braces, which version 4 has around the whole. */
function assertionOf(step: Place): Tree {
  const answer = step.field('response', 'expectation');
  const assertions = answer.field('assertions');
  const all = assertions
    .items()
    .map((assertion) => assertion.text())
    .filter((text) => text.trim() !== '');
  const [only = '#response.status == 200'] = all;
  return assertions.as(
    all.length < 2 ? `{${only}}` : `{${all.map((assertion) => `(${assertion})`).join(' && ')}}`,
  );
}

const units = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'] as const;

/** A cron expression of six fields; older definitions say a rate and its unit instead. */
function scheduleOf(service: Place): Tree {
  const schedule = service.field('schedule');
  const trigger = service.field('trigger');
  const holder = trigger.isAbsent ? service : trigger;
  const rate = holder.field('rate', 'interval').number();
  const unit = holder.field('unit');
  if (!schedule.isAbsent) return schedule;
  if (rate.isAbsent) return undefined;
  if (typeof rate.value !== 'number' || !Number.isInteger(rate.value) || rate.value < 1) {
    rate.fault('must be a whole number of at least 1');
    return undefined;
  }
  const field = units.indexOf(unit.word(units, 'SECONDS'));
  const fields = ['0', '0', '0', '*', '*', '*'].map((otherwise, index) =>
    index === field ? `*/${String(rate.value)}` : index > field ? '*' : otherwise,
  );
  return rate.as(fields.join(' '));
}

/** How endpoints of a group are found. */
export function discoveryOf(discovery: Place): Tree {
  if (discovery.isAbsent) return undefined;
  if (!discovery.field('enabled').flag(true)) {
    discovery.leave();
    return undefined;
  }
  const provider = discovery.field('provider');
  const id = provider.text().toLowerCase();
  return discovery.made({
    enabled: true,
    type: provider.as(id === 'consul' ? 'consul-service-discovery' : id),
    configuration: discovery.field('configuration'),
  });
}

/** Properties that are fetched. */
export function dynamicPropertyOf(service: Place): Tree {
  if (service.isAbsent) return undefined;
  if (!service.field('enabled').flag(true)) {
    service.leave();
    return undefined;
  }
  const provider = service.field('provider');
  if (provider.text('HTTP').toUpperCase() !== 'HTTP')
    provider.fault('is not supported; allowed: HTTP, as in the reference');
  const configuration = service.field('configuration');
  return service.made({
    enabled: true,
    type: 'http-dynamic-properties',
    overrideConfiguration: false,
    configuration: configuration.made({
      schedule: scheduleOf(service),
      url: configuration.field('url'),
      method: configuration.field('method'),
      headers: configuration.field('headers'),
      body: configuration.field('body'),
      systemProxy: configuration.field('useSystemProxy', 'use_system_proxy').flag(),
      transformation: configuration.field('specification'),
    }),
  });
}
